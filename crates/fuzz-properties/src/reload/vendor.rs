//! The APIs of all accounts, by API key.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use audit_core::event::EventType;
use jiff::{Timestamp, tz::Offset};
use nexmo_audit_exporter::{
    api::{ApiAnswer, ApiError, Credentials, PageQuery, VendorMessage, paging::PageSource},
    config::AccountSettings,
    exporter::{Outside, ReloadedApi},
    metrics::AccountMetrics,
    poller::{Api, health::AccountHealth},
};
use tokio::sync::Notify;

use crate::simulated_time::{ProcessClock, SimulatedTime, moment, second_of};

/// How the API of a key answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Mood {
    #[default]
    Up,
    /// Each answer takes so many seconds.
    Slow(u64),
    Unreachable,
    Rejecting,
    /// The next request panics, as a defect of the client would; the ones after it are
    /// answered.
    Panicking,
}

/// The APIs of all accounts.
#[derive(Debug, Clone, Default)]
pub(super) struct Vendor {
    pub(super) time: SimulatedTime,
    keys: Arc<Mutex<Keys>>,
}

#[derive(Debug, Default)]
struct Keys {
    by_name: BTreeMap<String, Records>,
    /// `true` if no client can be made.
    is_broken: bool,
}

/// What the API knows of one key.
#[derive(Debug, Default)]
struct Records {
    mood: Mood,
    /// The events in the order of their creation: the second, and the kind.
    events: Vec<(i64, u8)>,
}

impl Vendor {
    /// Records an event that happens now.
    pub(super) fn happen(&self, key: &str, kind: u8) {
        let second = second_of(self.time.wall_clock());
        let mut keys = self.lock();
        let records = keys.by_name.entry(key.to_owned()).or_default();
        records.events.push((second, kind));
    }

    pub(super) fn set_mood(&self, key: &str, mood: Mood) {
        self.lock().by_name.entry(key.to_owned()).or_default().mood = mood;
    }

    /// Makes the API of each key answer at once.
    pub(super) fn heal(&self) {
        let mut keys = self.lock();
        keys.is_broken = false;
        for records in keys.by_name.values_mut() {
            records.mood = Mood::Up;
        }
    }

    /// Sets whether clients can be made.
    pub(super) fn set_broken(&self, is_broken: bool) {
        self.lock().is_broken = is_broken;
    }

    pub(super) fn is_broken(&self) -> bool {
        self.lock().is_broken
    }

    /// Returns the number of events of a key that were created in this second or later.
    pub(super) fn created_since(&self, key: &str, second: i64) -> u64 {
        let keys = self.lock();
        let events = keys.by_name.get(key).map_or(&[][..], |of| &of.events);
        events
            .iter()
            .filter(|(created, _)| *created >= second)
            .count() as u64
    }

    fn lock(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The clocks and the APIs of one process.
#[derive(Debug)]
pub(super) struct VendorOutside {
    vendor: Vendor,
    clock: ProcessClock,
}

impl VendorOutside {
    /// Returns those of a process that starts now.
    pub(super) fn of_new_process(vendor: &Vendor) -> Self {
        Self {
            vendor: vendor.clone(),
            clock: ProcessClock::of_new_process(&vendor.time),
        }
    }
}

impl Outside for VendorOutside {
    type Clock = ProcessClock;
    type Client = String;
    type Api = KeyApi;

    fn clock(&self) -> ProcessClock {
        self.clock.clone()
    }

    fn client(&self, account: &AccountSettings, _: &Arc<AccountMetrics>) -> anyhow::Result<String> {
        anyhow::ensure!(!self.vendor.is_broken(), "TLS cannot be set up");
        Ok(account.credentials.key.text.clone())
    }

    fn api(&self, key: String, _: &AccountSettings, _: &Arc<AccountHealth>) -> KeyApi {
        KeyApi {
            vendor: self.vendor.clone(),
            key,
            reloaded: Notify::new(),
        }
    }
}

/// The API of one key.
#[derive(Debug)]
pub(super) struct KeyApi {
    vendor: Vendor,
    key: String,
    reloaded: Notify,
}

impl ReloadedApi for KeyApi {
    fn reload(&self, credentials: &Credentials) {
        assert!(*credentials.key.text == *self.key, "another key is polled");
        let is_failing = matches!(self.mood(), Mood::Unreachable | Mood::Rejecting);
        if is_failing {
            self.reloaded.notify_one();
        }
    }
}

impl KeyApi {
    fn mood(&self) -> Mood {
        let keys = self.vendor.lock();
        keys.by_name
            .get(&self.key)
            .map(|of| of.mood)
            .unwrap_or_default()
    }

    async fn answer<T>(&self, answer: impl FnOnce() -> T) -> Result<ApiAnswer<T>, ApiError> {
        let time = &self.vendor.time;
        time.act();
        match self.mood() {
            Mood::Up => {}
            Mood::Slow(seconds) => {
                let until = time.now() + Duration::from_secs(seconds);
                time.sleep_until(until).await;
            }
            Mood::Unreachable => return Err(ApiError::Timeout),
            Mood::Rejecting => {
                return Err(ApiError::Auth {
                    status: 401,
                    message: VendorMessage::default(),
                    origins: String::new(),
                });
            }
            Mood::Panicking => {
                self.vendor.set_mood(&self.key, Mood::Up);
                panic!("a defect of the client");
            }
        }
        let second = time.wall_clock().as_second();
        Ok(ApiAnswer {
            value: answer(),
            date: Timestamp::from_second(second).ok(),
            room: None,
        })
    }

    fn page_of(&self, query: &PageQuery) -> String {
        let keys = self.vendor.lock();
        let events = keys.by_name.get(&self.key).map_or(&[][..], |of| &of.events);
        let (from, to) = (second_of(query.from), query.to.map(second_of));
        let is_listed = |second: i64| second >= from && to.is_none_or(|to| second <= to);
        let listed = events.iter().enumerate().rev();
        let listed: Vec<_> = listed
            .filter(|(_, (second, _))| is_listed(*second))
            .collect();
        let size = usize::try_from(query.size).expect("a size");
        let before = usize::try_from(query.page - 1).expect("a page") * size;
        let shown = listed.iter().skip(before).take(size);
        let events: Vec<_> = shown
            .map(|(number, (second, kind))| self.element(*number, *second, *kind))
            .collect();
        format!(
            r#"{{"_embedded":{{"events":[{}]}},"page":{{"totalElements":{}}}}}"#,
            events.join(","),
            listed.len()
        )
    }

    fn element(&self, number: usize, second: i64, kind: u8) -> String {
        let since_beginning = Duration::from_secs(second.unsigned_abs());
        let created = Offset::UTC.to_datetime(moment(since_beginning));
        format!(
            r#"{{"id":"{}-{number}","event_type":"T{}","created_at":"{created}","source":"S{}"}}"#,
            self.key,
            kind % 3,
            kind / 3 % 2,
        )
    }
}

impl PageSource for KeyApi {
    async fn page(&self, query: PageQuery) -> Result<ApiAnswer<String>, ApiError> {
        self.answer(|| self.page_of(&query)).await
    }

    async fn wait_for_retry(&self, wait: Duration) {
        let time = &self.vendor.time;
        time.sleep_until(time.now().saturating_add(wait)).await;
    }
}

impl Api for KeyApi {
    async fn types(&self) -> Result<ApiAnswer<Vec<EventType>>, ApiError> {
        let named = || {
            let named = ["T0", "T1"].map(|name| EventType {
                name: name.into(),
                description: String::new(),
            });
            named.into()
        };
        self.answer(named).await
    }

    async fn retry_early(&self) {
        self.reloaded.notified().await;
    }
}
