//! Programs that run beside a test and end with it.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::eventually::eventually;

/// From the start of a server to its bound socket, on a machine that is busy.
pub const START: Duration = Duration::from_secs(30);

/// How many of the last lines a failure shows.
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
    /// Outputs that have not ended.
    open: usize,
}

impl Process {
    /// Starts `command` with both its outputs read, so that it never blocks on them.
    pub fn start(name: &str, command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
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

    /// What `find` makes of the first line that it accepts.
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

    /// The address in a logfmt line such as `msg=listening address=127.0.0.1:10610`.
    pub fn wait_for_address(&self, accept: impl Fn(&str) -> bool) -> SocketAddr {
        self.wait_for_line("address that it listens on", START, |line| {
            if accept(line) {
                listen_address(line)
            } else {
                None
            }
        })
    }

    /// Waits until it listens at an address that it may not say in its log.
    pub(crate) fn wait_for_listener(&self, address: SocketAddr) {
        eventually(&format!("listener at {address}"), START, || {
            let connected = TcpStream::connect(address);
            connected
                .map(drop)
                .map_err(|error| format!("{error}\n{}", self.log()))
        });
    }

    /// Its status, once it has ended by itself.
    pub fn wait_for_end(&mut self, deadline: Duration) -> ExitStatus {
        let Self { name, child, log } = self;
        eventually(&format!("end of {name}"), deadline, || {
            let status = child.try_wait().expect("a child can be waited for");
            status.ok_or_else(|| log.tail())
        })
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        let ended = self.child.try_wait().expect("a child can be waited for");
        ended.is_some()
    }

    /// Sends a signal, such as `TERM`. The shell knows how to without unsafe code.
    pub fn signal(&self, signal: &str) {
        let kill = format!("kill -{signal} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &kill]).status();
        assert!(status.expect("a shell").success(), "{kill}");
    }

    /// Its number in `/proc`.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Every line written so far.
    pub fn lines(&self) -> Vec<String> {
        self.log.lock().lines.clone()
    }

    /// Every line there will be, once it has closed its outputs.
    pub fn all_lines(&self, deadline: Duration) -> Vec<String> {
        eventually(&format!("last line of {}", self.name), deadline, || {
            let written = self.log.lock();
            let ended = written.open == 0;
            ended.then(|| written.lines.clone()).ok_or_else(String::new)
        })
    }

    /// Ends it at once, with SIGKILL.
    pub fn kill(&mut self) {
        // It may have ended by itself, which shows in its log.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The last lines written, for the message of a failed test.
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

    /// None past the deadline, and as soon as nothing can be written any more.
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

/// Prometheus and the program under test write alike. Port 0 is only what was asked for.
fn listen_address(line: &str) -> Option<SocketAddr> {
    if !line.to_ascii_lowercase().contains("listening") {
        return None;
    }
    let (_, value) = line.split_once("address")?;
    // In logfmt as `address=…`, in JSON as `"address":"…"`.
    let value = value.trim_start_matches(['"', '=', ':']);
    let end = value.find([' ', '"', ',']).unwrap_or(value.len());
    let address: SocketAddr = value[..end].parse().ok()?;
    (address.port() != 0).then_some(address)
}
