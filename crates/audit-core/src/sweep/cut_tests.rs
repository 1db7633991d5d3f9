//! What a [`Cutter`] does about one piece after the other.

use jiff::Timestamp;

use super::*;

/// The time of the API, at which the range ends that is read. It begins at 0.
const NOW: i64 = 1000;
/// The number of events that may be a limit, or is one.
const LIMIT: u64 = 100;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("a time")
}

fn now() -> Timestamp {
    at(NOW)
}

/// Returns the range from `from` until now.
fn since(from: i64) -> Range {
    Range {
        from: at(from),
        to: Some(now()),
    }
}

/// Returns times of which so many are within the range and so many outside.
fn times(inside: u64, outside: u64) -> Times {
    Times {
        inside,
        outside,
        own: inside,
        ..Times::default()
    }
}

/// Returns page 1 of a piece with so many events, all of them within it.
fn first(claimed: u64) -> FirstClaim {
    FirstClaim {
        claimed,
        beside: 0,
        times: times(claimed.min(LIMIT), 0),
    }
}

/// Returns the end of a sweep over so many events, which is whole.
fn whole(events: u64) -> SweepEnd {
    SweepEnd {
        claimed: events,
        listed: events,
        distinct: events,
        missing: 0,
        is_limited: false,
        is_endless: false,
        may_be_limited: false,
        times: times(events, 0),
    }
}

/// Returns the end of a sweep whose pages ended after so many events although more follow.
fn limited(events: u64) -> SweepEnd {
    SweepEnd {
        claimed: 0,
        is_limited: true,
        ..whole(events)
    }
}

/// Returns the end of a sweep that showed as many events as a limit may have.
fn suspect() -> SweepEnd {
    SweepEnd {
        may_be_limited: true,
        ..whole(LIMIT)
    }
}

/// Returns a cutter that knows of the limit. Claims are limited too if `caps_claims`.
fn knows_limit(caps_claims: bool) -> Cutter {
    let mut limits = Limits::default();
    limits.meet(LIMIT, caps_claims, now());
    Cutter::new(limits)
}

/// Takes the piece that begins at `from`, and whose sweep ends so.
fn judge(cutter: &mut Cutter, from: i64, end: &SweepEnd) -> Verdict {
    let piece = cutter.piece(since(from), now());
    cutter.judge(&piece, now(), end, now())
}

fn known(cutter: &Cutter) -> Option<u64> {
    cutter.limits().known(now())
}

/// Returns the end of the piece that begins at `from`; `None` if it reaches until now.
fn piece_end(cutter: &Cutter, from: i64) -> Option<i64> {
    let to = cutter.piece(since(from), now()).to;
    to.map(Timestamp::as_second)
}

/// Returns `true` if the cutter has found that cutting is in vain.
fn is_in_vain(cutter: &Cutter) -> bool {
    let piece = cutter.piece(since(0), now());
    assert!(piece.finds_limits || piece.to.is_none());
    !piece.finds_limits
}

const READ: Verdict = Verdict::Read {
    missing: 0,
    dense: None,
};

#[test]
fn as_many_pages_are_expected_of_a_piece_as_its_limit_has() {
    for (limit, expected) in [(50, 1), (100, 1), (300, 3), (399, 3), (5000, 8)] {
        let mut cutter = Cutter::new(Limits::default());
        assert_eq!(cutter.piece(since(0), now()).pages_expected, 0);
        let end = SweepEnd {
            may_be_limited: true,
            ..whole(limit)
        };
        assert_eq!(judge(&mut cutter, 0, &end), Verdict::Again);
        let suspected = cutter.piece(since(0), now()).pages_expected;
        let mut limits = Limits::default();
        limits.meet(limit, false, now());
        let mut cutter = Cutter::new(limits);
        assert_eq!(judge(&mut cutter, 0, &limited(limit)), Verdict::Again);
        let known = cutter.piece(since(0), now()).pages_expected;
        assert_eq!((suspected, known), (expected, expected), "{limit}");
    }
    let mut cutter = Cutter::default();
    let piece = cutter.piece(since(0), now());
    assert!(!cutter.begin(&piece, now(), &first(2 * PIECE_EVENTS), now()));
    assert_eq!(cutter.piece(since(0), now()).pages_expected, 8);
}

#[test]
fn a_known_limit_follows_what_queries_show() {
    // How a piece ends, and which limit is known afterwards.
    let cases = [
        ("fewer events", whole(LIMIT - 1), Some(LIMIT)),
        ("more events", whole(LIMIT + 1), None),
        ("an end at the limit", limited(LIMIT), Some(LIMIT)),
        ("a later end", limited(LIMIT + 1), Some(LIMIT + 1)),
        ("an earlier end", limited(LIMIT - 1), None),
    ];
    for (name, end, expected) in cases {
        let mut cutter = knows_limit(false);
        judge(&mut cutter, 0, &end);
        assert_eq!(known(&cutter), expected, "{name}");
        assert_eq!(is_in_vain(&cutter), end == limited(LIMIT - 1), "{name}");
    }
}

#[test]
fn an_early_end_is_a_limit_if_a_part_with_fewer_events_is_whole() {
    for (events, expected) in [(LIMIT - 1, Some(LIMIT)), (LIMIT, None), (LIMIT + 1, None)] {
        let mut cutter = Cutter::default();
        assert_eq!(judge(&mut cutter, 0, &limited(LIMIT)), Verdict::Again);
        assert_eq!(known(&cutter), None);
        assert_eq!(judge(&mut cutter, 0, &whole(events)), READ);
        assert_eq!(known(&cutter), expected, "{events}");
    }
}

#[test]
fn an_early_end_is_a_limit_if_it_happens_again_after_no_fewer_events() {
    for (events, expected) in [
        (LIMIT - 1, None),
        (LIMIT, Some(LIMIT)),
        (LIMIT + 1, Some(LIMIT + 1)),
    ] {
        let mut cutter = Cutter::default();
        assert_eq!(judge(&mut cutter, 0, &limited(LIMIT)), Verdict::Again);
        assert_eq!(judge(&mut cutter, 0, &limited(events)), Verdict::Again);
        assert_eq!(known(&cutter), expected, "{events}");
        assert_eq!(is_in_vain(&cutter), events < LIMIT, "{events}");
    }
}

#[test]
fn a_number_is_suspected_only_if_the_api_selects_by_time() {
    // The number of times within the range, and whether halves of the range are read.
    for (inside, expected) in [(LIMIT / 2 - 1, None), (LIMIT / 2, Some(500))] {
        let end = SweepEnd {
            times: times(inside, 0),
            ..suspect()
        };
        let mut cutter = Cutter::default();
        let verdict = judge(&mut cutter, 0, &end);
        assert_eq!(verdict == READ, expected.is_none(), "{inside}");
        assert_eq!(piece_end(&cutter, 0), expected, "{inside}");
    }
}

#[test]
fn a_half_with_as_many_events_as_the_whole_is_halved_if_the_api_selects_by_time() {
    for (inside, in_vain) in [(LIMIT / 2 - 1, true), (LIMIT / 2, false)] {
        let mut cutter = Cutter::default();
        assert_eq!(judge(&mut cutter, 0, &suspect()), Verdict::Again);
        let end = SweepEnd {
            times: times(inside, 0),
            ..suspect()
        };
        assert_eq!(judge(&mut cutter, 0, &end), Verdict::Again);
        assert_eq!(is_in_vain(&cutter), in_vain, "{inside}");
        let half = (!in_vain).then_some(250);
        assert_eq!(piece_end(&cutter, 0), half, "{inside}");
    }
}

#[test]
fn page_1_of_a_half_says_that_it_is_to_be_halved_unless_its_events_are_outside() {
    // The claim, the times within and outside of the range, and where the piece ends then.
    let cases = [
        (LIMIT, times(50, 50), 250),
        (LIMIT, times(49, 51), 500),
        (LIMIT - 1, times(50, 50), 500),
        (LIMIT + 1, times(50, 50), 500),
    ];
    for (claimed, times, expected) in cases {
        let mut cutter = Cutter::default();
        assert_eq!(judge(&mut cutter, 0, &suspect()), Verdict::Again);
        let piece = cutter.piece(since(0), now());
        let claim = FirstClaim {
            times,
            ..first(claimed)
        };
        let goes_on = cutter.begin(&piece, now(), &claim, now());
        assert_eq!(goes_on, expected == 500, "{claim:?}");
        if !goes_on {
            assert_eq!(piece_end(&cutter, 0), Some(expected), "{claim:?}");
        }
    }
}

#[test]
fn a_limit_that_the_halves_prove_is_one_of_claims_if_it_was_claimed() {
    for (claimed, caps_claims) in [(LIMIT, true), (0, false)] {
        let end = SweepEnd {
            claimed,
            ..suspect()
        };
        let mut cutter = Cutter::default();
        assert_eq!(judge(&mut cutter, 0, &end), Verdict::Again);
        let half = whole(LIMIT / 2 + 1);
        assert_eq!(judge(&mut cutter, 0, &half), READ);
        assert_eq!(known(&cutter), None);
        assert_eq!(judge(&mut cutter, 500, &half), READ);
        assert_eq!(known(&cutter), Some(LIMIT));
        // A higher claim disproves a limit of what is claimed.
        let piece = cutter.piece(since(0), now());
        cutter.begin(&piece, now(), &first(LIMIT + 1), now());
        assert_eq!(known(&cutter).is_none(), caps_claims, "{claimed}");
    }
}

/// Returns a cutter that has to read a single second, with the claim of its page 1.
fn at_a_dense_second(caps_claims: bool, claimed: u64) -> Cutter {
    let mut cutter = knows_limit(caps_claims);
    let piece = cutter.piece(since(NOW - 1), now());
    assert!(!cutter.begin(&piece, now(), &first(claimed), now()));
    let Piece { to, request, .. } = cutter.piece(since(NOW - 1), now());
    assert_eq!(to, None);
    assert_eq!(
        request,
        Range {
            from: at(NOW - 1),
            to: Some(at(NOW - 1))
        }
    );
    cutter
}

/// Returns the end of a sweep that showed so many events of the second `NOW - 1` alone.
fn of_second(listed: u64, missing: u64) -> SweepEnd {
    let second = Some(at(NOW - 1));
    SweepEnd {
        claimed: listed + missing,
        missing,
        is_limited: missing > 0,
        times: Times {
            earliest: second,
            latest: second,
            ..times(listed, 0)
        },
        ..whole(listed)
    }
}

#[test]
fn a_claim_is_wrong_if_a_second_shows_fewer_events_than_that_and_than_the_limit() {
    let told = |missing| Verdict::Read {
        missing,
        dense: (missing > 0).then(|| at(NOW - 1)),
    };
    // The numbers of events that the second shows and does not show, and the verdict.
    let cases = [
        (LIMIT - 1, 51, Verdict::Again),
        (LIMIT - 1, 0, READ),
        (LIMIT, 50, told(50)),
        (LIMIT, 0, READ),
    ];
    for (listed, missing, verdict) in cases {
        let mut cutter = at_a_dense_second(false, LIMIT + 50);
        let end = of_second(listed, missing);
        assert_eq!(
            judge(&mut cutter, NOW - 1, &end),
            verdict,
            "{listed} {missing}"
        );
        assert_eq!(is_in_vain(&cutter), verdict == Verdict::Again);
    }
}

#[test]
fn events_that_are_missing_of_the_last_second_are_told_once() {
    let mut cutter = at_a_dense_second(false, LIMIT + 50);
    let open = |from| Range {
        from: at(from),
        to: None,
    };
    let piece = cutter.piece(open(NOW - 1), now());
    assert_eq!(piece.to, Some(now()));
    let end = of_second(LIMIT, 50);
    let verdict = cutter.judge(&piece, now(), &end, now());
    let dense = Some(at(NOW - 1));
    assert_eq!(verdict, Verdict::Read { missing: 50, dense });
    // The rest of the range has no second of its own, and its requests begin a second earlier.
    let rest = cutter.piece(open(NOW), now());
    assert_eq!((rest.to, rest.request.from), (None, at(NOW - 1)));
    assert_eq!(cutter.judge(&rest, now(), &end, now()), READ);
}
