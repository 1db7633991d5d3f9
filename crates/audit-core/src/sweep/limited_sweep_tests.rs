//! A [`Sweep`] reads pages that end because of a limit, or that may.

use super::{
    tests::{Claims, SIZE, Shown, event, page},
    *,
};
use crate::event::AuditEvent;

fn time(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).expect("a time")
}

/// Reads pages of an API that shows no more than the pages given, which have a link to the
/// next page if `has_next`. Returns the numbers of the pages that were asked for, and the end.
fn read_limited(pages: &[&[u32]], claims: Claims, has_next: bool) -> (Vec<u64>, SweepEnd) {
    let mut sweep = Sweep::new(SIZE);
    sweep.finds_limits = true;
    let mut asked = Vec::new();
    loop {
        match sweep.step() {
            Step::Read(number) => {
                asked.push(number);
                let place = usize::try_from(number - 1).expect("a small number");
                match pages.get(place) {
                    Some(ids) => {
                        let shown = Page {
                            has_next,
                            ..page(ids, claims)
                        };
                        sweep.take(number, &shown);
                    }
                    None => sweep.refuse(number),
                }
            }
            Step::ReadAgain => sweep.read_again(),
            _ => return (asked, sweep.end()),
        }
    }
}

#[test]
fn pages_that_are_refused_twice_before_the_claimed_end_are_a_limit() {
    let two: &[&[u32]] = &[&[1, 2], &[3, 4]];
    let (asked, end) = read_limited(two, (None, Some(9)), false);
    assert_eq!(asked, [1, 2, 3, 1, 2, 3]);
    assert_eq!((end.is_limited, end.listed, end.missing), (true, 4, 5));
    let (asked, end) = read_limited(two, (None, None), true);
    assert_eq!(asked, [1, 2, 3, 1, 2, 3]);
    assert_eq!((end.is_limited, end.listed), (true, 4));
}

#[test]
fn a_refused_page_that_was_not_announced_costs_nothing() {
    let two: &[&[u32]] = &[&[1, 2], &[3, 4]];
    let cases = [
        ((Some(7), Some(4)), false),
        ((None, Some(4)), true),
        ((None, None), false),
    ];
    for (claims, has_next) in cases {
        let (asked, end) = read_limited(two, claims, has_next);
        assert_eq!(asked, [1, 2, 3], "{claims:?}");
        assert!(!end.is_limited, "{claims:?}");
    }
}

#[test]
fn an_end_at_a_full_page_or_a_round_number_may_be_a_limit() {
    let cases: [(Shown, Claims, bool); 6] = [
        (&[&[1, 2], &[3, 4]], (None, Some(4)), true),
        (&[&[1, 2], &[3, 4]], (None, None), true),
        (&[&[1, 2]], (None, Some(2)), true),
        (&[&[1]], (None, Some(1)), false),
        (&[&[1, 2], &[3]], (None, Some(3)), false),
        (&[&[1, 2], &[3]], (None, None), false),
    ];
    for (pages, claims, expected) in cases {
        let (_, end) = read_limited(pages, claims, false);
        assert_eq!(end.may_be_limited, expected, "{pages:?} {claims:?}");
    }
}

#[test]
fn pages_are_read_on_where_a_link_or_a_full_page_says_that_more_follow() {
    let three: &[&[u32]] = &[&[1, 2], &[3, 4], &[5]];
    for (claims, has_next, last) in [
        ((None, None), true, 4),
        ((None, None), false, 3),
        ((Some(0), Some(0)), false, 3),
        ((Some(1), Some(2)), true, 4),
    ] {
        let (asked, end) = read_limited(three, claims, has_next);
        let pages: Vec<_> = (1..=last).collect();
        assert!(asked.starts_with(&pages), "{claims:?}: {asked:?}");
        assert_eq!(end.distinct, 5, "{claims:?}");
    }
}

/// Returns an event of this second, whose id is the second.
fn event_at(second: u32) -> Element<'static> {
    match event(second) {
        Element::Event(event) => Element::Event(AuditEvent {
            created_at: Some(time(1000 * i64::from(second))),
            ..event
        }),
        malformed @ Element::Malformed(_) => malformed,
    }
}

#[test]
fn a_sweep_over_a_piece_keeps_to_what_the_piece_says() {
    let seconds = |from: i64, to: i64| Range {
        from: time(1000 * from),
        to: Some(time(1000 * to)),
    };
    let piece = Piece {
        from: time(11_000),
        to: Some(time(19_000)),
        request: seconds(10, 20),
        finds_limits: true,
        pages_expected: 3,
        most_beyond_claim: MOST_BEYOND_CLAIM,
    };
    let mut sweep = Sweep::over(&piece, SIZE);
    let asked: Vec<_> = std::iter::from_fn(|| sweep.next_page()).collect();
    assert_eq!(asked, [1, 2, 3]);
    for (number, seconds) in [(1, [9, 10]), (2, [15, 20])] {
        let shown = Page {
            elements: seconds.map(event_at).to_vec(),
            ..page(&[], (None, Some(9)))
        };
        sweep.take(number, &shown);
    }
    let times = sweep.times();
    assert_eq!((times.inside, times.outside, times.own), (3, 1, 1));
    sweep.refuse(3);
    assert_eq!(sweep.step(), Step::ReadAgain);
    sweep.read_again();
    sweep.take(1, &page(&[9, 10], (None, Some(9))));
    sweep.refuse(2);
    assert_eq!(sweep.step(), Step::Limited);
}

#[test]
fn no_page_behind_a_refused_one_is_asked_for() {
    let piece = Piece {
        from: Timestamp::MIN,
        to: None,
        request: Range {
            from: Timestamp::MIN,
            to: None,
        },
        finds_limits: false,
        pages_expected: 3,
        most_beyond_claim: MOST_BEYOND_CLAIM,
    };
    let mut sweep = Sweep::over(&piece, SIZE);
    assert_eq!((sweep.next_page(), sweep.next_page()), (Some(1), Some(2)));
    sweep.refuse(2);
    assert_eq!(sweep.next_page(), None);
    sweep.take(1, &page(&[1, 2], (None, None)));
    assert_eq!(sweep.step(), Step::Whole);
}
