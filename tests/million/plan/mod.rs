//! The plan of a history, which is drawn from a seed before the history begins.

mod clients;
mod faults;

use std::ops::Range;

use audit_core::{
    account::PollStart, gate::ScrapeInterval, sweep::FEW_EVENTS, window::WindowSettings,
};
use fastrand::Rng;
use jiff::SignedDuration;

use crate::{
    api::{self, Order, Record},
    clock::{HOUR, MINUTE, Ms, SECOND, WallClock},
    mutant::Mutant,
};

pub(crate) use clients::{ScraperPlan, StrangerPlan};
pub(crate) use faults::{CrashLoop, Crashes, DiskPlan, Replacement};

/// Everything about a history that is decided before it begins.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) mutant: Option<Mutant>,
    /// How long events and faults happen. After that the world is calm.
    pub(crate) span: Ms,
    pub(crate) polls: Polls,
    pub(crate) api: ApiPlan,
    pub(crate) disk: DiskPlan,
    pub(crate) api_clock: WallClock,
    pub(crate) local_clock: WallClock,
    pub(crate) crashes: Crashes,
    pub(crate) scrapers: Vec<ScraperPlan>,
    pub(crate) strangers: Vec<StrangerPlan>,
    /// The events, in the order in which they appear.
    pub(crate) records: Vec<Record>,
}

/// The settings of the exporter.
#[derive(Debug)]
pub(crate) struct Polls {
    pub(crate) interval: Ms,
    pub(crate) lookback: Ms,
    /// How far back a deep sweep reads, and the interval of deep sweeps; `None` if there are
    /// none.
    pub(crate) deep: Option<(Ms, Ms)>,
    pub(crate) retention: Ms,
    pub(crate) start: PollStart,
    /// The number of events above which a poll reads only what is new. No history has many, so
    /// it is mostly lower than the exporter's.
    pub(crate) few_events: u64,
    /// `true` if the vendor names its event types.
    pub(crate) types_named: bool,
    pub(crate) scrape_interval: ScrapeInterval,
}

/// How the API answers.
#[derive(Debug)]
pub(crate) struct ApiPlan {
    pub(crate) order: Order,
    /// `true` if the events of one second are in another order at every request.
    pub(crate) reorders_same_second: bool,
    pub(crate) page_cap: usize,
    /// The number of events that are on a page twice.
    pub(crate) repeated: usize,
    /// How far before the range the list shows events too.
    pub(crate) too_early: Ms,
    /// `true` if events at the bounds of the range are left out.
    pub(crate) excludes_bounds: bool,
    /// How an answer without events looks.
    pub(crate) empty: Empty,
    /// The chance that an answer has no time.
    pub(crate) omits_date: f64,
    /// The chance that a request fails.
    pub(crate) fails: f64,
    /// When every request fails.
    pub(crate) outages: Vec<Range<Ms>>,
    /// `true` if no request is answered in an outage, so that each takes its whole time
    /// limit.
    pub(crate) hangs: bool,
    /// The longest time that a request or an answer is under way.
    pub(crate) slowest: Ms,
}

/// How an answer without events looks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Empty {
    /// The list is empty.
    List,
    /// The member `_embedded` is missing.
    NoList,
    /// The answer has no body if no event is listed at all.
    NoBody,
}

/// What a history is about. That happens for sure, and everything else by chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    Mixed,
    /// The process is killed again and again.
    CrashLoop,
    /// Nothing keeps the gate from publishing soon, except strangers.
    Calm,
    /// A server leaves for good, and another follows it.
    Successor,
    /// The process is replaced by one of another name.
    Replacements,
    /// Clients send single requests that look like scrapes.
    Strangers,
    /// Answers are cut off.
    Cuts,
}

const THEMES: [Theme; 8] = [
    Theme::Mixed,
    Theme::CrashLoop,
    Theme::Calm,
    Theme::Successor,
    Theme::Mixed,
    Theme::Replacements,
    Theme::Strangers,
    Theme::Cuts,
];

impl Plan {
    pub(crate) fn draw(seed: u64, mutant: Option<Mutant>) -> Self {
        let mut rng = Rng::with_seed(seed);
        let rng = &mut rng;
        let theme = THEMES[usize::try_from(seed % 8).unwrap_or_default()];
        let span = match theme {
            Theme::CrashLoop => rng.i64(8 * MINUTE..25 * MINUTE),
            Theme::Successor => rng.i64(8 * MINUTE..16 * MINUTE),
            Theme::Calm => rng.i64(5 * MINUTE..10 * MINUTE),
            _ => rng.i64(2 * MINUTE..9 * MINUTE),
        };
        // Either the exporter knows the servers before it dies for the first time, or not.
        let peaceful = if rng.bool() {
            rng.i64(0..4 * MINUTE)
        } else {
            0
        };
        let span = span + peaceful;
        // Either the lookback and retention of production, with everything that only a deep
        // sweep repairs; or short ones, so that much is forgotten within one history.
        let full_reach = rng.bool();
        let few_events = [0, 4, FEW_EVENTS][usize::try_from(seed / 8 % 3).unwrap_or_default()];
        let polls = Polls {
            few_events,
            ..polls(rng, full_reach)
        };
        let (api_clock, local_clock) = clocks(rng, span, full_reach);
        let clocks_differ = (api_clock.ahead - local_clock.ahead).abs() > 5 * SECOND
            || !local_clock.jumps.is_empty()
            || !api_clock.jumps.is_empty();
        let mut api = api_plan(rng, span, full_reach, clocks_differ);
        // Either nothing else happens than what the history is about, or anything.
        let is_quiet = match theme {
            Theme::Mixed => false,
            Theme::Calm | Theme::Successor => rng.bool(),
            _ => rng.u8(0..4) == 0,
        };
        let scrapers = clients::scrapers(rng, span, (theme, is_quiet));
        let scrape_interval = clients::scrape_interval(rng, &scrapers, theme);
        let groups = match theme {
            Theme::Mixed => rng.usize(0..12),
            Theme::Calm | Theme::CrashLoop | Theme::Successor => rng.usize(8..24),
            _ => rng.usize(3..16),
        };
        let mut records = api::records(rng, (span, groups), &polls, full_reach, &api_clock);
        if full_reach && rng.u16(0..2000) == 0 {
            // More events than one piece holds. To read them, pages need an order.
            api.order = Order::NewestFirst;
            api.reorders_same_second = false;
            api.page_cap = 100;
            // With all events of a burst in every answer, a second takes minutes to read.
            api.too_early = api.too_early.min(5 * SECOND);
            records = api::burst(rng, span, &api_clock);
        }
        Self {
            seed,
            mutant,
            span,
            api,
            disk: faults::disk(rng, span, (theme, is_quiet)),
            api_clock,
            local_clock,
            crashes: faults::crashes(rng, peaceful..span, (theme, is_quiet)),
            strangers: clients::strangers(rng, span, theme),
            scrapers,
            records,
            polls: Polls {
                scrape_interval: match mutant {
                    Some(Mutant::GateOff) => ScrapeInterval::Off,
                    _ => scrape_interval,
                },
                lookback: match mutant {
                    Some(Mutant::NoLookback) => 0,
                    _ => polls.lookback,
                },
                ..polls
            },
        }
    }

    pub(crate) fn window(&self) -> WindowSettings {
        WindowSettings {
            lookback: SignedDuration::from_millis(self.polls.lookback),
            retention: SignedDuration::from_millis(self.polls.retention),
        }
    }

    /// Returns the longest H that the gate may have, and so the longest distance that is
    /// promised between the two samples around a step.
    pub(crate) fn longest_hold(&self) -> Ms {
        match self.polls.scrape_interval {
            ScrapeInterval::Learned => hold(self.longest_interval().max(MINUTE)),
            _ => hold(self.longest_interval()),
        }
    }

    /// Returns the longest H that the gate may learn if a scrape is late. Values change until
    /// no server has scraped for that time.
    pub(crate) fn longest_learned_hold(&self) -> Ms {
        let late = self
            .scrapers
            .iter()
            .map(|server| server.interval + server.limit());
        match self.polls.scrape_interval {
            ScrapeInterval::Learned => self.longest_hold().max(hold(late.max().unwrap_or(MINUTE))),
            _ => self.longest_hold(),
        }
    }

    /// Returns the longest H that the gate may have once it knows the interval of a server.
    /// It is shorter than [`Plan::longest_hold`] only if no scrape is late, missed or cut
    /// off, so that no server looks like several.
    pub(crate) fn usual_hold(&self) -> Ms {
        let is_regular = |server: &ScraperPlan| {
            server.slow == 0.0
                && server.misses == 0.0
                && server.absences().next().is_none()
                && !server.shares_address
        };
        if self.scrapers.iter().all(is_regular) {
            hold(self.longest_interval())
        } else {
            self.longest_hold()
        }
    }

    /// Returns the shortest H that the gate may have once a server has scraped: that of the
    /// server that scrapes most often, if its interval alone is known.
    pub(crate) fn shortest_hold(&self) -> Ms {
        let intervals = self.scrapers.iter().map(|server| server.interval);
        match self.polls.scrape_interval {
            ScrapeInterval::Learned => hold(intervals.min().unwrap_or(MINUTE)),
            _ => self.longest_hold(),
        }
    }

    fn longest_interval(&self) -> Ms {
        let intervals = self.scrapers.iter().map(|server| server.interval);
        intervals.max().unwrap_or(MINUTE)
    }
}

/// Returns H of a scrape interval: a server may miss one scrape, and another may take its
/// time limit.
pub(crate) fn hold(interval: Ms) -> Ms {
    2 * interval + interval.min(10 * SECOND)
}

pub(crate) fn pick<'a, T>(rng: &mut Rng, of: &'a [T]) -> &'a T {
    &of[rng.usize(0..of.len())]
}

fn polls(rng: &mut Rng, full_reach: bool) -> Polls {
    let interval = *pick(rng, &[1, 5, 10, 15, 30, 30]) * SECOND;
    let lookback = if full_reach {
        15 * MINUTE
    } else {
        MINUTE.max(interval)
    };
    let depth = if full_reach { 24 * HOUR } else { 5 * MINUTE };
    let deep = (full_reach || rng.bool()).then(|| (depth, rng.i64(MINUTE..3 * MINUTE)));
    let backlog = if full_reach { 2 * HOUR } else { 20 * MINUTE };
    Polls {
        interval,
        lookback,
        deep,
        retention: if full_reach { 25 * HOUR } else { 7 * MINUTE },
        start: if rng.bool() {
            PollStart::Now
        } else {
            PollStart::Age(SignedDuration::from_millis(rng.i64(0..backlog)))
        },
        few_events: FEW_EVENTS,
        types_named: rng.bool(),
        scrape_interval: ScrapeInterval::Learned,
    }
}

fn clocks(rng: &mut Rng, span: Ms, full_reach: bool) -> (WallClock, WallClock) {
    let ahead = |rng: &mut Rng| match rng.u8(0..4) {
        0 => rng.i64(-HOUR..=HOUR),
        1 => rng.i64(-3 * SECOND..=3 * SECOND),
        _ => 0,
    };
    let mut jumps = |may: bool| {
        let jumps = if may && rng.u8(0..4) == 0 {
            rng.usize(1..3)
        } else {
            0
        };
        let jumps = (0..jumps).map(|_| (rng.i64(0..span), rng.i64(-HOUR..=HOUR) / 2));
        jumps.collect()
    };
    // If the clock of the API is set back, events are late by as much.
    let (api, local) = (jumps(full_reach), jumps(true));
    let api = WallClock {
        ahead: ahead(rng),
        jumps: api,
    };
    let local = WallClock {
        ahead: ahead(rng),
        jumps: local,
    };
    (api, local)
}

fn api_plan(rng: &mut Rng, span: Ms, full_reach: bool, clocks_differ: bool) -> ApiPlan {
    let outages = (0..rng.usize(0..3)).map(|_| {
        let from = rng.i64(0..span);
        from..from + rng.i64(SECOND..3 * MINUTE)
    });
    ApiPlan {
        outages: outages.collect(),
        hangs: rng.u8(0..3) == 0,
        order: match rng.u8(0..3) {
            0 => Order::NewestFirst,
            1 if full_reach => Order::None,
            _ => Order::OldestFirst,
        },
        // Only a deep sweep is sure to find an event that no page has shown.
        reorders_same_second: full_reach && rng.bool(),
        page_cap: *pick(rng, &[2, 5, 30, 100]),
        repeated: rng.usize(0..2) * rng.usize(0..3),
        too_early: rng.i64(0..2) * rng.i64(0..100 * SECOND),
        excludes_bounds: rng.bool(),
        empty: *pick(rng, &[Empty::List, Empty::NoList, Empty::NoBody]),
        // If the clocks differ and an answer has no time, events are hidden until a deep
        // sweep.
        omits_date: if full_reach || !clocks_differ {
            *pick(rng, &[0.0, 0.2])
        } else {
            0.0
        },
        fails: *pick(rng, &[0.0, 0.02, 0.1]),
        slowest: *pick(rng, &[10, 200, 3000]),
    }
}
