//! The intervals of the scrapers, and what is stored of them.

use super::*;

/// Returns the interval, in seconds, that is known of one scraper after these scrapes.
fn learned(scrapes: &[(u64, u64)]) -> Option<u64> {
    let mut scrapes = scrapes.to_vec();
    scrapes.sort_unstable();
    let mut all = Scrapers::default();
    for (time, connection) in &scrapes {
        all.record_scrape(scrape(1, *connection), 1, at(*time));
    }
    let now = at(scrapes.last().map_or(0, |(time, _)| *time));
    let longest = all.longest_interval(now)?;
    Some(longest.as_secs())
}

#[test]
fn the_interval_is_learned_from_the_gaps() {
    let then = |first: Vec<(u64, u64)>, second: Vec<(u64, u64)>| [first, second].concat();
    let cases = [
        ("no scrape", Vec::new(), None),
        ("one scrape", every(15, 0, 1, 0), None),
        ("two gaps are too few", every(15, 0, 3, 0), None),
        ("three gaps", every(15, 0, 4, 0), Some(15)),
        (
            "longer than the longest interval",
            every(7200, 0, 4, 0),
            Some(300),
        ),
        ("as long as the time limit", every(10, 0, 9, 0), Some(10)),
        ("nine tenths of the time limit", every(9, 0, 9, 0), Some(9)),
        (
            "shorter than the time limit: there are several servers",
            every(3, 0, 9, 0),
            Some(60),
        ),
        (
            "one missed scrape",
            then(every(15, 0, 3, 0), every(15, 60, 3, 0)),
            Some(15),
        ),
        (
            "two missed scrapes of eight: the longer interval is used",
            [
                every(15, 0, 3, 0),
                every(15, 60, 3, 0),
                every(15, 120, 2, 0),
            ]
            .concat(),
            Some(30),
        ),
        (
            "an outage of an hour",
            then(every(15, 0, 3, 0), every(15, 3600, 3, 0)),
            Some(15),
        ),
        (
            "from 15 s to 60 s: the first gap may be an outage",
            then(every(15, 0, 9, 0), every(60, 180, 1, 0)),
            Some(15),
        ),
        (
            "from 15 s to 60 s: the second gap is not",
            then(every(15, 0, 9, 0), every(60, 180, 2, 0)),
            Some(60),
        ),
        (
            "from 60 s to 15 s: it may be two servers for eighteen gaps",
            then(every(60, 0, 9, 0), every(15, 495, 18, 0)),
            Some(60),
        ),
        (
            "from 60 s to 15 s: nineteen gaps are enough",
            then(every(60, 0, 9, 0), every(15, 495, 19, 0)),
            Some(15),
        ),
    ];
    for (name, scrapes, expected) in cases {
        assert_eq!(learned(&scrapes), expected, "{name}");
    }
}

#[test]
fn servers_behind_one_address_are_told_apart_by_their_connections() {
    let pair = |other, count| [every(15, 0, count, 0), every(other, 7, count, 1)].concat();
    assert_eq!(learned(&pair(15, 10)), Some(15));
    // The interval is known at every time, however few of the latest gaps are long.
    for count in 3..20 {
        let short = every(15, 0, 4 * count, 0);
        let scrapes = [short, every(60, 7, count, 1)].concat();
        assert_eq!(learned(&scrapes), Some(60), "{count}");
    }
}

#[test]
fn the_interval_of_a_second_server_behind_an_address_is_unknown_after_one_scrape() {
    let known = every(15, 0, 5, 0);
    let after = |first: u64, count, connection| {
        let more = every(15, first, count, connection);
        [known.clone(), vec![(61, 1)], more].concat()
    };
    assert_eq!(learned(&after(75, 1, 0)), Some(60));
    // A server that opens a new connection is not taken for a second server, even if the
    // last scrape over the old one came at the same moment.
    assert_eq!(learned(&[known.clone(), vec![(60, 1)]].concat()), Some(15));
    assert_eq!(learned(&after(76, 3, 1)), Some(15));
}

/// Otherwise a crash loop would keep the doubt for ever, since no process of it lives for
/// long enough to lose it.
#[test]
fn the_doubt_about_a_single_scrape_is_not_stored() {
    for before in [None, Some(1)] {
        let mut scrapers = Scrapers::default();
        scrapers.restore(&saved(1, before), at(0));
        let kept = (1..=20).map(|time| (time, 0));
        for (time, connection) in kept.clone().chain([(20, 1)]).chain(every(1, 21, 10, 0)) {
            scrapers.record_scrape(scrape(1, connection), 1, at(time));
        }
        assert_eq!(scrapers.longest_interval(at(30)), Some(at(60)));
        let stored = scrapers.saved(at(30)).next().expect("the server is known");
        assert_eq!(stored.interval, Some(at(1)), "{before:?}");
    }
}

#[test]
fn a_stored_interval_counts_for_the_longest_absence() {
    let mut scrapers = Scrapers::default();
    scrapers.restore(&saved(1, Some(60)), at(0));
    for (time, _) in every(15, 0, 42, 0) {
        let expected = if time <= 600 { 60 } else { 15 };
        scrapers.record_scrape(scrape(1, 0), 1, at(time));
        assert_eq!(
            scrapers.longest_interval(at(time)),
            Some(at(expected)),
            "{time}"
        );
    }
}

#[test]
fn a_server_may_open_a_new_connection_for_each_scrape() {
    let scrapes: Vec<_> = (0..40).map(|number| (15 * number, number)).collect();
    assert_eq!(learned(&scrapes), Some(15));
    let one_missed: Vec<_> = [&scrapes[..35], &scrapes[36..]].concat();
    assert_eq!(learned(&one_missed), Some(15));
    // Two such servers cannot be told apart, which is noticed by the time limit of 10 s.
    let other = (0..40).map(|number| (15 * number + 7, 1000 + number));
    assert_eq!(
        learned(&scrapes.into_iter().chain(other).collect::<Vec<_>>()),
        Some(60)
    );
}

#[test]
fn servers_that_share_connections_are_taken_for_servers_of_a_minute() {
    let shared = [every(15, 0, 40, 0), every(60, 7, 10, 0)].concat();
    assert_eq!(learned(&shared), Some(60));
    let six: Vec<_> = [0, 3, 14, 22, 41, 52]
        .into_iter()
        .flat_map(|offset| every(60, offset, 10, 0))
        .collect();
    assert_eq!(learned(&six), Some(60));
}

#[test]
fn the_gap_between_two_connections_is_not_counted_if_connections_are_kept() {
    let scrapes = [
        every(15, 0, 5, 0),
        every(15, 300, 3, 1),
        every(15, 570, 3, 2),
    ]
    .concat();
    assert_eq!(learned(&scrapes), Some(15));
}

#[test]
fn the_oldest_of_more_than_16_connections_is_forgotten() {
    let slow = every(120, 0, 5, 0);
    let others = |count| (1..=count).map(|number| (480 + 15 * number, number));
    // Once the connection that was kept is forgotten, the gaps of 15 s count, and seven of
    // them outweigh the gaps of 120 s. They fit no interval, so a minute is assumed.
    for (count, expected) in [(22, 120), (23, 60)] {
        let scrapes: Vec<_> = slow.iter().copied().chain(others(count)).collect();
        assert_eq!(learned(&scrapes), Some(expected), "{count}");
    }
}

#[test]
fn the_interval_of_a_connection_is_forgotten_after_the_longest_absence() {
    let slow = every(60, 0, 5, 0);
    let soon = every(15, 300, 20, 1);
    let late = every(15, 300, 60, 1);
    assert_eq!(learned(&[slow.clone(), soon].concat()), Some(60));
    assert_eq!(learned(&[slow, late].concat()), Some(15));
}

#[test]
fn a_server_that_left_counts_for_the_longest_absence() {
    let mut scrapers = Scrapers::default();
    for (time, _) in every(60, 0, 5, 0) {
        scrapers.record_scrape(scrape(1, 1), 1, at(time));
    }
    // Another product, which does not take the place of the first.
    let other = Scrape {
        product: 8,
        ..scrape(2, 2)
    };
    for (time, _) in every(15, 240, 60, 0) {
        scrapers.record_scrape(other, 1, at(time));
    }
    let longest = |now| scrapers.longest_interval(at(now));
    assert_eq!(longest(240 + 600), Some(at(60)));
    assert_eq!(longest(240 + 601), Some(at(15)));
}

#[test]
fn a_server_with_a_long_interval_counts_for_three_intervals() {
    let mut scrapers = Scrapers::default();
    for (time, _) in every(300, 0, 5, 0) {
        scrapers.record_scrape(scrape(1, 1), 1, at(time));
    }
    assert_eq!(scrapers.longest_interval(at(1200 + 900)), Some(at(300)));
    assert_eq!(scrapers.longest_interval(at(1200 + 901)), None);
}

#[test]
fn requests_of_strangers_change_no_interval() {
    for seconds in [0, 10, 60, 61, 3600, 1_000_000_000] {
        let mut scrapers = Scrapers::default();
        for (time, _) in every(15, 0, 6, 0) {
            scrapers.record_scrape(scrape(1, 1), 1, at(time));
        }
        // Each stranger comes once or twice.
        for stranger in 0..100 {
            let stranger = Scrape {
                timeout: at(seconds),
                ..scrape(100 + stranger / 2, 100 + stranger)
            };
            scrapers.record_scrape(stranger, 0, at(80));
            assert_eq!(scrapers.longest_interval(at(80)), Some(at(15)));
        }
    }
}

#[test]
fn a_time_limit_of_hours_changes_nothing() {
    for seconds in [61, 3600, 1_000_000_000] {
        let mut scrapers = Scrapers::default();
        for (time, _) in every(15, 0, 6, 0) {
            let scrape = Scrape {
                timeout: at(seconds),
                ..scrape(1, 0)
            };
            scrapers.record_scrape(scrape, 1, at(time));
        }
        assert_eq!(scrapers.longest_interval(at(75)), Some(at(15)), "{seconds}");
    }
}

#[test]
fn a_stored_interval_counts_up_to_five_minutes() {
    let mut scrapers = Scrapers::default();
    scrapers.restore(&saved(1, Some(3600)), at(0));
    assert_eq!(scrapers.longest_interval(at(0)), Some(at(300)));
}

/// Returns what is stored in the end of a server that scrapes every `interval` seconds,
/// while the exporter is killed after each life of so many scrapes.
fn stored_interval(mut known: SavedScraper, interval: u64, lives: &[u64]) -> Option<u64> {
    for scrapes in lives {
        let mut scrapers = Scrapers::default();
        scrapers.restore(&known, at(0));
        for (time, _) in every(interval, 5, *scrapes, 0) {
            scrapers.record_scrape(scrape(1, 0), 1, at(time));
        }
        let end = at(5 + interval * scrapes);
        known = scrapers.saved(end).next().expect("the server is known");
    }
    known.interval.map(|interval| interval.as_secs())
}

#[test]
fn a_crash_loop_does_not_keep_a_stored_interval_that_is_too_long() {
    // Nine scrapes are eight gaps, and a server of 60 s would have come four times in 240 s.
    assert_eq!(stored_interval(saved(1, Some(60)), 15, &[18]), Some(15));
    assert_eq!(
        stored_interval(saved(1, Some(60)), 15, &[8, 9, 10, 16]),
        Some(60)
    );
    assert_eq!(stored_interval(saved(1, Some(20)), 15, &[8]), Some(20));
    assert_eq!(stored_interval(saved(1, Some(20)), 15, &[9]), Some(15));
    assert_eq!(stored_interval(saved(1, None), 15, &[3]), None);
    assert_eq!(stored_interval(saved(1, None), 15, &[4]), Some(15));
}

#[test]
fn no_crash_loop_makes_a_stored_interval_longer_by_single_gaps() {
    let mut known = saved(1, Some(3));
    for _ in 0..100 {
        let mut scrapers = Scrapers::default();
        scrapers.restore(&known, at(0));
        for time in [1, 7, 10, 25] {
            scrapers.record_scrape(scrape(1, 0), 1, at(time));
        }
        known = scrapers.saved(at(26)).next().expect("the server is known");
    }
    assert_eq!(known.interval, Some(at(3)));
}
