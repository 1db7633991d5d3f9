use super::*;

const TIMEOUT: Duration = Duration::from_secs(10);

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn scrape(scraper: u64, connection: u64) -> Scrape {
    Scrape {
        scraper: ScraperId(scraper),
        connection,
        timeout: TIMEOUT,
    }
}

/// When one comes `count` times, and over which connection.
fn every(interval: u64, from: u64, count: u64, connection: u64) -> Vec<(u64, u64)> {
    (0..count)
        .map(|time| (from + time * interval, connection))
        .collect()
}

/// What is learned of one scraper that comes at these times, over these
/// connections.
fn learned(scrapes: &[(u64, u64)]) -> Option<u64> {
    let mut scrapes = scrapes.to_vec();
    scrapes.sort_unstable();
    let mut all = Scrapers::default();
    for (time, connection) in &scrapes {
        all.note(scrape(1, *connection), 1, at(*time));
    }
    let now = at(scrapes.last().map_or(0, |(time, _)| *time));
    let longest = all.longest_interval(now)?;
    Some(longest.as_secs())
}

#[test]
fn the_interval_is_learned_from_the_gaps() {
    let then = |first: Vec<(u64, u64)>, second: Vec<(u64, u64)>| [first, second].concat();
    let cases = [
        ("nobody", Vec::new(), None),
        ("seen once", every(15, 0, 1, 0), Some(60)),
        ("two gaps may be chance", every(15, 0, 3, 0), Some(60)),
        ("regular", every(15, 0, 4, 0), Some(15)),
        ("slower than anyone", every(7200, 0, 4, 0), Some(3600)),
        (
            "no shorter than its time limit",
            every(3, 0, 9, 0),
            Some(10),
        ),
        (
            "one missed",
            then(every(15, 0, 3, 0), every(15, 60, 3, 0)),
            Some(15),
        ),
        (
            "two missed of eight: in doubt the longer",
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
            "from 15 s to 60 s: the second is not",
            then(every(15, 0, 9, 0), every(60, 180, 2, 0)),
            Some(60),
        ),
        (
            "and back: not at once",
            then(every(60, 0, 9, 0), every(15, 495, 6, 0)),
            Some(60),
        ),
        (
            "and back",
            then(every(60, 0, 9, 0), every(15, 495, 7, 0)),
            Some(15),
        ),
    ];
    for (name, scrapes, expected) in cases {
        assert_eq!(learned(&scrapes), expected, "{name}");
    }
}

#[test]
fn connections_tell_servers_behind_one_address_apart() {
    let pair = |other, count| [every(15, 0, count, 0), every(other, 7, count, 1)].concat();
    assert_eq!(learned(&pair(15, 10)), Some(15));
    // At whatever moment one asks, and however few of the latest gaps are long.
    for count in 3..20 {
        let short = every(15, 0, 4 * count, 0);
        let scrapes = [short, every(60, 7, count, 1)].concat();
        assert_eq!(learned(&scrapes), Some(60), "{count}");
    }
}

#[test]
fn a_second_server_behind_an_address_is_unknown_until_it_comes_again() {
    let known = every(15, 0, 5, 0);
    let after = |first: u64, count, connection| {
        let more = every(15, first, count, connection);
        [known.clone(), vec![(61, 1)], more].concat()
    };
    assert_eq!(learned(&after(75, 1, 0)), Some(60));
    // A server that takes a new connection is no second one.
    assert_eq!(learned(&after(76, 3, 1)), Some(15));
}

#[test]
fn what_an_earlier_process_knew_holds_until_everyone_had_time_to_come() {
    let mut scrapers = Scrapers::default();
    let known = SavedScraper {
        id: ScraperId(1),
        interval: at(60),
        unseen_for: Duration::ZERO,
    };
    scrapers.remember(known, at(0));
    for (time, _) in every(15, 0, 42, 0) {
        let expected = if time <= 600 { 60 } else { 15 };
        scrapers.note(scrape(1, 0), 1, at(time));
        assert_eq!(
            scrapers.longest_interval(at(time)),
            Some(at(expected)),
            "{time}"
        );
    }
}

#[test]
fn one_server_may_take_a_new_connection_each_time() {
    let scrapes: Vec<_> = (0..40).map(|number| (15 * number, number)).collect();
    assert_eq!(learned(&scrapes), Some(15));
    // Two of them cannot be told apart: a limit that docs/guarantees.md names.
    let other = (0..40).map(|number| (15 * number + 7, 1000 + number));
    assert_eq!(
        learned(&scrapes.into_iter().chain(other).collect::<Vec<_>>()),
        Some(10)
    );
}

#[test]
fn a_connection_that_breaks_is_no_gap() {
    let scrapes = [every(15, 0, 5, 0), every(15, 300, 5, 1)].concat();
    assert_eq!(learned(&scrapes), Some(15));
}

#[test]
fn what_a_connection_kept_is_forgotten_with_patience() {
    let slow = every(60, 0, 5, 0);
    let soon = every(15, 300, 20, 1);
    let late = every(15, 300, 60, 1);
    assert_eq!(learned(&[slow.clone(), soon].concat()), Some(60));
    assert_eq!(learned(&[slow, late].concat()), Some(15));
}

#[test]
fn the_longest_interval_of_all_counts_as_long_as_its_scraper_is_waited_for() {
    let mut scrapers = Scrapers::default();
    for (time, _) in every(15, 0, 100, 0) {
        scrapers.note(scrape(1, 1), 1, at(time));
    }
    // Someone with curl who bears the header: an unknown server, and for a while.
    scrapers.note(scrape(2, 2), 1, at(1500));
    let longest = |scrapers: &Scrapers, now| scrapers.longest_interval(at(now));
    assert_eq!(longest(&scrapers, 1500), Some(UNKNOWN_INTERVAL));
    for (time, _) in every(15, 1500, 60, 0) {
        scrapers.note(scrape(1, 1), 1, at(time));
    }
    assert_eq!(longest(&scrapers, 1500 + 600), Some(UNKNOWN_INTERVAL));
    assert_eq!(longest(&scrapers, 1500 + 601), Some(at(15)));
}

#[test]
fn every_scraper_must_have_been_served_twice() {
    let served = |scrapers: &mut Scrapers, scraper, generation, now| {
        scrapers.note(scrape(scraper, scraper), generation, at(now));
        scrapers.all_served(5, at(now))
    };
    let mut scrapers = Scrapers::default();
    assert!(scrapers.all_served(5, at(0)));
    let steps = [
        (1, 4, 0, false),
        (1, 5, 15, false),
        (1, 5, 30, true),
        // One who comes new, and one who is shown nothing yet.
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
    // Whoever stays away is waited for, and not for ever.
    assert!(!scrapers.all_served(5, at(700) + LONGEST_ABSENCE));
    assert!(scrapers.all_served(5, at(701) + LONGEST_ABSENCE));
}

#[test]
fn whoever_is_known_is_waited_for_after_a_restart() {
    let known = |unseen_for| SavedScraper {
        id: ScraperId(1),
        interval: at(30),
        unseen_for,
    };
    // However long ago the wall clock says that it was seen.
    for unseen_for in [Duration::ZERO, LONGEST_ABSENCE, Duration::MAX] {
        let mut scrapers = Scrapers::default();
        scrapers.remember(known(unseen_for), Duration::ZERO);
        assert_eq!(scrapers.longest_interval(at(0)), Some(at(30)));
        assert!(!scrapers.all_served(1, LONGEST_ABSENCE));
        assert!(scrapers.all_served(1, LONGEST_ABSENCE + at(1)));
        assert!(!scrapers.any_unstored(at(0)));
        assert!(scrapers.may_show(ScraperId(1)));
        assert!(!scrapers.may_show(ScraperId(2)));
    }
}

#[test]
fn beyond_64_the_longest_unseen_is_forgotten_and_everyone_is_shown_events() {
    let mut scrapers = Scrapers::default();
    for scraper in 0..64 {
        assert!(!scrapers.may_show(ScraperId(scraper)), "{scraper}");
        scrapers.note(scrape(scraper, scraper), 1, at(scraper));
    }
    scrapers.note(scrape(64, 64), 1, at(64));
    let known: Vec<u64> = scrapers.known(at(64)).map(|known| known.id.0).collect();
    assert_eq!(known, (1..=64).collect::<Vec<_>>());
    for scraper in 0..200 {
        assert!(scrapers.may_show(ScraperId(scraper)), "{scraper}");
    }
}
