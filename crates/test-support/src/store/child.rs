//! Another process: the test binary once more, with one of its tests as `main`.

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

/// The directory that the parent named; `None` in an ordinary run of the tests.
fn told() -> Option<PathBuf> {
    env::var_os(DIRECTORY).map(PathBuf::from)
}

/// What the test named `child` runs: opens the state and stores one commit for
/// every line that it reads, or one after the other where it reads `on and on`.
/// It says on its standard error how each of these went.
pub fn main() {
    let Some(directory) = told() else { return };
    let say = |text: &str| {
        let mut output = std::io::stderr().lock();
        writeln!(output, "{text}").expect("someone listens");
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

/// Such a process.
pub struct Process {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStderr>>,
}

impl Process {
    pub fn start(directory: &Path) -> Self {
        Self::start_by(Command::new(this_binary()), directory)
    }

    /// Starts it by a command that runs the test binary, or is it.
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

    /// The next thing that it says; `None` once it has ended.
    pub fn hear(&mut self) -> Option<String> {
        self.output.next()?.ok()
    }

    pub fn tell(&mut self, line: &str) {
        writeln!(self.input, "{line}").expect("it listens");
    }

    /// Has it store the next commit, and says how that went.
    pub fn commit(&mut self) -> String {
        self.tell("next");
        self.hear().expect("an answer")
    }

    /// Kills it, and returns the last thing that it said.
    pub fn kill(mut self) -> Option<String> {
        self.child.kill().expect("it can be killed");
        let last = self.output.by_ref().map_while(Result::ok).last();
        self.child.wait().expect("it ends");
        last
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing to do about one that has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn this_binary() -> impl AsRef<OsStr> {
    env::current_exe().expect("the path of the test binary")
}
