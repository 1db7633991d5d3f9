//! Asks the Audit API over HTTP: one page, one event, the event types.
//!
//! The secret goes with every request to the configured origin and to nowhere
//! else: no redirect and no link of an answer is followed. Retrying, paging and
//! counting are not done here.

mod error;
pub mod paging;
mod rate;
mod vendor_message;

pub use error::{ApiError, REASONS, retry_after};
pub use rate::RateCap;
pub use vendor_message::VendorMessage;

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use audit_core::event::{self, EventType};
use jiff::{Timestamp, tz::Offset};
use once_cell::sync::{Lazy, OnceCell};
use reqwest::{Method, Response, StatusCode, Url, header};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use crate::metrics::{AccountMetrics, log_seconds};

/// The largest body that is read, after decompression. 100 events are about 60 kB.
pub const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;
/// The most events that the API puts on a page.
pub const PAGE_SIZE: u64 = 100;
/// Of the body of an error, no more than this is read for its message.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// The cryptography of every connection, chosen once.
static TLS: Lazy<()> = Lazy::new(|| {
    // Fails only where whoever uses this as a library has chosen already.
    let _ = rustls::crypto::ring::default_provider().install_default();
});

/// Who asks. Printing it shows the key and never the secret.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The API key, which is the name of the account.
    pub key: String,
    /// The API secret.
    pub secret: SecretString,
}

/// How requests are made.
#[derive(Debug, Clone)]
pub struct ApiClientSettings {
    /// Where the API is; the secret is sent there, so it must have been checked.
    pub base_url: Url,
    /// For one request, body included.
    pub timeout: Duration,
    /// For all requests of this client together.
    pub max_requests_per_second: f64,
}

/// What a list of events is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageQuery {
    /// The first moment asked for.
    pub from: Timestamp,
    /// The last one; open where it is `None`.
    pub to: Option<Timestamp>,
    /// Counted from 1.
    pub page: u64,
}

/// Which events the API itself is to choose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiFilter {
    /// Of this type alone. A list of types is not documented everywhere.
    pub event_type: Option<String>,
    /// With this text in them; how it is looked for is the API's affair.
    pub search_text: Option<String>,
}

/// A successful answer.
#[derive(Debug)]
pub struct ApiAnswer<T> {
    /// What was asked for.
    pub value: T,
    /// The API's own time, from the `Date` header.
    pub date: Option<Timestamp>,
}

/// A client of one account.
pub struct ApiClient {
    http: reqwest::Client,
    timeout: Duration,
    base_url: Url,
    credentials: Credentials,
    rate: RateCap,
    metrics: Arc<AccountMetrics>,
}

/// One kind of request, as the label `operation` names it.
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

/// The HTTP clients of any number of clients: each of its own would be costly, and
/// none would be kept open for the other's requests.
#[derive(Debug, Default)]
pub struct HttpClients {
    http: OnceCell<reqwest::Client>,
    https: OnceCell<reqwest::Client>,
}

impl HttpClients {
    fn to(&self, base_url: &Url) -> reqwest::Result<reqwest::Client> {
        let is_plain = base_url.scheme() == "http";
        let clients = if is_plain { &self.http } else { &self.https };
        let connect = || {
            Lazy::force(&TLS);
            let mut builder = reqwest::Client::builder()
                .user_agent(concat!("nexmo-audit-exporter/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::none())
                .referer(false);
            if is_plain {
                // A proxy would be shown the secret, and CA certificates are not needed.
                builder = builder.no_proxy().tls_certs_only([]);
            }
            builder.build()
        };
        clients.get_or_try_init(connect).cloned()
    }
}

impl ApiClient {
    /// Makes a client. No request is sent yet.
    ///
    /// # Errors
    /// When the TLS library cannot be set up, for example without CA certificates.
    pub fn new(
        http_clients: &HttpClients,
        settings: &ApiClientSettings,
        credentials: Credentials,
        metrics: Arc<AccountMetrics>,
    ) -> reqwest::Result<Self> {
        Ok(Self {
            http: http_clients.to(&settings.base_url)?,
            timeout: settings.timeout,
            base_url: settings.base_url.clone(),
            credentials,
            rate: RateCap::per_second(settings.max_requests_per_second),
            metrics,
        })
    }

    /// One page of the list of events, as text for [`event::Page::parse`].
    ///
    /// # Errors
    /// [`ApiError`], without the body of the answer.
    pub async fn list(&self, query: PageQuery) -> Result<ApiAnswer<String>, ApiError> {
        self.list_filtered(query, &ApiFilter::default()).await
    }

    /// The same of those events alone that match.
    ///
    /// # Errors
    /// [`ApiError`], without the body of the answer.
    pub async fn list_filtered(
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
            pairs.append_pair("size", &PAGE_SIZE.to_string());
        }
        let answer = self.ask(Operation::List, Method::GET, url).await?;
        Ok(answer.map(text))
    }

    /// One event as JSON text; `None` when the API has no such event.
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
            }),
            Err(error) => Err(error),
        }
    }

    /// The event types that the vendor names.
    ///
    /// # Errors
    /// [`ApiError`], without the body of the answer.
    pub async fn types(&self) -> Result<ApiAnswer<Vec<EventType>>, ApiError> {
        let url = below(&self.base_url, &["events"]);
        let answer = self.ask(Operation::Types, Method::OPTIONS, url).await?;
        let types = event::parse_types(&answer.value).map_err(ApiError::body)?;
        Ok(ApiAnswer {
            value: types,
            date: answer.date,
        })
    }

    async fn ask(
        &self,
        operation: Operation,
        method: Method,
        url: Url,
    ) -> Result<ApiAnswer<Vec<u8>>, ApiError> {
        self.rate.wait().await;
        let operation = operation.label();
        tracing::trace!(operation, "request");
        let begun = Instant::now();
        let (code, outcome) = self.exchange(method, url).await;
        tracing::trace!(operation, %code, took_seconds = log_seconds(begun.elapsed()), "answer");
        self.metrics
            .api_requests
            .with_label_values(&[operation, &*code])
            .inc();
        self.metrics
            .api_request_duration
            .with_label_values(&[operation])
            .observe(begun.elapsed().as_secs_f64());
        outcome
    }

    /// Sends one request and reads the whole answer; says what to count it under,
    /// too.
    async fn exchange(
        &self,
        method: Method,
        url: Url,
    ) -> (Cow<'static, str>, Result<ApiAnswer<Vec<u8>>, ApiError>) {
        let (key, secret) = (
            &self.credentials.key,
            self.credentials.secret.expose_secret(),
        );
        let request = self
            .http
            .request(method, url)
            .timeout(self.timeout)
            .basic_auth(key, Some(secret))
            .header(header::ACCEPT, "application/json");
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                let error = ApiError::transport(&error);
                return (error.reason().into(), Err(error));
            }
        };
        let status = response.status();
        let date = date(&response);
        let outcome = if status.is_success() {
            let body = read(&mut response, MAX_BODY_BYTES).await;
            body.and_then(|value| checked(value, status))
                .map(|value| ApiAnswer { value, date })
        } else {
            // The message is worth a look and not worth another failure.
            let body = read(&mut response, MAX_ERROR_BYTES).await;
            let message = VendorMessage::read(&body.unwrap_or_default(), key, secret);
            Err(ApiError::from_status(&response, date, message))
        };
        match outcome {
            Err(error @ (ApiError::Timeout | ApiError::Transport { .. })) => {
                (error.reason().into(), Err(error))
            }
            whole => (status.as_u16().to_string().into(), whole),
        }
    }
}

impl<T> ApiAnswer<T> {
    fn map<U>(self, to: impl FnOnce(T) -> U) -> ApiAnswer<U> {
        ApiAnswer {
            value: to(self.value),
            date: self.date,
        }
    }
}

impl fmt::Debug for ApiClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ApiClient")
            .field("base_url", &self.base_url.as_str())
            .field("key", &self.credentials.key)
            .finish_non_exhaustive()
    }
}

/// The URL of something below the base, each part encoded.
fn below(base: &Url, parts: &[&str]) -> Url {
    let mut url = base.clone();
    // Only a URL that cannot be a base has no path to extend; http(s) can.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(parts);
    }
    url
}

/// A time as the API writes its own: UTC, whole seconds, no zone.
fn written(time: Timestamp) -> String {
    Offset::UTC
        .to_datetime(time)
        .strftime("%Y-%m-%dT%H:%M:%S")
        .to_string()
}

/// What is no UTF-8 is replaced: it can cost a label a character, never a page.
fn text(body: Vec<u8>) -> String {
    String::from_utf8(body)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn date(response: &Response) -> Option<Timestamp> {
    let text = response.headers().get(header::DATE)?.to_str().ok()?;
    Timestamp::try_from(httpdate::parse_http_date(text).ok()?).ok()
}

/// Only 204 may say nothing: an empty 200 would read as an account without events,
/// and what it left out would be behind the watermark.
fn checked(body: Vec<u8>, status: StatusCode) -> Result<Vec<u8>, ApiError> {
    if status != StatusCode::NO_CONTENT && body.trim_ascii().is_empty() {
        return Err(ApiError::body(error::Empty));
    }
    Ok(body)
}

async fn read(response: &mut Response, limit: usize) -> Result<Vec<u8>, ApiError> {
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| ApiError::transport(&error))?
    {
        if body.len() + chunk.len() > limit {
            return Err(ApiError::body(error::TooLarge { limit }));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_cannot_leave_the_base() {
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
