//! The API of a list. Its first answers are anything that an API can say.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use audit_core::event::EventType;
use jiff::Timestamp;
use nexmo_audit_exporter::{
    api::{ApiAnswer, ApiError, PageQuery, VendorMessage, paging::PageSource},
    poller::Api,
};

use super::list::{List, element, render};
use crate::{
    Bytes,
    simulated_time::{SimulatedTime, second_of},
};

/// The most answers that may be anything.
const MAX_ODD: usize = 96;
/// The most requests of a history, which has about thirty sweeps. An endless one has more.
const MOST_REQUESTS: usize = 60_000;

/// The API of a list.
#[derive(Debug, Clone)]
pub(super) struct ListApi {
    time: SimulatedTime,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    list: Arc<List>,
    /// What each of the next answers is; after the last one, the list answers honestly.
    odd: std::vec::IntoIter<u8>,
    requests: usize,
    last: Option<String>,
    /// The number of events that were made up.
    made_up: usize,
}

impl ListApi {
    pub(super) fn new(list: &Arc<List>, time: &SimulatedTime, bytes: &mut Bytes<'_>) -> Self {
        let number = usize::from(bytes.byte()) % MAX_ODD;
        Self {
            time: time.clone(),
            inner: Arc::new(Mutex::new(Inner {
                list: Arc::clone(list),
                odd: bytes.take(number).into_iter(),
                requests: 0,
                last: None,
                made_up: 0,
            })),
        }
    }

    /// Returns `true` once every answer is as the rules of the list say.
    pub(super) fn is_calm(&self) -> bool {
        self.lock().odd.len() == 0
    }

    /// Makes every further answer as the rules of the list say.
    pub(super) fn calm(&self) {
        self.lock().odd = Vec::new().into_iter();
    }

    async fn answer(&self, query: &PageQuery) -> Result<String, ApiError> {
        let kind = self.lock().odd.next().unwrap_or_default();
        if kind % 32 >= 24 {
            // The answers to requests that are under way at once come in any order.
            let wait = Duration::from_millis(40) * u32::from(kind);
            self.time.sleep_until(self.time.now() + wait).await;
        }
        let second = self.time.now().as_secs();
        self.lock().page(query, second, kind)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn page(&mut self, query: &PageQuery, second: u64, kind: u8) -> Result<String, ApiError> {
        self.requests += 1;
        assert!(
            self.requests < MOST_REQUESTS,
            "more than {MOST_REQUESTS} requests"
        );
        let variant = usize::from(kind / 32);
        let answer = match kind % 32 {
            8 => return Err(ApiError::Timeout),
            9 => return Err(status([500, 503, 504, 400][variant % 4])),
            10 => {
                return Err(ApiError::RateLimited {
                    retry_after: (variant > 0)
                        .then(|| Duration::from_secs(10) * u32::from(kind / 32)),
                    message: VendorMessage::default(),
                });
            }
            11 => return Err(status([404, 416, 422, 429][variant % 4])),
            12 => "<html>".to_owned(),
            13 => [
                "",
                "{}",
                r#"{"_embedded":{}}"#,
                r#"{"page":{"totalElements":0}}"#,
            ][variant % 4]
                .to_owned(),
            14 | 15 => self.made_up(query, kind),
            16 => self.last.clone().unwrap_or_default(),
            17 => {
                let claimed = [1, 99, 100, 101, 1000, 20_001, usize::MAX / 2, 0][variant];
                render(&[], variant % 2 == 0, Some(claimed))
            }
            18 => self.cut(query, second),
            _ => {
                let shuffle = self.requests as u64;
                let list = Arc::clone(&self.list);
                list.page(query, second, shuffle)
                    .ok_or_else(|| status(404))?
            }
        };
        self.last = Some(answer.clone());
        Ok(answer)
    }

    /// Returns a full page of events that there were never before, and says that more follow.
    fn made_up(&mut self, query: &PageQuery, kind: u8) -> String {
        let second = u64::try_from(second_of(query.from)).unwrap_or_default();
        let events: Vec<_> = (0..query.size)
            .map(|number| {
                self.made_up += 1;
                let id = format!("made-up-{}", self.made_up);
                element(&id, second + number % (u64::from(kind / 32) + 1))
            })
            .collect();
        let events: Vec<_> = events.iter().map(|event| &**event).collect();
        render(&events, true, kind.is_multiple_of(2).then_some(10_000))
    }

    /// Returns a page whose second half is missing.
    fn cut(&mut self, query: &PageQuery, second: u64) -> String {
        let page = self.list.page(query, second, 0).unwrap_or_default();
        let half = page.len() / 2;
        page.get(..half).unwrap_or_default().to_owned()
    }
}

fn status(status: u16) -> ApiError {
    ApiError::Status {
        status,
        retry_after: None,
        message: VendorMessage::default(),
    }
}

impl PageSource for ListApi {
    async fn page(&self, query: PageQuery) -> Result<ApiAnswer<String>, ApiError> {
        let value = self.answer(&query).await?;
        let second = self.time.wall_clock().as_second();
        Ok(ApiAnswer {
            value,
            date: Timestamp::from_second(second).ok(),
            room: None,
        })
    }

    async fn wait_for_retry(&self, wait: Duration) {
        self.time.sleep_until(self.time.now() + wait).await;
    }
}

impl Api for ListApi {
    async fn types(&self) -> Result<ApiAnswer<Vec<EventType>>, ApiError> {
        Err(status(404))
    }
}
