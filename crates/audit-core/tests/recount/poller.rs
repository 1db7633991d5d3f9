//! Polls the model as the exporter polls the API.

use std::collections::BTreeSet;

use audit_core::{
    event::{Element, Keep, Page},
    sweep::{
        Cutter, FirstClaim, Limits, Piece, Range, Recount, RecountSettings, RecountStep, Step,
        Sweep, SweepEnd, Verdict, widened_end,
    },
};
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};

use crate::api::{Api, Request, SECOND, at};

/// The number of events that are asked for on a page.
pub(crate) const PAGE_SIZE: u64 = 10;
/// The span that every poll reads again.
pub(crate) const LOOKBACK: i64 = 120 * SECOND;
/// The most requests of one poll; without this bound an endless sweep would hang.
const MOST_REQUESTS: usize = 20_000;

pub(crate) struct Poller<'a> {
    api: &'a Api,
    rng: Rng,
    /// The longest time that one request takes.
    slowest: i64,
    recount: Recount,
    limits: Limits,
    watermark: i64,
    pub(crate) now: i64,
    /// The ids of the events that were seen.
    pub(crate) seen: BTreeSet<usize>,
    requests: usize,
    /// The number of requests after which a poll fails.
    fails_after: usize,
}

/// The outcome of one poll.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Polled {
    /// The moment of the first request.
    pub(crate) began: i64,
    /// The time from which the poll had to read.
    pub(crate) from: i64,
    pub(crate) missing: u64,
    pub(crate) requests: usize,
}

/// The outcome of reading one range.
struct RangeRead {
    missing: u64,
    is_exact: bool,
    is_stopped: bool,
}

impl<'a> Poller<'a> {
    /// Returns a poller that counts from `now` on.
    pub(crate) fn new(api: &'a Api, few: u64, slowest: i64, now: i64) -> Self {
        Self {
            api,
            rng: Rng::with_seed(7),
            slowest,
            recount: Recount::new(RecountSettings {
                few,
                longest: SignedDuration::from_millis(2 * LOOKBACK),
            }),
            limits: Limits::default(),
            watermark: now,
            now,
            seen: BTreeSet::new(),
            requests: 0,
            fails_after: usize::MAX,
        }
    }

    /// Polls at the moment `now`, and fails at the request after so many.
    pub(crate) fn fail(&mut self, now: i64, after: usize) {
        self.fails_after = after;
        if self.try_poll(now).is_none() {
            self.recount.abandon();
        }
        self.fails_after = usize::MAX;
    }

    /// Polls at the moment `now`, or as soon as the poll before has ended.
    pub(crate) fn poll(&mut self, now: i64) -> Polled {
        self.try_poll(now).expect("a poll that does not fail")
    }

    fn try_poll(&mut self, now: i64) -> Option<Polled> {
        self.now = now.max(self.now);
        self.requests = 0;
        let (began, start) = (self.now, self.watermark - LOOKBACK);
        let mut range = Range {
            from: at(start),
            to: None,
        };
        let mut missing = 0;
        let mut settled = None;
        let mut is_read = false;
        if self.recount.is_known() {
            settled = self.settled(range.from, &mut missing).ok()?;
        }
        if settled.is_none() {
            let read = self.range(range, Some(self.recount.few()))?;
            if read.is_stopped {
                settled = self.settled(range.from, &mut missing).ok()?;
            } else {
                missing = read.missing;
                is_read = true;
            }
        }
        if !is_read {
            range.from = settled.unwrap_or(range.from);
            let tail_began = self.now;
            missing += self.range(range, None)?.missing;
            self.recount.end_tail(at(tail_began));
        }
        self.watermark = began;
        Some(Polled {
            began,
            from: start,
            missing,
            requests: self.requests,
        })
    }

    /// Returns `true` if the next poll need not read the lookback.
    pub(crate) fn knows_lookback(&self) -> bool {
        self.recount.is_known()
    }

    /// Returns no time if nothing is recounted.
    fn settled(
        &mut self,
        from: Timestamp,
        missing: &mut u64,
    ) -> Result<Option<Timestamp>, Stopped> {
        if !self.recount.begin(from, at(self.now)) {
            return Ok(None);
        }
        while let Some(step) = self.recount.step() {
            match step {
                RecountStep::Read { range, is_whole } => {
                    let read = self.range(range, None).ok_or(Stopped::Failed)?;
                    let is_next_part = is_whole && range.from > from;
                    *missing = read.missing + if is_next_part { *missing } else { 0 };
                    self.recount.read(read.is_exact);
                }
                RecountStep::Count(range) => {
                    let text = self.request(range, 1, 1).ok_or(Stopped::Failed)?;
                    let page = Page::parse(&text, Keep::Parsed).expect("a page");
                    self.recount.counted(page.total_elements);
                }
                RecountStep::Done { read_to } => return Ok(Some(read_to)),
            }
        }
        Ok(None)
    }

    fn range(&mut self, mut range: Range, stop_above: Option<u64>) -> Option<RangeRead> {
        let mut cutter = Cutter::new(self.limits);
        let (mut missing, mut is_exact) = (0, true);
        loop {
            let now = at(self.now);
            let piece = cutter.piece(range, now);
            let end = range.to.unwrap_or(now);
            let sweep_end = self.sweep(&piece, end, &mut cutter, stop_above);
            self.limits = cutter.limits();
            let sweep_end = match sweep_end {
                Ok(sweep_end) => sweep_end,
                Err(Stopped::TooMany) => {
                    return Some(RangeRead {
                        missing: 0,
                        is_exact: false,
                        is_stopped: true,
                    });
                }
                Err(Stopped::Cut) => continue,
                Err(Stopped::Failed) => return None,
            };
            let verdict = cutter.judge(&piece, end, &sweep_end, now);
            self.limits = cutter.limits();
            let Verdict::Read { missing: more, .. } = verdict else {
                continue;
            };
            missing += more;
            is_exact &= sweep_end.claimed == sweep_end.distinct;
            let Some(read_to) = piece.to else {
                return Some(RangeRead {
                    missing,
                    is_exact,
                    is_stopped: false,
                });
            };
            range.from = read_to;
        }
    }

    fn sweep(
        &mut self,
        piece: &Piece,
        end: Timestamp,
        cutter: &mut Cutter,
        stop_above: Option<u64>,
    ) -> Result<SweepEnd, Stopped> {
        let began = at(self.now);
        let mut sweep = Sweep::over(piece, PAGE_SIZE);
        let mut request = piece.request;
        loop {
            match sweep.step() {
                Step::Read(number) => {
                    let text = self.request(request, number, PAGE_SIZE);
                    let text = text.ok_or(Stopped::Failed)?;
                    let page = Page::parse(&text, Keep::Parsed).expect("a page");
                    self.count(&page);
                    sweep.take(number, &page);
                    if number > 1 {
                        continue;
                    }
                    let first = FirstClaim {
                        claimed: sweep.claimed(),
                        beside: 0,
                        times: sweep.times(),
                    };
                    self.recount.claim(first.claimed, at(self.now));
                    if stop_above.is_some_and(|few| first.claimed > few) {
                        return Err(Stopped::TooMany);
                    }
                    if !cutter.begin(piece, end, &first, began) {
                        return Err(Stopped::Cut);
                    }
                }
                Step::ReadAgain if request.to.is_none() => {
                    let to = widened_end(began);
                    request.to = Some(to);
                    sweep.read_again_narrower(to);
                }
                Step::ReadAgain => sweep.read_again(),
                Step::Whole | Step::Short { .. } | Step::Limited | Step::Endless => {
                    return Ok(sweep.end());
                }
            }
        }
    }

    fn count(&mut self, page: &Page<'_>) {
        self.recount.take(page);
        for element in &page.elements {
            if let Element::Event(event) = element {
                let id = event.id_text.as_deref().expect("an id that is no UUID");
                self.seen.insert(id[1..].parse().expect("a number"));
            }
        }
    }

    fn request(&mut self, range: Range, page: u64, size: u64) -> Option<String> {
        self.requests += 1;
        assert!(
            self.requests < MOST_REQUESTS,
            "more than {MOST_REQUESTS} requests"
        );
        if self.requests > self.fails_after {
            return None;
        }
        let request = Request {
            from: range.from,
            to: range.to,
            page,
            size,
        };
        self.now += self.rng.i64(0..=self.slowest);
        Some(self.api.page(&request, self.now, &mut self.rng))
    }
}

/// The reasons for which a sweep ends early.
enum Stopped {
    TooMany,
    Cut,
    Failed,
}
