//! Instructions, whose number does not depend on other load of the machine: `callgrind`
//! counts those of two runs that differ in how often they do one thing, or those of a part
//! of one run.
//!
//! The figures contain what a program does itself, and not what the system does for it,
//! such as sending.

use std::{
    env, fs,
    path::Path,
    process::{Command, ExitCode},
    time::Duration,
};

use test_support::workload::{
    counting::{self, PIECE_PAGES},
    pages::{self, PAGE_SIZE},
    seed,
};
use test_support::{
    instruction_counts::{self, Count},
    pacing, repository,
};

use super::{
    ours,
    report::progress,
    running::{Running, command, folder, free_address},
    scrape::{Ask, Encoding, Format, Scraper},
    settings::Settings,
    simulator::Simulator,
    tools,
};

/// The first argument of a process that is counted.
const COUNT: &str = "--count";
/// The second argument of a process that commits what it counts.
const COMMIT: &str = "commit";
/// The numbers of scrapes before the count, and within it.
const FIRST_SCRAPES: u32 = 3;
const SCRAPES: u32 = 30;
/// The pause between two scrapes, after which an answer that is kept for many scrapes
/// at once is made again.
const PAUSE: Duration = Duration::from_millis(150);

/// The names of the counts of an event.
const PARSE_TO_COUNT: &str = "an event, parse to count";
pub(crate) const PARSE_TO_COMMIT: &str = "an event, parse to commit";
/// The number of series of a scrape.
const SERIES: usize = 10_000;
/// The architecture for which counts are kept.
const ARCHITECTURE: &str = "x86_64";
/// The variable that renews the file of counts, as other files are renewed.
const RENEW: &str = "RENEW_GENERATED";

/// If this process was started to be counted, does the work and returns `true`.
pub(crate) fn is_counted() -> bool {
    let arguments: Vec<String> = env::args().collect();
    let [_, first, until, file, number] = arguments.as_slice() else {
        return false;
    };
    if first == COUNT {
        let texts = fs::read_to_string(file).expect("pages");
        let number = number.parse().expect("a number");
        let pages: Vec<String> = texts.lines().take(number).map(str::to_owned).collect();
        work(until, &pages);
    }
    first == COUNT
}

fn work(until: &str, pages: &[String]) {
    if until == COMMIT {
        counting::count_and_commit(pages, &folder().path().join("data"));
        return;
    }
    let mut account = counting::account_for_pages();
    for page in pages {
        counting::count(&mut account, page);
    }
}

/// Counts the instructions of all things.
pub(crate) fn measure(settings: &Settings) -> Vec<Count> {
    let mut all = Vec::new();
    let place = folder();
    let file = place.path().join("pages");
    let pages = pages::pages(2 * PIECE_PAGES);
    fs::write(&file, pages.join("\n")).expect("a file");
    for (until, of) in [("count", PARSE_TO_COUNT), (COMMIT, PARSE_TO_COMMIT)] {
        let [less, more] =
            [PIECE_PAGES, 2 * PIECE_PAGES].map(|pages| of_pages(until, &file, pages));
        let number = (more - less) / (PIECE_PAGES * PAGE_SIZE) as f64;
        all.push(told(of.to_owned(), number));
    }
    let api = Simulator::start(settings, place.path(), 0, Duration::ZERO);
    let stored = place.path().join("stored");
    seed::seed(&stored, SERIES, SERIES);
    for (format, name) in [(Format::Text, "text"), (Format::OpenMetrics, "OpenMetrics")] {
        for encoding in Encoding::ALL {
            let ask = Ask { format, encoding };
            let number = of_scrapes(settings, (&api, &stored), ask) / f64::from(SCRAPES);
            let encoding = encoding.name();
            all.push(told(
                format!("a scrape of {SERIES} series, {name}, {encoding}"),
                number,
            ));
        }
    }
    all
}

/// Compares counts with those of the repository, or writes them there.
pub(crate) fn judge(counts: &[Count]) -> ExitCode {
    if counts.is_empty() {
        return ExitCode::SUCCESS;
    }
    if env::consts::ARCH != ARCHITECTURE {
        progress(&format!(
            "not compared with {}, which is for {ARCHITECTURE}",
            instruction_counts::FILE
        ));
        return ExitCode::SUCCESS;
    }
    let file = repository(instruction_counts::FILE);
    if env::var_os(RENEW).is_some() {
        fs::write(&file, instruction_counts::write(counts)).expect("the counts are written");
        return ExitCode::SUCCESS;
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    let complaints = instruction_counts::judge(counts, &instruction_counts::read(&kept));
    for complaint in &complaints {
        progress(complaint);
    }
    ExitCode::from(u8::from(!complaints.is_empty()))
}

fn told(of: String, number: f64) -> Count {
    progress(&format!("{number:.0} instructions for {of}"));
    Count { of, number }
}

fn of_pages(until: &str, file: &Path, pages: usize) -> f64 {
    let place = folder();
    let this = env::current_exe().expect("this program");
    let mut count = callgrind();
    count.arg(&this).args([COUNT, until]);
    count.arg(file).arg(pages.to_string());
    let log = place.path().join("log");
    let mut program = Running::start(&mut count, &log);
    program.wait();
    collected(&log)
}

fn of_scrapes(settings: &Settings, (api, stored): (&Simulator, &Path), ask: Ask) -> f64 {
    let (place, address) = (folder(), free_address());
    let storage = place.path().join("data");
    fs::create_dir(&storage).expect("a folder");
    fs::copy(stored.join("state.redb"), storage.join("state.redb")).expect("a store");
    let mut exporter = callgrind();
    exporter.arg("--instr-atstart=no").arg(&settings.binary);
    let mut exporter = ours::serve(exporter, api, &storage, address);
    // No poll is counted, and no thread looks for the work of another.
    exporter.args(["--poll.interval=15m", "--poll.reconcile-interval=0"]);
    exporter.env("TOKIO_WORKER_THREADS", "1");
    let log = place.path().join("log");
    let running = Running::start(&mut exporter, &log);
    let (scraper, url) = (Scraper::new(), format!("http://{address}/metrics"));
    scraper.ask_until(&format!("http://{address}/-/ready"), ask, |_| true);
    scraper.ask_until(&url, ask, |answer| answer.series() == SERIES);
    let scrape = |times| {
        for _ in 0..times {
            pacing::wait(PAUSE);
            scraper.ask(&url, ask).expect("an answer");
        }
    };
    scrape(FIRST_SCRAPES);
    switch(&running, "on");
    scrape(SCRAPES);
    switch(&running, "off");
    drop((scraper, running));
    collected(&log)
}

fn callgrind() -> Command {
    let mut callgrind = command(tools::program("valgrind"));
    callgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    callgrind
}

/// Switches counting on or off.
fn switch(running: &Running, to: &str) {
    let mut vgdb = Command::new(tools::program("vgdb"));
    vgdb.arg(format!("--pid={}", running.id()));
    let output = vgdb.args(["instrumentation", to]).output();
    let output = output.expect("vgdb runs");
    assert!(output.status.success(), "{vgdb:?}: {output:?}");
}

/// Returns the number in the log of callgrind.
fn collected(log: &Path) -> f64 {
    let log = fs::read_to_string(log).expect("a log");
    let number = log.lines().find_map(|line| {
        let (_, number) = line.split_once("Collected : ")?;
        number.trim().parse().ok()
    });
    number.unwrap_or_else(|| panic!("callgrind does not say what it counted:\n{log}"))
}
