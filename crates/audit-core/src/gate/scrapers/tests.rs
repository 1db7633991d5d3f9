use super::*;

const TIMEOUT: Duration = Duration::from_secs(10);

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn scrape(scraper: u64, connection: u64) -> Scrape {
    Scrape {
        scraper: ScraperId(scraper),
        product: 7,
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

fn saved(id: u64, interval: Option<u64>) -> SavedScraper {
    SavedScraper {
        id: ScraperId(id),
        product: 7,
        target: 0,
        interval: interval.map(at),
        unseen_for: Duration::ZERO,
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

/// Returns how far generation 5, which was first served at `first`, is seen.
fn sight(scrapers: &Scrapers, first: u64, now: u64) -> Sight {
    scrapers.sight(5, at(first), at(now))
}

#[test]
fn a_generation_is_seen_once_every_server_was_served_it_twice() {
    let mut scrapers = Scrapers::default();
    assert_eq!(sight(&scrapers, 0, 0), Sight::Seen);
    for (time, _) in every(15, 0, 5, 0) {
        scrapers.record_scrape(scrape(1, 1), 4, at(time));
    }
    let steps = [(60, 5, Sight::Unseen), (75, 5, Sight::Seen)];
    for (now, generation, expected) in steps {
        scrapers.record_scrape(scrape(1, 1), generation, at(now));
        assert_eq!(sight(&scrapers, 60, now), expected, "{now}");
    }
}

#[test]
fn a_server_that_stays_away_is_given_up_after_the_longest_absence() {
    let mut scrapers = Scrapers::default();
    for (time, _) in every(15, 0, 5, 0) {
        scrapers.record_scrape(scrape(1, 1), 4, at(time));
    }
    assert_eq!(sight(&scrapers, 70, 660), Sight::Unseen);
    assert_eq!(sight(&scrapers, 70, 661), Sight::GivenUp);
    // What is first shown after the server was given up does not wait for it.
    assert_eq!(sight(&scrapers, 661, 700), Sight::Seen);
}

#[test]
fn a_scraper_that_came_once_is_waited_for_until_it_can_have_come_again() {
    let mut scrapers = Scrapers::default();
    scrapers.record_scrape(scrape(1, 1), 0, at(10));
    assert_eq!(sight(&scrapers, 0, 70), Sight::Unseen);
    assert_eq!(sight(&scrapers, 0, 71), Sight::Seen);
    // One that has come again is waited for until it can have come a third time.
    scrapers.record_scrape(scrape(1, 1), 5, at(70));
    assert_eq!(sight(&scrapers, 0, 130), Sight::Unseen);
    scrapers.record_scrape(scrape(1, 1), 6, at(130));
    assert_eq!(sight(&scrapers, 0, 130), Sight::Seen);
}

#[test]
fn strangers_who_keep_coming_delay_a_generation_by_a_minute_in_all() {
    let mut scrapers = Scrapers::default();
    for now in 0..200 {
        scrapers.record_scrape(scrape(1000 + now, now), 0, at(now));
        let expected = if now <= 70 {
            Sight::Unseen
        } else {
            Sight::Seen
        };
        assert_eq!(sight(&scrapers, 0, now), expected, "{now}");
    }
}

#[test]
fn the_gate_waits_for_a_stored_server_after_a_restart() {
    // The time since the last scrape, by a clock that may have been set, does not count.
    for unseen_for in [Duration::ZERO, LONGEST_ABSENCE, Duration::MAX] {
        let mut scrapers = Scrapers::default();
        let known = SavedScraper {
            unseen_for,
            ..saved(1, Some(30))
        };
        scrapers.restore(&known, Duration::ZERO);
        assert_eq!(scrapers.longest_interval(at(0)), Some(at(30)));
        assert_eq!(sight(&scrapers, 0, 600), Sight::Unseen);
        assert_eq!(sight(&scrapers, 0, 601), Sight::GivenUp);
        assert!(!scrapers.has_unstored(at(0)));
        assert!(scrapers.may_show(ScraperId(1)));
        assert!(!scrapers.may_show(ScraperId(2)));
    }
}

#[test]
fn a_scraper_that_came_once_is_not_waited_for_longer_after_a_restart() {
    let mut scrapers = Scrapers::default();
    scrapers.restore(&saved(1, None), at(0));
    assert_eq!(scrapers.longest_interval(at(0)), None);
    assert_eq!(sight(&scrapers, 0, 70), Sight::Unseen);
    assert_eq!(sight(&scrapers, 0, 71), Sight::Seen);
}

/// Lets one server scrape until 60 s, and another from `first` on. Returns how far the
/// generation that the first server did not see is seen a minute later.
fn after_a_change_of_servers(first: u64, product: u64, interval: u64) -> Sight {
    let mut scrapers = Scrapers::default();
    for (time, _) in every(15, 0, 5, 0) {
        scrapers.record_scrape(scrape(1, 1), 4, at(time));
    }
    let other = Scrape {
        product,
        ..scrape(2, 2)
    };
    for (time, _) in every(interval, first, 5, 0) {
        scrapers.record_scrape(other, 6, at(time));
    }
    sight(&scrapers, 61, first + 4 * interval)
}

#[test]
fn a_server_of_the_same_product_takes_the_place_of_one_that_is_gone() {
    assert_eq!(after_a_change_of_servers(70, 7, 15), Sight::Seen);
    // The first server is not gone yet: its hold of 40 s has not passed.
    assert_eq!(after_a_change_of_servers(61, 7, 5), Sight::Unseen);
    assert_eq!(after_a_change_of_servers(80, 7, 5), Sight::Unseen);
    assert_eq!(after_a_change_of_servers(81, 7, 5), Sight::Seen);
    // The other server scraped beside the first, or is another product.
    assert_eq!(after_a_change_of_servers(50, 7, 15), Sight::Unseen);
    assert_eq!(after_a_change_of_servers(60, 7, 15), Sight::Unseen);
    assert_eq!(after_a_change_of_servers(70, 8, 15), Sight::Unseen);
}

#[test]
fn a_server_takes_the_place_of_one_that_left_while_the_exporter_was_down() {
    for (product, expected) in [(7, Sight::Seen), (8, Sight::Unseen)] {
        let mut scrapers = Scrapers::default();
        scrapers.restore(&saved(1, Some(15)), at(0));
        let other = Scrape {
            product,
            ..scrape(2, 2)
        };
        for (time, _) in every(15, 5, 5, 0) {
            scrapers.record_scrape(other, 6, at(time));
        }
        assert_eq!(sight(&scrapers, 5, 65), expected, "{product}");
    }
}

#[test]
fn a_server_whose_place_was_taken_is_waited_for_again_if_it_comes_back() {
    let mut scrapers = Scrapers::default();
    for (time, _) in every(15, 0, 5, 0) {
        scrapers.record_scrape(scrape(1, 1), 4, at(time));
    }
    for (time, _) in every(15, 70, 8, 0) {
        scrapers.record_scrape(scrape(2, 2), 6, at(time));
    }
    assert_eq!(sight(&scrapers, 70, 175), Sight::Seen);
    scrapers.record_scrape(scrape(1, 1), 6, at(176));
    assert_eq!(sight(&scrapers, 70, 176), Sight::Unseen);
    // The second server does not take the place of a third one as well.
    for (time, _) in every(15, 190, 8, 0) {
        scrapers.record_scrape(scrape(2, 2), 6, at(time));
    }
    assert_eq!(sight(&scrapers, 70, 295), Sight::Unseen);
}

#[test]
fn only_servers_that_keep_coming_and_are_stored_are_waited_for_at_the_end() {
    let mut scrapers = Scrapers::default();
    let store = |scrapers: &mut Scrapers, now| {
        let saved: Vec<_> = scrapers.saved(at(now)).collect();
        scrapers.confirm(&saved);
    };
    let not_served = |scrapers: &Scrapers, generation, now| -> Vec<u64> {
        let ids = scrapers.not_served(generation, at(now));
        ids.map(|id| id.0).collect()
    };
    scrapers.record_scrape(scrape(1, 1), 3, at(0));
    store(&mut scrapers, 0);
    assert!(not_served(&scrapers, 4, 0).is_empty());
    scrapers.record_scrape(scrape(1, 1), 3, at(15));
    scrapers.record_scrape(scrape(2, 2), 4, at(15));
    assert_eq!(not_served(&scrapers, 4, 16), [1]);
    scrapers.record_scrape(scrape(1, 1), 4, at(30));
    assert!(not_served(&scrapers, 4, 30).is_empty());
    assert_eq!(not_served(&scrapers, 5, 30), [1]);
    // Its interval is unknown, and it stays away.
    assert!(not_served(&scrapers, 5, 30 + 131).is_empty());
    // One that is not stored is shown no events.
    for time in [40, 55] {
        scrapers.record_scrape(scrape(3, 3), 0, at(time));
    }
    assert_eq!(not_served(&scrapers, 5, 55), [1]);
    store(&mut scrapers, 55);
    assert_eq!(not_served(&scrapers, 5, 55), [1, 3]);
}

#[test]
fn a_server_that_an_earlier_process_stored_is_waited_for_at_the_end() {
    let mut scrapers = Scrapers::default();
    scrapers.restore(&saved(1, Some(15)), at(0));
    assert_eq!(scrapers.not_served(1, at(600)).count(), 1);
    assert_eq!(scrapers.not_served(1, at(601)).count(), 0);
}

#[test]
fn an_older_answer_that_was_sent_last_does_not_hide_the_newer_one() {
    let mut scrapers = Scrapers::default();
    for (time, generation) in [(0, 4), (15, 5), (30, 6), (31, 5)] {
        scrapers.record_scrape(scrape(1, 1), generation, at(time));
    }
    assert_eq!(sight(&scrapers, 15, 31), Sight::Seen);
}

#[test]
fn beyond_64_scrapers_those_that_came_once_are_forgotten_first_and_all_are_shown_events() {
    let mut scrapers = Scrapers::default();
    for time in [0, 15] {
        scrapers.record_scrape(scrape(0, 0), 1, at(time));
    }
    for scraper in 1..64 {
        assert!(!scrapers.may_show(ScraperId(scraper)), "{scraper}");
        scrapers.record_scrape(scrape(scraper, scraper), 1, at(20 + scraper));
    }
    scrapers.record_scrape(scrape(64, 64), 1, at(84));
    assert!(scrapers.all.contains_key(&ScraperId(0)));
    assert!(!scrapers.all.contains_key(&ScraperId(1)));
    assert_eq!(scrapers.all.len(), 64);
    for scraper in 0..200 {
        assert!(scrapers.may_show(ScraperId(scraper)), "{scraper}");
    }
}
