//! The program under test, started as a user starts it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use tempfile::TempDir;

use crate::process::{Process, START};

/// The credentials of the tests. The servers of a test know no others.
pub const API_KEY: &str = "abcd1234";
pub const API_SECRET: &str = "not-a-real-secret";

/// The time from a cause to its line in the log, on a busy machine.
const ANSWER: Duration = Duration::from_secs(20);

/// A running `nexmo-audit-exporter` that listens, in a temporary folder of its own.
pub struct Program {
    process: Process,
    address: SocketAddr,
    _folder: TempDir,
}

impl Program {
    /// Starts the program and waits until it listens.
    pub fn start(arguments: &[&str]) -> Self {
        Self::started_by(command().args(arguments), arguments)
    }

    /// Starts a prepared command, for example with variables of its own.
    pub fn started_by(command: &mut Command, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let process = Process::start("nexmo-audit-exporter", command.current_dir(folder.path()));
        // The demo contains a simulator, which listens as well.
        let simulates = arguments.first() == Some(&"simulate");
        let address = match told_address(arguments) {
            Some(address) => {
                process.wait_for_listener(address);
                address
            }
            None => process.wait_for_address(|line| simulates || !line.contains("simulator")),
        };
        Self {
            process,
            address,
            _folder: folder,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the URL of `path`, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Returns the number of the process in `/proc`.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Sends a signal, such as `TERM`.
    pub fn signal(&self, signal: &str) {
        self.process.signal(signal);
    }

    /// Returns the status once the program has ended by itself.
    pub fn wait_for_end(&mut self, deadline: Duration) -> ExitStatus {
        self.process.wait_for_end(deadline)
    }

    /// Waits for the first line that contains `text`.
    pub fn wait_for_line(&self, text: &str) -> String {
        self.process.wait_for_line(text, ANSWER, |line| {
            line.contains(text).then(|| line.to_owned())
        })
    }

    /// Returns every line written so far.
    pub fn lines(&self) -> Vec<String> {
        self.process.lines()
    }

    pub fn log(&self) -> String {
        self.process.log()
    }
}

/// Returns the address of the arguments, unless the program chooses the port.
fn told_address(arguments: &[&str]) -> Option<SocketAddr> {
    let told = |argument: &&str| argument.strip_prefix("--web.listen-address=")?.parse().ok();
    let mut addresses = arguments.iter().filter_map(told);
    addresses.find(|address: &SocketAddr| address.port() != 0)
}

/// A running simulator whose events all lie in the past.
pub struct Simulator {
    _process: Process,
    /// The scheme, host and port.
    pub host: String,
}

impl Simulator {
    pub fn start(history: usize) -> Self {
        Self::start_with(history, &[])
    }

    /// Starts with further flags, such as `--order=shuffled`.
    pub fn start_with(history: usize, more: &[&str]) -> Self {
        let mut simulator = command();
        simulator
            .args(["simulate", "--listen-address=127.0.0.1:0", "--rate=0"])
            .arg(format!("--history={history}"))
            .args(["--api-key", API_KEY, "--api-secret", API_SECRET])
            .args(more);
        let process = Process::start("the simulator", &mut simulator);
        let host = process.wait_for_line("base URL", START, host);
        Self {
            _process: process,
            host,
        }
    }

    pub fn base_url(&self) -> String {
        format!("{}/beta/audit", self.host)
    }
}

/// Returns the part before the path of a logfmt line with
/// `base_url=http://127.0.0.1:10611/beta/audit`.
fn host(line: &str) -> Option<String> {
    let (_, url) = line.split_once("base_url=")?;
    let (host, _) = url.split_once("/beta/audit")?;
    Some(host.to_owned())
}

/// Returns the program without arguments, with the credentials of a test and no other
/// settings.
pub fn command() -> Command {
    with_credentials(Command::new(executable()))
}

/// Returns the program without an account in its environment, for config files with accounts.
pub fn command_without_account() -> Command {
    let mut command = command();
    for name in ["NEXMO_API_KEY", "NEXMO_API_SECRET"] {
        command.env_remove(name);
    }
    command
}

/// Returns the program with a limit on open file descriptors.
pub fn command_with_descriptors(number: usize) -> Command {
    let mut shell = Command::new("sh");
    let limited = format!("ulimit -n {number} && exec \"$0\" \"$@\"");
    shell.args(["-c", &limited]).arg(executable());
    with_credentials(shell)
}

/// The path of the program under test. Cargo and nextest name it in the environment of
/// every test and benchmark of the program's package, and build it before them.
pub fn executable() -> PathBuf {
    let path = std::env::var_os("CARGO_BIN_EXE_nexmo-audit-exporter");
    path.expect("cargo or nextest runs this test").into()
}

fn with_credentials(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        if is_setting(&name.to_string_lossy()) {
            command.env_remove(&name);
        }
    }
    command.env("NEXMO_API_KEY", API_KEY);
    command.env("NEXMO_API_SECRET", API_SECRET);
    // The default port is one for all tests that run at once.
    command.env("NEXMO_AUDIT_WEB_LISTEN_ADDRESS", "127.0.0.1:0");
    command
}

/// Returns `true` for a variable that sets something of the program: the environment of
/// the developer must not decide a test.
fn is_setting(name: &str) -> bool {
    name.starts_with("NEXMO_") || name.starts_with("VONAGE_")
}
