//! `events list` and `backfill` beside the vendor's client. Each reads the same range
//! of the simulator, with the latency of the internet.
//!
//! `LISTING_EVENTS` (1000000) is the number of events.

use std::{
    env,
    error::Error,
    fs,
    io::{BufRead, BufReader, Read, Write, stdout},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use test_support::{program::executable, repository};

const TOOLS: &str = "target/tools";
const SCRIPT: &str = "benches/listing/list.cjs";
const KEY: &str = "abcd1234";
const SECRET: &str = "simulated-secret";
const LATENCY: &str = "50ms";
/// The output, in bytes, between two looks at the memory.
const LOOK: usize = 1 << 20;

type Failure = Box<dyn Error>;

/// The result of a program.
struct Done {
    took: Duration,
    lines: usize,
    /// The highest resident memory in bytes: after a tenth of the output, and at the
    /// end.
    early: u64,
    peak: u64,
}

/// A process that is killed when this value is dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn main() -> Result<(), Failure> {
    let events: usize = env::var("LISTING_EVENTS").map_or(Ok(1_000_000), |text| text.parse())?;
    let (_simulator, host) = simulator(events)?;
    let base_url = format!("--api.base-url={host}/beta/audit");
    let mut list = Command::new(executable());
    list.args(["events", "list", "--from=31d", "--output=json", &base_url]);
    let list = run(list, events)?;
    let mut backfill = Command::new(executable());
    backfill.args(["backfill", "--from=31d", "--step=1h", &base_url]);
    let backfill = run(backfill, events)?;
    let from = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(31 * 24);
    let mut vendor = Command::new(node());
    vendor.env("NODE_PATH", repository(TOOLS).join("node/node_modules"));
    vendor.arg(repository(SCRIPT));
    vendor.args([&host, &from.strftime("%Y-%m-%dT%H:%M:%S").to_string()]);
    let vendor = run(vendor, events)?;
    assert_eq!(list.lines, events, "events that were listed");
    assert_eq!(
        vendor.lines, events,
        "events that the vendor's client listed"
    );
    let mut out = stdout().lock();
    writeln!(
        out,
        "{events} events over 30 days, {LATENCY} before each answer\n"
    )?;
    writeln!(
        out,
        "| | seconds | memory a tenth of the way | peak memory |\n| --- | --- | --- | --- |"
    )?;
    for (name, done) in [
        ("`events list --output json`", &list),
        ("`backfill --step 1h`", &backfill),
        ("`@vonage/audit`", &vendor),
    ] {
        let megabytes = |bytes: u64| bytes / 1_000_000;
        let (took, early, peak) = (done.took.as_secs_f64(), done.early, done.peak);
        let (early, peak) = (megabytes(early), megabytes(peak));
        writeln!(out, "| {name} | {took:.1} | {early} MB | {peak} MB |")?;
    }
    let times = vendor.took.as_secs_f64() / list.took.as_secs_f64();
    writeln!(
        out,
        "\n`events list` is {times:.1} times as fast as the vendor's client."
    )?;
    Ok(())
}

fn simulator(events: usize) -> Result<(Killed, String), Failure> {
    let mut simulator = Command::new(executable())
        .args(["simulate", "--listen-address=127.0.0.1:0", "--rate=0"])
        .args(["--history-span=720h", "--latency", LATENCY])
        .arg(format!("--history={events}"))
        .args(["--api-key", KEY, "--api-secret", SECRET])
        .stderr(Stdio::piped())
        .spawn()?;
    let log = simulator.stderr.take().ok_or("a log")?;
    let simulator = Killed(simulator);
    for line in BufReader::new(log).lines() {
        let line = line?;
        if let Some((_, url)) = line.split_once("base_url=") {
            let (host, _) = url.split_once("/beta/audit").ok_or("a base URL")?;
            return Ok((simulator, host.to_owned()));
        }
    }
    Err("the simulator does not start".into())
}

/// Runs a program to its end, and counts the lines of its output.
fn run(mut command: Command, events: usize) -> Result<Done, Failure> {
    let started = Instant::now();
    let mut child = command
        .env("NEXMO_API_KEY", KEY)
        .env("NEXMO_API_SECRET", SECRET)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut out = child.stdout.take().ok_or("an output")?;
    let mut child = Killed(child);
    let mut buffer = vec![0; LOOK];
    let (mut lines, mut early, mut peak) = (0, 0, 0);
    loop {
        let read = out.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        lines += buffer[..read].split(|byte| *byte == b'\n').count() - 1;
        peak = peak_memory(child.0.id()).unwrap_or(peak);
        if lines <= events / 10 {
            early = peak;
        }
    }
    if !child.0.wait()?.success() {
        return Err(format!("{command:?} failed").into());
    }
    let took = started.elapsed();
    Ok(Done {
        took,
        lines,
        early,
        peak,
    })
}

/// Returns the highest resident memory in bytes.
fn peak_memory(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let (_, rest) = status.split_once("VmHWM:")?;
    let kilobytes: u64 = rest.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

fn node() -> PathBuf {
    let installed = repository(TOOLS).join("bin/node");
    if installed.is_file() {
        installed
    } else {
        "node".into()
    }
}
