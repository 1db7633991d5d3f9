//! Lists whose pages do not end: a sweep over them ends, and a [`Cutter`] reads what can be
//! read.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{piece::MOST_AFTER_ENDLESS, tests::Claims, *};
use crate::event::{AuditEvent, Labels};

const SIZE: u64 = 100;
/// The end of the range that is read, which begins at 0, and the time of the API.
const END: i64 = 3600;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

/// Returns a page with a link to a next one, of events that were created at these seconds.
fn page(
    events: impl Iterator<Item = (u64, i64)>,
    (total_pages, total_elements): Claims,
) -> Page<'static> {
    let elements = events.map(|(id, second)| {
        Element::Event(AuditEvent {
            id: EventId::from_bits(id.into()),
            id_text: None,
            created_at: Some(at(second)),
            labels: Labels::other(),
        })
    });
    Page {
        elements: elements.collect(),
        raw: Vec::new(),
        total_elements,
        total_pages,
        has_next: true,
        unread_time: None,
        account_ids: Vec::new(),
    }
}

/// Returns the page that has this number.
type Show = fn(u64) -> Page<'static>;

/// Reads pages until the sweep has ended. Returns the number of requests, and the last step.
fn swept(mut show: impl FnMut(u64) -> Page<'static>) -> (u64, Step) {
    let mut sweep = Sweep::new(SIZE);
    let mut requests = 0;
    loop {
        match sweep.step() {
            Step::Read(number) => {
                requests += 1;
                assert!(requests < 20_000, "the sweep does not end");
                sweep.take(number, &show(number));
            }
            Step::ReadAgain => sweep.read_again(),
            end => return (requests, end),
        }
    }
}

/// Returns the events of a page of which each event is another one.
fn others(number: u64, len: u64) -> impl Iterator<Item = (u64, i64)> {
    (0..len).map(move |place| (1000 * number + place, 0))
}

#[test]
fn pages_without_end_end_a_sweep() {
    let cases: [(&str, Show, u64); 5] = [
        (
            "without claims",
            |number| page(others(number, SIZE), (None, None)),
            101,
        ),
        (
            "claims that grow",
            |number| {
                page(
                    others(number, SIZE),
                    (Some(number + 1), Some(SIZE * (number + 1))),
                )
            },
            103,
        ),
        (
            "a number of pages",
            |number| page(others(number, SIZE), (Some(u64::MAX), None)),
            101,
        ),
        (
            "small pages",
            |number| page(others(number, 1), (None, None)),
            1001,
        ),
        (
            "a claim that cannot be believed",
            |number| page(others(number, SIZE), (None, Some(u64::MAX))),
            101,
        ),
    ];
    for (name, show, requests) in cases {
        assert_eq!(swept(show), (requests, Step::Endless), "{name}");
    }
}

#[test]
fn pages_that_end_where_they_claim_are_read_whole_however_many_there_are() {
    let (events, pages) = (60_000, 600);
    let show = |number| {
        let len = if number <= pages { SIZE } else { 0 };
        page(others(number, len), (Some(pages), Some(events)))
    };
    // The last page links to one that is empty.
    assert_eq!(swept(show), (pages + 1, Step::Whole));
}

#[test]
fn pages_that_repeat_each_other_are_endless_if_the_last_is_full_and_links_to_more() {
    // The number of events on each page, the claim, and how the sweep ends.
    let cases = [
        (SIZE, None, Step::Endless),
        (20, None, Step::Endless),
        // A page of a few events may be all there is.
        (19, None, Step::Whole),
        (SIZE, Some(SIZE), Step::Whole),
        (SIZE, Some(500), Step::Short { missing: 400 }),
    ];
    for (len, claim, expected) in cases {
        let (requests, end) = swept(|_| page(others(1, len), (None, claim)));
        assert_eq!(end, expected, "{len} {claim:?}");
        assert!(requests <= 16, "{len} {claim:?}: {requests}");
    }
    let last_is_short = |number: u64| match number {
        1 => page(others(1, SIZE), (None, None)),
        _ => page(others(2, 30), (None, None)),
    };
    assert_eq!(swept(last_is_short), (5, Step::Whole));
}

/// A list with an event in each second.
struct List {
    /// Returns `true` if there is no end to the events of a second.
    is_endless: fn(i64) -> bool,
    /// `true` if the times of the events say nothing of what was asked for.
    ignores_times: bool,
    /// The number of the last event of the seconds without end.
    last: u64,
    requests: u32,
}

/// What was read.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    /// The seconds of the events that were shown.
    shown: BTreeSet<i64>,
    missing: u64,
    /// The seconds that cannot be read whole.
    dense: Vec<i64>,
    /// `true` if reading ended because of pages without end.
    is_endless: bool,
    /// The number of pages.
    requests: u32,
}

impl List {
    fn of(is_endless: fn(i64) -> bool) -> Self {
        Self {
            is_endless,
            ignores_times: false,
            last: 1_000_000,
            requests: 0,
        }
    }

    fn page(&mut self, request: Range, number: u64) -> Page<'static> {
        let (from, to) = (
            request.from.as_second(),
            request.to.map_or(END, Timestamp::as_second),
        );
        let asked: Vec<i64> = (from.max(0)..=to.min(END)).collect();
        let endless: Vec<_> = asked
            .iter()
            .copied()
            .filter(|second| (self.is_endless)(*second))
            .collect();
        self.requests += 1;
        let first = (number - 1) * SIZE;
        let finite = asked.iter().map(|second| (second.unsigned_abs(), *second));
        let finite: Vec<_> = finite
            .skip(usize::try_from(first).expect("a number"))
            .take(100)
            .collect();
        let mut shown = finite;
        while !endless.is_empty() && shown.len() < 100 {
            self.last += 1;
            let second = endless[shown.len() % endless.len()];
            let second = if self.ignores_times { 7 * END } else { second };
            shown.push((self.last, second));
        }
        let has_next = !endless.is_empty();
        Page {
            has_next,
            ..page(shown.into_iter(), (None, None))
        }
    }

    fn read(&mut self, limits: &mut Limits) -> Outcome {
        let now = at(END);
        let mut cutter = Cutter::new(*limits);
        let mut outcome = Outcome {
            shown: BTreeSet::new(),
            missing: 0,
            dense: Vec::new(),
            is_endless: false,
            requests: 0,
        };
        let (mut from, before) = (at(0), self.requests);
        'piece: loop {
            let piece = cutter.piece(
                Range {
                    from,
                    to: Some(now),
                },
                now,
            );
            let mut sweep = Sweep::over(&piece, SIZE);
            loop {
                match sweep.step() {
                    Step::Read(number) => {
                        let page = self.page(piece.request, number);
                        sweep.take(number, &page);
                        outcome
                            .shown
                            .extend(page.elements.iter().filter_map(second));
                        let first = FirstClaim {
                            claimed: sweep.claimed(),
                            beside: 0,
                            times: sweep.times(),
                        };
                        if number == 1 && !cutter.begin(&piece, now, &first, now) {
                            continue 'piece;
                        }
                    }
                    Step::ReadAgain => sweep.read_again(),
                    _ => break,
                }
            }
            let verdict = cutter.judge(&piece, now, &sweep.end(), now);
            outcome.requests = self.requests - before;
            *limits = cutter.limits();
            match verdict {
                Verdict::Again => {}
                Verdict::Endless => {
                    outcome.is_endless = true;
                    return outcome;
                }
                Verdict::Read { missing, dense } => {
                    outcome.missing += missing;
                    outcome.dense.extend(dense.map(Timestamp::as_second));
                    let Some(to) = piece.to else { return outcome };
                    from = to;
                }
            }
        }
    }
}

fn second(element: &Element<'_>) -> Option<i64> {
    match element {
        Element::Event(event) => event.created_at.map(Timestamp::as_second),
        Element::Malformed(_) => None,
    }
}

#[test]
fn a_second_without_end_is_named_and_all_others_are_read() {
    let outcome = List::of(|second| second == 1234).read(&mut Limits::default());
    assert_eq!((outcome.missing, outcome.is_endless), (1, false));
    assert_eq!(outcome.dense, [1234]);
    assert_eq!(outcome.shown, (0..=END).collect());
    assert!(outcome.requests < 1500, "{}", outcome.requests);
}

#[test]
fn two_seconds_without_end_in_a_row_end_the_reading() {
    let outcome = List::of(|second| second == 1234 || second == 1235).read(&mut Limits::default());
    assert!(outcome.is_endless);
    assert_eq!(outcome.dense, [1234]);
    assert!(outcome.shown.contains(&1233));
}

#[test]
fn a_list_without_end_is_found_by_a_bounded_number_of_requests_and_by_fewer_the_next_time() {
    let mut limits = Limits::default();
    let mut list = List::of(|_| true);
    let first = list.read(&mut limits);
    assert!(first.is_endless);
    assert!(first.requests < 700, "{}", first.requests);
    let pages = u32::try_from(MOST_AFTER_ENDLESS / SIZE).expect("a number");
    for _ in 0..3 {
        let next = list.read(&mut limits);
        assert!(next.is_endless);
        assert!(next.requests < 5 * (pages + 2), "{}", next.requests);
    }
    list.is_endless = |_| false;
    let whole = list.read(&mut limits);
    assert!(!whole.is_endless);
    assert!(whole.requests < 100, "{}", whole.requests);
    assert_eq!((whole.missing, whole.shown), (0, (0..=END).collect()));
}

#[test]
fn a_list_without_end_that_is_not_selected_by_time_is_not_cut() {
    let mut list = List {
        ignores_times: true,
        ..List::of(|_| true)
    };
    let outcome = list.read(&mut Limits::default());
    assert!(outcome.is_endless);
    assert!(outcome.requests < 110, "{}", outcome.requests);
}
