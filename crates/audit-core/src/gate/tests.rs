use super::*;

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn scrape(scraper: u64) -> Scrape {
    Scrape {
        scraper: ScraperId(scraper),
        product: 7,
        target: 0,
        connection: scraper,
        timeout: Duration::ZERO,
    }
}

/// Records a scrape that is answered with `generation`, or without events if the scraper
/// may be shown none. Returns `true` if it may be shown events.
fn record(gate: &mut Gate, scraper: u64, generation: u64, now: u64) -> bool {
    let may_show = gate.may_show(ScraperId(scraper));
    let generation = if may_show { generation } else { 0 };
    gate.record_scrape(self::scrape(scraper), generation, at(now));
    may_show
}

/// Records a scrape, and stores the scraper before it.
fn serve(gate: &mut Gate, scraper: u64, generation: u64, now: u64) {
    gate.announce(ScraperId(scraper), at(now));
    store(gate, now);
    assert!(record(gate, scraper, generation, now));
}

fn is_seen(gate: &Gate, generation: u64, now: u64) -> bool {
    gate.sight(generation, at(now)) == Sight::Seen
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
    for time in [0, 15, 30, 45] {
        record(&mut gate, 1, 0, time);
    }
    store(&mut gate, 45);
    store(&mut gate, 645);
    assert!(gate.may_show(ScraperId(1)));
    store(&mut gate, 646);
    assert!(!gate.may_show(ScraperId(1)) && !gate.has_unstored_scraper(at(646)));
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
    // The scrapes of another server are enough to go on running.
    record(&mut gate, 2, 1, 45 + 39);
    record(&mut gate, 2, 1, 45 + 40);
    assert!(gate.is_running(at(45 + 41)));
    record(&mut gate, 2, 1, 45 + 40 + 41);
    assert!(!gate.is_running(at(45 + 40 + 41)));
    record(&mut gate, 2, 1, 45 + 40 + 41 + 39);
    assert!(!gate.is_running(at(45 + 40 + 41 + 39)));
    assert!(gate.is_running(at(45 + 40 + 41 + 40)));
}

/// Any client can send a request that looks like a scrape.
#[test]
fn a_request_of_a_stranger_does_not_keep_the_gate_running_while_a_server_is_away() {
    for (count, is_running) in [(1, false), (2, true)] {
        let mut gate = fixed(15);
        for now in (0..=60).step_by(15) {
            serve(&mut gate, 1, 1, now);
        }
        for request in 0..count {
            serve(&mut gate, 2, 1, 80 + request * 15);
        }
        assert!(gate.is_running(at(100)));
        // A client that comes again may be a server.
        assert_eq!(gate.is_running(at(101)), is_running);
        // The standstill ends a hold after the server is back.
        serve(&mut gate, 3, 1, 200);
        serve(&mut gate, 1, 1, 210);
        assert!(!gate.is_running(at(249)));
        assert!(gate.is_running(at(250)));
    }
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
        assert!(!is_seen(&gate, generation, from - 1), "{generation}");
        let seen = is_seen(&gate, generation, from);
        assert!(seen, "{generation}");
    }
    assert!(!is_seen(&gate, 5, 1000));
}

#[test]
fn the_hold_is_shorter_once_the_interval_is_learned() {
    let mut gate = learning();
    for (time, hold) in [(0, 130), (15, 130), (30, 130), (45, 40), (60, 40)] {
        serve(&mut gate, 1, 1, time);
        assert_eq!(gate.hold(at(time)), at(hold), "{time}");
    }
    assert!(gate.is_running(at(60)) && is_seen(&gate, 1, 60));
    // A second server lengthens the hold once its interval is known.
    for (minute, hold) in [(1, 40), (2, 40), (3, 40), (4, 130)] {
        for second in [1, 16, 31, 46] {
            serve(&mut gate, 1, 1, minute * 60 + second);
        }
        serve(&mut gate, 2, 1, minute * 60 + 50);
        let now = at(minute * 60 + 50);
        assert_eq!(gate.hold(now), at(hold), "{minute}");
    }
}

#[test]
fn many_generations_delay_a_new_series_and_lose_nothing() {
    let mut gate = fixed(1);
    for generation in 1..=3000 {
        serve(&mut gate, 1, generation, generation);
    }
    assert!(!is_seen(&gate, 2999, 3000));
    assert!(is_seen(&gate, 1, 3000));
    assert!(is_seen(&gate, 2990, 3000));
    // The first scrape of a generation is remembered until 1024 later ones were served.
    for (generations, seen) in [(1024, true), (1025, false)] {
        let mut gate = fixed(15);
        serve(&mut gate, 1, 1, 0);
        for generation in 2..=generations {
            serve(&mut gate, 1, generation, 30);
        }
        assert_eq!(is_seen(&gate, 1, 40), seen, "{generations}");
    }
}

#[test]
fn many_scrapes_of_a_generation_do_not_delay_it() {
    let mut gate = fixed(15);
    serve(&mut gate, 1, 1, 0);
    for _ in 0..2000 {
        serve(&mut gate, 1, 1, 30);
    }
    assert!(is_seen(&gate, 1, 40));
}

#[test]
fn an_answer_without_events_shows_no_generation() {
    let mut gate = fixed(15);
    for time in [0, 15, 30] {
        assert!(!record(&mut gate, 1, 5, time));
    }
    assert!(!is_seen(&gate, 1, 500));
    for time in [500, 515] {
        serve(&mut gate, 1, 5, time);
    }
    assert!(is_seen(&gate, 5, 540));
}

#[test]
fn the_gate_goes_on_running_when_the_hold_grows() {
    let mut gate = learning();
    for time in (0..=60).step_by(15) {
        serve(&mut gate, 1, 1, time);
    }
    assert!(gate.is_running(at(60)));
    for minute in 0..4 {
        for time in (0..60).step_by(15) {
            let now = 61 + minute * 60 + time;
            serve(&mut gate, 1, 1, now);
            assert!(gate.is_running(at(now)), "{now}");
        }
        serve(&mut gate, 2, 1, 62 + minute * 60 + 45);
    }
    assert_eq!(gate.hold(at(301)), at(130));
    assert!(gate.is_running(at(301)));
}

#[test]
fn what_has_waited_too_long_is_overdue_also_over_restarts() {
    let mut gate = fixed(15);
    record(&mut gate, 1, 1, 0);
    let since = gate.wait_time(at(10));
    // Two holds for a series that was seen, and ten minutes for a new one.
    for (waited, is_seen, overdue) in [(79, true, false), (80, true, true), (80, false, false)] {
        let mut gate = gate.clone();
        for time in (10..=10 + waited).step_by(10) {
            record(&mut gate, 1, 1, time);
        }
        let now = at(10 + waited);
        assert_eq!(gate.is_overdue(since, is_seen, now), overdue, "{waited} s");
    }
    // A process that lives for 15 s and is down for 25 s, again and again.
    for restart in 1..=20 {
        let away = SavedGate {
            away: at(25),
            ..gate.saved(at(15))
        };
        gate = Gate::new(ScrapeInterval::Fixed(at(15)), &away);
        assert!(!gate.is_running(at(5)));
        record(&mut gate, 1, 1, 0);
        record(&mut gate, 1, 1, 5);
        let is_overdue = |is_seen| gate.is_overdue(since, is_seen, at(5));
        assert_eq!(is_overdue(true), restart >= 3, "{restart}");
        assert_eq!(is_overdue(false), restart >= 16, "{restart}");
    }
}

#[test]
fn how_long_a_count_has_waited_is_stored_before_much_of_it_can_be_lost() {
    let mut gate = fixed(15);
    record(&mut gate, 1, 1, 0);
    store(&mut gate, 0);
    assert!(!gate.has_unstored_wait(at(29)));
    assert!(gate.has_unstored_wait(at(30)));
    store(&mut gate, 30);
    assert!(!gate.has_unstored_wait(at(40)));
    // After a restart the time between the two processes is not stored yet.
    let away = SavedGate {
        away: at(30),
        ..gate.saved(at(40))
    };
    let gate = Gate::new(ScrapeInterval::Fixed(at(15)), &away);
    assert!(gate.has_unstored_wait(at(0)));
}

#[test]
fn a_scraper_that_calls_the_exporter_by_another_name_is_noticed() {
    let mut gate = fixed(15);
    let mut called = |target, now| {
        let scrape = Scrape {
            target,
            ..scrape(1)
        };
        gate.record_scrape(scrape, 0, at(now)).is_renamed
    };
    let cases = [
        (0, false),
        (5, false),
        (5, false),
        (6, true),
        (6, false),
        (0, false),
        (5, true),
    ];
    for (place, (target, renamed)) in cases.into_iter().enumerate() {
        assert_eq!(called(target, 15 * place as u64), renamed, "{place}");
    }
    // The name is stored.
    let saved = gate.saved(at(100));
    let mut gate = Gate::new(ScrapeInterval::Learned, &saved);
    let scrape = Scrape {
        target: 8,
        ..scrape(1)
    };
    assert!(gate.record_scrape(scrape, 0, at(0)).is_renamed);
}

#[test]
fn servers_that_share_connections_are_named_unless_the_interval_is_set() {
    for (setting, named) in [
        (ScrapeInterval::Learned, true),
        (ScrapeInterval::Fixed(at(60)), false),
    ] {
        let mut gate = Gate::new(setting, &SavedGate::default());
        let mut times: Vec<u64> = (0..40).map(|number| 15 * number).collect();
        times.extend((0..10).map(|number| 60 * number + 7));
        times.sort_unstable();
        let last = times.into_iter().map(|time| {
            let recorded = gate.record_scrape(scrape(1), 0, at(time));
            recorded.is_pooled
        });
        assert_eq!(last.last(), Some(named));
    }
}

#[test]
fn a_single_server_is_not_named_as_several() {
    let mut gate = learning();
    for time in (0..1500).step_by(15) {
        let recorded = gate.record_scrape(scrape(1), 0, at(time));
        assert!(!recorded.is_pooled, "{time}");
    }
}

/// Two servers of 60 s behind one address may look like one of 9 s.
#[test]
fn a_server_is_not_taken_for_gone_before_the_hold_of_the_interval_that_is_set() {
    for (gate, is_replaced) in [(fixed(60), false), (learning(), true)] {
        let mut gate = gate;
        for now in [0, 9, 18, 27] {
            serve(&mut gate, 1, 1, now);
        }
        for now in 60..120 {
            serve(&mut gate, 2, 1, now);
        }
        assert_eq!(gate.may_show(ScraperId(1)), !is_replaced);
        serve(&mut gate, 2, 1, 158);
        store(&mut gate, 158);
        assert!(!gate.may_show(ScraperId(1)), "131 s after its last scrape");
    }
}

#[test]
fn a_server_that_is_back_although_another_took_its_place_is_told_of_once() {
    let mut gate = fixed(15);
    let mut serve = |scraper, now| {
        let scrape = scrape(scraper);
        gate.announce(scrape.scraper, at(now));
        gate.record_scrape(scrape, 1, at(now)).was_replaced
    };
    for now in [0, 15, 30, 45] {
        assert!(!serve(1, now), "{now}");
    }
    for now in [60, 75, 90, 105] {
        assert!(!serve(2, now), "{now}");
    }
    assert!(serve(1, 110));
    assert!(!serve(1, 125) && !serve(2, 120));
}

#[test]
fn the_servers_that_were_not_served_yet_are_named() {
    let mut gate = fixed(15);
    assert!(gate.not_served(1, at(0)).is_empty());
    for (scraper, generation) in [(1, 1), (2, 2), (3, 2)] {
        for time in [0, 15] {
            serve(&mut gate, scraper, generation, time);
        }
    }
    assert_eq!(gate.not_served(2, at(15)), [ScraperId(1)]);
    assert_eq!(gate.not_served(3, at(15)), [1, 2, 3].map(ScraperId));
    // Nobody is waited for if everything is shown at once.
    let off = Gate::new(ScrapeInterval::Off, &gate.saved(at(15)));
    assert!(off.not_served(3, at(15)).is_empty());
}

#[test]
fn an_interval_that_is_clearly_above_the_setting_is_noticed() {
    let cases = [
        ("as set", ScrapeInterval::Fixed(at(10)), 10, 9, None),
        ("half longer", ScrapeInterval::Fixed(at(10)), 15, 9, None),
        ("more", ScrapeInterval::Fixed(at(10)), 16, 9, Some(16)),
        ("shorter", ScrapeInterval::Fixed(at(60)), 15, 9, None),
        ("unknown", ScrapeInterval::Fixed(at(10)), 60, 3, None),
        ("learned", ScrapeInterval::Learned, 60, 9, None),
        ("off", ScrapeInterval::Off, 60, 9, None),
    ];
    for (name, setting, interval, scrapes, expected) in cases {
        let mut gate = Gate::new(setting, &SavedGate::default());
        for number in 0..scrapes {
            record(&mut gate, 1, 0, interval * number);
        }
        let above = gate.interval_above_setting(ScraperId(1));
        assert_eq!(above, expected.map(at), "{name}");
        assert_eq!(gate.interval_above_setting(ScraperId(2)), None, "{name}");
    }
}
