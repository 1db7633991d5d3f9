//! A [`Cutter`] reads a list of an API that shows less than it has.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::*;

/// The end of the range that is read, which begins at 0, and the time of the API.
const END: i64 = 1000;

/// A list, of which one query shows no more than `limit` events.
struct List {
    /// The second of each event.
    events: Vec<i64>,
    limit: usize,
    /// `true` if no more events are claimed than are shown.
    caps_claims: bool,
    /// `true` if all queries show the same events.
    ignores_times: bool,
}

/// What was read.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    /// The number of different events that were shown.
    shown: usize,
    requests: u32,
    missing: u64,
    /// The seconds that have more events than a query shows.
    dense: Vec<i64>,
    /// The limit that is known afterwards.
    limit: Option<u64>,
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("a time")
}

impl List {
    /// Returns the first page and the end of a sweep over a piece, and the places of the
    /// events that it was shown.
    fn answer(&self, piece: &Piece) -> (FirstClaim, SweepEnd, Vec<usize>) {
        let Range { from, to } = piece.request;
        let is_asked = |second: i64| at(second) >= from && to.is_none_or(|to| at(second) <= to);
        let places = 0..self.events.len();
        let asked = places.filter(|place| self.ignores_times || is_asked(self.events[*place]));
        let asked: Vec<usize> = asked.collect();
        let shown = asked[..asked.len().min(self.limit)].to_vec();
        let mut times = Times::default();
        let own = Range {
            from: piece.from,
            to: piece.to,
        };
        for place in &shown {
            times.add(at(self.events[*place]), piece.request, own);
        }
        let listed = shown.len() as u64;
        let claimed = if self.caps_claims {
            listed
        } else {
            asked.len() as u64
        };
        let end = SweepEnd {
            claimed,
            listed,
            distinct: listed,
            missing: claimed - listed,
            is_limited: claimed > listed,
            is_endless: false,
            may_be_limited: shown.len() == self.limit,
            times,
        };
        let first = FirstClaim {
            claimed,
            beside: 0,
            times,
        };
        (first, end, shown)
    }

    fn read(&self, cutter: &mut Cutter) -> Outcome {
        let now = at(END);
        let mut seen = BTreeSet::new();
        let mut outcome = Outcome {
            shown: 0,
            requests: 0,
            missing: 0,
            dense: Vec::new(),
            limit: None,
        };
        let mut from = at(0);
        loop {
            let range = Range {
                from,
                to: Some(now),
            };
            let piece = cutter.piece(range, now);
            assert_eq!(piece.from, from);
            assert!(piece.to.is_none_or(|to| from < to && to < now));
            outcome.requests += 1;
            assert!(outcome.requests < 1000, "reading does not end");
            let (first, end, shown) = self.answer(&piece);
            if !cutter.begin(&piece, now, &first, now) {
                continue;
            }
            seen.extend(shown);
            let Verdict::Read { missing, dense } = cutter.judge(&piece, now, &end, now) else {
                continue;
            };
            outcome.missing += missing;
            outcome.dense.extend(dense.map(Timestamp::as_second));
            let Some(to) = piece.to else { break };
            from = to;
        }
        outcome.shown = seen.len();
        outcome.limit = cutter.limits().known(now);
        outcome
    }
}

/// Returns the list with an event in each second, and with `more` in the second 500.
fn list(limit: usize, caps_claims: bool, more: usize) -> List {
    let mut events: Vec<i64> = (0..END).chain(std::iter::repeat_n(500, more)).collect();
    events.sort_unstable();
    List {
        events,
        limit,
        caps_claims,
        ignores_times: false,
    }
}

#[test]
fn a_list_is_read_whole_whatever_its_limit() {
    // The list; the requests and the known limit of a first reading, and of a second one
    // that knows the limits of the first.
    let cases = [
        ("no limit", list(10_000, false, 0), [(1, None), (3, None)]),
        (
            "100",
            list(100, false, 0),
            [(16, Some(100)), (17, Some(100))],
        ),
        (
            "100, of claims too",
            list(100, true, 0),
            [(47, Some(100)), (19, Some(100))],
        ),
        (
            "one less than there are",
            list(999, true, 0),
            [(3, Some(999)), (3, Some(999))],
        ),
        (
            "as many as there are",
            list(1000, true, 0),
            [(3, None), (3, None)],
        ),
    ];
    for (name, list, expected) in cases {
        let mut cutter = Cutter::default();
        for (requests, limit) in expected {
            let outcome = list.read(&mut cutter);
            let expected = Outcome {
                shown: list.events.len(),
                requests,
                missing: 0,
                dense: Vec::new(),
                limit,
            };
            assert_eq!(outcome, expected, "{name}");
            cutter = Cutter::new(cutter.limits());
        }
    }
}

#[test]
fn a_second_that_has_more_events_than_are_shown_is_named() {
    // Claims that are limited too say only that there are more.
    for (caps_claims, missing, requests) in [(false, 51, [34, 34]), (true, 1, [59, 38])] {
        let list = list(100, caps_claims, 150);
        let mut cutter = Cutter::default();
        for requests in requests {
            let expected = Outcome {
                shown: list.events.len() - 51,
                requests,
                missing,
                dense: vec![500],
                limit: Some(100),
            };
            assert_eq!(list.read(&mut cutter), expected, "{caps_claims}");
            cutter = Cutter::new(cutter.limits());
        }
    }
}

#[test]
fn an_api_that_does_not_select_by_time_is_not_asked_for_pieces() {
    for (caps_claims, missing, requests) in [(false, 900, 2), (true, 0, 1)] {
        let list = List {
            events: (-2000..-1000).collect(),
            ignores_times: true,
            ..list(100, caps_claims, 0)
        };
        let expected = Outcome {
            shown: 100,
            requests,
            missing,
            dense: Vec::new(),
            limit: None,
        };
        assert_eq!(list.read(&mut Cutter::default()), expected, "{caps_claims}");
    }
}

#[test]
fn events_without_times_are_no_sign_of_a_limit() {
    let list = list(100, true, 0);
    let mut cutter = Cutter::default();
    let range = Range {
        from: at(0),
        to: Some(at(END)),
    };
    let piece = cutter.piece(range, at(END));
    let (_, end, _) = list.answer(&piece);
    let end = SweepEnd {
        times: Times::default(),
        ..end
    };
    let verdict = cutter.judge(&piece, at(END), &end, at(END));
    let expected = Verdict::Read {
        missing: 0,
        dense: None,
    };
    assert_eq!(verdict, expected);
}

#[test]
fn a_deep_sweep_finds_what_was_added_to_a_list_that_had_as_many_events_as_its_limit() {
    let of_seconds = |late: std::ops::Range<i64>| List {
        events: (10..60).chain(late).collect(),
        ..list(100, true, 0)
    };
    let mut cutter = Cutter::default();
    let outcome = of_seconds(600..650).read(&mut cutter);
    assert_eq!((outcome.shown, outcome.limit), (100, None));
    let mut cutter = Cutter::new(cutter.limits().for_deep_sweep());
    let outcome = of_seconds(600..700).read(&mut cutter);
    assert_eq!((outcome.shown, outcome.limit), (150, Some(100)));
}
