//! For which scrapers the gate waits, and for how long.

use super::*;

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
fn the_absence_of_a_stored_server_goes_on_after_a_restart() {
    // Its interval is 30 s, and its hold is 70 s.
    let cases = [
        (0, 600),
        (30, 600),
        (100, 530),
        (560, 70),
        (590, 70),
        (u64::MAX, 70),
    ];
    for (unseen_for, longest) in cases {
        let mut scrapers = Scrapers::default();
        let known = SavedScraper {
            unseen_for: at(unseen_for),
            ..saved(1, Some(30))
        };
        scrapers.restore(&known, Duration::ZERO);
        assert_eq!(scrapers.longest_interval(at(0)), Some(at(30)));
        assert_eq!(sight(&scrapers, 0, longest), Sight::Unseen, "{unseen_for}");
        let after = sight(&scrapers, 0, longest + 1);
        assert_eq!(after, Sight::GivenUp, "{unseen_for}");
        assert!(!scrapers.has_unstored(at(0)));
        assert!(scrapers.may_show(ScraperId(1)));
        assert!(!scrapers.may_show(ScraperId(2)));
        let again = scrapers.saved(at(50)).next().expect("the server is known");
        assert_eq!(again.unseen_for, at(600 - longest + 50), "{unseen_for}");
        // A scrape ends the absence.
        scrapers.record_scrape(scrape(1, 0), 4, at(60));
        assert_eq!(sight(&scrapers, 0, 660), Sight::Unseen, "{unseen_for}");
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

/// However long a server was away before a restart, it has a hold to scrape the new process.
#[test]
fn no_server_takes_the_place_of_one_that_had_no_time_to_scrape_a_new_process() {
    let mut scrapers = Scrapers::default();
    let known = SavedScraper {
        unseen_for: at(300),
        ..saved(1, Some(15))
    };
    scrapers.restore(&known, at(0));
    for time in 1..=60 {
        scrapers.record_scrape(scrape(2, 2), 1, at(time));
        let saved: Vec<_> = scrapers.saved(at(time)).map(|saved| saved.id.0).collect();
        let is_waited_for = saved.contains(&1);
        assert_eq!(is_waited_for, time <= 40, "{time}");
    }
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

#[test]
fn strangers_that_come_again_do_not_displace_a_server_whose_interval_is_known() {
    let mut scrapers = Scrapers::default();
    for (time, _) in every(15, 0, 4, 0) {
        scrapers.record_scrape(scrape(0, 0), 1, at(time));
    }
    for stranger in 1..200 {
        for time in [0, 1] {
            let now = at(50 + 2 * stranger + time);
            scrapers.record_scrape(scrape(stranger, stranger), 1, now);
        }
    }
    assert!(scrapers.all.contains_key(&ScraperId(0)));
}
