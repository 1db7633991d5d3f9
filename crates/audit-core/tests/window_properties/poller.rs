//! Polls the model with the account and the sweep, as the exporter does.

use std::collections::BTreeMap;

use audit_core::{
    account::Account,
    event::{Keep, Page},
    sweep::{Step, Sweep},
    window::{Clocks, WindowSettings},
};
use jiff::SignedDuration;

use crate::api::{ApiBehavior, Record, Request, answer, at};

/// The spans that sweeps reach back, in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach {
    pub(crate) lookback: i64,
    pub(crate) deep: i64,
    pub(crate) retention: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    Lookback,
    Deep,
}

/// A failure of a sweep before one of its requests.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Failure {
    /// The API fails. What was counted so far stays counted.
    Api,
    /// The exporter dies. It goes on from the last commit.
    Crash,
}

#[derive(Debug, Clone)]
pub(crate) struct Poll {
    /// The time from the end of the poll before.
    pub(crate) wait: i64,
    pub(crate) depth: Depth,
    pub(crate) behavior: ApiBehavior,
    pub(crate) size: usize,
    pub(crate) seconds_per_page: i64,
    /// `true` if pages are read again only up to the beginning of the sweep.
    pub(crate) narrows: bool,
    /// The request, from 0, before which the sweep fails, and how it fails.
    pub(crate) failure: Option<(u32, Failure)>,
    /// How far the local clock is ahead of the clock of the API.
    pub(crate) local_ahead: i64,
}

/// Totals by event type and country.
pub(crate) type Totals = BTreeMap<(String, String), u64>;

/// Everything that a commit would store.
#[derive(Clone)]
struct State {
    account: Account,
    malformed: u64,
}

pub(crate) struct Poller {
    state: State,
    reach: Reach,
    /// The time by the clock of the API.
    pub(crate) now: i64,
}

impl Poller {
    pub(crate) fn new(reach: Reach) -> Self {
        let settings = WindowSettings {
            lookback: SignedDuration::from_secs(reach.lookback),
            retention: SignedDuration::from_secs(reach.retention),
        };
        let account = Account::new(settings, at(0), at(0), 1000);
        Self {
            state: State {
                account,
                malformed: 0,
            },
            reach,
            now: 0,
        }
    }

    /// Polls once. Returns `true` if the sweep was whole.
    pub(crate) fn poll(&mut self, records: &[Record], poll: &Poll) -> bool {
        self.now += poll.wait;
        let started = Clocks {
            api: at(self.now),
            local: at(self.now + poll.local_ahead),
        };
        let committed = self.state.clone();
        let from = self.start(poll.depth, started);
        let whole = match self.sweep(records, poll, from) {
            Ok(whole) => whole,
            Err(Failure::Api) => false,
            Err(Failure::Crash) => {
                self.state = committed;
                false
            }
        };
        if whole {
            self.state.account.window.complete_sweep(started);
        }
        whole
    }

    pub(crate) fn totals(&self) -> Totals {
        let series = self.state.account.ledger.series();
        series
            .map(|(labels, saved)| {
                let name = (
                    labels.event_type.to_string(),
                    labels.source_country.to_string(),
                );
                (name, saved.total)
            })
            .collect()
    }

    pub(crate) fn malformed(&self) -> u64 {
        self.state.malformed
    }

    pub(crate) fn remembered(&self) -> usize {
        self.state.account.window.remembered()
    }

    /// Returns the moment from which the sweep reads, in seconds after the start.
    fn start(&mut self, depth: Depth, started: Clocks) -> i64 {
        let window = &mut self.state.account.window;
        let from = match depth {
            Depth::Lookback => window.begin_sweep(started.local),
            Depth::Deep => {
                let depth = SignedDuration::from_secs(self.reach.deep);
                window.deep_sweep_start(depth, started.local)
            }
        };
        from.duration_since(at(0)).as_secs()
    }

    fn sweep(&mut self, records: &[Record], poll: &Poll, from: i64) -> Result<bool, Failure> {
        let mut sweep = Sweep::new(poll.size as u64);
        let mut requests = 0;
        let started = self.now;
        let mut to = None;
        loop {
            match sweep.step() {
                Step::Read(page) => {
                    if let Some((_, failure)) = poll.failure.filter(|(at, _)| *at == requests) {
                        return Err(failure);
                    }
                    requests += 1;
                    let request = Request {
                        from,
                        to,
                        now: self.now,
                        page,
                        size: poll.size,
                    };
                    sweep.take(page, &self.read(&answer(records, &poll.behavior, &request)));
                    self.now += poll.seconds_per_page;
                }
                Step::ReadAgain if poll.narrows && to.is_none() => {
                    to = Some(started);
                    sweep.read_again_narrower(at(started));
                }
                Step::ReadAgain => sweep.read_again(),
                Step::Whole => return Ok(true),
                Step::Short { .. } | Step::Limited | Step::Endless => return Ok(false),
            }
        }
    }

    /// Counts the new events of a page.
    fn read<'a>(&mut self, text: &'a str) -> Page<'a> {
        let page = Page::parse(text, Keep::Parsed).expect("the model answers with pages");
        let watermark = self.state.account.window.watermark();
        let tally = self.state.account.count(&page, at(self.now), watermark);
        self.state.malformed += tally.malformed;
        page
    }
}
