//! The plans of the servers that scrape, and of the strangers that send requests like
//! theirs.

use std::{ops::Range, time::Duration};

use audit_core::gate::{SavedScraper, ScrapeInterval, ScraperId};
use fastrand::Rng;

use super::{Theme, pick};
use crate::clock::{MINUTE, Ms, SECOND};

/// The first id of a stranger, above those of all servers.
const FIRST_STRANGER: u64 = 1000;

/// A server that scrapes.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Debug, Clone)]
pub(crate) struct ScraperPlan {
    pub(crate) id: u64,
    /// The product that the server says it is.
    pub(crate) product: u64,
    pub(crate) interval: Ms,
    /// When the first scrape is due.
    pub(crate) first: Ms,
    /// When the server does not scrape.
    pub(crate) away: Vec<Range<Ms>>,
    /// When every answer to the server is cut off before it is written whole.
    pub(crate) cuts: Vec<Range<Ms>>,
    /// When the server leaves for good.
    pub(crate) leaves: Option<Ms>,
    /// `true` if the server follows one that has left.
    pub(crate) is_successor: bool,
    /// Each change of the name by which the server calls the exporter: when, and the name
    /// from then on. The name is 0 if the server tells none.
    pub(crate) targets: Vec<(Ms, u64)>,
    pub(crate) keeps_connection: bool,
    /// `true` if another server has the same address, so that the gate cannot tell the two
    /// apart.
    pub(crate) shares_address: bool,
    /// The number of the connection if a proxy shares it among servers.
    pub(crate) proxy_connection: Option<u64>,
    /// `true` if requests state the time limit of the scrape.
    pub(crate) states_limit: bool,
    /// The chance that a scrape is missed.
    pub(crate) misses: f64,
    /// The chance that a scrape is late by up to its time limit.
    pub(crate) slow: f64,
}

/// A client that sends at most three requests that look like scrapes.
#[derive(Debug, Clone)]
pub(crate) struct StrangerPlan {
    pub(crate) id: u64,
    pub(crate) product: u64,
    /// The time limit that the requests state.
    pub(crate) limit: Duration,
    pub(crate) requests: Vec<Ms>,
}

impl StrangerPlan {
    /// Returns the stranger as a server that is stored, under
    /// [`Mutant::StrangersAreServers`](crate::mutant::Mutant::StrangersAreServers).
    pub(crate) fn as_server(&self) -> SavedScraper {
        SavedScraper {
            id: ScraperId(self.id),
            product: self.product,
            target: 0,
            interval: Some(
                self.limit
                    .clamp(Duration::from_mins(1), Duration::from_mins(5)),
            ),
            unseen_for: Duration::ZERO,
        }
    }
}

impl ScraperPlan {
    /// Returns the longest time that a scrape may take.
    pub(crate) fn limit(&self) -> Ms {
        self.interval.min(10 * SECOND)
    }

    /// Returns the name by which the server calls the exporter.
    pub(crate) fn target(&self, now: Ms) -> u64 {
        let names = self.targets.iter().rev();
        let mut names = names.filter(|(at, _)| *at <= now);
        names.next().map_or(1, |(_, name)| *name)
    }

    /// Returns `true` if the server is away, or its answers are cut off.
    pub(crate) fn is_absent(&self, now: Ms) -> bool {
        self.absences().any(|span| span.contains(&now))
    }

    /// Returns when the server is away, or its answers are cut off.
    pub(crate) fn absences(&self) -> impl Iterator<Item = &Range<Ms>> {
        self.away.iter().chain(&self.cuts)
    }

    pub(crate) fn has_left(&self, now: Ms) -> bool {
        self.leaves.is_some_and(|leaves| leaves <= now)
    }
}

pub(super) fn scrapers(rng: &mut Rng, span: Ms, about: (Theme, bool)) -> Vec<ScraperPlan> {
    let (theme, _) = about;
    let count = rng.u64(1..=3);
    let mut scrapers: Vec<_> = (0..count).map(|id| scraper(rng, span, id, about)).collect();
    if count > 1 && rng.u8(0..8) == 0 {
        share_address(rng, &mut scrapers);
    } else if theme == Theme::Successor || (theme != Theme::Calm && rng.u8(0..12) == 0) {
        leave(rng, span, &mut scrapers, about);
    }
    if theme == Theme::CrashLoop && count > 1 && !scrapers[1].shares_address && rng.bool() {
        // A server that sees nothing of most of the crash loop.
        let from = rng.i64(span / 8..span / 2);
        let away = from..from + rng.i64(5 * MINUTE..15 * MINUTE);
        scrapers[1].away = vec![away];
    }
    scrapers
}

/// Gives two servers the same address. The gate cannot count what each of them was served,
/// so neither is away.
fn share_address(rng: &mut Rng, scrapers: &mut [ScraperPlan]) {
    let ScraperPlan {
        id, first, product, ..
    } = scrapers[0];
    let proxy_connection = rng.bool().then_some(1 << 40);
    for scraper in &mut scrapers[..2] {
        *scraper = ScraperPlan {
            id,
            product,
            away: Vec::new(),
            cuts: Vec::new(),
            targets: Vec::new(),
            keeps_connection: true,
            shares_address: true,
            proxy_connection,
            ..scraper.clone()
        };
    }
    scrapers[1].first = first + rng.i64(0..15 * SECOND);
}

/// Lets the first server leave for good, and a successor of the same product begin.
fn leave(rng: &mut Rng, span: Ms, scrapers: &mut Vec<ScraperPlan>, about: (Theme, bool)) {
    let is_theme = about.0 == Theme::Successor;
    if is_theme {
        scrapers[0].first = rng.i64(0..5 * SECOND);
    }
    let leaves = rng.i64(span / 5..span / 2).max(scrapers[0].first + 1);
    scrapers[0].leaves = Some(leaves);
    if is_theme || rng.bool() {
        let id = scrapers.len() as u64;
        let follows = ScraperPlan {
            first: leaves + rng.i64(SECOND..MINUTE),
            product: scrapers[0].product,
            is_successor: true,
            leaves: None,
            ..scraper(rng, span, id, about)
        };
        scrapers.push(follows);
    }
}

fn scraper(rng: &mut Rng, span: Ms, id: u64, (theme, is_quiet): (Theme, bool)) -> ScraperPlan {
    let intervals: &[Ms] = match theme {
        Theme::CrashLoop | Theme::Successor => &[5, 15, 15, 15, 30, 60],
        Theme::Calm => &[1, 5, 5, 10, 15, 15, 15, 30, 60],
        Theme::Replacements => &[1, 5, 5, 5, 15, 60],
        _ => &[1, 5, 5, 10, 15, 15, 15, 30, 30, 60, 60, 60],
    };
    let cuts = match theme {
        Theme::Cuts => rng.usize(1..3),
        _ if theme == Theme::Calm || is_quiet => 0,
        _ => rng.usize(0..2) * rng.usize(0..2),
    };
    let away = if theme == Theme::Calm || is_quiet {
        0
    } else {
        rng.usize(0..3) * rng.usize(0..2)
    };
    let faults: &[f64] = if is_quiet { &[0.0] } else { &[0.0, 0.1] };
    ScraperPlan {
        id,
        product: *pick(rng, &[1, 1, 1, 2]),
        interval: *pick(rng, intervals) * SECOND,
        first: if rng.bool() {
            rng.i64(0..5 * SECOND)
        } else {
            rng.i64(0..span)
        },
        away: (0..away).map(|_| absence(rng, span)).collect(),
        cuts: (0..cuts).map(|_| absence(rng, span)).collect(),
        leaves: None,
        is_successor: false,
        targets: targets(rng, span),
        keeps_connection: rng.u8(0..4) > 0,
        shares_address: false,
        proxy_connection: None,
        states_limit: rng.u8(0..4) > 0,
        misses: *pick(rng, faults),
        slow: *pick(rng, faults),
    }
}

fn absence(rng: &mut Rng, span: Ms) -> Range<Ms> {
    let from = rng.i64(0..span);
    let longest = if rng.u8(0..20) == 0 {
        15 * MINUTE
    } else {
        4 * MINUTE
    };
    from..from + rng.i64(5 * SECOND..longest)
}

fn targets(rng: &mut Rng, span: Ms) -> Vec<(Ms, u64)> {
    let count = if rng.u8(0..6) == 0 {
        rng.usize(1..4)
    } else {
        0
    };
    let mut targets: Vec<_> = (0..count)
        .map(|_| (rng.i64(0..span), rng.u64(0..4)))
        .collect();
    targets.sort_unstable();
    targets
}

pub(super) fn scrape_interval(
    rng: &mut Rng,
    scrapers: &[ScraperPlan],
    theme: Theme,
) -> ScrapeInterval {
    let longest = scrapers.iter().map(|s| s.interval).max().unwrap_or(MINUTE);
    // If a second server behind the same address scrapes less often, its interval may be
    // learned too late when the exporter dies meanwhile; and that of a server behind a
    // shared connection is not learned at all. The user has to set the interval.
    let must_be_set = scrapers.iter().any(|scraper| {
        let mut others = scrapers.iter();
        let differs =
            |other: &ScraperPlan| other.id == scraper.id && other.interval != scraper.interval;
        scraper.proxy_connection.is_some() || others.any(differs)
    });
    let chance = if theme == Theme::CrashLoop { 2 } else { 5 };
    if must_be_set || rng.u8(0..chance) == 0 {
        ScrapeInterval::Fixed(Duration::from_millis(longest.unsigned_abs()))
    } else {
        ScrapeInterval::Learned
    }
}

/// Draws the strangers: few, or in some histories more than the gate remembers.
pub(super) fn strangers(rng: &mut Rng, span: Ms, theme: Theme) -> Vec<StrangerPlan> {
    let swarms = match theme {
        Theme::Strangers => rng.u8(0..4) == 0,
        _ => rng.u8(0..200) == 0,
    };
    let (from, to, count) = if swarms {
        let from = rng.i64(0..span);
        let length = *pick(rng, &[10 * SECOND, 2 * MINUTE]);
        (from, from + length, rng.u64(70..250))
    } else {
        let most = match theme {
            Theme::Strangers | Theme::Calm => 10,
            _ => 3,
        };
        (0, span, rng.u64(0..=most) * rng.u64(0..2))
    };
    let most = if rng.bool() { 1 } else { 3 };
    let mut stranger = |number| {
        let first = rng.i64(from..to);
        let requests = rng.usize(1..=most);
        let rest = (1..requests).map(|_| first + rng.i64(SECOND..2 * MINUTE));
        let mut requests: Vec<Ms> = [first].into_iter().chain(rest).collect();
        requests.sort_unstable();
        let seconds = [0, 10_u64.pow(rng.u32(0..10))];
        StrangerPlan {
            id: FIRST_STRANGER + number,
            product: rng.u64(0..4),
            limit: Duration::from_secs(*pick(rng, &seconds)),
            requests,
        }
    };
    (0..count).map(&mut stranger).collect()
}
