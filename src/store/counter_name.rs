//! The names of counters in messages, which are those of their series in metrics.

use audit_core::event::Labels;

/// Returns the name of a counter of `nexmo_audit_events_total`. Characters that cannot be
/// printed are escaped.
pub(crate) fn of_series(labels: &Labels<'_>) -> String {
    let Labels {
        event_type,
        source,
        source_country,
    } = labels;
    format!(
        "nexmo_audit_events_total{{event_type={event_type:?},source={source:?},source_country={source_country:?}}}"
    )
}

/// Returns the name of a counter of `nexmo_audit_events_by_type_total`.
pub(crate) fn of_type(event_type: &str) -> String {
    format!("nexmo_audit_events_by_type_total{{event_type={event_type:?}}}")
}

/// Returns the name of the counter of gate timeouts.
pub(crate) fn of_timeouts() -> String {
    "nexmo_audit_gate_timeouts_total".to_owned()
}
