//! The catalogue of all metric families: their names, help texts and labels.
//!
//! A new metric is a line in `families!` below. If it belongs to an account, it is a field of
//! [`AccountMetrics`](super::AccountMetrics) too, and a line in `account_families!`; if it does
//! not, it is a field of [`ProcessMetrics`](super::ProcessMetrics).

use Kind::{Counter, Gauge, Histogram};

/// The label that distinguishes accounts, on every series of an account if there are
/// several.
pub(crate) const ACCOUNT: &str = "account";

/// The type of a family, as Prometheus names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Never decreases, except to 0.
    Counter,
    /// Increases and decreases.
    Gauge,
    /// Counts observations in buckets.
    Histogram,
}

/// A metric family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family {
    /// The name of the samples; for a counter with `_total`.
    pub name: &'static str,
    /// The meaning of the values and, where that helps, what to do about them.
    pub help: &'static str,
    /// The type.
    pub kind: Kind,
    /// The label names, in the order in which they are shown.
    pub labels: &'static [&'static str],
}

macro_rules! families {
    ($($constant:ident: $kind:ident $name:literal [$($label:literal),*] $help:literal;)*) => {
        $(
            pub(crate) const $constant: Family = Family {
                name: $name,
                help: $help,
                kind: $kind,
                labels: &[$($label),*],
            };
        )*
        /// All families, except `process_*`, which the `prometheus` crate adds.
        pub const ALL: &[Family] = &[$($constant),*];
    };
}

families! {
    EVENTS: Counter "nexmo_audit_events_total" ["event_type", "source", "source_country"]
        "Audit events recorded by the API, each counted once. A new series is shown at 0 until every scraper has seen the 0: see nexmo_audit_pending_events.";
    EVENTS_BY_TYPE: Counter "nexmo_audit_events_by_type_total" ["event_type"]
        "Audit events by type alone; 0 from the start for every type that the API names or that is known.";
    EVENT_TYPE_INFO: Gauge "nexmo_audit_event_type_info" ["event_type", "description"]
        "The event types that the API names, each with its description; always 1.";
    UP: Gauge "nexmo_audit_up" []
        "1 if the last poll of the Audit API succeeded, and while nexmo_audit_catching_up is 1; 0 otherwise, and while the disk does not answer.";
    CATCHING_UP: Gauge "nexmo_audit_catching_up" []
        "1 while history or an outage is read piece by piece and nexmo_audit_watermark_timestamp_seconds moves, 0 otherwise.";
    POLL_DURATION: Histogram "nexmo_audit_poll_duration_seconds" []
        "How long polls of all accounts took, including polls that failed.";
    POLL_FAILURES: Counter "nexmo_audit_poll_failures_total" ["reason"]
        "Polls that failed, by reason: auth, rate_limited, status, timeout, transport or body.";
    LAST_POLL_SUCCESS: Gauge "nexmo_audit_last_poll_success_timestamp_seconds" []
        "When a poll last succeeded; absent until the first success.";
    WATERMARK: Gauge "nexmo_audit_watermark_timestamp_seconds" []
        "All events that were created up to this time, and that the API has shown, are counted.";
    NEWEST_EVENT: Gauge "nexmo_audit_newest_event_timestamp_seconds" []
        "When the newest counted event was created.";
    LAST_EVENT_OBSERVED: Gauge "nexmo_audit_last_event_observed_timestamp_seconds" []
        "When an event was last counted.";
    INGEST_LAG: Histogram "nexmo_audit_ingest_lag_seconds" []
        "Time from the creation of an event until it was counted, by the clock of the API, for all accounts.";
    API_REQUESTS: Counter "nexmo_audit_api_requests_total" ["operation", "code"]
        "Requests to the Audit API by HTTP status; code is timeout or transport if no complete response arrived.";
    API_REQUEST_DURATION: Histogram "nexmo_audit_api_request_duration_seconds" ["operation"]
        "How long requests to the Audit API took, including the body of the response, for all accounts.";
    DUPLICATE_EVENTS: Counter "nexmo_audit_duplicate_events_total" []
        "Events that were read again and not counted again; polls overlap, so this rises by design.";
    MALFORMED_EVENTS: Counter "nexmo_audit_malformed_events_total" []
        "Elements of the event list that have no id; they are not counted as events.";
    LATE_EVENTS: Counter "nexmo_audit_late_events_total" []
        "Events that appeared late: created more than --poll.lookback before the watermark of the poll that counted them. What an outage delayed is not late.";
    OVERFLOW_EVENTS: Counter "nexmo_audit_overflow_events_total" []
        "Events that were counted under other because the series cap was reached; to avoid that, raise --metrics.max-series.";
    PENDING_EVENTS: Gauge "nexmo_audit_pending_events" []
        "Events that are counted and stored, but not shown yet: see nexmo_audit_publish_hold_seconds.";
    GATE_TIMEOUTS: Counter "nexmo_audit_gate_timeouts_total" []
        "Events that were shown because they had waited as long as may be, before every scraper was known to have seen the value before them: their increase may be invisible to a scraper.";
    PUBLISH_HOLD: Gauge "nexmo_audit_publish_hold_seconds" []
        "How long a new series stays at its first value, so that every scraper sees its increase. So does every series after a start or a gap between scrapes. 0 until the first scrape.";
    RECONCILE_MISSING: Gauge "nexmo_audit_reconcile_missing_events" []
        "How many events the API has and did not show, in the last poll or the last deep poll, whichever is more.";
    STORAGE_FAILURES: Counter "nexmo_audit_storage_failures_total" []
        "Commits that could not be stored, and each 10 seconds in which a commit waited for the disk; the counts of earlier commits are still shown.";
    EVENT_LOG_PENDING_LINES: Gauge "nexmo_audit_event_log_pending_lines" []
        "Lines of the event log that are stored and not written yet; only with --events.log.";
    EVENT_LOG_FAILURES: Counter "nexmo_audit_event_log_failures_total" []
        "Times that the event log could not be written or hung; its lines wait, and writing is tried again. Also lines that were lost because too many waited. Only with --events.log.";
    RELOAD_SUCCESSFUL: Gauge "nexmo_audit_config_last_reload_successful" []
        "1 if the last reload of the configuration succeeded, 0 if it failed: see the log.";
    RELOAD_SUCCESS: Gauge "nexmo_audit_config_last_reload_success_timestamp_seconds" []
        "When the configuration was last loaded successfully.";
    BUILD_INFO: Gauge "nexmo_audit_exporter_build_info" ["version", "revision", "rustversion"]
        "The version and revision of the exporter, and the version of Rust that built it; always 1.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_to_the_conventions() {
        for family in ALL {
            assert!(family.name.starts_with("nexmo_audit_"), "{}", family.name);
            assert_eq!(
                family.kind == Counter,
                family.name.ends_with("_total"),
                "{}",
                family.name
            );
            assert!(family.help.ends_with('.'), "{}", family.name);
            assert!(!family.labels.contains(&"le"), "{}", family.name);
        }
    }

    #[test]
    fn no_label_bears_personal_data() {
        for family in ALL {
            for forbidden in [
                "id",
                "user",
                "user_id",
                "user_email",
                "source_ip",
                "context",
            ] {
                assert!(!family.labels.contains(&forbidden), "{}", family.name);
            }
        }
    }
}
