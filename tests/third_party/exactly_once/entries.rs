//! The moments at which events entered the list of the API.
//!
//! A second simulator with the same seed and the same start shows the same list, without
//! faults and outages. A thread reads it all the time.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use test_support::http::HttpClient;
use test_support::pacing;
use test_support::program::{API_KEY, API_SECRET};
use test_support::restartable::{Restartable, free_port};

use super::commands::{Faults, LATE_BY, simulate};
use super::recorded_events::{is_counted, list, series_of};
use super::series::Series;
use super::settings::Settings;
use super::timeline::now;

/// The time between two looks at the list.
const PAUSE: Duration = Duration::from_millis(200);

/// The times of entry of the events of each series, the earliest first.
pub(super) type Entries = BTreeMap<Series, Vec<Duration>>;

/// Each event by its id, with the time since 1970 at which it was seen first.
type Seen = BTreeMap<String, (Duration, Value)>;

/// The thread that reads the list, and the simulator that it reads.
pub(super) struct EntryRecorder {
    seen: Arc<Mutex<Seen>>,
    is_over: Arc<AtomicBool>,
    _api: Restartable,
}

impl EntryRecorder {
    pub(super) fn start(settings: &Settings, traffic_from: Timestamp, folder: &Path) -> Self {
        let port = free_port();
        let simulate = simulate(settings, traffic_from, port, Faults::None);
        let mut api = Restartable::new("undisturbed-simulator", folder, simulate);
        api.start();
        let url = format!("http://{API_KEY}:{API_SECRET}@127.0.0.1:{port}/beta/audit");
        let (seen, is_over) = (Arc::<Mutex<Seen>>::default(), Arc::<AtomicBool>::default());
        let (record_in, ends) = (Arc::clone(&seen), Arc::clone(&is_over));
        thread::spawn(move || {
            let http = HttpClient::new();
            while !ends.load(Ordering::Relaxed) {
                record(&http, &url, &record_in);
                pacing::wait(PAUSE);
            }
        });
        Self {
            seen,
            is_over,
            _api: api,
        }
    }

    /// Returns the entries of all events that were created from `floor` on.
    pub(super) fn since(&self, floor: &str) -> Entries {
        let mut entries = Entries::new();
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for (at, event) in seen.values().filter(|(_, event)| is_counted(event, floor)) {
            for series in series_of(event) {
                entries.entry(series).or_default().push(*at);
            }
        }
        for of_series in entries.values_mut() {
            of_series.sort_unstable();
        }
        entries
    }
}

impl Drop for EntryRecorder {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

/// Reads the end of the list. An answer that cannot be read is followed by another one.
fn record(http: &HttpClient, url: &str, seen: &Mutex<Seen>) {
    // Four times the time by which an event is late at most.
    let from = Timestamp::now() - LATE_BY * 4;
    let filter = format!("&date_from={}", from.strftime("%Y-%m-%dT%H:%M:%SZ"));
    let Ok(events) = list(http, url, &filter) else {
        return;
    };
    let at = now();
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    for event in events {
        seen.entry(event["id"].to_string()).or_insert((at, event));
    }
}
