//! Programs that are measured: they end with this one, whatever happens, and say
//! what they cost.

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use test_support::eventually::{reached, repeat_until_ok};
use test_support::repository;

/// How long a program may take to end by itself.
const END: Duration = Duration::from_secs(30);
/// What Linux counts processor time in.
const TICKS_PER_SECOND: f64 = 100.0;
/// Between two looks at whether a program rests, several ticks.
const LOOK: Duration = Duration::from_millis(100);

/// A running program.
pub(crate) struct Running {
    child: Child,
}

/// What of the memory a program has, in bytes; its children included.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    /// Now.
    pub(crate) resident: u64,
    /// The most so far.
    pub(crate) peak: u64,
}

/// A command that ends with this process.
pub(crate) fn command(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", "--"]);
    command.arg(program.as_ref()).stdin(Stdio::null());
    command
}

/// An address that nobody listens on.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address")
}

impl Running {
    /// Starts `command`, which writes to `log` what it has to say.
    pub(crate) fn start(command: &mut Command, log: &Path) -> Self {
        let log = File::create(log).expect("a log file");
        let errors = log.try_clone().expect("a log file");
        let child = command.stdout(log).stderr(errors).spawn();
        let child = child.unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        Self { child }
    }

    /// Whether it has not ended.
    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Seconds of processor time that it has used, to a hundredth.
    pub(crate) fn processor_seconds(&self) -> f64 {
        self.tree().iter().filter_map(|id| ticks(*id)).sum::<f64>() / TICKS_PER_SECOND
    }

    /// The same of the threads that it has now, to the nanosecond.
    pub(crate) fn seconds_of_threads(&self) -> f64 {
        let tree = self.tree();
        tree.iter()
            .map(|id| nanoseconds_of_threads(*id))
            .sum::<f64>()
            / 1e9
    }

    /// Seconds of processor time that `doing` costs it, also where that is little.
    pub(crate) fn cost(&self, doing: impl FnOnce()) -> f64 {
        let (whole, fine) = (self.processor_seconds(), self.seconds_of_threads());
        doing();
        let whole = self.processor_seconds() - whole;
        let fine = self.seconds_of_threads() - fine;
        // Where it is much more, threads have ended and taken their time with them.
        if whole > fine + 2.0 / TICKS_PER_SECOND {
            whole
        } else {
            fine
        }
    }

    /// What it has of the memory. Pages that its processes share count for each.
    pub(crate) fn memory(&self) -> Memory {
        let mut memory = Memory::default();
        for id in self.tree() {
            let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
            memory.resident += kilobytes(&status, "VmRSS:") * 1024;
            memory.peak += kilobytes(&status, "VmHWM:") * 1024;
        }
        memory
    }

    /// Waits until it does nothing, but no longer than `patience`.
    pub(crate) fn wait_until_it_rests(&self, patience: Duration) {
        let mut before = f64::NEG_INFINITY;
        let look = || {
            let now = self.processor_seconds();
            let used = now - before;
            before = now;
            if used < 0.015 { Ok(()) } else { Err(()) }
        };
        // One that never rests is measured as it is.
        let _ = repeat_until_ok(patience, |_| LOOK, look);
    }

    /// Waits until it has ended by itself.
    pub(crate) fn wait(&mut self) {
        let status = self.child.wait().expect("a child can be waited for");
        assert!(status.success(), "it ended with {status}");
    }

    /// Asks it to end and waits for that; kills it if it takes too long.
    pub(crate) fn stop(&mut self) {
        if self.is_alive() {
            let kill = format!("kill -TERM {}", self.child.id());
            // It may have ended meanwhile.
            let _ = Command::new("sh").args(["-c", &kill]).status();
        }
        reached(END, || !self.is_alive());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Its process and those below.
    fn tree(&self) -> Vec<u32> {
        let parents = parents();
        let mut tree = vec![self.child.id()];
        let mut place = 0;
        while let Some(parent) = tree.get(place).copied() {
            let children = parents.iter().filter(|(_, of)| *of == parent);
            tree.extend(children.map(|(id, _)| *id));
            place += 1;
        }
        tree
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Every process and its parent.
fn parents() -> Vec<(u32, u32)> {
    let processes = fs::read_dir("/proc").expect("/proc");
    let names = processes.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let ids = names.filter_map(|name| name.parse::<u32>().ok());
    ids.filter_map(|id| Some((id, fields(id)?.get(1)?.parse().ok()?)))
        .collect()
}

/// What /proc/PID/stat says after the name, which may hold anything.
fn fields(id: u32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    Some(fields.split(' ').map(str::to_owned).collect())
}

/// User and system time of a process, all its threads included.
fn ticks(id: u32) -> Option<f64> {
    let fields = fields(id)?;
    let ticks = |place: usize| fields.get(place)?.parse::<f64>().ok();
    Some(ticks(11)? + ticks(12)?)
}

/// Of a process that has ended: 0.
fn nanoseconds_of_threads(id: u32) -> f64 {
    let threads = fs::read_dir(format!("/proc/{id}/task"))
        .into_iter()
        .flatten();
    let figures = threads.filter_map(|thread| {
        let figures = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        figures.split(' ').next()?.parse::<f64>().ok()
    });
    figures.sum()
}

fn kilobytes(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.unwrap_or(0)
}

/// A folder for what a benchmark writes, on the disk and not in the memory.
pub(crate) fn folder() -> tempfile::TempDir {
    let within = repository("target/bench");
    fs::create_dir_all(&within).expect("a folder");
    tempfile::tempdir_in(within).expect("a folder")
}
