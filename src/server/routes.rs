//! Which path answers what.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

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
    exposition::{Accepted, Encoding, Exposition, ScraperId, Visit},
    status::Status,
};

const HTML: &str = "text/html; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";
/// The longest that the first scrape of a server that is new waits; a commit takes
/// milliseconds.
const WELCOME: Duration = Duration::from_millis(500);
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
    /// How the poller fares.
    status: Arc<Status>,
    /// When the process started.
    started: Instant,
    /// Scrapers that the log has named.
    slow_scrapers: Mutex<BTreeSet<ScraperId>>,
}

#[derive(Debug, Clone, Copy)]
enum Page {
    Metrics,
    Landing,
    Healthy,
    Ready,
}

impl Site {
    /// A site of a process that started at `started`.
    #[must_use]
    pub fn new(
        telemetry_path: String,
        exposition: Arc<Exposition>,
        status: Arc<Status>,
        started: Instant,
    ) -> Self {
        Self {
            telemetry_path,
            exposition,
            status,
            started,
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
                let visit = peer.visit(request.headers());
                if let Some(visit) = visit {
                    self.welcome(visit).await;
                }
                let answer = self.metrics(request.headers(), visit);
                self.name_if_slow(visit, peer);
                answer
            }
            (Page::Metrics, &Method::HEAD) => self.metrics(request.headers(), None),
            (Page::Landing, &Method::GET | &Method::HEAD) => self.landing(request.headers()),
            (Page::Healthy, &Method::GET | &Method::HEAD) => self.healthy(),
            (Page::Ready, &Method::GET | &Method::HEAD) => self.ready(),
            _ => not_allowed(),
        }
    }

    fn page(&self, path: &str) -> Option<Page> {
        match path {
            path if path == self.telemetry_path => Some(Page::Metrics),
            "/" => Some(Page::Landing),
            "/-/healthy" => Some(Page::Healthy),
            "/-/ready" => Some(Page::Ready),
            _ => None,
        }
    }

    fn metrics(&self, headers: &HeaderMap, visit: Option<Visit>) -> Response<Parts> {
        let accepted = accepted(headers);
        let uptime = self.started.elapsed();
        match self.exposition.scrape(visit, accepted.variant, uptime) {
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

    /// Gives the poller a moment to store a server that is new, so that its first
    /// scrape shows events already. Without that the next one does.
    async fn welcome(&self, visit: Visit) {
        let announce = || {
            self.exposition
                .announce(visit.scraper, self.started.elapsed())
        };
        if announce() {
            return;
        }
        self.status.announce_newcomer();
        let patience = visit.timeout.div_f64(4.0).min(WELCOME);
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline && !announce() {
            tokio::time::sleep(WELCOME / 50).await;
        }
    }

    /// A server that scrapes less often than the user said is named in the log,
    /// once.
    fn name_if_slow(&self, visit: Option<Visit>, peer: Peer) {
        let Some(Visit { scraper, .. }) = visit else {
            return;
        };
        let Some(every) = self.exposition.gate().slower_than_told(scraper) else {
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
            progress: &self.status.progress(),
            standing: &self.exposition.standing(),
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

    fn healthy(&self) -> Response<Parts> {
        if self.status.is_healthy(Instant::now()) {
            text(StatusCode::OK, "healthy\n")
        } else {
            text(
                StatusCode::SERVICE_UNAVAILABLE,
                "the poller has stalled; restart the exporter and report this\n",
            )
        }
    }

    fn ready(&self) -> Response<Parts> {
        if self.status.is_ready() {
            text(StatusCode::OK, "ready\n")
        } else {
            text(
                StatusCode::SERVICE_UNAVAILABLE,
                "the first poll has not ended yet\n",
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

fn not_allowed() -> Response<Parts> {
    let mut response = text(
        StatusCode::METHOD_NOT_ALLOWED,
        "405: only GET and HEAD are answered here\n",
    );
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

fn text(status: StatusCode, text: &'static str) -> Response<Parts> {
    let body = vec![Bytes::from_static(text.as_bytes())];
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
