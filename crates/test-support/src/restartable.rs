//! A program that is ended and started again several times.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process::Process;

/// The ports for such programs, which are below those that the system assigns: no other
/// program may take the port of a program that is down, and a client that connects to a
/// port without a listener may even be connected to itself.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// The time that a server may take to end in order.
const END: Duration = Duration::from_secs(30);

/// The signal that ends a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    Kill,
    Terminate,
}

/// A program that runs or does not. Its files and its address stay.
pub struct Restartable {
    name: String,
    command: Box<dyn Fn() -> Command>,
    running: Option<Process>,
    /// A process that was asked to end and may still run.
    ending: Option<Process>,
    log: PathBuf,
}

impl Restartable {
    /// Makes a program that is not started yet. When it ends, its log is appended to a
    /// file below `folder`.
    pub fn new(name: &str, folder: &Path, command: impl Fn() -> Command + 'static) -> Self {
        Self {
            name: name.to_owned(),
            command: Box::new(command),
            running: None,
            ending: None,
            log: folder.join(format!("{name}.log")),
        }
    }

    /// Uses another command from the next start on.
    pub fn change(&mut self, command: impl Fn() -> Command + 'static) {
        self.command = Box::new(command);
    }

    pub fn start(&mut self) -> &Process {
        self.await_end();
        let process = Process::start(&self.name, &mut (self.command)());
        self.running.insert(process)
    }

    pub fn stop(&mut self, signal: Signal) {
        let Some(mut process) = self.running.take() else {
            return;
        };
        match signal {
            Signal::Kill => {
                process.kill();
                self.keep_log(&process);
            }
            Signal::Terminate => {
                process.signal("TERM");
                self.ending = Some(process);
            }
        }
    }

    /// Returns the running process; `None` while the program is down.
    pub fn running(&self) -> Option<&Process> {
        self.running.as_ref()
    }

    /// Returns the last lines that the program wrote since its last start.
    pub fn log(&self) -> String {
        self.running.as_ref().map(Process::log).unwrap_or_default()
    }

    fn await_end(&mut self) {
        if let Some(mut process) = self.ending.take() {
            process.wait_for_end(END);
            self.keep_log(&process);
        }
    }

    fn keep_log(&self, process: &Process) {
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)
            .and_then(|mut file| writeln!(file, "{}\n--- ended ---", process.log()))
            .expect("the log can be kept");
    }
}

impl Drop for Restartable {
    fn drop(&mut self) {
        self.stop(Signal::Kill);
    }
}

/// Returns a free port that its owner may leave and take again.
pub fn free_port() -> u16 {
    loop {
        let port = fastrand::u16(PORTS);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
