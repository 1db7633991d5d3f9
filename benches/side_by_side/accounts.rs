//! Many accounts in one exporter: its memory, what a scrape costs while the accounts are
//! polled, and the latency of a probe beside servers that scrape.

use std::{
    fmt::Write as _,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use test_support::pacing;

use super::{
    ours,
    report::{median, progress},
    running::{Memory, Running, command, folder, free_address},
    scrape::{Answer, Ask, Encoding, Format, Scraper},
    settings::Settings,
    simulator::{KEY, SECRET, Simulator, Traffic},
};

/// Each account is polled every minute, and has few events.
const POLL: &str = "poll: {interval: 1m}";
const TRAFFIC: Traffic = Traffic {
    rate: 0.02,
    history: 50,
    span: Duration::from_hours(24),
};
const QUIET_TRAFFIC: Traffic = Traffic {
    rate: 0.0,
    history: 0,
    ..TRAFFIC
};
/// The time in which a quarter of the accounts is polled.
const QUARTER: Duration = Duration::from_secs(15);
/// The number of scrapes in each encoding whose cost is measured.
const SCRAPES: usize = 3;
/// The time in which answers that were sent already are counted.
const REST: Duration = Duration::from_secs(3);
/// The time over which the cost without a scrape is measured.
const IDLE: Duration = Duration::from_millis(500);
/// The number of servers that scrape beside the probe, and how often each does.
const SERVERS: u32 = 2;
const PROBES: Duration = Duration::from_secs(32);
const BETWEEN_PROBES: Duration = Duration::from_millis(20);
/// The number of accounts without events among which one is looked at.
const QUIET: usize = 10;

/// What the accounts cost.
#[derive(Debug, Clone)]
pub(crate) struct Accounts {
    pub(crate) number: usize,
    pub(crate) memory: Memory,
    /// The share of a processor that polls take.
    pub(crate) polls: f64,
    /// The age of the oldest of the last polls of all accounts.
    pub(crate) oldest_poll: Duration,
    pub(crate) scrapes: Vec<Scrape>,
    /// The latencies of the probe.
    pub(crate) probe_median: Duration,
    pub(crate) probe_highest: Duration,
    /// The number of series of an account without events.
    pub(crate) quiet_series: usize,
    /// The time from a start with the state of all accounts to the first answer.
    pub(crate) restart: Duration,
}

/// A scrape after a quarter of the accounts was polled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scrape {
    pub(crate) encoding: Encoding,
    pub(crate) bytes: usize,
    pub(crate) processor_seconds: f64,
    pub(crate) took: Duration,
}

/// The exporter with its API.
struct Polled<'s> {
    settings: &'s Settings,
    api: Simulator,
    exporter: Running,
    url: String,
    scraper: Scraper,
}

/// Measures an exporter with as many accounts as the settings say.
pub(crate) fn measure(settings: &Settings) -> Accounts {
    let quiet_series = quiet_series(settings);
    let place = folder();
    let mut polled = Polled::start(settings, place.path(), settings.accounts, TRAFFIC);
    polled.wait_until_ready();
    let polls = polled.cost_of_polls();
    let mut oldest_poll = Duration::ZERO;
    let mut scrapes: Vec<Scrape> = Vec::new();
    for encoding in Encoding::ALL {
        // The first scrape has more to render than a later one.
        polled.scrape(encoding);
        let taken: Vec<(Scrape, Answer)> = (0..SCRAPES).map(|_| polled.scrape(encoding)).collect();
        if let Some((_, answer)) = taken.last() {
            oldest_poll = oldest_poll.max(oldest_poll_of(answer, settings.accounts));
        }
        scrapes.extend(middle(taken.iter().map(|(scrape, _)| *scrape).collect()));
    }
    let probes = polled.probe_beside_servers();
    let memory = polled.exporter.memory();
    let accounts = Accounts {
        number: settings.accounts,
        memory,
        polls,
        oldest_poll,
        scrapes,
        probe_median: Duration::from_secs_f64(median(probes.iter().map(Duration::as_secs_f64))),
        probe_highest: probes.iter().max().copied().unwrap_or_default(),
        quiet_series,
        restart: polled.restart(place.path()),
    };
    progress(&format!("{accounts:?}"));
    accounts
}

/// Returns the number of series with the name of an account that has no events.
fn quiet_series(settings: &Settings) -> usize {
    let place = folder();
    let polled = Polled::start(settings, place.path(), QUIET, QUIET_TRAFFIC);
    polled.wait_until_ready();
    let answer = polled.ask(Ask::TEXT);
    let label = format!("account=\"{}\"", name(QUIET / 2));
    let text = String::from_utf8_lossy(&answer.text);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter(|line| line.contains(&label)).count()
}

impl<'s> Polled<'s> {
    fn start(settings: &'s Settings, folder: &Path, accounts: usize, traffic: Traffic) -> Self {
        let api = Simulator::of_accounts(settings, folder, accounts, traffic);
        fs::write(config(folder), config_of(POLL, accounts)).expect("a config file");
        let address = free_address();
        Self {
            settings,
            exporter: serve(settings, &api, folder, address),
            api,
            url: format!("http://{address}"),
            scraper: Scraper::new(),
        }
    }

    fn wait_until_ready(&self) {
        let ready = format!("{}/-/ready", self.url);
        self.scraper.ask_until(&ready, Ask::TEXT, |_| true);
    }

    fn ask(&self, ask: Ask) -> Answer {
        let answer = self.scraper.ask(&self.metrics(), ask);
        answer.expect("an answer")
    }

    fn metrics(&self) -> String {
        format!("{}/metrics", self.url)
    }

    /// Returns the share of a processor that polls take while nobody scrapes.
    fn cost_of_polls(&self) -> f64 {
        let cost = self.exporter.cost(|| pacing::wait(QUARTER));
        cost / QUARTER.as_secs_f64()
    }

    /// Scrapes after a quarter of the accounts was polled. The API answers nothing during
    /// the scrape, so that its cost is that of the scrape alone.
    fn scrape(&self, encoding: Encoding) -> (Scrape, Answer) {
        pacing::wait(QUARTER);
        let _pause = self.api.pause();
        self.exporter.wait_until_it_rests(REST);
        let idle = self.exporter.cost(|| pacing::wait(IDLE)) / IDLE.as_secs_f64();
        let ask = Ask {
            format: Format::Text,
            encoding,
        };
        let mut answer = None;
        let cost = self.exporter.cost(|| answer = Some(self.ask(ask)));
        let answer = answer.expect("an answer");
        let scrape = Scrape {
            encoding,
            bytes: answer.bytes,
            processor_seconds: cost - idle * answer.took.as_secs_f64(),
            took: answer.took,
        };
        progress(&format!("{scrape:?}"));
        (scrape, answer)
    }

    /// Returns the latencies of a probe while servers scrape as Prometheus does.
    fn probe_beside_servers(&self) -> Vec<Duration> {
        let end = Instant::now() + PROBES;
        let ask = Ask {
            encoding: Encoding::Gzip,
            ..Ask::OPENMETRICS
        };
        let url = self.metrics();
        thread::scope(|scope| {
            for server in 0..SERVERS {
                let url = &url;
                scope.spawn(move || {
                    let scraper = Scraper::new();
                    pacing::wait(QUARTER * server / SERVERS);
                    while Instant::now() < end {
                        scraper.time(url, ask).expect("an answer");
                        let left = end.saturating_duration_since(Instant::now());
                        pacing::wait(QUARTER.min(left));
                    }
                });
            }
            let (prober, healthy) = (Scraper::new(), format!("{}/-/healthy", self.url));
            let mut took = Vec::new();
            while Instant::now() < end {
                took.push(prober.time(&healthy, Ask::TEXT).expect("an answer"));
                pacing::wait(BETWEEN_PROBES);
            }
            took
        })
    }

    /// Starts the exporter again, and returns the time to its first answer.
    fn restart(&mut self, folder: &Path) -> Duration {
        self.exporter.stop();
        let address = free_address();
        let started = Instant::now();
        self.exporter = serve(self.settings, &self.api, folder, address);
        let healthy = format!("http://{address}/-/healthy");
        let answer = self.scraper.ask_until(&healthy, Ask::TEXT, |_| true);
        answer.arrived - started
    }
}

pub(super) fn serve(
    settings: &Settings,
    api: &Simulator,
    folder: &Path,
    address: SocketAddr,
) -> Running {
    let (storage, program) = (folder.join("data"), command(&settings.binary));
    let mut exporter = ours::serve_without_account(program, api, &storage, address);
    exporter.arg(format!("--config.file={}", config(folder).display()));
    Running::start(&mut exporter, &folder.join("exporter.log"))
}

pub(super) fn config(folder: &Path) -> PathBuf {
    folder.join("config.yml")
}

/// Returns the text of a config file with the line `poll` and so many accounts.
pub(super) fn config_of(poll: &str, accounts: usize) -> String {
    let mut config = format!("{poll}\naccounts:\n");
    for place in 1..=accounts {
        let key = match place {
            1 => KEY.to_owned(),
            _ => format!("{KEY}-{place}"),
        };
        let name = name(place);
        let written = writeln!(
            config,
            "- {{name: {name}, api_key: {key}, api_secret: {SECRET}}}"
        );
        written.expect("a text can be written to");
    }
    config
}

fn name(place: usize) -> String {
    format!("account-{place:05}")
}

/// Returns the scrape whose processor time is in the middle.
fn middle(mut scrapes: Vec<Scrape>) -> Option<Scrape> {
    scrapes.sort_by(|a, b| a.processor_seconds.total_cmp(&b.processor_seconds));
    scrapes.get(scrapes.len() / 2).copied()
}

/// Returns the age of the oldest poll, after a check that the polls of all accounts succeed.
fn oldest_poll_of(answer: &Answer, accounts: usize) -> Duration {
    let text = String::from_utf8_lossy(&answer.text);
    let values = |family: &'static str| {
        let lines = text
            .lines()
            .filter_map(move |line| line.strip_prefix(family));
        let lines = lines.filter(|rest| rest.starts_with('{'));
        lines.filter_map(|rest| rest.rsplit(' ').next()?.parse::<f64>().ok())
    };
    let up = values("nexmo_audit_up")
        .filter(|value| *value > 0.0)
        .count();
    assert_eq!(up, accounts, "accounts whose polls succeed");
    let polls = values("nexmo_audit_last_poll_success_timestamp_seconds");
    let oldest = polls.fold(f64::INFINITY, f64::min);
    let now = Timestamp::now().as_millisecond() as f64 / 1e3;
    Duration::from_secs_f64((now - oldest).max(0.0))
}
