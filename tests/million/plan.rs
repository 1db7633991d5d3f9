//! The plan of a history, which is drawn from a seed before the history begins.

use std::{ops::Range, time::Duration};

use audit_core::{account::PollStart, gate::ScrapeInterval, window::WindowSettings};
use fastrand::Rng;
use jiff::SignedDuration;

use crate::{
    api::{self, Order, Record},
    clock::{HOUR, MINUTE, Ms, SECOND, WallClock},
    mutant::Mutant,
};

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
    /// The chance that the process dies at an await.
    pub(crate) crash_chance: f64,
    /// The times at which the process is killed, whatever it does.
    pub(crate) kills: Vec<Ms>,
    pub(crate) scrapers: Vec<ScraperPlan>,
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

/// How the disk fails.
#[derive(Debug)]
pub(crate) struct DiskPlan {
    /// The chance that a commit fails before it is durable.
    pub(crate) fails_before: f64,
    /// The chance that a durable commit is reported as failed.
    pub(crate) fails_after: f64,
    /// When every commit fails.
    pub(crate) full: Vec<Range<Ms>>,
    /// The longest time that either half of a commit takes.
    pub(crate) slowest: Ms,
}

/// A server that scrapes.
#[derive(Debug, Clone)]
pub(crate) struct ScraperPlan {
    pub(crate) id: u64,
    pub(crate) interval: Ms,
    /// When the first scrape is due.
    pub(crate) first: Ms,
    /// When the server does not scrape.
    pub(crate) away: Vec<Range<Ms>>,
    pub(crate) keeps_connection: bool,
    /// The chance that a scrape is missed.
    pub(crate) misses: f64,
    /// The chance that a scrape is late by up to its time limit.
    pub(crate) slow: f64,
}

impl Plan {
    pub(crate) fn draw(seed: u64, mutant: Option<Mutant>) -> Self {
        let mut rng = Rng::with_seed(seed);
        let rng = &mut rng;
        let span = rng.i64(2 * MINUTE..9 * MINUTE);
        // Either the lookback and retention of production, with everything that only a deep
        // sweep repairs; or short ones, so that much is forgotten within one history.
        let full_reach = rng.bool();
        let polls = polls(rng, full_reach);
        let (api_clock, local_clock) = clocks(rng, span, full_reach);
        let clocks_differ = (api_clock.ahead - local_clock.ahead).abs() > 5 * SECOND
            || !local_clock.jumps.is_empty()
            || !api_clock.jumps.is_empty();
        let mut api = api_plan(rng, span, full_reach, clocks_differ);
        let scrapers = scrapers(rng, span);
        let scrape_interval = scrape_interval(rng, &scrapers);
        let mut records = api::records(rng, span, &polls, full_reach, &api_clock);
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
            disk: disk(rng, span),
            api_clock,
            local_clock,
            crash_chance: *pick(rng, &[0.0, 0.002, 0.01]),
            kills: (0..rng.usize(0..4)).map(|_| rng.i64(0..span)).collect(),
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

    /// Returns the longest distance that is promised between the two samples around a step.
    pub(crate) fn promised_window(&self) -> Ms {
        let longest = self.scrapers.iter().map(|s| s.interval).max();
        let longest = longest.unwrap_or(0).max(MINUTE);
        hold(longest)
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
        types_named: rng.bool(),
        scrape_interval: ScrapeInterval::Learned,
    }
}

fn scrape_interval(rng: &mut Rng, scrapers: &[ScraperPlan]) -> ScrapeInterval {
    let longest = scrapers.iter().map(|s| s.interval).max().unwrap_or(MINUTE);
    // If a second server behind the same address scrapes less often, its interval may be
    // learned too late when the exporter dies meanwhile. The user has to set the interval.
    let intervals_differ = scrapers.iter().any(|scraper| {
        let mut others = scrapers.iter();
        others.any(|other| other.id == scraper.id && other.interval != scraper.interval)
    });
    if intervals_differ || rng.u8(0..5) == 0 {
        ScrapeInterval::Fixed(Duration::from_millis(longest.unsigned_abs()))
    } else {
        ScrapeInterval::Learned
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

fn disk(rng: &mut Rng, span: Ms) -> DiskPlan {
    let full = (0..rng.usize(0..2)).map(|_| {
        let from = rng.i64(0..span);
        from..from + rng.i64(SECOND..2 * MINUTE)
    });
    DiskPlan {
        full: full.collect(),
        fails_before: *pick(rng, &[0.0, 0.05]),
        fails_after: *pick(rng, &[0.0, 0.05]),
        slowest: *pick(rng, &[1, 20, 1500]),
    }
}

fn scrapers(rng: &mut Rng, span: Ms) -> Vec<ScraperPlan> {
    let count = rng.u64(1..=3);
    let mut scrapers: Vec<_> = (0..count).map(|id| scraper(rng, span, id)).collect();
    if count > 1 && rng.u8(0..8) == 0 {
        // Two servers behind one address, which keep their connections. The gate cannot
        // count what each of them was served, so neither is away.
        let (id, first) = (scrapers[0].id, scrapers[0].first);
        for scraper in &mut scrapers[..2] {
            scraper.id = id;
            scraper.away.clear();
            scraper.keeps_connection = true;
        }
        scrapers[1].first = first + rng.i64(0..15 * SECOND);
    }
    scrapers
}

fn scraper(rng: &mut Rng, span: Ms, id: u64) -> ScraperPlan {
    let away = |rng: &mut Rng| {
        let from = rng.i64(0..span);
        let longest = if rng.u8(0..20) == 0 {
            15 * MINUTE
        } else {
            4 * MINUTE
        };
        from..from + rng.i64(5 * SECOND..longest)
    };
    ScraperPlan {
        id,
        interval: *pick(rng, &[1, 5, 5, 10, 15, 15, 15, 30, 30, 60, 60, 60]) * SECOND,
        first: if rng.bool() {
            rng.i64(0..5 * SECOND)
        } else {
            rng.i64(0..span)
        },
        away: (0..rng.usize(0..3) * rng.usize(0..2))
            .map(|_| away(rng))
            .collect(),
        keeps_connection: rng.u8(0..4) > 0,
        misses: *pick(rng, &[0.0, 0.1]),
        slow: *pick(rng, &[0.0, 0.1]),
    }
}
