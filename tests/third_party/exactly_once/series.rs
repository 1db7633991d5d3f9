//! The series that count events, by name and labels.

use std::fmt;

use serde_json::Value;

pub(crate) const EVENTS: &str = "nexmo_audit_events_total";
pub(crate) const EVENTS_BY_TYPE: &str = "nexmo_audit_events_by_type_total";

/// The labels that are compared, in the order in which they are written.
const LABELS: [&str; 3] = ["event_type", "source", "source_country"];

/// A series of events.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Series {
    pub(crate) metric: &'static str,
    labels: Vec<String>,
}

pub(crate) fn event(event_type: &str, source: &str, country: &str) -> Series {
    Series {
        metric: EVENTS,
        labels: [event_type, source, country].map(str::to_owned).to_vec(),
    }
}

pub(crate) fn event_type(event_type: &str) -> Series {
    Series {
        metric: EVENTS_BY_TYPE,
        labels: vec![event_type.to_owned()],
    }
}

impl Series {
    /// Returns the series of `metric` with the labels in an answer of a server.
    pub(crate) fn of_answer(metric: &'static str, labels: &Value) -> Self {
        let value = |label| labels[label].as_str().map(str::to_owned);
        Self {
            metric,
            labels: LABELS.into_iter().filter_map(value).collect(),
        }
    }
}

impl fmt::Display for Series {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels: Vec<_> = LABELS
            .iter()
            .zip(&self.labels)
            .map(|(name, value)| format!("{name}={value:?}"))
            .collect();
        write!(formatter, "{}{{{}}}", self.metric, labels.join(","))
    }
}
