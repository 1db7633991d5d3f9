//! The limit on the number of series in which events are counted.

use test_support::audit_event::event;
use test_support::exporter::{Exporter, is};
use test_support::exposition;
use test_support::scripted_api::{ScriptedApi, healthy};

const EVENTS: &str = "nexmo_audit_events_total";

#[test]
fn more_label_combinations_than_the_cap_are_counted_under_other() {
    let many: Vec<_> = (0..5)
        .map(|n| event(&format!("e{n}"), &format!("T{n}")))
        .collect();
    let api = ScriptedApi::start(healthy(many));
    let exporter = Exporter::polling_with(&api, &["--metrics.max-series=3"]);
    exporter.wait_until_up();
    exporter.wait_for_polls(1);
    let other = ["event_type", "source", "source_country"].map(|label| (label, "other"));
    assert!(is(2.0)(exporter.value(EVENTS, &other)));
    assert!(is(2.0)(
        exporter.value("nexmo_audit_overflow_events_total", &[])
    ));
    let series = exposition::samples(&exporter.page("/metrics"));
    assert_eq!(
        series.iter().filter(|sample| sample.name == EVENTS).count(),
        4
    );
}
