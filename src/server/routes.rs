//! Which path answers what.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use audit_core::gate::{Scrape, ScraperId};
use bytes::Bytes;
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    header::{
        ALLOW, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderValue, VARY,
        X_CONTENT_TYPE_OPTIONS,
    },
};

use jiff::Timestamp;

use super::{accept::accepted, body::Parts, landing, visitor::Peer};
use crate::{
    exposition::{Accepted, Encoding, Exposition},
    gate::SharedGate,
    poller::health::Health,
    server::reload::ReloadHandle,
};

const HTML: &str = "text/html; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";
/// The longest that the first scrape of a new scraper waits until the scraper is
/// stored. A commit takes milliseconds.
const LONGEST_FIRST_WAIT: Duration = Duration::from_millis(500);
/// More servers than anyone runs.
const MAX_NAMED: usize = 64;
/// The landing page needs no script and nothing from elsewhere.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What is served.
#[derive(Debug)]
pub struct Site {
    /// Where metrics are; begins with `/`.
    telemetry_path: String,
    /// What a scrape is answered with.
    exposition: Arc<Exposition>,
    /// When a count may be shown.
    gate: Arc<SharedGate>,
    /// How the polls of each account go.
    health: Arc<Health>,
    /// When the process started.
    started: Instant,
    /// Has the configuration read anew, where a client may ask for that.
    reload: Option<ReloadHandle>,
    /// Scrapers that the log has named.
    slow_scrapers: Mutex<BTreeSet<ScraperId>>,
}

#[derive(Debug, Clone, Copy)]
enum Page {
    Metrics,
    Landing,
    Healthy,
    Ready,
    Reload,
}

impl Site {
    /// A site of a process that started at `started`.
    #[must_use]
    pub fn new(
        telemetry_path: String,
        exposition: Arc<Exposition>,
        gate: Arc<SharedGate>,
        health: Arc<Health>,
        reload: Option<ReloadHandle>,
        started: Instant,
    ) -> Self {
        Self {
            telemetry_path,
            exposition,
            gate,
            health,
            started,
            reload,
            slow_scrapers: Mutex::default(),
        }
    }

    /// The answer to a request, its body left unread.
    pub(super) async fn respond<B>(&self, request: &Request<B>, peer: Peer) -> Response<Parts> {
        let Some(page) = self.page(request.uri().path()) else {
            return text(
                StatusCode::NOT_FOUND,
                "404: no such page; metrics are linked from /\n",
            );
        };
        match (page, request.method()) {
            (Page::Metrics, &Method::GET) => {
                let scrape = peer.scrape(request.headers());
                if let Some(scrape) = scrape {
                    self.wait_until_stored(scrape).await;
                }
                let answer = self.metrics(request.headers(), scrape);
                self.name_if_slow(scrape, peer);
                answer
            }
            (Page::Metrics, &Method::HEAD) => self.metrics(request.headers(), None),
            (Page::Landing, &Method::GET | &Method::HEAD) => self.landing(request.headers()),
            (Page::Healthy, &Method::GET | &Method::HEAD) => self.healthy(),
            (Page::Ready, &Method::GET | &Method::HEAD) => self.ready(),
            (Page::Reload, &Method::POST | &Method::PUT) => self.reload().await,
            (Page::Reload, _) => not_allowed("POST, PUT"),
            _ => not_allowed("GET, HEAD"),
        }
    }

    fn page(&self, path: &str) -> Option<Page> {
        match path {
            path if path == self.telemetry_path => Some(Page::Metrics),
            "/" => Some(Page::Landing),
            "/-/healthy" => Some(Page::Healthy),
            "/-/ready" => Some(Page::Ready),
            "/-/reload" => Some(Page::Reload),
            _ => None,
        }
    }

    fn metrics(&self, headers: &HeaderMap, scrape: Option<Scrape>) -> Response<Parts> {
        let accepted = accepted(headers);
        let uptime = self.started.elapsed();
        match self.exposition.scrape(scrape, accepted.variant, uptime) {
            Ok(parts) => metrics_in(accepted, parts),
            Err(error) => {
                tracing::error!(%error, "metrics could not be rendered; please report this");
                text(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "500: metrics could not be rendered; see the log\n",
                )
            }
        }
    }

    /// Gives a poller a moment to store a new scraper, so that its first scrape shows
    /// events already. Without that the next scrape does.
    async fn wait_until_stored(&self, scrape: Scrape) {
        // Never more than a quarter of the time that the scraper gives the answer.
        let limit = scrape.timeout.div_f64(4.0).min(LONGEST_FIRST_WAIT);
        let uptime = self.started.elapsed();
        self.gate
            .wait_until_stored(scrape.scraper, limit, uptime)
            .await;
    }

    /// A server that scrapes less often than the user said is named in the log,
    /// once.
    fn name_if_slow(&self, scrape: Option<Scrape>, peer: Peer) {
        let Some(Scrape { scraper, .. }) = scrape else {
            return;
        };
        let Some(every) = self.gate.slower_than_told(scraper) else {
            return;
        };
        let mut named = self
            .slow_scrapers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if named.len() < MAX_NAMED && named.insert(scraper) {
            tracing::warn!(
                server = %peer.address(),
                ?every,
                "a server scrapes less often than --metrics.scrape-interval says and may miss the first event of a series; set it to the longest interval in use, or to auto"
            );
        }
    }

    fn landing(&self, headers: &HeaderMap) -> Response<Parts> {
        let page = landing::Page {
            telemetry_path: &self.telemetry_path,
            host: headers.get(HOST).and_then(|host| host.to_str().ok()),
            accounts: self
                .health
                .accounts()
                .iter()
                .map(|account| (&**account).into())
                .collect(),
            hold: self.gate.hold(self.started.elapsed()),
            now: Timestamp::now(),
        }
        .html();
        let body = vec![Bytes::from(page)];
        let mut response = response(StatusCode::OK, HeaderValue::from_static(HTML), body.into());
        response.headers_mut().insert(
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(PAGE_POLICY),
        );
        response
    }

    /// What is wrong with the configuration is for the log: it names accounts and
    /// files.
    async fn reload(&self) -> Response<Parts> {
        let Some(reload) = &self.reload else {
            return text(
                StatusCode::FORBIDDEN,
                "403: reloads over HTTP are off; start the exporter with --web.enable-lifecycle, or send it SIGHUP\n",
            );
        };
        match reload.reload().await {
            Ok(()) => text(StatusCode::OK, "the configuration was taken over\n"),
            Err(_) => text(
                StatusCode::INTERNAL_SERVER_ERROR,
                "500: the configuration could not be taken over, and what was there before goes on; the log says why\n",
            ),
        }
    }

    fn healthy(&self) -> Response<Parts> {
        if self.health.stalled(self.started.elapsed()) == 0 {
            text(StatusCode::OK, "healthy\n")
        } else {
            text(
                StatusCode::SERVICE_UNAVAILABLE,
                "a poller has stalled; restart the exporter and report this\n",
            )
        }
    }

    fn ready(&self) -> Response<Parts> {
        if self.health.is_ready() {
            text(StatusCode::OK, "ready\n")
        } else {
            text(
                StatusCode::SERVICE_UNAVAILABLE,
                "the first poll of an account has not ended yet\n",
            )
        }
    }
}

fn metrics_in(accepted: Accepted, parts: Vec<Bytes>) -> Response<Parts> {
    let content_type = HeaderValue::from_static(accepted.content_type());
    let mut response = response(StatusCode::OK, content_type, parts.into());
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    if accepted.variant.encoding == Encoding::Gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

fn not_allowed(methods: &'static str) -> Response<Parts> {
    let said = format!("405: only {methods} are answered here\n");
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, said);
    let methods = HeaderValue::from_static(methods);
    response.headers_mut().insert(ALLOW, methods);
    response
}

fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Parts> {
    let body = vec![text.into()];
    response(status, HeaderValue::from_static(PLAIN), body.into())
}

fn response(status: StatusCode, content_type: HeaderValue, body: Parts) -> Response<Parts> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
