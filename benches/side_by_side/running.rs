//! Programs that are measured. They end with this process in any case, and their cost
//! can be read.

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use test_support::eventually::{reached, repeat_until_ok};
use test_support::repository;

/// The time in which a program has to end by itself.
const END: Duration = Duration::from_secs(30);
/// The unit in which Linux counts processor time.
const TICKS_PER_SECOND: f64 = 100.0;
/// The time between two looks at whether a program is idle, which is several ticks.
const LOOK: Duration = Duration::from_millis(100);

/// A running program.
pub(crate) struct Running {
    child: Child,
}

/// The memory of a program in bytes, with that of its children.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    /// The present memory.
    pub(crate) resident: u64,
    /// The highest memory so far.
    pub(crate) peak: u64,
}

/// Makes a command that ends with this process.
pub(crate) fn command(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", "--"]);
    command.arg(program.as_ref()).stdin(Stdio::null());
    command
}

/// Returns an address on which no program listens.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address")
}

impl Running {
    /// Starts `command`, whose output goes to `log`.
    pub(crate) fn start(command: &mut Command, log: &Path) -> Self {
        let log = File::create(log).expect("a log file");
        let errors = log.try_clone().expect("a log file");
        let child = command.stdout(log).stderr(errors).spawn();
        let child = child.unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        Self { child }
    }

    /// Returns `true` if the program has not ended.
    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Returns the number of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns the processor time that the program has used, in seconds, exact to a
    /// hundredth.
    pub(crate) fn processor_seconds(&self) -> f64 {
        self.tree().iter().filter_map(|id| ticks(*id)).sum::<f64>() / TICKS_PER_SECOND
    }

    /// Returns the processor time of the present threads, in seconds, exact to a
    /// nanosecond.
    pub(crate) fn seconds_of_threads(&self) -> f64 {
        let tree = self.tree();
        tree.iter()
            .map(|id| nanoseconds_of_threads(*id))
            .sum::<f64>()
            / 1e9
    }

    /// Returns the processor time that `doing` costs the program, in seconds. Small
    /// costs are exact, too.
    pub(crate) fn cost(&self, doing: impl FnOnce()) -> f64 {
        let (whole, fine) = (self.processor_seconds(), self.seconds_of_threads());
        doing();
        let whole = self.processor_seconds() - whole;
        let fine = self.seconds_of_threads() - fine;
        // If the first figure is much higher, threads have ended and their time is
        // missing in the second.
        if whole > fine + 2.0 / TICKS_PER_SECOND {
            whole
        } else {
            fine
        }
    }

    /// Returns the memory of the program. Pages that its processes share count for
    /// each.
    pub(crate) fn memory(&self) -> Memory {
        let mut memory = Memory::default();
        for id in self.tree() {
            let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
            memory.resident += kilobytes(&status, "VmRSS:") * 1024;
            memory.peak += kilobytes(&status, "VmHWM:") * 1024;
        }
        memory
    }

    /// Waits until the program is idle, but no longer than `limit`.
    pub(crate) fn wait_until_it_rests(&self, limit: Duration) {
        let mut before = f64::NEG_INFINITY;
        let look = || {
            let now = self.processor_seconds();
            let used = now - before;
            before = now;
            if used < 0.015 { Ok(()) } else { Err(()) }
        };
        // A program that never becomes idle is measured as it is.
        let _ = repeat_until_ok(limit, |_| LOOK, look);
    }

    /// Waits until the program has ended by itself.
    pub(crate) fn wait(&mut self) {
        let status = self.child.wait().expect("a child can be waited for");
        assert!(status.success(), "the program ended with {status}");
    }

    /// Sends a signal, such as `TERM`, to the program, which may have ended meanwhile.
    pub(crate) fn signal(&self, signal: &str) {
        let kill = format!("kill -{signal} {}", self.child.id());
        let _ = Command::new("sh").args(["-c", &kill]).status();
    }

    /// Lets every other program take the processor from this one at once.
    pub(crate) fn give_way(&self) {
        let mut chrt = Command::new("chrt");
        chrt.args(["--all-tasks", "--idle", "--pid", "0"]);
        let status = chrt.arg(self.child.id().to_string()).status();
        assert!(status.expect("chrt of util-linux").success(), "{chrt:?}");
    }

    /// Asks the program to end, waits for that, and kills it if that takes too long.
    pub(crate) fn stop(&mut self) {
        if self.is_alive() {
            self.signal("TERM");
        }
        reached(END, || !self.is_alive());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Returns the process and all processes below it.
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

/// Returns every process with its parent.
fn parents() -> Vec<(u32, u32)> {
    let processes = fs::read_dir("/proc").expect("/proc");
    let names = processes.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let ids = names.filter_map(|name| name.parse::<u32>().ok());
    ids.filter_map(|id| Some((id, fields(id)?.get(1)?.parse().ok()?)))
        .collect()
}

/// Returns the fields of /proc/PID/stat after the name, which may contain anything.
fn fields(id: u32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    Some(fields.split(' ').map(str::to_owned).collect())
}

/// Returns the user and system time of a process with all its threads.
fn ticks(id: u32) -> Option<f64> {
    let fields = fields(id)?;
    let ticks = |place: usize| fields.get(place)?.parse::<f64>().ok();
    Some(ticks(11)? + ticks(12)?)
}

/// Returns 0 for a process that has ended.
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

/// Returns `true` if a program has written `text` to its log.
pub(crate) fn has_said(log: &Path, text: &str) -> bool {
    fs::read_to_string(log).is_ok_and(|log| log.contains(text))
}

/// Makes a folder for the files of a benchmark, on the disk and not in memory.
pub(crate) fn folder() -> tempfile::TempDir {
    let within = repository("target/bench");
    fs::create_dir_all(&within).expect("a folder");
    tempfile::tempdir_in(within).expect("a folder")
}
