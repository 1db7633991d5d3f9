use super::*;
use crate::{
    event::EventId,
    gate::{SavedGate, Scrape, ScrapeInterval, ScraperId},
};

const HOLD: u64 = 40;

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A family, the gate, and the generation that is shown.
struct Shown {
    series: Series<&'static str>,
    gate: Gate,
    generation: u64,
    /// The number of events that the gate let through because of a bound.
    timed_out: u64,
}

impl Shown {
    fn new() -> Self {
        let interval = ScrapeInterval::Fixed(at(15));
        Self {
            series: Series::new(),
            gate: Gate::new(interval, &SavedGate::default()),
            generation: 0,
            timed_out: 0,
        }
    }

    fn count(&mut self, name: &'static str, history: bool) {
        let place = self.series.open(name);
        self.series.count(place, history, None);
    }

    fn commit(&mut self, now: u64) {
        let changes = self.series.changes(&self.gate, at(now));
        self.series.confirm(&changes);
        self.timed_out += changes.iter().map(|change| change.timed_out).sum::<u64>();
        self.generation += 1;
        self.series.shown(self.generation);
    }

    fn scrape(&mut self, now: u64) {
        self.scrape_by(1, now);
    }

    fn scrape_by(&mut self, scraper: u64, now: u64) {
        let scrape = Scrape {
            scraper: ScraperId(scraper),
            product: 7,
            target: 0,
            connection: scraper,
            timeout: Duration::ZERO,
        };
        self.gate.announce(scrape.scraper, at(now));
        let saved = self.gate.saved(at(now));
        self.gate.confirm(&saved);
        self.gate.record_scrape(scrape, self.generation, at(now));
    }

    fn published(&self, name: &str) -> Option<u64> {
        let mut all = self.series.iter();
        all.find(|(key, _)| **key == name)
            .map(|(_, saved)| saved.published)
    }

    /// Goes on as a process that has restored what was stored at `now`, `away` seconds
    /// later.
    fn restart(&mut self, now: u64, away: u64) {
        let mut series = Series::new();
        for (key, saved) in self.series.iter() {
            series.restore(*key, saved, None);
        }
        let saved = SavedGate {
            away: at(away),
            ..self.gate.saved(at(now))
        };
        *self = Self {
            series,
            gate: Gate::new(ScrapeInterval::Fixed(at(15)), &saved),
            ..Self::new()
        };
    }
}

#[test]
fn before_the_first_scraper_everything_is_shown_at_once() {
    let mut shown = Shown::new();
    shown.count("a", false);
    assert_eq!(shown.published("a"), Some(0));
    shown.commit(1);
    assert_eq!(shown.published("a"), Some(1));
    // The counter is still new to the first scraper, and rises only once that has seen it.
    shown.scrape(2);
    shown.count("a", false);
    shown.commit(3);
    assert_eq!(shown.published("a"), Some(1));
}

#[test]
fn a_new_series_stays_at_0_until_a_hold_after_that_was_first_served() {
    let mut shown = Shown::new();
    for time in [0, 15, 30, 45] {
        shown.scrape(time);
        shown.commit(time + 1);
    }
    shown.count("a", false);
    shown.commit(50);
    shown.count("a", false);
    for (now, published) in [(60, 0), (75, 0), (90, 0), (99, 0), (100, 2), (105, 2)] {
        if now % 15 == 0 {
            shown.scrape(now);
        }
        shown.commit(now);
        assert_eq!(shown.published("a"), Some(published), "{now}");
    }
    // From then on the counter rises with each commit.
    shown.count("a", false);
    shown.commit(106);
    assert_eq!(shown.published("a"), Some(3));
}

#[test]
fn everything_stands_still_after_a_restart() {
    let mut shown = Shown::new();
    for time in (0..=90).step_by(15) {
        shown.scrape(time);
        shown.commit(time + 1);
        if time == 0 {
            shown.count("seen", false);
        }
    }
    assert_eq!(shown.published("seen"), Some(1));
    shown.count("new", false);
    shown.commit(92);
    shown.restart(92, 0);
    shown.count("seen", false);
    for (now, seen, new) in [
        (0, 1, 0),
        (500, 1, 0),
        (515, 1, 0),
        (530, 1, 0),
        (545, 2, 1),
    ] {
        shown.commit(now);
        if now > 0 {
            shown.scrape(now);
        }
        shown.commit(now);
        let published = (shown.published("seen"), shown.published("new"));
        assert_eq!(published, (Some(seen), Some(new)), "{now}");
    }
}

#[test]
fn history_is_shown_at_once_and_news_beside_it_waits() {
    let mut shown = Shown::new();
    shown.scrape(0);
    shown.count("a", true);
    shown.count("a", false);
    shown.commit(1);
    assert_eq!(shown.published("a"), Some(1));
    assert_eq!(shown.series.pending(), 1);
}

#[test]
fn nothing_is_left_to_do_once_everything_is_seen() {
    let mut shown = Shown::new();
    shown.count("a", false);
    assert!(!shown.series.is_settled());
    for now in (0..=2 * HOLD).step_by(10) {
        shown.commit(now);
        // The event is shown at once, and the counter is still to be seen.
        assert_eq!(shown.published("a"), Some(1));
        assert_eq!(shown.series.is_settled(), now >= HOLD, "{now}");
        shown.scrape(now);
    }
    shown.commit(3 * HOLD);
    assert!(
        shown
            .series
            .iter()
            .all(|(_, saved)| saved.first_value == FirstValue::Seen)
    );
    assert!(shown.series.is_settled());
    assert!(shown.series.changes(&shown.gate, at(3 * HOLD)).is_empty());
}

#[test]
fn a_commit_that_failed_is_made_again_with_all_that_it_held() {
    let mut shown = Shown::new();
    shown.count("a", false);
    let failed = shown.series.changes(&shown.gate, at(0));
    assert_eq!(failed.len(), 1);
    shown.count("a", false);
    let again = shown.series.changes(&shown.gate, at(1));
    assert_eq!(again[0].saved.total, 2);
    assert_eq!(shown.published("a"), Some(0));
}

#[test]
fn the_newest_event_is_the_exemplar_once_every_event_is_shown() {
    let event = |name: &str, seconds| {
        let created_at = jiff::Timestamp::from_second(seconds).expect("a time");
        Exemplar::new(EventId::from_text(name), Some(name), created_at)
    };
    let mut shown = Shown::new();
    let place = shown.series.open("a");
    let cases = [
        (event("first", 10), "first"),
        (event("older", 9), "first"),
        (None, "first"),
        (event("of the same time", 10), "of the same time"),
        (event("newer", 11), "newer"),
    ];
    for (counted, expected) in cases {
        shown.series.count(place, false, counted);
        assert_eq!(shown.series.all()[0].shown_exemplar(), None);
        // Nobody scrapes, so that everything is shown at once.
        shown.commit(1);
        let all = shown.series.all();
        let exemplar = all[0].shown_exemplar().map(Exemplar::event_id);
        assert_eq!(exemplar.as_deref(), Some(expected));
    }
}

#[test]
fn no_crash_loop_makes_a_series_silent() {
    let mut shown = Shown::new();
    for time in (0..=90).step_by(15) {
        shown.scrape(time);
        shown.commit(time);
        if time == 0 {
            shown.count("seen", false);
        }
    }
    // Each process lives for 30 s, in which it is scraped twice.
    shown.restart(90, 1);
    shown.count("seen", false);
    shown.count("new", false);
    let mut waited = 0;
    let mut shown_after = [None, None];
    let mut timed_out = 0;
    while waited < 900 {
        for now in [0, 15] {
            shown.scrape(now);
            shown.commit(now);
            let published = [shown.published("seen"), shown.published("new")];
            for ((after, published), value) in shown_after.iter_mut().zip(published).zip([2, 1]) {
                if published == Some(value) {
                    after.get_or_insert(waited + now);
                }
            }
        }
        timed_out += shown.timed_out;
        shown.restart(29, 1);
        waited += 30;
    }
    // Two holds, and ten minutes.
    assert_eq!(shown_after, [Some(90), Some(600)]);
    assert_eq!(timed_out, 2);
    // No event waits again in a series that was let through, though it may be missed until
    // the series was served for a hold.
    for now in (0..=75).step_by(15) {
        shown.scrape(now);
        if [45, 75].contains(&now) {
            shown.count("new", false);
        }
        shown.commit(now);
        assert_eq!(shown.series.pending(), 0);
        assert_eq!(shown.timed_out, u64::from(now >= 45), "{now}");
    }
}

/// Returns a ledger and a gate that runs, which two servers have scraped until 60 s.
fn scraped_by_two_servers() -> Shown {
    let mut shown = Shown::new();
    for time in (0..=60).step_by(15) {
        shown.scrape(time);
        shown.scrape_by(2, time);
        shown.commit(time);
    }
    shown
}

#[test]
fn what_is_shown_without_a_server_that_stays_away_is_counted() {
    let mut shown = scraped_by_two_servers();
    // The other server leaves for good.
    shown.count("a", false);
    for time in (75..=675).step_by(15) {
        shown.scrape(time);
        shown.commit(time);
        let published = u64::from(time > 660);
        assert_eq!(shown.published("a"), Some(published), "{time}");
    }
    assert_eq!(shown.timed_out, 1);
    // It is not waited for again, and the next event is not counted as shown without it.
    shown.count("a", false);
    shown.commit(676);
    assert_eq!((shown.published("a"), shown.timed_out), (Some(2), 1));
    shown.count("b", false);
    for time in (690..=750).step_by(15) {
        shown.scrape(time);
        shown.commit(time);
    }
    assert_eq!((shown.published("b"), shown.timed_out), (Some(1), 1));
}

#[test]
fn what_is_shown_without_a_server_is_counted_though_the_gate_stood_still_meanwhile() {
    let mut shown = scraped_by_two_servers();
    // The first server sees the new series, both leave, and only the first comes back. The
    // gate gives the other one up before it runs again.
    shown.count("a", false);
    shown.commit(62);
    shown.scrape(62);
    for (time, published) in [(690, 0), (705, 0), (720, 0), (730, 1)] {
        shown.scrape(time);
        shown.commit(time);
        assert_eq!(shown.published("a"), Some(published), "{time}");
    }
    assert_eq!(shown.timed_out, 1);
}

/// A bound has let the first event through. A server that has not come yet misses what
/// follows, too, as long as it has no sample of the series.
#[test]
fn what_follows_an_event_that_was_let_through_is_counted_until_every_server_has_seen_the_series() {
    for restarts in [false, true] {
        let mut shown = scraped_by_two_servers();
        shown.count("a", false);
        shown.commit(62);
        shown.restart(62, 600);
        shown.commit(0);
        assert_eq!((shown.published("a"), shown.timed_out), (Some(1), 1));
        if restarts {
            shown.restart(0, 0);
            shown.timed_out = 1;
            shown.commit(0);
        }
        for time in (0..=45).step_by(15) {
            shown.scrape(time);
            shown.commit(time);
        }
        shown.count("a", false);
        shown.commit(46);
        assert_eq!((shown.published("a"), shown.timed_out), (Some(2), 2));
        for time in [50, 65, 80, 95] {
            shown.scrape(time);
            shown.scrape_by(2, time);
            shown.commit(time);
        }
        shown.count("a", false);
        shown.commit(96);
        assert_eq!((shown.published("a"), shown.timed_out), (Some(3), 2));
        assert!(shown.series.is_settled());
    }
}

#[test]
fn a_count_does_not_time_out_while_no_server_scrapes() {
    let mut shown = Shown::new();
    for time in (0..=90).step_by(15) {
        shown.scrape(time);
        shown.commit(time);
        if time == 0 {
            shown.count("a", false);
        }
    }
    // The count comes in a time of silence, and waits until a hold after its end.
    shown.commit(200);
    shown.count("a", false);
    for now in (200..=3600).step_by(100) {
        shown.commit(now);
        assert_eq!(shown.published("a"), Some(1), "{now}");
    }
    for (now, published) in [(3600, 1), (3615, 1), (3630, 1), (3645, 2)] {
        shown.scrape(now);
        shown.commit(now);
        assert_eq!(shown.published("a"), Some(published), "{now}");
    }
    assert_eq!(shown.timed_out, 0);
}
