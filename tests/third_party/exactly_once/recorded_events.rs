//! The events that the API recorded, by series.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use test_support::http::HttpClient;

use super::series::{self, Series};

/// A page number above that of any run.
const MOST_PAGES: u64 = 10_000;

/// The number of events that each series has to show.
pub(crate) type RecordedEvents = BTreeMap<Series, u64>;

/// Reads the list, and counts the events that were created from `floor` on, a time as the
/// API writes it.
pub(crate) fn recorded(
    http: &HttpClient,
    base_url: &str,
    floor: &str,
) -> Result<RecordedEvents, String> {
    Ok(counted(&list(http, base_url, "")?, floor))
}

/// Counts the events that were created from `floor` on.
pub(crate) fn counted(events: &[Value], floor: &str) -> RecordedEvents {
    let mut truth = RecordedEvents::new();
    for event in events.iter().filter(|event| is_counted(event, floor)) {
        for series in series_of(event) {
            *truth.entry(series).or_default() += 1;
        }
    }
    truth
}

/// Returns `true` if an event was created at `floor` or later.
pub(crate) fn is_counted(event: &Value, floor: &str) -> bool {
    let created_at = event["created_at"].as_str().unwrap_or_default();
    seconds_of(created_at) >= seconds_of(floor)
}

/// Returns the series that count an event.
pub(crate) fn series_of(event: &Value) -> [Series; 2] {
    let [event_type, source, country] = ["event_type", "source", "source_country"]
        .map(|label| event[label].as_str().unwrap_or("unknown"));
    [
        series::event(event_type, source, country),
        series::event_type(event_type),
    ]
}

/// Returns the number of all these events.
pub(crate) fn events(truth: &RecordedEvents) -> u64 {
    truth
        .iter()
        .filter(|(series, _)| series.metric == series::EVENTS)
        .map(|(_, events)| events)
        .sum()
}

/// Returns a time from year to second, the part that both ways to write a time have in
/// common.
fn seconds_of(time: &str) -> &str {
    time.get(..19).unwrap_or(time)
}

/// Reads the whole list, or the part that `filter` asks for, page by page.
pub(crate) fn list(http: &HttpClient, base_url: &str, filter: &str) -> Result<Vec<Value>, String> {
    let (mut events, mut ids) = (Vec::new(), BTreeSet::new());
    for page in 1..MOST_PAGES {
        let body = http.get_body(&format!("{base_url}/events?size=100&page={page}{filter}"))?;
        let answer: Value = serde_json::from_str(&body).map_err(|error| error.to_string())?;
        let shown = answer["_embedded"]["events"].as_array();
        for event in shown.into_iter().flatten() {
            if ids.insert(event["id"].to_string()) {
                events.push(event.clone());
            }
        }
        if page >= answer["page"]["totalPages"].as_u64().unwrap_or(0) {
            let claimed = answer["page"]["totalElements"].as_u64();
            let whole = claimed == u64::try_from(events.len()).ok();
            return whole
                .then_some(events)
                .ok_or_else(|| format!("the list shows {} of {claimed:?} events", ids.len()));
        }
    }
    Err("the list does not end".to_owned())
}
