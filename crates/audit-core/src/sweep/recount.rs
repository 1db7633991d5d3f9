//! What a poll has to read of the range that was read before: as little as the number of
//! events that the API claims allows.
//!
//! ```text
//!    from                  end of the last poll    to          now
//!   ───┼──────────────────────────┼──┼──────────────┼───────────┼──▶ created_at
//!      │ known: only counted      │  │ news: read   │ read by   │
//!      │                    shown by its open end   │ the open  │
//!      │ ◀── one request asks how many events ────▶ │ end       │
//!      │     there are in all                       │           │
//! ```
//!
//! Every element that a request within a range showed is listed in that range for ever, since
//! a list of audit events only grows, and since a wider range lists everything that a narrower
//! one does. If the API claims as many elements of a range as are known to be listed there,
//! then all of them are known. This does not depend on the order of the list, on whether
//! bounds are included, or, but for the open end, on the times of elements.
//!
//! The open end of a poll shows events that belong to the news of the next poll. Most of them
//! are so old by then that their times leave no doubt that they are listed there. If an API
//! claims fewer events than are known so, its times say something else, and are not used
//! again.
//!
//! A claim is worth nothing if it is the highest number that the API claims of any range. It
//! is believed only if the API has claimed a higher one.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use rustc_hash::FxBuildHasher;

use super::{
    Range,
    known::KnownRange,
    piece::{later, whole_second, widened},
    recount_step::{RecountSettings, RecountStep},
    search::Search,
    tail::Tail,
};
use crate::event::{Element, EventId, Page};

/// The number of events that are few: reading them costs hardly more requests than asking
/// whether there are more.
pub const FEW_EVENTS: u64 = 300;
/// The shortest time after which a range is settled. Clocks that are read to the second are
/// off by less. At 10 events a second, the rest is shown by one page.
const SETTLED_AFTER: SignedDuration = SignedDuration::from_secs(6);
/// The part of that time after which nearly all events are listed.
const LISTED_AFTER: i32 = 3;
/// The length of the range of which the API is asked for a higher claim.
const WIDER: SignedDuration = SignedDuration::from_hours(24 * 30);
/// The time after which a claim is forgotten, as [`Limits`](super::Limits) are.
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// The largest number of readings into which a range is divided when everything is read. Where
/// readings begin, the range can be shortened later.
const MAX_READINGS: u32 = 16;
/// The largest number of elements of which the ids are kept.
const MAX_KNOWN: u64 = 500_000;
/// The largest number of malformed elements that are remembered.
const MAX_MALFORMED: usize = 10_000;

/// Says what a poll reads of the settled range: from the beginning of the lookback until a
/// few seconds ago.
#[derive(Debug, Clone)]
pub struct Recount {
    settings: RecountSettings,
    /// The time after which a range is settled: most events are listed this long after their
    /// creation. Later ones are found by their number, which costs requests.
    settled_after: SignedDuration,
    /// The highest number of events that the API has claimed of any range, and when.
    highest: Option<(u64, Timestamp)>,
    /// The number of events that the API has claimed last.
    claimed: u64,
    /// Malformed elements that were shown. One that was not shown before does not count as
    /// known: if its content were different in every answer, it would count several times.
    malformed: HashSet<EventId, FxBuildHasher>,
    /// The settled range of the last poll, if all that the API listed in it is known.
    known: Option<KnownRange>,
    /// The open end of the last poll, which begins where the known range ends.
    tail: Option<Tail>,
    /// `false` once times of creation have turned out not to be what the API selects by.
    trusts_times: bool,
    /// `true` if everything was known after a range was last read whole. Otherwise the range is
    /// read as one, so that a claim that is too high is compared with it once.
    was_known: bool,
    /// The recount under way.
    under_way: Option<UnderWay>,
}

#[derive(Debug, Clone)]
struct UnderWay {
    /// The beginning of the range.
    from: Timestamp,
    known: KnownRange,
    stage: Stage,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    /// The range that is new is read.
    News(Range),
    /// All is counted. `was_read_back` is `true` if a part was read again.
    Compare { was_read_back: bool },
    /// The part with the unknown elements is looked for.
    Search(Search),
    /// The part with the unknown elements is read.
    ReadBack { place: usize, to: Timestamp },
    /// A wider range is counted, since the claim of `total` events may be a limit.
    Doubt { total: u64 },
    /// Everything is read, one reading after the other. `is_known` is `true` while all that is
    /// listed is known.
    Whole { place: usize, is_known: bool },
    /// Everything is read. `is_known` is `true` if all that is listed is known.
    Done { is_known: bool },
}

impl Recount {
    /// Returns a recount for which nothing is known.
    #[must_use]
    pub fn new(settings: RecountSettings) -> Self {
        Self {
            settings,
            settled_after: SETTLED_AFTER,
            highest: None,
            claimed: 0,
            malformed: HashSet::default(),
            known: None,
            tail: None,
            trusts_times: true,
            was_known: true,
            under_way: None,
        }
    }

    /// Returns `true` if a settled range is known, so that the next poll need not read it.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.known.is_some()
    }

    /// Returns the number of events above which a range is worth a recount.
    #[must_use]
    pub fn few(&self) -> u64 {
        self.settings.few
    }

    /// Returns `true` if so many events can be remembered.
    #[must_use]
    pub fn can_know(&self, claimed: u64) -> bool {
        claimed <= MAX_KNOWN
    }

    /// Takes in the number of events that the API claims of any range, at the time `now`.
    pub fn claim(&mut self, claimed: u64, now: Timestamp) {
        self.claimed = claimed;
        let recent = self
            .highest
            .filter(|(_, at)| now.duration_since(*at).abs() < FORGOTTEN_AFTER);
        if recent.is_none_or(|(highest, _)| claimed >= highest) {
            self.highest = Some((claimed, now));
        }
    }

    /// Begins a recount of the range from `from` until shortly before `now`, the time of the
    /// API. Returns `false` if there is nothing to recount, so that the range has to be read.
    pub fn begin(&mut self, from: Timestamp, now: Timestamp) -> bool {
        let to = now.saturating_sub(self.settled_after).unwrap_or(from);
        let to = whole_second(to);
        let from = whole_second(from);
        let tail = self.tail.take().filter(|_| self.trusts_times);
        // A range that ends in the future came from a clock that was wrong.
        let is_usable = |known: &KnownRange| known.covers(from) && known.to() < now;
        if let Some(mut known) = self.known.take().filter(is_usable) {
            known.forget_before(from);
            let news = known.extend(to, tail.as_ref());
            let compare = Stage::Compare {
                was_read_back: false,
            };
            let stage = news.map_or(compare, Stage::News);
            self.under_way = Some(UnderWay { from, known, stage });
            return true;
        }
        self.under_way = (to > from).then(|| self.whole(from, to));
        self.under_way.is_some()
    }

    /// Ends a poll that has failed. What is known stays known, unless the range was being read
    /// whole.
    pub fn abandon(&mut self) {
        self.tail = None;
        if let Some(UnderWay { known, stage, .. }) = self.under_way.take()
            && !matches!(stage, Stage::Whole { .. })
        {
            self.known = Some(known);
        }
    }

    /// Records that the open end was read; `began` is the time of the API when it was first
    /// requested.
    pub fn end_tail(&mut self, began: Timestamp) {
        let listed_after = self.settled_after / LISTED_AFTER;
        let seen_until = began.saturating_sub(listed_after).unwrap_or(began);
        if let Some(tail) = &mut self.tail {
            tail.end(whole_second(seen_until));
        }
    }

    /// Returns the next step. After [`RecountStep::Done`] no recount is under way.
    pub fn step(&mut self) -> Option<RecountStep> {
        let UnderWay { from, known, stage } = self.under_way.as_ref()?;
        let step = match *stage {
            Stage::News(range) => read(range, false),
            Stage::Compare { .. } => RecountStep::Count(known.request_from(0)),
            Stage::Search(search) => RecountStep::Count(known.request_from(search.place())),
            Stage::ReadBack { place, to } => {
                let from = known.begins(place).unwrap_or(*from);
                read(Range { from, to: Some(to) }, false)
            }
            Stage::Doubt { .. } => {
                let from = known.begins(0).unwrap_or(*from);
                let from = from.saturating_sub(WIDER).unwrap_or(Timestamp::MIN);
                RecountStep::Count(widened(Range { from, to: None }))
            }
            Stage::Whole { place, .. } => read(known.part(place), true),
            Stage::Done { is_known } => {
                let read_to = later(known.to());
                let UnderWay { known, .. } = self.under_way.take()?;
                // A number close to the limit does not lead from one way to the other and
                // back.
                let is_many = known.len() > self.settings.few / 3 * 2;
                self.known = (is_known && is_many).then_some(known);
                self.tail = self.known.as_ref().map(|_| Tail::new(read_to));
                RecountStep::Done { read_to }
            }
        };
        Some(step)
    }

    /// Takes in a page, of the range that [`Recount::step`] named or of another one.
    pub fn take(&mut self, page: &Page<'_>) {
        let malformed = &self.malformed;
        let elements = page.elements.iter().filter(|element| match element {
            Element::Event(_) => true,
            Element::Malformed(id) => malformed.contains(id),
        });
        let elements = elements.map(Element::id);
        if let Some(UnderWay { known, stage, .. }) = &mut self.under_way {
            match stage {
                Stage::News(_) => known.take(known.last_place(), elements),
                Stage::ReadBack { place, .. } => known.take(*place, elements),
                Stage::Whole { place, is_known } => {
                    *is_known &= known.len() < MAX_KNOWN;
                    if *is_known {
                        known.take(*place, elements);
                    }
                }
                _ => {}
            }
        } else if let Some(tail) = &mut self.tail {
            tail.take(page);
        }
        self.remember_malformed(page);
    }

    /// Remembers the malformed elements of a page. The next answer that shows one of them
    /// shows that its content, which identifies it, is always the same.
    fn remember_malformed(&mut self, page: &Page<'_>) {
        if self.malformed.len() > MAX_MALFORMED {
            self.malformed.clear();
        }
        for element in &page.elements {
            if let Element::Malformed(id) = element {
                self.malformed.insert(*id);
            }
        }
    }

    /// Records that the range was read. `is_exact` is `true` if every sweep over it saw
    /// exactly as many elements as the API claimed.
    pub fn read(&mut self, is_exact: bool) {
        let Some(UnderWay { stage, known, .. }) = &mut self.under_way else {
            return;
        };
        known.end_reading();
        match *stage {
            Stage::Whole { place, is_known } => {
                let is_known = is_exact && is_known;
                *stage = if place < known.last_place() {
                    let mut place = place + 1;
                    if !is_known {
                        // With a wrong claim, each part costs many requests.
                        *known = KnownRange::new(known.part(place).from, known.to(), 1);
                        place = 0;
                    }
                    Stage::Whole { place, is_known }
                } else {
                    self.was_known = is_known;
                    Stage::Done { is_known }
                };
                if !is_exact {
                    self.settle_later();
                }
            }
            Stage::News(_) | Stage::ReadBack { .. } if is_exact => {
                let was_read_back = matches!(stage, Stage::ReadBack { .. });
                *stage = Stage::Compare { was_read_back };
            }
            _ => self.read_whole(),
        }
    }

    /// Takes in the number of events that the API claims of the request that
    /// [`Recount::step`] named; `None` if it claims none.
    pub fn counted(&mut self, total: Option<u64>) {
        let Some(UnderWay { known, stage, .. }) = &self.under_way else {
            return;
        };
        let (stage, at) = (*stage, known.to());
        let Some(total) = total else {
            return self.read_whole();
        };
        self.claim(total, at);
        match stage {
            Stage::Compare { was_read_back } => self.compare(total, was_read_back),
            Stage::Search(search) => self.search(total, search),
            Stage::Doubt { total: doubted } if total > doubted => {
                self.go_to(Stage::Done { is_known: true });
            }
            _ => self.read_whole(),
        }
    }

    fn compare(&mut self, total: u64, was_read_back: bool) {
        let Some(UnderWay { known, .. }) = &self.under_way else {
            return;
        };
        let is_believed = self.highest.is_some_and(|(highest, _)| highest > total);
        let unknown = total.checked_sub(known.len());
        match unknown {
            Some(0) => {
                if !was_read_back {
                    let shorter = self.settled_after - self.settled_after / 16;
                    self.settled_after = shorter.max(SETTLED_AFTER);
                }
                self.go_to(if is_believed {
                    Stage::Done { is_known: true }
                } else {
                    Stage::Doubt { total }
                });
            }
            Some(unknown) if !was_read_back && known.last_place() > 0 => {
                let high = known.last_place();
                let search = Search {
                    unknown,
                    low: 0,
                    high,
                    stride: 1,
                    // Whatever the last reading shows is known.
                    to: known.begins(high).unwrap_or(known.to()),
                };
                self.go_to(search.into());
            }
            Some(_) => {
                if was_read_back {
                    self.settle_later();
                }
                self.read_whole();
            }
            None => {
                self.trusts_times &= !is_believed;
                self.read_whole();
            }
        }
    }

    fn search(&mut self, total: u64, mut search: Search) {
        let Some(UnderWay { known, .. }) = &self.under_way else {
            return;
        };
        let place = search.place();
        let Some(unknown) = total.checked_sub(known.known_from(place)) else {
            return self.read_whole();
        };
        if unknown >= search.unknown {
            if search.stride == 1 {
                self.settle_later();
            }
            search.low = place;
            search.stride = usize::MAX;
        } else {
            if unknown == 0 {
                search.to = known.begins(place).unwrap_or(search.to);
            }
            search.high = place;
            search.stride = search.stride.saturating_mul(2);
        }
        self.go_to(search.into());
    }

    /// Ends settled ranges earlier, since events were listed after their range was settled.
    fn settle_later(&mut self) {
        let later = 2 * self.settled_after;
        self.settled_after = later.min(self.settings.longest / 8).max(SETTLED_AFTER);
    }

    fn go_to(&mut self, stage: Stage) {
        if let Some(under_way) = &mut self.under_way {
            under_way.stage = stage;
        }
    }

    /// Has everything read: the API's number says that something is unknown, or cannot be
    /// believed.
    fn read_whole(&mut self) {
        if let Some(UnderWay { from, known, .. }) = &self.under_way {
            self.under_way = Some(self.whole(*from, known.to()));
        }
    }

    fn whole(&self, from: Timestamp, to: Timestamp) -> UnderWay {
        let is_known = to.duration_since(from) <= self.settings.longest;
        // More readings than events are worth would take more requests.
        let readings = self.claimed / (2 * self.settings.few).max(1);
        let readings = if self.was_known { readings } else { 1 };
        let readings = u32::try_from(readings).map_or(MAX_READINGS, |all| all.min(MAX_READINGS));
        UnderWay {
            from,
            known: KnownRange::new(from, to, readings),
            stage: Stage::Whole { place: 0, is_known },
        }
    }
}

impl From<Search> for Stage {
    /// Returns the stage that goes on with the search, or that reads what was found.
    fn from(search: Search) -> Self {
        if search.has_found() {
            let Search { low: place, to, .. } = search;
            Self::ReadBack { place, to }
        } else {
            Self::Search(search)
        }
    }
}

fn read(range: Range, is_whole: bool) -> RecountStep {
    RecountStep::Read { range, is_whole }
}
