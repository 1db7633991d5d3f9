//! Programs that run beside a test and end with the test.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::eventually::eventually;

/// The time from the start of a server to its bound socket, on a busy machine.
pub const START: Duration = Duration::from_mins(1);

/// The number of last lines that a failure shows.
const TAIL: usize = 100;

/// A running program, killed when dropped.
pub struct Process {
    name: String,
    child: Child,
    log: Arc<Log>,
}

/// The lines that a program wrote, to standard output and standard error alike.
#[derive(Default)]
struct Log {
    written: Mutex<Written>,
    changed: Condvar,
}

#[derive(Default)]
struct Written {
    lines: Vec<String>,
    /// The number of outputs that have not ended.
    open: usize,
}

impl Process {
    /// Starts `command` with both its outputs read, so that it never blocks on them.
    pub fn start(name: &str, command: &mut Command) -> Self {
        Self::start_with_input(name, command, Stdio::null())
    }

    /// Starts `command` in the same way, with `input` as its standard input.
    pub fn start_with_input(name: &str, command: &mut Command, input: Stdio) -> Self {
        let mut child = command
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        let log = Arc::new(Log::default());
        log.follow(child.stdout.take().expect("standard output is piped"));
        log.follow(child.stderr.take().expect("standard error is piped"));
        Self {
            name: name.to_owned(),
            child,
            log,
        }
    }

    /// Returns the result of `find` for the first line that `find` accepts.
    pub fn wait_for_line<T>(
        &self,
        what: &str,
        deadline: Duration,
        find: impl Fn(&str) -> Option<T>,
    ) -> T {
        self.log.find(deadline, find).unwrap_or_else(|| {
            let log = self.log();
            panic!("{} wrote no {what} within {deadline:?}:\n{log}", self.name)
        })
    }

    /// Returns the address in a logfmt line such as `msg=listening
    /// address=127.0.0.1:10610`.
    pub fn wait_for_address(&self, accept: impl Fn(&str) -> bool) -> SocketAddr {
        self.wait_for_line("address that it listens on", START, |line| {
            if accept(line) {
                listen_address(line)
            } else {
                None
            }
        })
    }

    /// Waits until the program listens at an address that its log may not name.
    pub(crate) fn wait_for_listener(&self, address: SocketAddr) {
        eventually(&format!("listener at {address}"), START, || {
            let connected = TcpStream::connect(address);
            connected
                .map(drop)
                .map_err(|error| format!("{error}\n{}", self.log()))
        });
    }

    /// Returns the status once the program has ended by itself.
    pub fn wait_for_end(&mut self, deadline: Duration) -> ExitStatus {
        let Self { name, child, log } = self;
        eventually(&format!("end of {name}"), deadline, || {
            let status = child.try_wait().expect("a child can be waited for");
            status.ok_or_else(|| log.tail())
        })
    }

    /// Returns `true` if the program has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        let ended = self.child.try_wait().expect("a child can be waited for");
        ended.is_some()
    }

    /// Sends a signal, such as `TERM`, by a shell, since Rust needs unsafe code for
    /// that.
    pub fn signal(&self, signal: &str) {
        let kill = format!("kill -{signal} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &kill]).status();
        assert!(status.expect("a shell").success(), "{kill}");
    }

    /// Returns the number of the process in `/proc`.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns every line written so far.
    pub fn lines(&self) -> Vec<String> {
        self.log.lock().lines.clone()
    }

    /// Returns every line, once the program has closed its outputs.
    pub fn all_lines(&self, deadline: Duration) -> Vec<String> {
        eventually(&format!("last line of {}", self.name), deadline, || {
            let written = self.log.lock();
            let ended = written.open == 0;
            ended.then(|| written.lines.clone()).ok_or_else(String::new)
        })
    }

    /// Ends the program at once, with SIGKILL.
    pub fn kill(&mut self) {
        // The program may have ended by itself, which shows in its log.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Returns the last lines written, for the message of a failed test.
    pub fn log(&self) -> String {
        self.log.tail()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Log {
    fn follow(self: &Arc<Self>, output: impl Read + Send + 'static) {
        self.lock().open += 1;
        let log = Arc::clone(self);
        thread::spawn(move || {
            for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                log.change(|written| written.lines.push(line));
            }
            log.change(|written| written.open -= 1);
        });
    }

    fn change(&self, change: impl FnOnce(&mut Written)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tail(&self) -> String {
        let lines = &self.lock().lines;
        lines[lines.len().saturating_sub(TAIL)..].join("\n")
    }

    /// Returns `None` once the deadline has passed or both outputs are closed.
    fn find<T>(&self, deadline: Duration, find: impl Fn(&str) -> Option<T>) -> Option<T> {
        let started = Instant::now();
        let mut written = self.lock();
        let mut seen = 0;
        loop {
            if let Some(found) = written.lines[seen..].iter().find_map(|line| find(line)) {
                return Some(found);
            }
            seen = written.lines.len();
            let left = deadline.saturating_sub(started.elapsed());
            if left.is_zero() || written.open == 0 {
                return None;
            }
            let waited = self.changed.wait_timeout(written, left);
            written = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Returns the address of a line that says where a program listens: Prometheus and the
/// program under test write alike. Port 0 is what was asked for, and no address.
fn listen_address(line: &str) -> Option<SocketAddr> {
    if !line.to_ascii_lowercase().contains("listening") {
        return None;
    }
    let (_, value) = line.split_once("address")?;
    // The address is `address=…` in logfmt, and `"address":"…"` in JSON.
    let value = value.trim_start_matches(['"', '=', ':']);
    let end = value.find([' ', '"', ',']).unwrap_or(value.len());
    let address: SocketAddr = value[..end].parse().ok()?;
    (address.port() != 0).then_some(address)
}
