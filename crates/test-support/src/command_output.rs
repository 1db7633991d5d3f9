//! A command of the program that runs to its end.

use std::path::Path;
use std::process::{Command, Output};

use crate::program::API_SECRET;

/// The output and status of a command.
#[derive(Debug)]
pub struct CommandOutput {
    pub status: i32,
    pub out: String,
    pub errors: String,
}

impl CommandOutput {
    /// Runs a command. Its output does not hold the secret of the tests.
    pub fn of(command: &mut Command) -> Self {
        let Output {
            status,
            stdout,
            stderr,
        } = command.output().expect("the program starts");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        let output = Self {
            status: status.code().expect("a status"),
            out: text(stdout),
            errors: text(stderr),
        };
        assert!(!output.out.contains(API_SECRET) && !output.errors.contains(API_SECRET));
        output
    }

    /// Returns the output of a command that succeeds.
    #[track_caller]
    pub fn output(self) -> String {
        assert_eq!(self.status, 0, "{}", self.errors);
        self.out
    }

    /// Returns the lines of a command that succeeds and writes nothing to standard error.
    #[track_caller]
    pub fn lines(&self) -> Vec<&str> {
        assert_eq!((self.status, &*self.errors), (0, ""), "{}", self.out);
        self.out.lines().collect()
    }

    /// Returns those lines, each parsed as JSON.
    #[track_caller]
    pub fn events(&self) -> Vec<serde_json::Value> {
        let read = |line: &&str| serde_json::from_str(line).expect("JSON");
        self.lines().iter().map(read).collect()
    }

    /// Returns the message of a command that ends with this status, without the name of
    /// the program, and with `directory` as `DIR`.
    #[track_caller]
    pub fn complaint(&self, status: i32, directory: &Path) -> String {
        assert_eq!(self.status, status, "{}\n{}", self.errors, self.out);
        let said = self.errors.replace(&directory.display().to_string(), "DIR");
        let said = said.strip_prefix("nexmo-audit-exporter: ");
        said.expect("the name of the program").trim_end().to_owned()
    }
}
