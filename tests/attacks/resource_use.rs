//! What the process takes of the machine, and how long a scrape takes.

use std::fs;
use std::time::{Duration, Instant};

use test_support::program::Program;
use test_support::raw_http::RawHttp;

/// Far below the time limit of a scrape, and far above what it takes on a machine
/// that is busy.
pub(crate) const AT_ONCE: Duration = Duration::from_secs(3);

/// In mebibytes.
pub(crate) fn memory(program: &Program) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", program.id()));
    let status = status.expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    kib.and_then(|kib| kib.parse::<u64>().ok()).expect("a size") / 1024
}

/// Descriptors in use.
pub(crate) fn descriptors(program: &Program) -> usize {
    let open = fs::read_dir(format!("/proc/{}/fd", program.id()));
    open.expect("a process").count()
}

/// A scrape on a connection of its own, which has to be at once.
pub(crate) fn scrape(program: &Program) -> Duration {
    let begun = Instant::now();
    let (head, _) = RawHttp::connect(program.address()).get("/metrics");
    assert_eq!(head.status, 200);
    let took = begun.elapsed();
    assert!(took < AT_ONCE, "{took:?}");
    took
}
