//! What a seed makes of a history, before it begins.

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
    /// How long things happen, before all is calm.
    pub(crate) span: Ms,
    pub(crate) polls: Polls,
    pub(crate) api: Manners,
    pub(crate) disk: DiskManners,
    pub(crate) api_clock: WallClock,
    pub(crate) local_clock: WallClock,
    /// The chance that the process dies at an await.
    pub(crate) dies_at_step: f64,
    /// When the process is killed, wherever it is.
    pub(crate) kills: Vec<Ms>,
    pub(crate) scrapers: Vec<ScraperPlan>,
    /// By when they appear.
    pub(crate) records: Vec<Record>,
}

/// How the exporter was told to poll.
#[derive(Debug)]
pub(crate) struct Polls {
    pub(crate) interval: Ms,
    pub(crate) lookback: Ms,
    /// How far and how often a deep sweep reads; `None` for never.
    pub(crate) deep: Option<(Ms, Ms)>,
    pub(crate) retention: Ms,
    pub(crate) start: PollStart,
    /// The vendor names its types.
    pub(crate) types_named: bool,
    pub(crate) scrape_interval: ScrapeInterval,
}

/// How the API answers.
#[derive(Debug)]
pub(crate) struct Manners {
    pub(crate) order: Order,
    /// Events of one second change places at every request.
    pub(crate) restless: bool,
    pub(crate) page_cap: usize,
    /// How many events of a page come twice on it.
    pub(crate) repeated: usize,
    /// How far before the range it shows events, too.
    pub(crate) too_early: Ms,
    pub(crate) excludes_bounds: bool,
    /// Without events there is no `_embedded`, or no body at all.
    pub(crate) empty: Empty,
    pub(crate) tells_no_time: f64,
    pub(crate) fails: f64,
    pub(crate) outages: Vec<Range<Ms>>,
    pub(crate) slowest: Ms,
}

/// An answer without events.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Empty {
    List,
    NoList,
    NoBody,
}

/// How the disk fails.
#[derive(Debug)]
pub(crate) struct DiskManners {
    pub(crate) fails_before: f64,
    pub(crate) fails_after: f64,
    pub(crate) full: Vec<Range<Ms>>,
    pub(crate) slowest: Ms,
}

/// A server that scrapes.
#[derive(Debug, Clone)]
pub(crate) struct ScraperPlan {
    pub(crate) id: u64,
    pub(crate) interval: Ms,
    pub(crate) first: Ms,
    pub(crate) away: Vec<Range<Ms>>,
    pub(crate) keeps_connection: bool,
    pub(crate) misses: f64,
    pub(crate) slow: f64,
}

impl Plan {
    pub(crate) fn draw(seed: u64, mutant: Option<Mutant>) -> Self {
        let mut rng = Rng::with_seed(seed);
        let rng = &mut rng;
        let span = rng.i64(2 * MINUTE..9 * MINUTE);
        // The real reach, with everything that only a deep sweep mends; or a short
        // one, so that much is forgotten within one history.
        let far = rng.bool();
        let polls = polls(rng, far);
        let (api_clock, local_clock) = clocks(rng, span, far);
        let clocks_differ = (api_clock.ahead - local_clock.ahead).abs() > 5 * SECOND
            || !local_clock.jumps.is_empty()
            || !api_clock.jumps.is_empty();
        let mut api = manners(rng, span, far, clocks_differ);
        let scrapers = scrapers(rng, span);
        let scrape_interval = scrape_interval(rng, &scrapers);
        let mut records = api::records(rng, span, &polls, far, &api_clock);
        if far && rng.u16(0..2000) == 0 {
            // More than is read at once, which takes pages in some order.
            api.order = Order::NewestFirst;
            api.restless = false;
            api.page_cap = 100;
            records = api::crowd(rng, span, &api_clock);
        }
        Self {
            seed,
            mutant,
            span,
            api,
            disk: disk(rng, span),
            api_clock,
            local_clock,
            dies_at_step: *pick(rng, &[0.0, 0.002, 0.01]),
            kills: (0..rng.usize(0..4)).map(|_| rng.i64(0..span)).collect(),
            scrapers,
            records,
            polls: Polls {
                scrape_interval: match mutant {
                    Some(Mutant::NoHold) => ScrapeInterval::Off,
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

    /// The promise: two samples around a step are no further apart.
    pub(crate) fn promised_window(&self) -> Ms {
        let longest = self.scrapers.iter().map(|s| s.interval).max();
        let longest = longest.unwrap_or(0).max(MINUTE);
        hold(longest)
    }
}

/// H of a scrape interval: it may miss one scrape, and another may take its
/// time limit.
pub(crate) fn hold(interval: Ms) -> Ms {
    2 * interval + interval.min(10 * SECOND)
}

pub(crate) fn pick<'a, T>(rng: &mut Rng, of: &'a [T]) -> &'a T {
    &of[rng.usize(0..of.len())]
}

fn polls(rng: &mut Rng, far: bool) -> Polls {
    let interval = *pick(rng, &[1, 5, 10, 15, 30, 30]) * SECOND;
    let lookback = if far {
        15 * MINUTE
    } else {
        MINUTE.max(interval)
    };
    let depth = if far { 24 * HOUR } else { 5 * MINUTE };
    let deep = (far || rng.bool()).then(|| (depth, rng.i64(MINUTE..3 * MINUTE)));
    let backlog = if far { 2 * HOUR } else { 20 * MINUTE };
    Polls {
        interval,
        lookback,
        deep,
        retention: if far { 25 * HOUR } else { 7 * MINUTE },
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
    // Behind one address a second server that comes less often is learned of too
    // late if the exporter dies meanwhile: that is for the user to say.
    let is_confusing = scrapers.iter().any(|one| {
        let mut others = scrapers.iter();
        others.any(|other| other.id == one.id && other.interval != one.interval)
    });
    if is_confusing || rng.u8(0..5) == 0 {
        ScrapeInterval::Fixed(Duration::from_millis(longest.unsigned_abs()))
    } else {
        ScrapeInterval::Learned
    }
}

fn clocks(rng: &mut Rng, span: Ms, far: bool) -> (WallClock, WallClock) {
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
    // A clock of the API that is set back makes events late, by as much.
    let (api, local) = (jumps(far), jumps(true));
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

fn manners(rng: &mut Rng, span: Ms, far: bool, clocks_differ: bool) -> Manners {
    let outages = (0..rng.usize(0..3)).map(|_| {
        let from = rng.i64(0..span);
        from..from + rng.i64(SECOND..3 * MINUTE)
    });
    Manners {
        outages: outages.collect(),
        order: match rng.u8(0..3) {
            0 => Order::NewestFirst,
            1 if far => Order::None,
            _ => Order::OldestFirst,
        },
        // Only a deep sweep is sure to find what all pages failed to show.
        restless: far && rng.bool(),
        page_cap: *pick(rng, &[2, 5, 30, 100]),
        repeated: rng.usize(0..2) * rng.usize(0..3),
        too_early: rng.i64(0..2) * rng.i64(0..100 * SECOND),
        excludes_bounds: rng.bool(),
        empty: *pick(rng, &[Empty::List, Empty::NoList, Empty::NoBody]),
        // Without the API's time a clock that differs hides events until a deep
        // sweep.
        tells_no_time: if far || !clocks_differ {
            *pick(rng, &[0.0, 0.2])
        } else {
            0.0
        },
        fails: *pick(rng, &[0.0, 0.02, 0.1]),
        slowest: *pick(rng, &[10, 200, 3000]),
    }
}

fn disk(rng: &mut Rng, span: Ms) -> DiskManners {
    let full = (0..rng.usize(0..2)).map(|_| {
        let from = rng.i64(0..span);
        from..from + rng.i64(SECOND..2 * MINUTE)
    });
    DiskManners {
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
        // Two servers behind one address, which keep their connections: only time
        // protects them, so neither is away.
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
