use jiff::SignedDuration;

use super::*;
use crate::{
    gate::{SavedGate, ScrapeInterval},
    outbox::{Content, Written},
    window::{Clocks, WindowSettings},
};

const LOOKBACK: i64 = 900;
/// 2026-11-20T00:00:00Z
const START: i64 = 1_795_132_800;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(START + seconds).expect("a time within range")
}

fn account(max_series: usize) -> Account {
    let settings = WindowSettings {
        lookback: SignedDuration::from_secs(LOOKBACK),
        retention: SignedDuration::from_hours(25),
    };
    Account::new(settings, at(0), at(0), max_series)
}

fn count(account: &mut Account, events: &str, now: Timestamp) -> Tally {
    let text = format!(r#"{{"_embedded": {{"events": [{events}]}}}}"#);
    let page = Page::parse(&text, account.keep()).expect("a page");
    account.count(&page, now, Some(now))
}

fn total(account: &Account) -> u64 {
    account.ledger.series().map(|(_, saved)| saved.total).sum()
}

/// The lag of an event that is created and counted at these times.
fn lag(created_at: &str, now: Timestamp) -> f64 {
    let event = format!(r#"{{"id": "a", "created_at": "{created_at}"}}"#);
    let tally = count(&mut account(10), &event, now);
    assert_eq!(tally.lags.len(), 1, "{created_at}");
    tally.lags[0]
}

#[test]
fn a_page_of_everything() {
    let mut account = account(1);
    let events = r#"
        {"id": "a", "event_type": "A", "created_at": "2026-11-20T01:00:00"},
        {"id": "a", "event_type": "A", "created_at": "2026-11-20T01:00:00"},
        {"id": "b", "event_type": "A", "created_at": "2026-11-20T00:00:00"},
        {"id": "c", "event_type": "B", "created_at": "2026-11-20T00:59:30"},
        {"id": "d", "event_type": "A", "created_at": "2026-11-19T23:59:59"},
        {"event_type": "A"},
        {"event_type": "A"},
        null"#;
    let tally = count(&mut account, events, at(3600));
    let expected = Tally {
        lags: vec![0.0, 3600.0, 30.0],
        duplicates: 1,
        malformed: 2,
        late: 1,
        overflow: 1,
        before_floor: 1,
    };
    assert_eq!(tally, expected);
    assert_eq!(total(&account), 3);
}

#[test]
fn the_same_page_again_counts_nothing() {
    let mut account = account(10);
    let events = r#"{"id": "a", "created_at": "2026-11-20T00:10:00"}, {"id": "b"}, {"note": 1}"#;
    count(&mut account, events, at(700));
    let again = Tally {
        duplicates: 2,
        ..Tally::default()
    };
    assert_eq!(count(&mut account, events, at(730)), again);
    assert_eq!(total(&account), 2);
}

#[test]
fn an_empty_page_counts_nothing() {
    let mut account = account(10);
    assert_eq!(count(&mut account, "", at(30)), Tally::default());
    assert_eq!(account.window.remembered(), 0);
}

#[test]
fn an_id_is_one_event_however_it_is_written() {
    let mut account = account(10);
    let events = r#"
        {"id": "0E984725-C51C-4BF4-9960-E1C80E27ABA0", "event_type": "A"},
        {"id": "0e984725-c51c-4bf4-9960-e1c80e27aba0", "event_type": "B"},
        {"id": 7},
        {"id": "7"}"#;
    let tally = count(&mut account, events, at(30));
    assert_eq!((tally.lags.len(), tally.duplicates), (2, 2));
}

#[test]
fn a_lag_is_never_below_0() {
    let cases = [
        ("2026-11-20T00:00:10", 30, 20.0),
        ("2026-11-20T00:00:30", 30, 0.0),
        // Half a second, and a clock of the API that is an hour behind.
        ("2026-11-20T00:00:29.5", 30, 0.5),
        ("2026-11-20T01:00:00", 30, 0.0),
        ("9999-12-30T00:00:00", 30, 0.0),
        ("unreadable", 30, 0.0),
    ];
    for (created_at, now, expected) in cases {
        let seen = lag(created_at, at(now));
        assert!((seen - expected).abs() < 1e-9, "{created_at}: {seen}");
    }
}

#[test]
fn a_malformed_element_is_no_event() {
    let mut account = account(10);
    let tally = count(&mut account, r#"{"event_type": "A"}, 7"#, at(30));
    let expected = Tally {
        malformed: 2,
        ..Tally::default()
    };
    assert_eq!(tally, expected);
    assert_eq!((total(&account), account.window.remembered()), (0, 2));
}

#[test]
fn what_is_counted_is_handed_to_the_outbox_and_nothing_else() {
    let event = |id: &str, event_type: &str, created_at: &str| {
        format!(r#"{{"id": "{id}", "event_type": "{event_type}", "created_at": "{created_at}"}}"#)
    };
    let new = event("a", "A", "2026-11-20T00:00:10");
    let events = [
        new.as_str(),
        "7",
        &new,
        &event("b", "IGNORED", "2026-11-20T00:00:10"),
        &event("c", "A", "2026-11-19T23:59:59"),
        &event("d", "A", "2026-11-20T00:00:20"),
    ];
    let mut account = account(10);
    account.filter.except.insert("IGNORED".into());
    account.outbox = Outbox::new(Content::Everything, None, 0, Written::default());
    let tally = count(&mut account, &events.join(","), at(30));
    assert_eq!(tally.lags.len(), 2);
    let lines = account.outbox.lines().new;
    let lines: Vec<_> = lines
        .iter()
        .map(|line| (line.number, &*line.text))
        .collect();
    let expected = [
        (
            1,
            r#"{"id":"a","event_type":"A","created_at":"2026-11-20T00:00:10Z"}"#,
        ),
        (
            2,
            r#"{"id":"d","event_type":"A","created_at":"2026-11-20T00:00:20Z"}"#,
        ),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn raw_json_is_kept_only_for_an_event_log() {
    let mut account = account(10);
    assert_eq!(account.keep(), Keep::Parsed);
    account.outbox = Outbox::new(Content::Impersonal, None, 0, Written::default());
    assert_eq!(account.keep(), Keep::Raw);
}

/// A gate that permits everything.
fn open_gate() -> Gate {
    Gate::new(ScrapeInterval::Off, &SavedGate::default())
}

#[test]
fn a_commit_holds_everything_since_the_last_one_that_was_stored() {
    let mut account = account(10);
    account.outbox = Outbox::new(Content::Everything, None, 0, Written::default());
    let held = |account: &Account| {
        let commit = account.prepare(&open_gate(), Duration::ZERO);
        let totals: Vec<_> = commit
            .changes
            .series
            .iter()
            .map(|change| change.saved.total)
            .collect();
        (commit.ids.len(), totals, commit.lines.new.len())
    };
    assert_eq!(held(&account), (0, vec![], 0));
    count(&mut account, r#"{"id": "a"}, {"no": "id"}"#, at(30));
    assert_eq!(held(&account), (2, vec![1], 1));
    // That commit fails: the next one holds its content and more.
    count(&mut account, r#"{"id": "a"}, {"id": "b"}"#, at(60));
    assert_eq!(held(&account), (3, vec![2], 2));
    let commit = account.prepare(&open_gate(), Duration::ZERO);
    account.confirm(&commit);
    assert_eq!(held(&account), (0, vec![], 0));
    assert_eq!(account.ledger.pending(), 0);
}

/// A commit of which the process is told that it failed may be stored all the same.
#[test]
fn a_commit_takes_back_what_a_failed_commit_may_have_published() {
    let scraped = SavedGate {
        was_scraped: true,
        ..SavedGate::default()
    };
    let closed = Gate::new(ScrapeInterval::Learned, &scraped);
    let mut account = account(10);
    count(&mut account, r#"{"id": "a"}"#, at(30));
    let published = |account: &Account, gate: &Gate| {
        let commit = account.prepare(gate, Duration::ZERO);
        let Changes { series, types, .. } = &commit.changes;
        let series: Vec<_> = series.iter().map(|change| change.saved.published).collect();
        let types = types.iter().map(|change| change.saved.published).collect();
        (commit, [series, types])
    };
    let nothing: [Vec<u64>; 2] = [vec![], vec![]];
    account.confirm(&published(&account, &closed).0);
    assert_eq!(published(&account, &closed).1, nothing);
    let (failed, values) = published(&account, &open_gate());
    assert_eq!(values, [[1], [1]]);
    account.reject(&failed);
    let (commit, values) = published(&account, &closed);
    assert_eq!(values, [[0], [0]]);
    account.confirm(&commit);
    assert_eq!(published(&account, &closed).1, nothing);
}

#[test]
fn a_commit_has_the_progress_and_the_window_of_its_account() {
    let mut account = account(10);
    count(
        &mut account,
        r#"{"id": "a", "created_at": "2026-11-20T00:00:10"}"#,
        at(30),
    );
    let now = Clocks {
        api: at(40),
        local: at(50),
    };
    account.window.complete_sweep(now);
    account.stage.caught_up = true;
    let commit = account.prepare(&open_gate(), Duration::ZERO);
    let stage = Stage {
        start: at(0),
        began: at(0),
        caught_up: true,
    };
    let window = SavedWindow {
        floor: at(0),
        watermark: Some(at(40)),
        newest: Some(at(10)),
    };
    assert_eq!((commit.stage, commit.window), (stage, window));
}

#[test]
fn history_is_published_at_once_and_news_once_the_gate_permits() {
    let scraped = SavedGate {
        was_scraped: true,
        ..SavedGate::default()
    };
    let closed = Gate::new(ScrapeInterval::Learned, &scraped);
    let cases = [
        ("before the first start", "2026-11-20T00:59:59", false, 1),
        ("at the first start", "2026-11-20T01:00:00", false, 0),
        ("after the first start", "2026-11-20T01:00:01", false, 0),
        ("found late", "2026-11-20T00:59:59", true, 0),
    ];
    for (name, created_at, caught_up, published) in cases {
        let mut account = account(10);
        account.stage.began = at(3600);
        account.stage.caught_up = caught_up;
        let event = format!(r#"{{"id": "a", "created_at": "{created_at}"}}"#);
        count(&mut account, &event, at(3700));
        let changes = account.prepare(&closed, Duration::ZERO).changes;
        let saved = changes.series[0].saved;
        assert_eq!((saved.total, saved.published), (1, published), "{name}");
        assert_eq!(changes.types[0].saved, saved, "{name}");
    }
}

#[test]
fn a_type_that_is_added_later_is_counted_from_then_on() {
    let mut account = account(10);
    account.filter.except.insert("A".into());
    let first = r#"{"id": "a", "event_type": "A"}"#;
    assert_eq!(count(&mut account, first, at(30)), Tally::default());
    account.filter.except.clear();
    let both = r#"{"id": "a", "event_type": "A"}, {"id": "b", "event_type": "A"}"#;
    let tally = count(&mut account, both, at(60));
    assert_eq!((tally.lags.len(), tally.duplicates), (1, 1));
}
