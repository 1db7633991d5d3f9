//! A client of the Audit API over HTTP: one page, one event, or the list of event types.
//!
//! Every request carries the secret, and every request goes to the configured origin: no
//! redirect and no link of an answer is followed. [`paging`] reads all pages of a range.
//! Callers retry and count.

mod body;
mod connection_fault;
mod current_credentials;
mod error;
mod gzip;
mod http_clients;
pub mod paging;
mod rate;
mod request_slots;
mod resolver;
mod vendor_message;

pub use crate::config::Credentials;
pub(crate) use connection_fault::is_refused_by_tls;
pub(crate) use error::EndlessPages;
pub use error::{ApiError, REASONS, retry_after};
pub use http_clients::{ApiBounds, HttpClients};
pub use vendor_message::VendorMessage;

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use audit_core::event::{self, EventType};
use jiff::{Timestamp, tz::Offset};
use reqwest::{Method, Response, StatusCode, Url, header};
use secrecy::ExposeSecret;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use crate::{
    config::ApiProxy,
    metrics::{AccountMetrics, log_seconds},
};
use body::BodyReader;
use current_credentials::CurrentCredentials;
use gzip::Decompressors;
use rate::RateCap;
use request_slots::ServerSlots;

/// The size of the largest body that is read, in bytes after decompression. A page of 100
/// events has about 60 kB.
pub const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;
/// The size of a body from which on it is large, in bytes. Of the answers of one account, one
/// large one is in memory at a time, and the others wait.
const LARGE_BODY_BYTES: usize = 1024 * 1024;
/// The highest number of events that the API puts on a page.
pub(crate) const PAGE_SIZE: u64 = 100;
/// The size of the largest body of an error that is read for its message, in bytes.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// The settings of an [`ApiClient`].
#[derive(Debug, Clone)]
pub struct ApiClientSettings {
    /// The base URL of the API. The secret is sent there, so the caller has to check it.
    pub base_url: Url,
    /// The longest time of one request, body included.
    pub timeout: Duration,
    /// The highest rate of all requests of the client together.
    pub max_requests_per_second: f64,
}

/// A query for one page of the list of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageQuery {
    /// The beginning of the range.
    pub from: Timestamp,
    /// The end of the range; `None` for an open range.
    pub to: Option<Timestamp>,
    /// The number of the page, from 1.
    pub page: u64,
    /// The number of events that are asked for on a page.
    pub size: u64,
}

/// The filters that the API applies to the list of events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ApiFilter {
    /// The only event type. Not all documentation of the API allows a list of types.
    pub(crate) event_type: Option<String>,
    /// A text that events contain. The API decides which fields it searches, and how.
    pub(crate) search_text: Option<String>,
}

/// A successful answer.
#[derive(Debug)]
pub struct ApiAnswer<T> {
    /// The value that was requested.
    pub value: T,
    /// The time of the API, from the `Date` header.
    pub date: Option<Timestamp>,
    /// The right to hold a large answer; `None` if the value is small.
    pub room: Option<Room>,
}

/// The right to hold a large answer in memory. Dropping it lets the next one be read.
#[derive(Debug)]
pub struct Room {
    _permit: OwnedSemaphorePermit,
}

/// A client of the Audit API with the key and secret of one account.
pub struct ApiClient {
    http: reqwest::Client,
    /// The variable that names the proxy on the way.
    proxy: Option<&'static str>,
    timeout: Duration,
    base_url: Url,
    credentials: Arc<CurrentCredentials>,
    rate: RateCap,
    slots: Arc<ServerSlots>,
    decompressors: Arc<Decompressors>,
    /// One [`Room`].
    room: Arc<Semaphore>,
    metrics: Arc<AccountMetrics>,
}

/// The kind of a request, as the label `operation` names it.
#[derive(Debug, Clone, Copy)]
enum Operation {
    List,
    Event,
    Types,
}

impl Operation {
    fn label(self) -> &'static str {
        match self {
            Operation::List => "list",
            Operation::Event => "event",
            Operation::Types => "types",
        }
    }
}

impl ApiClient {
    /// Creates a client. No request is sent yet.
    ///
    /// # Errors
    /// The error of the TLS library if it cannot be set up, for example without CA
    /// certificates.
    pub fn new(
        http_clients: &HttpClients,
        settings: &ApiClientSettings,
        credentials: Credentials,
        metrics: Arc<AccountMetrics>,
    ) -> reqwest::Result<Self> {
        Ok(Self {
            http: http_clients.to(&settings.base_url)?,
            proxy: http_clients
                .proxy_to(&settings.base_url)
                .map(ApiProxy::variable),
            timeout: settings.timeout,
            base_url: settings.base_url.clone(),
            credentials: CurrentCredentials::new(credentials),
            rate: RateCap::per_second(settings.max_requests_per_second),
            slots: http_clients.slots.of_server(&settings.base_url),
            decompressors: Arc::clone(&http_clients.decompressors),
            room: Arc::new(Semaphore::new(1)),
            metrics,
        })
    }

    /// Requests one page of the list of events, as text for [`event::Page::parse`].
    ///
    /// # Errors
    /// [`ApiError`], without the body of the answer.
    pub async fn list(&self, query: PageQuery) -> Result<ApiAnswer<String>, ApiError> {
        self.list_filtered(query, &ApiFilter::default()).await
    }

    /// Requests one page of the list of events that match `filter`.
    ///
    /// # Errors
    /// [`ApiError`], without the body of the answer.
    pub(crate) async fn list_filtered(
        &self,
        query: PageQuery,
        filter: &ApiFilter,
    ) -> Result<ApiAnswer<String>, ApiError> {
        let mut url = below(&self.base_url, &["events"]);
        {
            let mut pairs = url.query_pairs_mut();
            pairs.append_pair("date_from", &written(query.from));
            if let Some(to) = query.to {
                pairs.append_pair("date_to", &written(to));
            }
            if let Some(event_type) = &filter.event_type {
                pairs.append_pair("event_type", event_type);
            }
            if let Some(text) = &filter.search_text {
                pairs.append_pair("search_text", text);
            }
            pairs.append_pair("page", &query.page.to_string());
            pairs.append_pair("size", &query.size.to_string());
        }
        let answer = self.ask(Operation::List, Method::GET, url).await?;
        Ok(answer.map(text))
    }

    /// Requests one event as JSON text; the value is `None` if the API has no such event.
    ///
    /// # Errors
    /// [`ApiError`], without the body of the answer.
    pub async fn event(&self, id: &str) -> Result<ApiAnswer<Option<String>>, ApiError> {
        let url = below(&self.base_url, &["events", id]);
        match self.ask(Operation::Event, Method::GET, url).await {
            Ok(answer) => Ok(answer.map(|body| Some(text(body)))),
            Err(ApiError::Status { status: 404, .. }) => Ok(ApiAnswer {
                value: None,
                date: None,
                room: None,
            }),
            Err(error) => Err(error),
        }
    }

    /// Requests the vendor's list of event types.
    ///
    /// # Errors
    /// [`ApiError`], without the body of the answer.
    pub(crate) async fn types(&self) -> Result<ApiAnswer<Vec<EventType>>, ApiError> {
        let url = below(&self.base_url, &["events"]);
        let answer = self.ask(Operation::Types, Method::OPTIONS, url).await?;
        let types = event::parse_types(&answer.value).map_err(ApiError::body)?;
        Ok(ApiAnswer {
            value: types,
            date: answer.date,
            room: None,
        })
    }

    /// Returns the API key.
    pub(crate) fn api_key(&self) -> String {
        self.credentials.load().key.text.clone()
    }

    /// Takes over the places of key and secret after a reload, and has the file of the secret
    /// read again before the next request.
    pub(crate) fn reload_credentials(&self, credentials: &Credentials) {
        self.credentials.reload(credentials);
    }

    /// Waits until the file of a rejected secret holds another secret. Waits without end if
    /// no secret was rejected, or if the secret has no file.
    pub(crate) async fn secret_renewed(&self) {
        self.credentials.renewed().await;
    }

    /// Sends a request. A secret that is rejected is read again from its file, and if it has
    /// changed, the request is sent once more.
    async fn ask(
        &self,
        operation: Operation,
        method: Method,
        url: Url,
    ) -> Result<ApiAnswer<Vec<u8>>, ApiError> {
        let (used, outcome) = self.ask_once(operation, method.clone(), url.clone()).await;
        match outcome {
            Err(ApiError::Auth { .. }) if self.credentials.renew(&used).await => {
                self.ask_once(operation, method, url).await.1
            }
            outcome => outcome,
        }
    }

    /// Sends a request as soon as the rate allows it, and counts it. Returns the credentials
    /// that it was sent with too.
    async fn ask_once(
        &self,
        operation: Operation,
        method: Method,
        url: Url,
    ) -> (Arc<Credentials>, Result<ApiAnswer<Vec<u8>>, ApiError>) {
        self.rate.wait().await;
        let credentials = self.credentials.for_request().await;
        let operation = operation.label();
        tracing::trace!(operation, "request");
        let begun = Instant::now();
        let (code, outcome) = self.exchange_in_slot(method, url, &credentials).await;
        tracing::trace!(operation, %code, took_seconds = log_seconds(begun.elapsed()), "answer");
        self.metrics.api_requests.inc([operation.into(), code]);
        self.metrics
            .histograms
            .api_request_duration
            .with_label_values(&[operation])
            .observe(begun.elapsed().as_secs_f64());
        match &outcome {
            Ok(_) => self.credentials.admitted(),
            Err(ApiError::Auth { .. }) => self.credentials.rejected(Arc::clone(&credentials)),
            Err(_) => {}
        }
        (credentials, outcome)
    }

    /// Sends one request as soon as there is a slot for it; see [`ApiClient::exchange`].
    async fn exchange_in_slot(
        &self,
        method: Method,
        url: Url,
        credentials: &Credentials,
    ) -> (Cow<'static, str>, Result<ApiAnswer<Vec<u8>>, ApiError>) {
        let begun = Instant::now();
        let slot = tokio::time::timeout(self.timeout, self.slots.take()).await;
        let Ok(_slot) = slot else {
            let error = ApiError::NoFreeSlot;
            return (error.reason().into(), Err(error));
        };
        let left = self.timeout.saturating_sub(begun.elapsed());
        let (code, outcome) = self.exchange((method, url), credentials, left).await;
        let no_answer = matches!(outcome, Err(ApiError::Timeout | ApiError::Transport { .. }));
        self.slots.record(!no_answer);
        (code, outcome)
    }

    /// Sends one request and reads the whole answer, within `timeout`. Returns the value of
    /// the label `code` too.
    async fn exchange(
        &self,
        (method, url): (Method, Url),
        credentials: &Credentials,
        timeout: Duration,
    ) -> (Cow<'static, str>, Result<ApiAnswer<Vec<u8>>, ApiError>) {
        let (key, secret) = (
            &credentials.key.text,
            credentials.secret.text.expose_secret(),
        );
        let until = Instant::now() + timeout;
        let request = self
            .http
            .request(method, url)
            .timeout(timeout)
            .basic_auth(key, Some(secret))
            .header(header::ACCEPT, "application/json")
            .header(header::ACCEPT_ENCODING, "gzip");
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                let error = ApiError::transport(&error, self.proxy);
                return (error.reason().into(), Err(error));
            }
        };
        let status = response.status();
        let date = date(&response);
        let outcome = if status.is_success() {
            let body = self.read_whole(&mut response, until).await;
            body.and_then(|(value, room)| {
                let value = checked(value, status)?;
                Ok(ApiAnswer { value, date, room })
            })
        } else {
            // If the message cannot be read, the status is still the error.
            let mut body = Vec::new();
            let mut reader = self.body_of(&mut response);
            let read = reader.read(&mut body, MAX_ERROR_BYTES).await;
            drop(reader);
            let trace_id = response.headers().get(vendor_message::TRACE_ID);
            let trace_id = trace_id.map(header::HeaderValue::as_bytes);
            let is_whole = matches!(read, Ok(true));
            let message = VendorMessage::read(if is_whole { &body } else { &[] }, key, secret)
                .with_trace_id(trace_id, key, secret);
            Err(ApiError::from_status(&response, date, message, credentials))
        };
        match outcome {
            Err(error @ (ApiError::Timeout | ApiError::Transport { .. })) => {
                (error.reason().into(), Err(error))
            }
            whole => (status.as_u16().to_string().into(), whole),
        }
    }
}

impl ApiClient {
    fn body_of<'a>(&'a self, response: &'a mut Response) -> BodyReader<'a> {
        BodyReader::new(response, self.proxy, &self.decompressors)
    }

    /// Reads a body. If it is large, waits until no other large one of the account is in
    /// memory, no longer than `until`.
    async fn read_whole(
        &self,
        response: &mut Response,
        until: Instant,
    ) -> Result<(Vec<u8>, Option<Room>), ApiError> {
        let mut reader = self.body_of(response);
        let mut body = Vec::with_capacity(reader.announced().min(LARGE_BODY_BYTES));
        if reader.read(&mut body, LARGE_BODY_BYTES).await? {
            return Ok((body, None));
        }
        let permit = Arc::clone(&self.room).acquire_owned();
        let permit = tokio::time::timeout_at(until, permit).await;
        // The semaphore is never closed.
        let Ok(Ok(permit)) = permit else {
            return Err(ApiError::Timeout);
        };
        // What is not written takes no memory, and a body that grows would be copied.
        body.reserve_exact(MAX_BODY_BYTES.saturating_sub(body.len()));
        if !reader.read(&mut body, MAX_BODY_BYTES).await? {
            let limit = MAX_BODY_BYTES;
            return Err(ApiError::body(error::TooLarge { limit }));
        }
        Ok((body, Some(Room { _permit: permit })))
    }
}

impl<T> ApiAnswer<T> {
    fn map<U>(self, to: impl FnOnce(T) -> U) -> ApiAnswer<U> {
        ApiAnswer {
            value: to(self.value),
            date: self.date,
            room: self.room,
        }
    }
}

impl fmt::Debug for ApiClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ApiClient")
            .field("base_url", &self.base_url.as_str())
            .field("key", &self.credentials.load().key.text)
            .finish_non_exhaustive()
    }
}

/// Returns the URL of `parts` below `base`; each part is one encoded segment of the path.
fn below(base: &Url, parts: &[&str]) -> Url {
    let mut url = base.clone();
    // Every http and https URL has a path that can be extended.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(parts);
    }
    url
}

/// Returns a time as the API writes times: UTC, whole seconds, no zone.
fn written(time: Timestamp) -> String {
    Offset::UTC
        .to_datetime(time)
        .strftime("%Y-%m-%dT%H:%M:%S")
        .to_string()
}

/// Returns a body as text. Bytes that are no UTF-8 are replaced, so that they spoil a
/// character of a label and not the whole page.
fn text(body: Vec<u8>) -> String {
    String::from_utf8(body)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn date(response: &Response) -> Option<Timestamp> {
    let text = response.headers().get(header::DATE)?.to_str().ok()?;
    Timestamp::try_from(httpdate::parse_http_date(text).ok()?).ok()
}

/// Returns an error for an empty body whose status is not 204. Read as an account without
/// events, an empty 200 would move the watermark past events that were not counted.
fn checked(body: Vec<u8>, status: StatusCode) -> Result<Vec<u8>, ApiError> {
    if status != StatusCode::NO_CONTENT && body.trim_ascii().is_empty() {
        return Err(ApiError::body(error::Empty));
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_cannot_leave_the_base_url() {
        let base = Url::parse("https://api.nexmo.com/beta/audit/").expect("a URL");
        let cases = [
            ("a", "https://api.nexmo.com/beta/audit/events/a"),
            (
                "../../x",
                "https://api.nexmo.com/beta/audit/events/..%2F..%2Fx",
            ),
            ("a?b#c", "https://api.nexmo.com/beta/audit/events/a%3Fb%23c"),
        ];
        for (id, expected) in cases {
            assert_eq!(below(&base, &["events", id]).as_str(), expected);
        }
    }

    #[test]
    fn times_are_written_as_the_api_writes_them() {
        let time = "2018-08-13T10:15:31.9Z".parse().expect("a time");
        assert_eq!(written(time), "2018-08-13T10:15:31");
    }
}
