//! Runs a command of the program to its end.

use std::path::Path;
use std::process::{Command, Output};

use test_support::program::{API_SECRET, command};

/// The output and status of a command.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) errors: String,
}

/// Runs `state` with these arguments on the state in `directory`.
pub(crate) fn state(directory: &Path, arguments: &[&str]) -> Done {
    finish(&mut prepared(directory, arguments))
}

/// Returns the command, to which a test can add.
pub(crate) fn prepared(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = command();
    command.arg("state").args(arguments);
    command.arg(format!("--storage.path={}", directory.display()));
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
    /// Returns the output of a command that succeeds.
    #[track_caller]
    pub(crate) fn output(self) -> String {
        assert_eq!(self.status, 0, "{}", self.errors);
        self.out
    }

    /// Returns the message of a command that fails with this status, without the name of
    /// the program, and with `directory` as `DIR`.
    #[track_caller]
    pub(crate) fn complaint(self, status: i32, directory: &Path) -> String {
        assert_eq!(self.status, status, "{}\n{}", self.errors, self.out);
        let said = self.errors.replace(&directory.display().to_string(), "DIR");
        let said = said.strip_prefix("nexmo-audit-exporter: ");
        said.expect("the name of the program").trim_end().to_owned()
    }
}
