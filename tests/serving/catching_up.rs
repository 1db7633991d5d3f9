//! An exporter that reads history or an outage from a slow API: metrics, probes and the
//! landing page agree that nothing fails.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use test_support::eventually::eventually;
use test_support::exporter::{Exporter, is};
use test_support::program::{Simulator, command};

const UP: &str = "nexmo_audit_up";
const CATCHING_UP: &str = "nexmo_audit_catching_up";
const WATERMARK: &str = "nexmo_audit_watermark_timestamp_seconds";
/// The time from one piece to the next, on a busy machine.
const PIECE: Duration = Duration::from_mins(1);

/// An API that answers slowly, and shows so few events of one query that the history takes
/// dozens of pieces.
fn slow_api() -> Simulator {
    let settings = [
        "--history-span=48h",
        "--latency=100ms",
        "--limit-total=1000",
        "--steady",
    ];
    Simulator::start_with(20_000, &settings)
}

fn exporter(api: &Simulator, state: &TempDir) -> Exporter {
    let storage = format!("--storage.path={}", state.path().display());
    let settings = ["--poll.start=48h", "--api.timeout=5s", &storage];
    Exporter::started_by(&mut command(), &api.base_url(), &settings)
}

/// Waits until the watermark has moved since it was `before`, and returns it.
fn watermark_after(exporter: &Exporter, before: f64) -> f64 {
    eventually("a later watermark", PIECE, || {
        let watermark = exporter.value(WATERMARK, &[]);
        let moved = watermark > before;
        moved
            .then_some(watermark)
            .ok_or_else(|| exporter.program.log())
    })
}

/// Checks that the exporter says everywhere that it catches up, and how far it has got.
fn catches_up(exporter: &Exporter, watermark: f64) {
    let shown = [UP, CATCHING_UP].map(|name| exporter.value(name, &[]));
    assert!(shown.map(is(1.0)).iter().all(|up| *up), "{shown:?}");
    assert_eq!(exporter.status("/-/ready"), 200);
    assert_eq!(exporter.status("/-/healthy"), 200);
    let page = exporter.page("/");
    let up_to = page
        .split_once("Everything from ")
        .and_then(|(_, rest)| rest.split_once(" up to "))
        .and_then(|(_, rest)| rest.split_once(" is counted"))
        .unwrap_or_else(|| panic!("{page}"))
        .0;
    let up_to: Timestamp = up_to.parse().expect("a time");
    let shown = Timestamp::from_duration(SignedDuration::from_secs_f64(watermark));
    let shown = shown.expect("a time");
    // The page shows whole seconds.
    assert!(
        up_to + SignedDuration::from_secs(1) >= shown,
        "{up_to} {shown}"
    );
    assert!(!page.contains("failing"), "{page}");
    for said in [
        "<progress",
        "% is read",
        "nothing of it is shown before its end",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
}

#[test]
fn reading_history_is_no_failure() {
    let (api, state) = (slow_api(), tempfile::tempdir().expect("a folder"));
    let exporter = exporter(&api, &state);
    let mut watermark = 0.0;
    for _ in 0..3 {
        watermark = watermark_after(&exporter, watermark);
        catches_up(&exporter, watermark);
    }
    eventually("the end of the history", PIECE, || {
        let has_ended = is(0.0)(exporter.value(CATCHING_UP, &[]));
        has_ended
            .then_some(())
            .ok_or_else(|| exporter.program.log())
    });
    exporter.wait_until_up();
    assert!(exporter.page("/").contains("Polls of the Audit API: ok."));
}

#[test]
fn an_api_that_fails_half_way_is_a_failure_since_then() {
    let (api, state) = (slow_api(), tempfile::tempdir().expect("a folder"));
    let exporter = exporter(&api, &state);
    let watermark = watermark_after(&exporter, 0.0);
    catches_up(&exporter, watermark);
    drop(api);
    exporter.wait_for(UP, &[], is(0.0));
    assert!(is(0.0)(exporter.value(CATCHING_UP, &[])));
    let page = exporter.page("/");
    assert!(
        page.contains("Polls of the Audit API: failing for"),
        "{page}"
    );
    assert!(!page.contains("catching up"), "{page}");
}

#[test]
fn reading_an_outage_after_a_restart_is_no_failure() {
    let (api, state) = (slow_api(), tempfile::tempdir().expect("a folder"));
    let first = exporter(&api, &state);
    let watermark = watermark_after(&first, 0.0);
    first.program.signal("KILL");
    drop(first);
    let second = exporter(&api, &state);
    let watermark = watermark_after(&second, watermark);
    catches_up(&second, watermark);
}
