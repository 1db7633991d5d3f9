//! A whole history of reloads, played by the accounts, the pollers, the gate and the store of
//! the program: accounts are added, removed and renamed, and get other keys and settings, while
//! events happen, requests and commits fail, pollers panic, servers scrape, and the process
//! ends and crashes.
//!
//! No event is counted twice, and none is lost. A counter that was shown neither falls nor
//! disappears as long as its key is counted, and is shown again when the key is counted again.
//! A reload that fails changes nothing. A while after the last event no exemplar is shown.

mod configuration;
mod expected;
mod process;
mod shown;
mod vendor;

use std::{fs, path::PathBuf, time::Duration};

use tempfile::TempDir;

use crate::{Bytes, store::folder};
use configuration::{Configuration, KEYS, key};
use expected::Expected;
use process::Process;
use vendor::{Mood, Vendor};

const MAX_STEPS: usize = 48;
/// The number of servers that scrape.
const SERVERS: u64 = 2;
/// The scrape intervals that the gate is set to.
const SCRAPE_INTERVALS: [&str; 3] = ["0", "auto", "15s"];
/// An exemplar is shown for ten minutes and at most another one.
const LONGEST_EXEMPLAR: Duration = Duration::from_mins(11);
/// The longest time until everything is counted and shown after all is well again: a key that
/// was rejected is tried again after six minutes.
const LONGEST: Duration = Duration::from_mins(40);

pub fn holds(data: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    // The jitter of polls comes from the generator of the thread.
    fastrand::seed(7);
    runtime.block_on(async {
        let mut bytes = Bytes(data);
        let mut history = History::begin(&mut bytes);
        for _ in 0..MAX_STEPS {
            if bytes.is_empty() {
                break;
            }
            history.step(&mut bytes).await;
        }
        history.finish().await;
    });
}

/// A history as far as it was played.
struct History {
    directory: TempDir,
    vendor: Vendor,
    configuration: Configuration,
    scrape_interval: &'static str,
    /// The configuration that is in use.
    used: Configuration,
    expected: Expected,
    /// `None` between two processes.
    process: Option<Process>,
}

impl History {
    fn begin(bytes: &mut Bytes<'_>) -> Self {
        let directory = folder();
        let vendor = Vendor::default();
        let first = bytes.byte();
        let counts_from_now = first.is_multiple_of(2);
        let scrape_interval = scrape_interval(first / 2);
        let configuration = Configuration::new(counts_from_now);
        let state = directory.path().join("state");
        let settings = configuration.settings(&state, scrape_interval);
        let process = Process::start(&settings.expect("settings"), &vendor);
        let mut expected = Expected::new(&vendor, counts_from_now);
        expected.counts(&configuration);
        Self {
            directory,
            vendor,
            used: configuration.clone(),
            configuration,
            scrape_interval,
            expected,
            process: Some(process),
        }
    }

    async fn step(&mut self, bytes: &mut Bytes<'_>) {
        match bytes.byte() % 16 {
            0..=2 => {
                let (key, kind) = (key(bytes.byte() % KEYS), bytes.byte());
                for number in 0..=kind % 4 {
                    self.vendor.happen(&key, kind.wrapping_add(number));
                }
            }
            3..=5 => {
                let duration = Duration::from_millis(250) * u32::from(bytes.byte());
                self.process().pass(duration).await;
            }
            6 => self.configuration.change(bytes),
            7..=8 => {
                self.configuration.change(bytes);
                self.reload().await;
            }
            9 => self.reload().await,
            10 => {
                let mood = bytes.byte();
                self.vendor
                    .set_mood(&key(mood % KEYS), mood_of(mood / KEYS));
            }
            11 => self.move_state(!self.is_state_away()),
            12 => self.restart(bytes.byte()).await,
            13 => self.vendor.set_broken(!self.vendor.is_broken()),
            14 => {
                let server = u64::from(bytes.byte()) % SERVERS;
                self.process().serve(server).await;
            }

            _ => {
                let (duration, turns) = (bytes.byte(), bytes.byte() % 16);
                let duration = Duration::from_millis(250) * u32::from(duration);
                return self.process().rush(duration, usize::from(turns)).await;
            }
        }
        self.scrape();
    }

    fn scrape(&mut self) {
        let shown = self.process().shown();
        self.expected.scraped(&shown);
    }

    async fn reload(&mut self) {
        let settings = self
            .configuration
            .settings(&self.state(), self.scrape_interval);
        assert_eq!(settings.is_ok(), self.configuration.is_valid());
        let Ok(settings) = settings else {
            return;
        };
        let [added, changed, removed] = self.expected.difference(&self.configuration);
        let loads = added + changed > 0;
        let difference = self.process().change(&settings).await;
        let fails = loads && (self.is_state_away() || self.vendor.is_broken());
        assert_eq!(difference.is_none(), fails, "{difference:?}");
        if let Some(difference) = difference {
            let found = [difference.added, difference.changed, difference.removed];
            assert_eq!(found, [added, changed, removed]);
            self.expected.counts(&self.configuration);
            self.used = self.configuration.clone();
        }
    }

    /// Ends the process in one way or the other, and starts it again.
    async fn restart(&mut self, how: u8) {
        if let Some(process) = self.process.take() {
            if how.is_multiple_of(2) {
                process.end().await;
            } else {
                process.crash().await;
            }
        }
        self.expected.process_ended();
        // A process starts neither without its state nor without TLS.
        self.move_state(false);
        self.vendor.set_broken(false);
        self.scrape_interval = scrape_interval(how / 2);
        if self.configuration.is_valid() {
            self.used = self.configuration.clone();
        }
        let settings = self.used.settings(&self.state(), self.scrape_interval);
        let settings = settings.expect("a valid configuration");
        self.process = Some(Process::start(&settings, &self.vendor));
        self.expected.counts(&self.used);
    }

    /// Lets all be well again, and waits until everything is counted; at last for all keys that
    /// there ever were.
    async fn finish(mut self) {
        self.move_state(false);
        self.vendor.heal();
        self.wait_until_whole().await;
        self.configuration.take_all_keys();
        self.reload().await;
        self.scrape();
        self.wait_until_whole().await;
        self.process().pass(LONGEST_EXEMPLAR).await;
        assert!(!self.process().shows_exemplars());
        if let Some(process) = self.process.take() {
            process.end().await;
        }
    }

    async fn wait_until_whole(&mut self) {
        let end = self.vendor.time.now() + LONGEST;
        loop {
            self.process().settle().await;
            let shown = self.process().shown();
            self.expected.scraped(&shown);
            if self.expected.is_whole(&shown) {
                return;
            }
            let now = self.vendor.time.now();
            assert!(now < end, "events are lost: {shown:?}");
            // A gate that was scraped once shows nothing new until it is scraped again.
            let servers = if self.process().is_gated() {
                SERVERS
            } else {
                0
            };
            for server in 0..servers {
                self.process().serve(server).await;
            }
            self.process().pass(Duration::from_secs(10)).await;
        }
    }

    fn process(&mut self) -> &mut Process {
        self.process.as_mut().expect("a running process")
    }

    fn state(&self) -> PathBuf {
        self.directory.path().join("state")
    }

    fn away(&self) -> PathBuf {
        self.directory.path().join("away")
    }

    fn is_state_away(&self) -> bool {
        self.away().exists()
    }

    /// Moves the state away, so that commits fail, or back.
    fn move_state(&self, is_away: bool) {
        if is_away == self.is_state_away() {
            return;
        }
        let (from, to) = if is_away {
            (self.state(), self.away())
        } else {
            (self.away(), self.state())
        };
        fs::rename(from, to).expect("the folder can be moved");
    }
}

fn scrape_interval(number: u8) -> &'static str {
    SCRAPE_INTERVALS[usize::from(number) % SCRAPE_INTERVALS.len()]
}

fn mood_of(number: u8) -> Mood {
    match number % 6 {
        0 | 1 => Mood::Up,
        2 => Mood::Slow(u64::from(number / 6)),
        3 => Mood::Unreachable,
        4 => Mood::Rejecting,
        _ => Mood::Panicking,
    }
}
