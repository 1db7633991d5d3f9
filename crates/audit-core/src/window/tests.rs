use super::*;

const LOOKBACK: i64 = 900;
const RETENTION: i64 = 90_000;
const HOUR: i64 = 3600;
/// The start of the window. All moments are in seconds after it.
const START: i64 = 1_790_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(START + seconds).expect("a time within range")
}

fn window() -> Window {
    let settings = WindowSettings {
        lookback: SignedDuration::from_secs(LOOKBACK),
        retention: SignedDuration::from_secs(RETENTION),
    };
    Window::new(settings, at(0))
}

fn id(bits: u128) -> EventId {
    EventId::from_bits(bits)
}

/// Both clocks, if they agree.
fn clocks(seconds: i64) -> Clocks {
    Clocks {
        api: at(seconds),
        local: at(seconds),
    }
}

fn is_new(admission: Admission) -> bool {
    matches!(admission, Admission::New { .. })
}

/// The last time that an event can have: year 9999.
fn end_of_time() -> Timestamp {
    Timestamp::MAX
}

#[test]
fn a_sweep_starts_a_lookback_behind_the_watermark() {
    // Times (api, local) when the last sweep began; local time now; start of the next.
    let cases = [
        ("clocks agree", (5000, 5000), 5030, 5000 - LOOKBACK),
        ("never before the floor", (100, 100), 130, 0),
        (
            "api an hour ahead",
            (5000 + HOUR, 5000),
            5030,
            5000 - LOOKBACK,
        ),
        (
            "api an hour behind",
            (5000 - HOUR, 5000),
            5030,
            5000 - HOUR - LOOKBACK,
        ),
        (
            "local an hour ahead for good",
            (5000, 5000 + HOUR),
            5030 + HOUR,
            5000 - LOOKBACK,
        ),
        (
            "local was an hour ahead, and is right again",
            (5000, 5000 + HOUR),
            5030,
            5000 - LOOKBACK,
        ),
        (
            "both were an hour ahead: all is read again",
            (5000 + HOUR, 5000 + HOUR),
            5030,
            0,
        ),
        (
            "local steps back behind the watermark",
            (5000, 5000),
            4999,
            0,
        ),
        ("a machine without a clock, in 1970", (5000, -START), 0, 0),
        (
            "after a long outage",
            (5000, 5000),
            5000 + 48 * HOUR,
            5000 - LOOKBACK,
        ),
        (
            "not a second has passed",
            (5000, 5000),
            5000,
            5000 - LOOKBACK,
        ),
    ];
    for (name, (api, local), now, expected) in cases {
        let mut window = window();
        window.complete_sweep(Clocks {
            api: at(api),
            local: at(local),
        });
        assert_eq!(window.begin_sweep(at(now)), at(expected), "{name}");
    }
}

#[test]
fn a_deep_sweep_starts_its_depth_behind_the_watermark_and_leaves_no_gap() {
    let depth = SignedDuration::from_hours(24);
    let mut window = window();
    assert_eq!(window.deep_sweep_start(depth, at(30)), at(0));
    window.complete_sweep(clocks(48 * HOUR));
    // The same holds after an outage of three days.
    for now in [48 * HOUR + 30, 120 * HOUR] {
        assert_eq!(window.deep_sweep_start(depth, at(now)), at(24 * HOUR));
    }
    assert_eq!(window.deep_sweep_start(depth, at(47 * HOUR)), at(0));
    // A depth that is shorter than the lookback has no effect.
    let shallow = window.deep_sweep_start(SignedDuration::ZERO, at(48 * HOUR));
    assert_eq!(shallow, window.begin_sweep(at(48 * HOUR)));
}

#[test]
fn the_first_sweep_starts_at_the_floor() {
    assert_eq!(window().begin_sweep(at(30)), at(0));
    assert_eq!(window().watermark(), None);
}

#[test]
fn an_empty_sweep_moves_the_watermark_and_nothing_else() {
    let mut window = window();
    window.complete_sweep(clocks(10 * RETENTION));
    assert_eq!(window.watermark(), Some(at(10 * RETENTION)));
    assert_eq!((window.floor, window.newest()), (at(0), None));
}

#[test]
fn the_watermark_follows_a_clock_that_was_set_back() {
    let mut window = window();
    window.complete_sweep(clocks(HOUR));
    window.complete_sweep(clocks(30));
    assert_eq!(window.watermark(), Some(at(30)));
}

#[test]
fn an_id_is_new_once() {
    let mut window = window();
    // The time of creation in the first answer, and in the second.
    let cases = [
        ("as it was", Some(at(10)), Some(at(10))),
        ("with another time", Some(at(10)), Some(at(500))),
        ("then without a time", Some(at(10)), None),
        ("then with a time", None, Some(at(10))),
        ("never with a time", None, None),
        ("at the floor", Some(at(0)), Some(at(0))),
        ("in the year 9999", Some(end_of_time()), Some(end_of_time())),
    ];
    for (bits, (name, first, second)) in (1..).zip(cases) {
        assert!(is_new(window.admit(id(bits), first, at(600))), "{name}");
        let again = window.admit(id(bits), second, at(630));
        assert_eq!(again, Admission::Duplicate, "{name}");
    }
    assert_eq!(window.remembered(), cases.len());
}

#[test]
fn an_event_from_before_the_floor_is_neither_counted_nor_remembered() {
    let mut window = window();
    for (bits, seconds) in [(1, -1), (2, -HOUR), (3, -START)] {
        let admission = window.admit(id(bits), Some(at(seconds)), at(30));
        assert_eq!(admission, Admission::BeforeFloor, "{seconds}");
    }
    assert_eq!((window.remembered(), window.newest()), (0, None));
}

#[test]
fn events_of_one_second_are_told_apart_by_id() {
    let mut window = window();
    for bits in 0..100 {
        assert!(is_new(window.admit(id(bits), Some(at(10)), at(11))));
    }
    window.complete_sweep(clocks(11));
    assert!(is_new(window.admit(id(100), Some(at(10)), at(40))));
}

#[test]
fn late_is_older_than_the_lookback_before_the_watermark_of_the_sweep() {
    let watermark = 5000;
    let cases = [
        (watermark, false),
        (watermark - LOOKBACK, false),
        (watermark - LOOKBACK - 1, true),
        (0, true),
        (watermark + HOUR, false),
    ];
    for (created, late) in cases {
        let is_late = |watermark| window().is_late(Some(at(created)), watermark);
        assert_eq!(is_late(Some(at(watermark))), late, "{created}");
        assert!(!is_late(None), "nothing was read before");
    }
    let timeless = window().is_late(None, Some(at(watermark)));
    assert!(!timeless, "an event without a time");
}

#[test]
fn a_watermark_in_the_future_is_not_believed() {
    let mut window = window();
    assert_eq!(window.believed_watermark(at(0)), None);
    window.complete_sweep(clocks(5000));
    assert_eq!(window.believed_watermark(at(4999)), None);
    assert_eq!(window.believed_watermark(at(5000)), Some(at(5000)));
}

#[test]
fn events_of_a_time_zone_an_hour_behind_are_regularly_late() {
    let mut window = window();
    let deep = 2 * HOUR;
    for minute in 0..20 {
        let created = deep - HOUR - 60 * minute;
        assert!(window.is_late(Some(at(created)), Some(at(deep))));
    }
    let found = window.regular_lateness(SignedDuration::from_hours(1));
    let expected = RegularLateness {
        events: 20,
        late_by: SignedDuration::from_hours(1),
    };
    assert_eq!(found, Some(expected));
}

#[test]
fn an_event_without_a_time_was_created_when_it_was_first_seen() {
    let mut window = window();
    let expected = Admission::New { created_at: at(70) };
    assert_eq!(window.admit(id(1), None, at(70)), expected);
}

#[test]
fn an_event_without_a_time_counts_although_the_api_clock_stepped_behind_the_floor() {
    let mut window = window();
    assert!(is_new(window.admit(id(1), None, at(-HOUR))));
    let again = window.admit(id(1), None, at(-HOUR + 30));
    assert_eq!(again, Admission::Duplicate);
}

#[test]
fn newest_is_the_latest_creation_and_never_in_the_future() {
    let now = at(5000);
    let cases = [
        ("one", vec![Some(at(10))], at(10)),
        ("out of order", vec![Some(at(20)), Some(at(10))], at(20)),
        ("year 9999", vec![Some(end_of_time()), Some(at(10))], now),
        ("ahead by an hour", vec![Some(at(5000 + HOUR))], now),
        ("without a time", vec![None], now),
    ];
    for (name, created, expected) in cases {
        let mut window = window();
        for (bits, created_at) in (0..).zip(created) {
            window.admit(id(bits), created_at, now);
        }
        assert_eq!(window.newest(), Some(expected), "{name}");
    }
}

#[test]
fn an_id_is_forgotten_a_retention_after_its_creation_and_then_not_counted_again() {
    let mut window = window();
    window.admit(id(1), Some(at(10)), at(20));
    window.admit(id(2), Some(at(11)), at(20));
    let later = 11 + RETENTION;
    window.admit(id(3), Some(at(later)), at(later));
    window.complete_sweep(clocks(later));
    // Whole buckets are forgotten, so id 1 may still be remembered.
    assert_eq!(window.floor, at(11));
    let again = |window: &mut Window, bits, created| {
        window.admit(id(bits), Some(at(created)), at(later + 30))
    };
    assert_eq!(again(&mut window, 1, 10), Admission::BeforeFloor);
    assert_eq!(again(&mut window, 2, 11), Admission::Duplicate);
    assert_eq!(again(&mut window, 3, later), Admission::Duplicate);
}

#[test]
fn the_fraction_of_a_second_does_not_decide_which_id_is_forgotten() {
    let fraction = |seconds| at(seconds) + SignedDuration::from_millis(700);
    let mut window = window();
    window.admit(id(1), Some(fraction(10)), at(20));
    window.admit(id(2), Some(at(10)), at(20));
    let later = fraction(10 + RETENTION);
    window.admit(id(3), Some(later), later);
    window.complete_sweep(Clocks {
        api: later,
        local: later,
    });
    let again = window.admit(id(1), Some(fraction(10)), later);
    assert_eq!(again, Admission::Duplicate);
    let again = window.admit(id(2), Some(at(10)), later);
    assert_eq!(again, Admission::BeforeFloor);
}

#[test]
fn nothing_is_forgotten_while_no_newer_element_was_seen() {
    let mut window = window();
    window.admit(id(1), Some(at(10)), at(20));
    // Both clocks leap ahead by a year, or the account has no events for a year.
    window.complete_sweep(clocks(8760 * HOUR));
    assert_eq!((window.floor, window.remembered()), (at(0), 1));
    assert!(is_new(window.admit(id(2), Some(at(15)), at(50))));
}

#[test]
fn nothing_is_forgotten_that_is_recent_by_either_clock() {
    for (api, local) in [(10 * RETENTION, 60), (60, 10 * RETENTION)] {
        let mut window = window();
        window.admit(id(1), Some(at(10)), at(api));
        window.admit(id(2), Some(end_of_time()), at(api));
        window.complete_sweep(Clocks {
            api: at(api),
            local: at(local),
        });
        assert_eq!((window.floor, window.remembered()), (at(0), 2));
    }
}

#[test]
fn the_year_9999_does_not_push_the_floor_into_the_future() {
    let mut window = window();
    window.admit(id(1), Some(end_of_time()), at(30));
    window.complete_sweep(clocks(30));
    assert_eq!(window.floor, at(0));
    let later = 60 + RETENTION;
    window.admit(id(2), Some(at(later)), at(later));
    window.complete_sweep(clocks(later));
    assert_eq!(window.floor, at(60));
    // Every sweep with an open end shows the event, so it is never forgotten.
    let again = window.admit(id(1), Some(end_of_time()), at(later));
    assert_eq!(again, Admission::Duplicate);
}

#[test]
fn an_event_without_a_time_is_remembered_for_a_retention_after_its_last_appearance() {
    let mut window = window();
    let shown_again = 24 * HOUR;
    window.admit(id(1), None, at(10));
    window.admit(id(2), None, at(10));
    window.admit(id(1), None, at(shown_again));
    let later = shown_again + RETENTION;
    window.admit(id(3), Some(at(later)), at(later));
    window.complete_sweep(clocks(later));
    assert_eq!(window.remembered(), 2);
    assert_eq!(
        window.admit(id(1), None, at(later + 1)),
        Admission::Duplicate
    );
}

#[test]
fn an_id_that_was_ever_shown_as_younger_is_not_forgotten_sooner() {
    // Both times are in buckets of their own, and the first of them is forgotten.
    for created in [[10, 5000], [5000, 10]] {
        let mut window = window();
        for seconds in created {
            window.admit(id(1), Some(at(seconds)), at(5000));
        }
        let fresh = window.fresh().last().copied();
        let latest = Remembered {
            time: at(5000),
            id: id(1),
        };
        assert_eq!(fresh, Some(latest), "{created:?}");
        let later = 4000 + RETENTION;
        window.admit(id(2), Some(at(later)), at(later));
        window.complete_sweep(clocks(later));
        assert_eq!(window.floor, at(4000));
        let again = window.admit(id(1), Some(at(5000)), at(later));
        assert_eq!(again, Admission::Duplicate, "{created:?}");
    }
}

#[test]
fn the_floor_never_falls() {
    let mut window = window();
    let later = 100 + RETENTION;
    window.admit(id(1), Some(at(later)), at(later));
    window.complete_sweep(clocks(later));
    assert_eq!(window.floor, at(100));
    window.complete_sweep(clocks(50));
    assert_eq!(window.floor, at(100));
    window.settings.retention = SignedDuration::from_secs(10 * RETENTION);
    window.complete_sweep(clocks(later));
    assert_eq!(window.floor, at(100));
}

#[test]
fn a_changed_lookback_holds_from_the_next_sweep_on() {
    let mut window = window();
    window.admit(id(1), Some(at(10)), at(20));
    window.complete_sweep(clocks(5000));
    for lookback in [0, 60, 4000] {
        window.settings.lookback = SignedDuration::from_secs(lookback);
        assert_eq!(window.begin_sweep(at(5030)), at(5000 - lookback));
    }
    window.settings.lookback = SignedDuration::from_secs(2 * RETENTION);
    assert_eq!(window.begin_sweep(at(5030)), at(0));
    // Events that a longer lookback shows again are still remembered.
    let again = window.admit(id(1), Some(at(10)), at(5030));
    assert_eq!(again, Admission::Duplicate);
}

#[test]
fn a_shorter_retention_forgets_with_the_next_sweep() {
    let mut window = window();
    window.admit(id(1), Some(at(10)), at(20));
    window.admit(id(2), Some(at(5000)), at(5000));
    window.complete_sweep(clocks(5000));
    assert_eq!(window.remembered(), 2);
    window.settings.retention = SignedDuration::from_secs(HOUR);
    window.complete_sweep(clocks(5030));
    assert_eq!(window.floor, at(5000 - HOUR));
}

#[test]
fn spans_that_leave_the_calendar_saturate() {
    let mut window = window();
    window.settings.lookback = SignedDuration::MAX;
    window.settings.retention = SignedDuration::MAX;
    window.admit(id(1), Some(at(10)), at(20));
    window.complete_sweep(clocks(20));
    assert_eq!(window.begin_sweep(at(50)), at(0));
    assert_eq!(window.floor, at(0));
}

fn restored(
    settings: WindowSettings,
    saved: SavedWindow,
    stored: impl IntoIterator<Item = Remembered>,
) -> Window {
    let mut window = Window::restore(settings, saved);
    let mut ids = window.no_ids();
    ids.restore(stored);
    window.recall(ids);
    window
}

#[test]
fn a_restored_window_goes_on_where_the_stored_one_was() {
    let mut window = window();
    window.admit(id(1), Some(at(10)), at(20));
    window.admit(id(2), None, at(20));
    window.complete_sweep(clocks(5000));
    let (saved, ids) = (window.saved(), window.fresh().to_vec());
    let mut restored = restored(window.settings, saved, ids);
    assert_eq!(restored.saved(), saved);
    assert_eq!(restored.fresh(), []);
    for window in [&mut window, &mut restored] {
        assert_eq!(window.remembered(), 2);
        assert_eq!(window.begin_sweep(at(5030)), at(5000 - LOOKBACK));
        let again = window.admit(id(1), Some(at(10)), at(5030));
        assert_eq!(again, Admission::Duplicate);
        assert!(is_new(window.admit(id(3), Some(at(5010)), at(5030))));
    }
    assert_eq!(restored.saved(), window.saved());
}

#[test]
fn an_id_is_fresh_until_it_is_stored_and_again_when_its_time_rises() {
    let mut window = window();
    let fresh = |window: &Window| -> Vec<_> {
        let fresh = window.fresh().iter();
        fresh.map(|seen| (seen.id, seen.time)).collect()
    };
    window.admit(id(1), Some(at(10)), at(20));
    assert_eq!(fresh(&window), [(id(1), at(10))]);
    window.confirm();
    assert_eq!(fresh(&window), []);
    window.admit(id(1), Some(at(10)), at(50));
    assert_eq!(fresh(&window), []);
    // As long after as the time of an id is kept apart from others.
    let later = 10 + RETENTION / 24 + 1;
    window.admit(id(1), Some(at(later)), at(later));
    assert_eq!(fresh(&window), [(id(1), at(later))]);
}

#[test]
fn a_malformed_element_is_new_once_and_never_the_newest_event() {
    let mut window = window();
    window.admit(id(1), Some(at(10)), at(20));
    assert!(is_new(window.admit_malformed(id(2), at(5000))));
    assert_eq!(
        window.admit_malformed(id(2), at(5030)),
        Admission::Duplicate
    );
    assert_eq!(window.newest(), Some(at(10)));
    // It shows all the same that time has passed.
    let later = 5000 + RETENTION;
    assert!(is_new(window.admit_malformed(id(3), at(later))));
    window.complete_sweep(clocks(later));
    assert_eq!(window.floor, at(5000));
}

#[test]
fn a_piece_moves_the_watermark_to_its_end() {
    // (api, local) now, the end of the piece, and the watermark after it
    let cases = [
        ("forward", (5000, 5000), 2000, 2000),
        ("never back", (5000, 5000), 500, 1000),
        ("never into the future", (5000, 1500), 2000, 1500),
        ("back from the future", (900, 900), 800, 800),
    ];
    for (name, (api, local), up_to, expected) in cases {
        let mut window = window();
        window.complete_sweep(clocks(1000));
        let now = Clocks {
            api: at(api),
            local: at(local),
        };
        window.complete_piece(at(up_to), now);
        assert_eq!(window.watermark(), Some(at(expected)), "{name}");
    }
}

/// A sweep may take long: each piece is read at another time.
#[test]
fn the_watermark_stays_where_late_events_may_have_been_added_since() {
    // (pieces as (read up to, at), the watermark after the sweep)
    let until_end = None;
    let cases = [
        ("at once", vec![(Some(4000), 5000), (until_end, 5000)], 5000),
        (
            "long before the lookback",
            vec![(Some(2000), 5000), (Some(3000), 5100), (until_end, 5200)],
            5200,
        ),
        (
            "up to the lookback",
            vec![(Some(5000 - LOOKBACK), 5000), (until_end, 5200)],
            5200,
        ),
        (
            "a second into the lookback",
            vec![(Some(5001 - LOOKBACK), 5000), (until_end, 5200)],
            5000,
        ),
        (
            "slowly through the lookback",
            vec![(Some(4990), 5000), (Some(5100), 5150), (until_end, 5200)],
            5000,
        ),
        (
            "into the lookback while it is read",
            vec![(Some(4000), 5000), (Some(5050), 5100), (until_end, 5200)],
            5100,
        ),
    ];
    for (name, pieces, expected) in cases {
        let mut window = window();
        window.complete_sweep(clocks(1000));
        assert_eq!(window.begin_sweep(at(5000)), at(1000 - LOOKBACK), "{name}");
        for (up_to, now) in pieces {
            match up_to {
                Some(up_to) => window.complete_piece(at(up_to), clocks(now)),
                None => window.complete_sweep(clocks(now)),
            }
            assert!(window.watermark() <= Some(at(expected)), "{name}");
        }
        assert_eq!(window.watermark(), Some(at(expected)), "{name}");
        // The next sweep reads everything again, and may move on.
        window.begin_sweep(at(6000));
        window.complete_sweep(clocks(6000));
        assert_eq!(window.watermark(), Some(at(6000)), "{name}");
    }
}

#[test]
fn ids_that_were_stored_with_a_longer_retention_are_in_few_buckets() {
    let retention = |hours| WindowSettings {
        lookback: SignedDuration::from_mins(10),
        retention: SignedDuration::from_hours(hours),
    };
    let ids = (0..2400).map(|tenth| Remembered {
        time: hour(0) + SignedDuration::from_mins(6 * tenth),
        id: EventId::from_text(&tenth.to_string()),
    });
    let saved = SavedWindow {
        floor: hour(0),
        watermark: Some(hour(240)),
        newest: Some(hour(240)),
    };
    for hours in [241, 2] {
        let mut window = restored(retention(hours), saved, ids.clone());
        assert_eq!(window.remembered(), 2400);
        let buckets = window.seen.buckets();
        assert!(buckets <= 25, "{buckets} for {hours} hours");
        let clocks = Clocks {
            api: hour(240),
            local: hour(240),
        };
        window.complete_sweep(clocks);
        assert_eq!(window.saved().floor, hour((240 - hours).max(0)));
        let newest = EventId::from_text("2399");
        let at = Some(hour(239));
        assert_eq!(window.admit(newest, at, hour(240)), Admission::Duplicate);
    }
}

#[test]
fn only_clocks_that_are_further_apart_than_a_time_zone_can_be_disproved() {
    // The clocks, in hours, and the hour after which an event disproves the earlier one.
    let cases = [
        ((100, 100), None),
        ((100, 85), None),
        ((85, 100), None),
        ((100, 84), Some(99)),
        ((0, 100), Some(15)),
    ];
    for ((api, local), expected) in cases {
        let clocks = Clocks {
            api: hour(api),
            local: hour(local),
        };
        assert_eq!(clocks.disproved_after(), expected.map(hour), "{clocks:?}");
        let later = Clocks {
            api: hour(api.max(local)),
            local: hour(api.max(local)),
        };
        assert_eq!(clocks.without_the_earlier(), later);
    }
}

fn hour(hour: i64) -> Timestamp {
    Timestamp::from_second(3600 * hour).expect("a time")
}

#[test]
fn an_id_that_was_stored_at_two_times_is_kept_until_the_later_one_is_forgotten() {
    let settings = WindowSettings {
        lookback: SignedDuration::from_mins(10),
        retention: SignedDuration::from_hours(24),
    };
    let saved = SavedWindow {
        floor: hour(0),
        watermark: Some(hour(20)),
        newest: Some(hour(20)),
    };
    let remembered = |at| Remembered {
        time: hour(at),
        id: id(1),
    };
    let mut window = restored(settings, saved, [remembered(1), remembered(20)]);
    for at in [1, 20, 10] {
        let again = window.admit(id(1), Some(hour(at)), hour(20));
        assert_eq!(again, Admission::Duplicate, "{at}");
        assert_eq!(window.fresh(), [], "{at}");
    }
    let clocks = Clocks {
        api: hour(40),
        local: hour(40),
    };
    window.complete_sweep(clocks);
    let again = window.admit(id(1), Some(hour(20)), hour(40));
    assert_eq!(again, Admission::Duplicate);
}
