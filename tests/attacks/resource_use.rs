//! The memory and descriptors of the process, and the time of a scrape.

use std::fs;
use std::time::{Duration, Instant};

use test_support::program::Program;
use test_support::raw_http::RawHttp;

/// The time limit of a scrape: far below that of a server, and far above what a scrape
/// takes on a busy machine.
pub(crate) const AT_ONCE: Duration = Duration::from_secs(3);

/// Returns the resident memory in mebibytes.
pub(crate) fn memory(program: &Program) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", program.id()));
    let status = status.expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    kib.and_then(|kib| kib.parse::<u64>().ok()).expect("a size") / 1024
}

/// Returns the number of open descriptors.
pub(crate) fn descriptors(program: &Program) -> usize {
    let open = fs::read_dir(format!("/proc/{}/fd", program.id()));
    open.expect("a process").count()
}

/// Scrapes on a connection of its own within [`AT_ONCE`].
pub(crate) fn scrape(program: &Program) -> Duration {
    let begun = Instant::now();
    let (head, _) = RawHttp::connect(program.address()).get("/metrics");
    assert_eq!(head.status, 200);
    let took = begun.elapsed();
    assert!(took < AT_ONCE, "{took:?}");
    took
}
