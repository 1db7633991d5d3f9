use super::*;

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn scrape(scraper: u64) -> Scrape {
    Scrape {
        scraper: ScraperId(scraper),
        product: 1,
        target: 0,
        connection: scraper,
        timeout: Duration::ZERO,
    }
}

/// Records a scrape that is answered with `generation` if it may show events. Returns
/// `true` if it may.
fn record(gate: &mut Gate, scraper: u64, generation: u64, now: u64) -> bool {
    let may_show = gate.may_show(ScraperId(scraper));
    let generation = if may_show { generation } else { 0 };
    gate.record_scrape(&scrape(scraper), generation, at(now));
    may_show
}

/// Records a scrape, and stores the scraper before it.
fn serve(gate: &mut Gate, scraper: u64, generation: u64, now: u64) {
    gate.announce(ScraperId(scraper), at(now));
    store(gate, now);
    assert!(record(gate, scraper, generation, now));
}

fn fixed(seconds: u64) -> Gate {
    Gate::new(ScrapeInterval::Fixed(at(seconds)), &SavedGate::default())
}

fn learning() -> Gate {
    Gate::new(ScrapeInterval::Learned, &SavedGate::default())
}

/// Stores what the gate has to store.
fn store(gate: &mut Gate, now: u64) {
    let saved = gate.saved(at(now));
    gate.confirm(&saved);
}

#[test]
fn a_hold_covers_one_missed_scrape_and_the_time_of_another() {
    for (interval, hold) in [(1, 3), (3, 9), (10, 30), (15, 40), (60, 130)] {
        assert_eq!(fixed(interval).hold(at(0)), at(hold), "{interval}");
    }
    assert_eq!(learning().hold(at(0)), at(130));
    let off = Gate::new(ScrapeInterval::Off, &SavedGate::default());
    assert_eq!(off.hold(at(0)), Duration::ZERO);
}

#[test]
fn the_gate_is_open_to_all_until_the_first_scrape() {
    let mut gate = fixed(15);
    assert!(gate.is_open_to_all());
    assert!(gate.is_running(at(0)));
    record(&mut gate, 1, 0, 5);
    assert!(!gate.is_open_to_all());
    assert!(!gate.is_running(at(5)));
}

#[test]
fn a_gate_that_is_off_is_always_open_to_all() {
    let mut gate = Gate::new(ScrapeInterval::Off, &SavedGate::default());
    assert!(gate.may_show(ScraperId(1)));
    record(&mut gate, 1, 1, 0);
    assert!(gate.is_open_to_all() && gate.is_running(at(0)));
    assert!(gate.may_show(ScraperId(2)));
}

#[test]
fn a_scraper_is_shown_events_once_it_is_stored() {
    let mut gate = fixed(15);
    for (scraper, now) in [(1, 0), (2, 50)] {
        let id = ScraperId(scraper);
        assert!(!gate.may_show(id) && !gate.has_unstored_scraper(at(now)));
        assert!(!record(&mut gate, scraper, 1, now));
        assert!(!gate.may_show(id) && gate.has_unstored_scraper(at(now)));
        store(&mut gate, now + 1);
        assert!(gate.may_show(id) && !gate.has_unstored_scraper(at(now + 1)));
    }
}

#[test]
fn a_scraper_that_comes_during_a_commit_is_not_stored_by_it() {
    let mut gate = fixed(15);
    record(&mut gate, 1, 0, 0);
    let under_way = gate.saved(at(1));
    record(&mut gate, 2, 0, 1);
    gate.confirm(&under_way);
    assert!(gate.may_show(ScraperId(1)));
    assert!(!gate.may_show(ScraperId(2)) && gate.has_unstored_scraper(at(2)));
}

#[test]
fn a_scraper_that_was_away_for_longer_than_the_longest_absence_has_to_be_stored_again() {
    let mut gate = fixed(15);
    record(&mut gate, 1, 0, 0);
    store(&mut gate, 0);
    store(&mut gate, 600);
    assert!(gate.may_show(ScraperId(1)));
    store(&mut gate, 601);
    assert!(!gate.may_show(ScraperId(1)) && !gate.has_unstored_scraper(at(601)));
    record(&mut gate, 1, 0, 700);
    assert!(gate.has_unstored_scraper(at(700)));
}

#[test]
fn the_gate_stands_still_after_a_start_until_a_hold_after_the_first_scrape() {
    let saved = SavedGate {
        was_scraped: true,
        ..SavedGate::default()
    };
    let mut gate = Gate::new(ScrapeInterval::Fixed(at(15)), &saved);
    assert!(!gate.is_open_to_all() && !gate.is_running(at(1000)));
    for (time, running) in [(1000, false), (1015, false), (1030, false), (1045, true)] {
        record(&mut gate, 1, 1, time);
        assert_eq!(gate.is_running(at(time)), running, "{time}");
    }
}

#[test]
fn the_gate_stands_still_after_more_than_a_hold_without_a_scrape() {
    let mut gate = fixed(15);
    for time in [0, 15, 30, 45] {
        record(&mut gate, 1, 1, time);
    }
    assert!(gate.is_running(at(45 + 40)));
    assert!(!gate.is_running(at(45 + 41)));
    // The scrape of another server is enough to go on running.
    record(&mut gate, 2, 1, 45 + 40);
    assert!(gate.is_running(at(45 + 41)));
    record(&mut gate, 2, 1, 45 + 40 + 41);
    assert!(!gate.is_running(at(45 + 40 + 41)));
    record(&mut gate, 2, 1, 45 + 40 + 41 + 39);
    assert!(!gate.is_running(at(45 + 40 + 41 + 39)));
    assert!(gate.is_running(at(45 + 40 + 41 + 40)));
}

#[test]
fn a_generation_is_seen_by_all_a_hold_after_it_was_first_served() {
    let mut gate = fixed(15);
    for (time, generation) in [(0, 1), (15, 1), (30, 2), (45, 4), (60, 4)] {
        serve(&mut gate, 1, generation, time);
    }
    // Each generation, and the second from which it is seen by all. Generation 3 was
    // never served itself; generation 4, which was, shows its values too.
    for (generation, from) in [(1, 40), (2, 70), (3, 85), (4, 85)] {
        assert!(
            !gate.is_seen_by_all(generation, at(from - 1)),
            "{generation}"
        );
        let seen = gate.is_seen_by_all(generation, at(from));
        assert!(seen, "{generation}");
    }
    assert!(!gate.is_seen_by_all(5, at(1000)));
}

#[test]
fn the_hold_is_shorter_once_the_interval_is_learned() {
    let mut gate = learning();
    for (time, hold) in [(0, 130), (15, 130), (30, 130), (45, 40), (60, 40)] {
        serve(&mut gate, 1, 1, time);
        assert_eq!(gate.hold(at(time)), at(hold), "{time}");
    }
    assert!(gate.is_running(at(60)) && gate.is_seen_by_all(1, at(60)));
    // A second server lengthens the hold until its interval is known.
    serve(&mut gate, 2, 1, 61);
    assert_eq!(gate.hold(at(61)), at(130));
}

#[test]
fn many_generations_delay_a_new_series_and_lose_nothing() {
    let mut gate = fixed(1);
    for generation in 1..=3000 {
        serve(&mut gate, 1, generation, generation);
    }
    assert!(!gate.is_seen_by_all(2999, at(3000)));
    assert!(gate.is_seen_by_all(1, at(3000)));
    assert!(gate.is_seen_by_all(2990, at(3000)));
}

#[test]
fn an_answer_without_events_shows_no_generation() {
    let mut gate = fixed(15);
    for time in [0, 15, 30] {
        assert!(!record(&mut gate, 1, 5, time));
    }
    assert!(!gate.is_seen_by_all(1, at(500)));
    for time in [500, 515] {
        serve(&mut gate, 1, 5, time);
    }
    assert!(gate.is_seen_by_all(5, at(540)));
}

#[test]
fn scrapers_that_keep_coming_and_were_not_served_are_named() {
    let mut gate = fixed(15);
    let missing = |gate: &Gate, now: u64| {
        let ids = gate.not_served(2, at(now));
        ids.into_iter().map(|id| id.0).collect::<Vec<_>>()
    };
    assert_eq!(missing(&gate, 0), [0; 0]);
    // One scrape may come from a person.
    serve(&mut gate, 1, 1, 0);
    assert_eq!(missing(&gate, 0), [0; 0]);
    serve(&mut gate, 1, 1, 15);
    serve(&mut gate, 2, 1, 15);
    serve(&mut gate, 2, 1, 30);
    assert_eq!(missing(&gate, 30), [1, 2]);
    serve(&mut gate, 1, 2, 31);
    assert_eq!(missing(&gate, 31), [2]);
    // An older answer that is sent later takes nothing back.
    serve(&mut gate, 1, 1, 32);
    assert_eq!(missing(&gate, 32), [2]);
    serve(&mut gate, 2, 3, 45);
    assert_eq!(missing(&gate, 45), [0; 0]);
    // A server that left for good is not waited for.
    serve(&mut gate, 3, 1, 46);
    serve(&mut gate, 3, 1, 47);
    assert_eq!(missing(&gate, 47 + 600), [3]);
    assert_eq!(missing(&gate, 48 + 600), [0; 0]);
    // Nor is one that is not stored, since it is shown no events.
    record(&mut gate, 4, 1, 48);
    record(&mut gate, 4, 1, 49);
    assert_eq!(missing(&gate, 49), [3]);
}

#[test]
fn a_scraper_that_an_earlier_process_stored_is_waited_for_at_its_end() {
    let mut before = fixed(15);
    serve(&mut before, 1, 9, 0);
    let mut gate = Gate::new(ScrapeInterval::Fixed(at(15)), &before.saved(at(1)));
    assert_eq!(gate.not_served(1, at(0)), [ScraperId(1)]);
    serve(&mut gate, 1, 1, 5);
    assert_eq!(gate.not_served(1, at(5)), []);
    let off = Gate::new(ScrapeInterval::Off, &before.saved(at(1)));
    assert_eq!(off.not_served(1, at(0)), []);
}

#[test]
fn a_generation_is_seen_twice_only_by_two_answers_with_it() {
    let mut gate = fixed(15);
    for now in [0, 15, 30] {
        serve(&mut gate, 1, 1, now);
    }
    serve(&mut gate, 1, 3, 45);
    // An answer that was made before is sent after the one with the new generation.
    serve(&mut gate, 1, 1, 46);
    assert!(!gate.is_seen_by_all(2, at(45 + 40)));
    serve(&mut gate, 1, 3, 60);
    assert!(gate.is_seen_by_all(2, at(45 + 40)));
}

#[test]
fn a_scraper_that_uses_another_name_is_told_apart_from_one_that_uses_none() {
    let mut gate = fixed(15);
    let renamed = |gate: &mut Gate, scraper: u64, target: u64, now: u64| {
        let scrape = Scrape {
            target,
            ..scrape(scraper)
        };
        gate.record_scrape(&scrape, 1, at(now)).is_renamed
    };
    assert!(!renamed(&mut gate, 1, 0, 0), "it tells no name");
    assert!(!renamed(&mut gate, 1, 7, 1), "it tells a name first");
    assert!(!renamed(&mut gate, 1, 7, 2));
    assert!(!renamed(&mut gate, 1, 0, 3), "no name is no other name");
    assert!(renamed(&mut gate, 1, 8, 4));
    assert!(!renamed(&mut gate, 1, 8, 5));
    assert!(!renamed(&mut gate, 2, 9, 6), "another scraper");
}
