//! Another process that stores commits: the test binary, with one of its tests as
//! `main`.

use std::{
    env,
    ffi::OsStr,
    io::{BufRead, BufReader, Lines, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStderr, ChildStdin, Command, Stdio},
};

use nexmo_audit_exporter::store::Store;

use super::numbered::Numbered;

const DIRECTORY: &str = "STORE_TEST_DIRECTORY";

/// Returns the directory that the parent process named, or `None` in an ordinary run of
/// the tests.
fn told() -> Option<PathBuf> {
    env::var_os(DIRECTORY).map(PathBuf::from)
}

/// Runs as the test named `child`: opens the state and stores one commit for every line
/// of its input, or commits without end after the line `on and on`. The result of each
/// commit is a line of its standard error.
pub fn main() {
    let Some(directory) = told() else { return };
    let say = |text: &str| {
        let mut output = std::io::stderr().lock();
        writeln!(output, "{text}").expect("standard error can be written");
    };
    let mut store = match Store::open(&directory) {
        Ok(store) => store,
        Err(error) => return say(&error.to_string()),
    };
    let mut history = Numbered::resume(&mut store);
    say("open");
    let mut step = || match history.commit(&mut store) {
        Ok(()) => say(&format!("committed {}", history.number)),
        Err(error) => say(&error.to_string()),
    };
    for line in std::io::stdin().lines() {
        if line.expect("text") == "on and on" {
            loop {
                step();
            }
        }
        step();
    }
}

/// A process that runs [`main`].
pub struct Process {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStderr>>,
}

impl Process {
    pub fn start(directory: &Path) -> Self {
        Self::start_by(Command::new(this_binary()), directory)
    }

    /// Starts the process by a command that runs the test binary, or is the test
    /// binary.
    pub fn start_by(mut command: Command, directory: &Path) -> Self {
        let mut child = command
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env(DIRECTORY, directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the test binary starts");
        let input = child.stdin.take().expect("a pipe");
        let output = child.stderr.take().expect("a pipe");
        Self {
            child,
            input,
            output: BufReader::new(output).lines(),
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns the next line of the process, or `None` once it has ended.
    pub fn hear(&mut self) -> Option<String> {
        self.output.next()?.ok()
    }

    pub fn tell(&mut self, line: &str) {
        writeln!(self.input, "{line}").expect("the process reads its input");
    }

    /// Has the process store the next commit, and returns its line about that.
    pub fn commit(&mut self) -> String {
        self.tell("next");
        self.hear().expect("an answer")
    }

    /// Kills the process, and returns its last line.
    pub fn kill(mut self) -> Option<String> {
        self.child.kill().expect("it can be killed");
        let last = self.output.by_ref().map_while(Result::ok).last();
        self.child.wait().expect("it ends");
        last
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A process that has ended already cannot be killed, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn this_binary() -> impl AsRef<OsStr> {
    env::current_exe().expect("the path of the test binary")
}
