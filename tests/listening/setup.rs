//! An exporter that listens on a unix socket, beside a scripted API.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use tempfile::TempDir;
use test_support::audit_event::events;
use test_support::process::{Process, START};
use test_support::program::command;
use test_support::scripted_api::{ScriptedApi, healthy};
use test_support::tools;

/// The time from SIGTERM to the end of an exporter that no server scrapes.
pub(crate) const END: Duration = Duration::from_secs(20);

/// A folder for the files of exporters, and an API with two events.
pub(crate) struct Setup {
    pub(crate) folder: TempDir,
    pub(crate) api: ScriptedApi,
}

impl Setup {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            api: ScriptedApi::start(healthy(events(2, "A"))),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path("metrics.sock")
    }

    /// The address of [`Setup::socket`], for `--web.listen-address`.
    pub(crate) fn address(&self) -> String {
        format!("unix:{}", self.socket().display())
    }

    /// Returns a command of the program with the settings of a test and `more`, for an
    /// exporter whose state is in the folder `state`.
    pub(crate) fn command(&self, name: &str, state: &str, more: &[&str]) -> Command {
        let mut command = command();
        command.args([name, "--poll.interval=100ms", "--poll.start=1h"]);
        command.arg("--api.max-requests-per-second=1000");
        command.arg(format!("--storage.path={}", self.path(state).display()));
        command.arg(format!("--api.base-url={}", self.api.base_url()));
        command.args(more).current_dir(self.folder.path());
        command
    }

    /// Starts an exporter on the unix socket, and waits until it listens.
    pub(crate) fn start(&self, more: &[&str]) -> Process {
        let mut command = self.command("serve", "state", more);
        command.env("NEXMO_AUDIT_WEB_LISTEN_ADDRESS", self.address());
        let exporter = Process::start("nexmo-audit-exporter", &mut command);
        let line = format!("listening address={}", self.address());
        exporter.wait_for_line(&line, START, |found| found.contains(&line).then_some(()));
        exporter
    }

    /// Returns a command that hands over a socket, given as standard input, as systemd does.
    pub(crate) fn activated(&self, more: &[&str]) -> Command {
        let serve = self.command("serve", "state", more);
        let mut shell = Command::new("sh");
        let hand_over = "exec 3<&0 0</dev/null; export LISTEN_FDS=1 LISTEN_FDNAMES=metrics; LISTEN_PID=$$ exec \"$0\" \"$@\"";
        shell.args(["-c", hand_over]).arg(serve.get_program());
        shell.args(serve.get_args()).current_dir(self.folder.path());
        for (name, value) in serve.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        shell
    }

    /// Writes a file, and returns the flag that names it as the web configuration.
    pub(crate) fn web_config(&self, text: &str) -> String {
        let path = self.path("web.yml");
        fs::write(&path, text).expect("a file");
        format!("--web.config.file={}", path.display())
    }

    /// Runs curl over the unix socket; `None` where there is no curl.
    pub(crate) fn curl(&self, arguments: &[&str]) -> Option<Output> {
        let mut curl = Command::new(tools::require("curl")?);
        curl.args(["-sS", "--max-time", "10", "--unix-socket"]);
        curl.arg(self.socket()).args(arguments);
        Some(curl.output().expect("curl"))
    }
}

/// Returns what a program wrote to standard output, which must have succeeded.
pub(crate) fn text(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// Returns the exit status of a command, and what it wrote to both outputs.
pub(crate) fn outcome(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().expect("the program");
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}
