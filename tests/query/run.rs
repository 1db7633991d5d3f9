//! Runs a command of the program to its end.

use std::process::{Command, Output};

use test_support::program::{API_SECRET, command};

/// The output and status of a command.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) errors: String,
}

/// Runs the program with these arguments against the API at `base_url`.
pub(crate) fn run(base_url: &str, arguments: &[&str]) -> Done {
    finish(&mut prepared(base_url, arguments))
}

/// Returns the command, to which a test can add.
pub(crate) fn prepared(base_url: &str, arguments: &[&str]) -> Command {
    let mut command = command();
    command
        .args(arguments)
        .arg(format!("--api.base-url={base_url}"));
    command
}

pub(crate) fn finish(command: &mut Command) -> Done {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let done = Done {
        status: status.code().expect("a status"),
        out: text(stdout),
        errors: text(stderr),
    };
    assert!(!done.out.contains(API_SECRET) && !done.errors.contains(API_SECRET));
    done
}

impl Done {
    /// Returns the lines of a command that succeeds and writes nothing to standard
    /// error.
    pub(crate) fn lines(&self) -> Vec<&str> {
        assert_eq!((self.status, &*self.errors), (0, ""), "{}", self.out);
        self.out.lines().collect()
    }

    /// Returns those lines, each parsed as JSON.
    pub(crate) fn events(&self) -> Vec<serde_json::Value> {
        let read = |line: &&str| serde_json::from_str(line).expect("JSON");
        self.lines().iter().map(read).collect()
    }
}
