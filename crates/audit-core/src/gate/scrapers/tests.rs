use super::*;

const TIMEOUT: Duration = Duration::from_secs(10);

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn scrape(scraper: u64, connection: u64) -> Scrape {
    Scrape {
        scraper: ScraperId(scraper),
        product: 1,
        target: 0,
        connection,
        timeout: TIMEOUT,
    }
}

/// Returns `count` scrapes over one connection, each as its time in seconds and the
/// connection.
fn every(interval: u64, from: u64, count: u64, connection: u64) -> Vec<(u64, u64)> {
    (0..count)
        .map(|time| (from + time * interval, connection))
        .collect()
}

/// Returns the interval, in seconds, that is used for one scraper after these scrapes.
fn learned(scrapes: &[(u64, u64)]) -> Option<u64> {
    let mut scrapes = scrapes.to_vec();
    scrapes.sort_unstable();
    let mut all = Scrapers::default();
    for (time, connection) in &scrapes {
        all.record_scrape(&scrape(1, *connection), 1, at(*time));
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
        ("one scrape", every(15, 0, 1, 0), Some(60)),
        ("two gaps are too few", every(15, 0, 3, 0), Some(60)),
        ("three gaps", every(15, 0, 4, 0), Some(15)),
        (
            "longer than the longest interval",
            every(7200, 0, 4, 0),
            Some(300),
        ),
        ("shorter than the time limit", every(3, 0, 9, 0), Some(10)),
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
            "from 60 s to 15 s: six gaps are too few",
            then(every(60, 0, 9, 0), every(15, 495, 6, 0)),
            Some(60),
        ),
        (
            "from 60 s to 15 s: seven gaps are enough",
            then(every(60, 0, 9, 0), every(15, 495, 7, 0)),
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
    // A server that opens a new connection is not taken for a second server.
    assert_eq!(learned(&after(76, 3, 1)), Some(15));
}

#[test]
fn a_stored_interval_counts_for_the_longest_absence() {
    let mut scrapers = Scrapers::default();
    let saved = SavedScraper {
        id: ScraperId(1),
        interval: at(60),
        unseen_for: Duration::ZERO,
    };
    scrapers.restore(saved, at(0));
    for (time, _) in every(15, 0, 42, 0) {
        let expected = if time <= 600 { 60 } else { 15 };
        scrapers.record_scrape(&scrape(1, 0), 1, at(time));
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
    // Two such servers cannot be told apart: a limit that docs/guarantees.md names.
    let other = (0..40).map(|number| (15 * number + 7, 1000 + number));
    assert_eq!(
        learned(&scrapes.into_iter().chain(other).collect::<Vec<_>>()),
        Some(10)
    );
}

#[test]
fn the_gap_between_two_connections_is_not_counted_if_connections_are_kept() {
    let scrapes = [every(15, 0, 5, 0), every(15, 300, 5, 1)].concat();
    assert_eq!(learned(&scrapes), Some(15));
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
fn the_longest_interval_counts_as_long_as_the_gate_waits_for_its_scraper() {
    let mut scrapers = Scrapers::default();
    for (time, _) in every(15, 0, 100, 0) {
        scrapers.record_scrape(&scrape(1, 1), 1, at(time));
    }
    // A single request by `curl` with the header counts as a server of unknown interval,
    // for a while.
    scrapers.record_scrape(&scrape(2, 2), 1, at(1500));
    let longest = |scrapers: &Scrapers, now| scrapers.longest_interval(at(now));
    assert_eq!(longest(&scrapers, 1500), Some(UNKNOWN_INTERVAL));
    for (time, _) in every(15, 1500, 60, 0) {
        scrapers.record_scrape(&scrape(1, 1), 1, at(time));
    }
    assert_eq!(longest(&scrapers, 1500 + 600), Some(UNKNOWN_INTERVAL));
    assert_eq!(longest(&scrapers, 1500 + 601), Some(at(15)));
}

#[test]
fn a_generation_counts_once_every_scraper_was_served_it_twice() {
    let served = |scrapers: &mut Scrapers, scraper, generation, now| {
        scrapers.record_scrape(&scrape(scraper, scraper), generation, at(now));
        scrapers.all_served_twice(5, at(now))
    };
    let mut scrapers = Scrapers::default();
    assert!(scrapers.all_served_twice(5, at(0)));
    let steps = [
        (1, 4, 0, false),
        (1, 5, 15, false),
        (1, 5, 30, true),
        // A new scraper is shown no events at first, which counts as generation 0.
        (2, 0, 31, false),
        (2, 6, 46, false),
        (1, 6, 60, false),
        (2, 6, 61, true),
        (3, 5, 70, false),
        (3, 5, 670, true),
        (4, 5, 700, false),
    ];
    for (scraper, generation, now, expected) in steps {
        let all = served(&mut scrapers, scraper, generation, now);
        assert_eq!(all, expected, "scraper {scraper} at {now}");
    }
    // The gate waits for a scraper that stays away, but not for ever.
    assert!(!scrapers.all_served_twice(5, at(700) + LONGEST_ABSENCE));
    assert!(scrapers.all_served_twice(5, at(701) + LONGEST_ABSENCE));
}

#[test]
fn the_gate_waits_for_a_stored_scraper_after_a_restart() {
    let saved = |unseen_for| SavedScraper {
        id: ScraperId(1),
        interval: at(30),
        unseen_for,
    };
    // The time since the last scrape, by a clock that may have been set, does not count.
    for unseen_for in [Duration::ZERO, LONGEST_ABSENCE, Duration::MAX] {
        let mut scrapers = Scrapers::default();
        scrapers.restore(saved(unseen_for), Duration::ZERO);
        assert_eq!(scrapers.longest_interval(at(0)), Some(at(30)));
        assert!(!scrapers.all_served_twice(1, LONGEST_ABSENCE));
        assert!(scrapers.all_served_twice(1, LONGEST_ABSENCE + at(1)));
        assert!(!scrapers.has_unstored(at(0)));
        assert!(scrapers.may_show(ScraperId(1)));
        assert!(!scrapers.may_show(ScraperId(2)));
    }
}

#[test]
fn beyond_64_scrapers_the_longest_unseen_is_forgotten_and_all_are_shown_events() {
    let mut scrapers = Scrapers::default();
    for scraper in 0..64 {
        assert!(!scrapers.may_show(ScraperId(scraper)), "{scraper}");
        scrapers.record_scrape(&scrape(scraper, scraper), 1, at(scraper));
    }
    scrapers.record_scrape(&scrape(64, 64), 1, at(64));
    let saved: Vec<u64> = scrapers.saved(at(64)).map(|saved| saved.id.0).collect();
    assert_eq!(saved, (1..=64).collect::<Vec<_>>());
    for scraper in 0..200 {
        assert!(scrapers.may_show(ScraperId(scraper)), "{scraper}");
    }
}

#[test]
fn no_request_makes_an_interval_longer_than_that_of_an_unknown_scraper() {
    for seconds in [0, 10, 60, 61, 3600, 1_000_000_000] {
        let mut scrapers = Scrapers::default();
        for (time, _) in every(15, 0, 6, 0) {
            let scrape = Scrape {
                timeout: at(seconds),
                ..scrape(1, 0)
            };
            scrapers.record_scrape(&scrape, 1, at(time));
            let longest = scrapers.longest_interval(at(time)).expect("a scraper");
            assert!(longest <= UNKNOWN_INTERVAL, "{seconds} s: {longest:?}");
        }
    }
}

#[test]
fn a_stored_interval_counts_up_to_five_minutes() {
    let mut scrapers = Scrapers::default();
    let saved = SavedScraper {
        id: ScraperId(1),
        interval: at(3600),
        unseen_for: Duration::ZERO,
    };
    scrapers.restore(saved, at(0));
    assert_eq!(scrapers.longest_interval(at(0)), Some(at(300)));
}
