use super::*;
use crate::{
    event::EventId,
    gate::{SavedGate, Scrape, ScrapeInterval, ScraperId},
};

fn labels<'a>(event_type: &'a str, source: &'a str, source_country: &'a str) -> Labels<'a> {
    Labels {
        event_type: event_type.into(),
        source: source.into(),
        source_country: source_country.into(),
    }
}

fn shown(ledger: &Ledger) -> Vec<(String, u64)> {
    let name = |labels: &Labels| {
        format!(
            "{} {} {}",
            labels.event_type, labels.source, labels.source_country
        )
    };
    let series = ledger.series();
    series
        .map(|(labels, saved)| (name(&labels), saved.total))
        .collect()
}

fn series(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
    let own = |(name, total): &(&str, u64)| ((*name).to_owned(), *total);
    expected.iter().map(own).collect()
}

fn types(ledger: &Ledger) -> Vec<(&str, u64)> {
    ledger
        .types()
        .map(|(name, saved)| (name, saved.total))
        .collect()
}

#[test]
fn one_series_for_each_combination_of_labels() {
    let mut ledger = Ledger::new(10);
    for (event_type, source, country) in [
        ("A", "CD", "GB"),
        ("A", "CD", "SE"),
        ("B", "CD", "GB"),
        ("A", "CD", "GB"),
        ("a", "CD", "GB"),
        ("A", "DEVAPI", "GB"),
    ] {
        let counted = ledger.count(&labels(event_type, source, country), Age::News, None);
        assert_eq!(counted, Counted::Own);
    }
    let expected = series(&[
        ("A CD GB", 2),
        ("A CD SE", 1),
        ("B CD GB", 1),
        ("a CD GB", 1),
        ("A DEVAPI GB", 1),
    ]);
    assert_eq!(shown(&ledger), expected);
    assert_eq!(types(&ledger), [("A", 4), ("B", 1), ("a", 1)]);
}

#[test]
fn beyond_the_cap_new_combinations_are_counted_under_other() {
    let mut ledger = Ledger::new(2);
    let cases = [
        ("A", Counted::Own),
        ("B", Counted::Own),
        ("C", Counted::Overflow),
        ("D", Counted::Overflow),
        ("A", Counted::Own),
        ("C", Counted::Overflow),
    ];
    for (event_type, expected) in cases {
        let counted = ledger.count(&labels(event_type, "CD", "GB"), Age::News, None);
        assert_eq!(counted, expected, "{event_type}");
    }
    let expected = series(&[("A CD GB", 2), ("B CD GB", 1), ("other other other", 3)]);
    assert_eq!(shown(&ledger), expected);
    assert_eq!(types(&ledger), [("A", 2), ("B", 1), ("other", 3)]);
}

#[test]
fn a_cap_of_none_counts_all_under_other() {
    let mut ledger = Ledger::new(0);
    ledger.name_types(["A"]);
    let counted = ledger.count(&labels("A", "CD", "GB"), Age::News, None);
    assert_eq!(counted, Counted::Overflow);
    assert_eq!(shown(&ledger), series(&[("other other other", 1)]));
    assert_eq!(types(&ledger), [("other", 1)]);
}

#[test]
fn an_event_that_calls_itself_other_has_its_own_place_within_the_cap() {
    let mut ledger = Ledger::new(1);
    let other = labels(OTHER, OTHER, OTHER);
    assert_eq!(ledger.count(&other, Age::News, None), Counted::Own);
    assert_eq!(
        ledger.count(&labels("A", "CD", "GB"), Age::News, None),
        Counted::Overflow
    );
    assert_eq!(ledger.count(&other, Age::News, None), Counted::Own);
    assert_eq!(shown(&ledger), series(&[("other other other", 3)]));
}

#[test]
fn the_cap_on_series_does_not_take_a_type_its_own_place() {
    let mut ledger = Ledger::new(2);
    for country in ["GB", "SE", "DE", "FR"] {
        ledger.count(&labels("A", "CD", country), Age::News, None);
    }
    ledger.count(&labels("B", "CD", "GB"), Age::News, None);
    assert_eq!(types(&ledger), [("A", 4), ("B", 1)]);
    assert_eq!(
        shown(&ledger),
        series(&[("A CD GB", 1), ("A CD SE", 1), ("other other other", 3)])
    );
}

#[test]
fn named_types_start_at_0_and_are_never_set_back() {
    let mut ledger = Ledger::new(10);
    ledger.count(&labels("B", "CD", "GB"), Age::News, None);
    ledger.name_types(["A", "B", "A"]);
    ledger.name_types(["C"]);
    assert_eq!(types(&ledger), [("B", 1), ("A", 0), ("C", 0)]);
    ledger.count(&labels("A", "CD", "GB"), Age::News, None);
    ledger.name_types(["A", "B"]);
    assert_eq!(types(&ledger), [("B", 1), ("A", 1), ("C", 0)]);
    // A name is not an event, so it opens no series by labels.
    let expected = series(&[("B CD GB", 1), ("A CD GB", 1)]);
    assert_eq!(shown(&ledger), expected);
}

#[test]
fn named_types_beyond_the_cap_have_no_series() {
    let mut ledger = Ledger::new(2);
    ledger.name_types(["A", "B", "C"]);
    ledger.count(&labels("C", "CD", "GB"), Age::News, None);
    assert_eq!(types(&ledger), [("A", 0), ("B", 0), ("other", 1)]);
}

#[test]
fn both_views_hold_every_event_whatever_the_cap() {
    for cap in 0..6 {
        let mut ledger = Ledger::new(cap);
        ledger.name_types(["A", "B"]);
        for event in 0..100_u32 {
            let event_type = format!("T{}", event % 4);
            let country = format!("{}", event % 3);
            ledger.count(&labels(&event_type, "CD", &country), Age::News, None);
        }
        let by_series: u64 = ledger.series().map(|(_, saved)| saved.total).sum();
        let by_type: u64 = ledger.types().map(|(_, saved)| saved.total).sum();
        assert_eq!((by_series, by_type), (100, 100), "cap {cap}");
        assert!(ledger.series().count() <= cap + 1, "cap {cap}");
        assert!(ledger.types().count() <= cap + 1, "cap {cap}");
    }
}

#[test]
fn a_restored_ledger_is_the_one_that_was_stored() {
    let mut ledger = Ledger::new(2);
    ledger.name_types(["A"]);
    for (event_type, age) in [
        ("A", Age::History),
        ("B", Age::News),
        ("C", Age::News),
        ("A", Age::News),
    ] {
        let id = EventId::from_text(event_type);
        let event = Exemplar::new(id, Some(event_type), jiff::Timestamp::UNIX_EPOCH);
        ledger.count(&labels(event_type, "CD", "GB"), age, event);
    }
    let all = ledger.all();
    let mut restored = Ledger::new(2);
    restored.reserve(all.series.len(), all.types.len());
    for change in &all.series {
        restored.restore_series(&change.key.labels(), change.saved, change.latest.clone());
    }
    for change in &all.types {
        restored.restore_type(&change.key, change.saved, change.latest.clone());
    }
    assert_eq!(restored.all(), all);
    assert_eq!(restored.pending(), ledger.pending());
    let again = [&mut ledger, &mut restored].map(|ledger| {
        let counted = ledger.count(&labels("D", "CD", "GB"), Age::News, None);
        (counted, ledger.all())
    });
    assert_eq!(again[0], again[1]);
}

#[test]
fn a_change_is_made_again_until_it_is_stored() {
    let open = Gate::new(ScrapeInterval::Off, &SavedGate::default());
    let mut ledger = Ledger::new(10);
    assert!(ledger.is_settled());
    assert!(ledger.changes(&open, Duration::ZERO).is_empty());
    ledger.count(&labels("A", "CD", "GB"), Age::News, None);
    assert_eq!((ledger.is_settled(), ledger.pending()), (false, 1));
    let changes = ledger.changes(&open, Duration::ZERO);
    assert_eq!((changes.series.len(), changes.types.len()), (1, 1));
    assert_eq!(ledger.changes(&open, Duration::ZERO), changes);
    ledger.confirm(&changes);
    assert!(ledger.changes(&open, Duration::ZERO).is_empty());
    assert_eq!(ledger.pending(), 0);
}

#[test]
fn a_restored_counter_is_settled_if_it_was_seen_and_all_of_it_is_shown() {
    for (published, first_value, settled) in [
        (2, FirstValue::Seen, true),
        (2, FirstValue::Overruled, false),
        (2, FirstValue::Unseen, false),
        (1, FirstValue::Seen, false),
        (1, FirstValue::Unseen, false),
    ] {
        let saved = SavedCounter {
            total: 2,
            published,
            first_value,
            waits_since: None,
        };
        let mut ledger = Ledger::new(10);
        ledger.restore_type("A", saved, None);
        assert_eq!(ledger.is_settled(), settled, "{saved:?}");
        ledger.restore_type("B", SavedCounter::default(), None);
        assert!(!ledger.is_settled());
    }
}

#[test]
fn a_type_that_was_only_named_is_stored_too() {
    let open = Gate::new(ScrapeInterval::Off, &SavedGate::default());
    let mut ledger = Ledger::new(10);
    ledger.name_types(["A"]);
    assert!(!ledger.is_settled());
    let changes = ledger.changes(&open, Duration::ZERO);
    assert!(!changes.is_empty());
    assert_eq!((changes.series.len(), changes.types.len()), (0, 1));
}

/// A gate, and the time up to which one server has scraped.
struct Served {
    gate: Gate,
    now: u64,
}

impl Served {
    fn new() -> Self {
        let interval = ScrapeInterval::Fixed(Duration::from_secs(15));
        let gate = Gate::new(interval, &SavedGate::default());
        Self { gate, now: 0 }
    }

    fn now(&self) -> Duration {
        Duration::from_secs(self.now)
    }

    /// Serves `generation` every 15 s, for so many scrapes.
    fn scrapes(&mut self, count: u64, generation: u64) {
        for _ in 0..count {
            self.now += 15;
            let scrape = Scrape {
                scraper: ScraperId(1),
                product: 7,
                target: 0,
                connection: 1,
                timeout: Duration::ZERO,
            };
            self.gate.record_scrape(scrape, generation, self.now());
        }
    }

    fn commit(&self, ledger: &mut Ledger) {
        let changes = ledger.changes(&self.gate, self.now());
        ledger.confirm(&changes);
    }
}

fn published(ledger: &Ledger) -> [Vec<u64>; 2] {
    let series = ledger.series().map(|(_, saved)| saved.published);
    let types = ledger.types().map(|(_, saved)| saved.published);
    [series.collect(), types.collect()]
}

#[test]
fn an_event_is_shown_once_its_series_was_served_for_a_hold() {
    let mut served = Served::new();
    served.scrapes(5, 0);
    let mut ledger = Ledger::new(10);
    ledger.count(&labels("A", "CD", "GB"), Age::News, None);
    served.commit(&mut ledger);
    ledger.shown(1);
    for (scrapes, expected) in [(1, 0), (2, 0), (1, 1)] {
        served.scrapes(scrapes, 1);
        served.commit(&mut ledger);
        let now = served.now;
        assert_eq!(published(&ledger), [[expected], [expected]], "{now}");
    }
    assert_eq!((ledger.gate_timeouts(), ledger.is_settled()), (0, true));
}

#[test]
fn events_that_a_bound_lets_through_are_added_to_those_that_were_stored() {
    let mut served = Served::new();
    served.scrapes(5, 0);
    let mut ledger = Ledger::new(10);
    ledger.restore_gate_timeouts(5);
    assert_eq!((ledger.gate_timeouts(), ledger.all().gate_timeouts), (5, 5));
    // Two events in two series of one type.
    for country in ["GB", "SE"] {
        ledger.count(&labels("A", "CD", country), Age::News, None);
    }
    served.commit(&mut ledger);
    served.scrapes(39, 0);
    served.commit(&mut ledger);
    assert_eq!((ledger.gate_timeouts(), ledger.pending()), (5, 2));
    served.scrapes(1, 0);
    let changes = ledger.changes(&served.gate, served.now());
    assert_eq!((changes.gate_timeouts, ledger.gate_timeouts()), (7, 5));
    ledger.confirm(&changes);
    assert_eq!((ledger.gate_timeouts(), ledger.pending()), (7, 0));
    // Each event is counted once, the next one too while no server has seen the series.
    ledger.count(&labels("A", "CD", "GB"), Age::News, None);
    for _ in 0..2 {
        served.commit(&mut ledger);
        assert_eq!((ledger.gate_timeouts(), ledger.pending()), (8, 0));
    }
}

/// Returns the events of the exemplars that are shown of types and of series.
fn exemplars(ledger: &Ledger) -> Vec<String> {
    let Changes { series, types, .. } = ledger.all();
    let types = types.iter().filter_map(Change::shown_exemplar);
    let series = series.iter().filter_map(Change::shown_exemplar);
    let ids = types.chain(series).map(|exemplar| exemplar.event_id());
    ids.map(Into::into).collect()
}

fn event(name: &str, created_at: i64) -> Option<Exemplar> {
    let created_at = Timestamp::from_second(created_at).expect("a time");
    Exemplar::new(EventId::from_text(name), Some(name), created_at)
}

#[test]
fn an_exemplar_is_shown_for_ten_minutes_or_five_scrape_intervals() {
    let minutes = Duration::from_mins;
    for (interval, end) in [
        (ScrapeInterval::Off, 12),
        (ScrapeInterval::Learned, 12),
        (ScrapeInterval::Fixed(Duration::from_secs(15)), 12),
        (ScrapeInterval::Fixed(minutes(4)), 22),
    ] {
        let gate = Gate::new(interval, &SavedGate::default());
        let mut ledger = Ledger::new(10);
        let count = |ledger: &mut Ledger, name, created_at, now| {
            let labels = labels("A", "CD", "GB");
            ledger.count(&labels, Age::News, event(name, created_at));
            let changes = ledger.changes(&gate, now);
            ledger.confirm(&changes);
        };
        assert_eq!(ledger.exemplar_end(), None);
        // It is shown from one minute and a half on, and the end is a whole minute.
        count(&mut ledger, "first", 2000, Duration::from_secs(90));
        assert_eq!(ledger.exemplar_end(), Some(minutes(end)), "{interval:?}");
        // An event that was created earlier and one without an exemplar are not shown, and the
        // shown one ends when it would.
        count(&mut ledger, "earlier", 1000, minutes(5));
        ledger.count(&labels("A", "CD", "GB"), Age::News, None);
        ledger.confirm(&ledger.changes(&gate, minutes(6)));
        let before = minutes(end).saturating_sub(Duration::from_nanos(1));
        assert_eq!(ledger.end_exemplars(before), EndedExemplars::default());
        assert_eq!(exemplars(&ledger), ["first", "first"]);
        let ended = ledger.end_exemplars(minutes(end));
        assert_eq!((ended.types.len(), ended.series.len()), (1, 1));
        assert_eq!(exemplars(&ledger), [""; 0]);
        assert_eq!(ledger.exemplar_end(), None);
        // What is over stays over, until an event comes that is newer.
        count(&mut ledger, "earlier", 1500, minutes(30));
        assert_eq!(exemplars(&ledger), [""; 0]);
        count(&mut ledger, "second", 2000, minutes(31));
        assert_eq!(exemplars(&ledger), ["second", "second"]);
        assert_eq!(ledger.exemplar_end(), Some(minutes(29 + end)));
    }
}

#[test]
fn the_time_of_an_exemplar_begins_when_its_event_is_shown() {
    let mut served = Served::new();
    let mut ledger = Ledger::new(10);
    ledger.name_types(["A"]);
    served.commit(&mut ledger);
    ledger.count(&labels("A", "CD", "GB"), Age::News, event("held", 0));
    served.scrapes(1, 1);
    served.commit(&mut ledger);
    assert_eq!((ledger.pending(), ledger.exemplar_end()), (1, None));
    ledger.shown(1);
    served.scrapes(20, 2);
    served.commit(&mut ledger);
    assert_eq!(ledger.pending(), 0);
    let end = ledger.exemplar_end().expect("an end");
    let shown_for = end.saturating_sub(served.now());
    assert!(shown_for >= Duration::from_mins(10) && shown_for < Duration::from_mins(11));
}

#[test]
fn a_restored_exemplar_is_shown_as_if_since_its_event_was_created() {
    let gate = Gate::new(ScrapeInterval::Off, &SavedGate::default());
    let local = Timestamp::from_second(100_000).expect("a time");
    let second = Duration::from_secs;
    for (age, end) in [
        (0, Some(second(660))),
        (300, Some(second(360))),
        (600, Some(second(60))),
        (601, None),
        // The clock was set back.
        (-50, Some(second(660))),
    ] {
        let mut ledger = Ledger::new(10);
        let saved = SavedCounter {
            total: 1,
            published: 1,
            first_value: FirstValue::Seen,
            waits_since: None,
        };
        let waiting = SavedCounter { total: 2, ..saved };
        let latest = event("a", 100_000 - age);
        ledger.restore_series(&labels("A", "CD", "GB"), saved, latest.clone());
        // One that waits is shown only with its event.
        ledger.restore_type("A", waiting, latest);
        ledger.restore_exemplars(&gate, local, second(7));
        assert_eq!(ledger.exemplar_end(), end, "{age}");
        assert_eq!(exemplars(&ledger).len(), usize::from(end.is_some()));
    }
}
