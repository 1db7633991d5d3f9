//! The routes of the exporter.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use audit_core::gate::{Scrape, ScrapeInterval, ScraperId};
use bytes::Bytes;
use exporter_web::{Peer, ResponseBody, Site, WebConfigFile, basic_auth_user};
use hyper::{
    HeaderMap, Method, Response, StatusCode,
    header::{
        ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue,
        VARY, X_CONTENT_TYPE_OPTIONS,
    },
    http::request,
};
use jiff::Timestamp;
use tokio::task::spawn_blocking;

use super::{
    accept::accepted,
    browser::is_from_another_site,
    landing::{AccountTable, GateState, LandingPage, ScrapeExample},
    liveness::Liveness,
    own_address::OwnAddress,
    scrape_recorder::ScrapeRecorder,
    visitor::{ScrapeRequest, Visitor},
};
use crate::{
    exposition::{Accepted, Encoding, Exposition, MetricsAnswer, Variant},
    gate::SharedGate,
    metrics::ProcessMetrics,
    server::reload::ReloadHandle,
    store::DiskCall,
};

const HTML: &str = "text/html; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";
/// The longest time that the first scrape of a new scraper waits until the scraper is
/// stored. A commit takes milliseconds.
const LONGEST_FIRST_WAIT: Duration = Duration::from_millis(500);
/// The policy of the landing page, which needs no script and nothing from another server.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The pages of the exporter.
#[derive(Debug)]
pub(crate) struct ExporterSite {
    /// The path of the metrics; begins with `/`.
    pub(crate) telemetry_path: String,
    pub(crate) exposition: Arc<Exposition>,
    pub(crate) gate: Arc<SharedGate>,
    /// The setting of the gate.
    pub(crate) scrape_interval: ScrapeInterval,
    /// What clients have to show.
    pub(crate) web: Arc<WebConfigFile>,
    pub(crate) liveness: Liveness,
    pub(crate) process: Arc<ProcessMetrics>,
    /// The time at which the process started.
    pub(crate) started: Instant,
    /// The handle that asks for reloads; `None` if clients may not ask for them.
    pub(crate) reload: Option<ReloadHandle>,
    pub(crate) recorder: Arc<ScrapeRecorder>,
    /// The call by which the event log waits for its disk; `None` if none is kept.
    pub(crate) event_log: Option<Arc<DiskCall>>,
}

#[derive(Debug, Clone, Copy)]
enum Route {
    Metrics,
    Landing,
    Healthy,
    Ready,
    Reload,
}

impl Site for ExporterSite {
    async fn respond(&self, request: &request::Parts, peer: Peer) -> Response<ResponseBody> {
        let Some(route) = self.route(request.uri.path()) else {
            return text(
                StatusCode::NOT_FOUND,
                "404: there is no such page; / has a link to the metrics\n",
            );
        };
        match (route, &request.method) {
            (Route::Metrics, &Method::GET) => {
                let scrape = Visitor::from(peer).scrape(request);
                if let Some(ScrapeRequest { scrape, .. }) = &scrape {
                    self.wait_until_stored(scrape).await;
                }
                self.metrics(&request.headers, scrape).await
            }
            (Route::Metrics, &Method::HEAD) => self.metrics(&request.headers, None).await,
            (Route::Landing, &Method::GET | &Method::HEAD) => self.landing(request, peer),
            (Route::Healthy, &Method::GET | &Method::HEAD) => self.healthy(),
            (Route::Ready, &Method::GET | &Method::HEAD) => self.ready(),
            (Route::Reload, &Method::POST | &Method::PUT) => self.reload(&request.headers).await,
            (Route::Reload, _) => not_allowed("POST, PUT"),
            _ => not_allowed("GET, HEAD"),
        }
    }

    fn is_probe(&self, request: &request::Parts) -> bool {
        let route = self.route(request.uri.path());
        matches!(route, Some(Route::Healthy | Route::Ready))
    }
}

impl ExporterSite {
    fn route(&self, path: &str) -> Option<Route> {
        match path {
            path if path == self.telemetry_path => Some(Route::Metrics),
            "/" => Some(Route::Landing),
            "/-/healthy" => Some(Route::Healthy),
            "/-/ready" => Some(Route::Ready),
            "/-/reload" => Some(Route::Reload),
            _ => None,
        }
    }

    /// Answers with the metrics. A `scrape` is recorded once the answer was sent.
    async fn metrics(
        &self,
        headers: &HeaderMap,
        scrape: Option<ScrapeRequest>,
    ) -> Response<ResponseBody> {
        let accepted = accepted(headers);
        let uptime = self.started.elapsed();
        let scraper = scrape.as_ref().map(|request| request.scrape.scraper);
        match self.scrape(scraper, accepted.variant, uptime).await {
            Ok(MetricsAnswer { parts, generation }) => {
                let mut body = ResponseBody::from(parts);
                if let Some(scrape) = scrape {
                    body = self.recorder.record_when_sent(body, scrape, generation);
                }
                metrics_in(accepted, body)
            }
            Err(error) => {
                tracing::error!(%error, "metrics could not be rendered; please report this");
                text(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "500: metrics could not be rendered; see the log\n",
                )
            }
        }
    }

    /// Returns the answer to a scrape. Where that takes long, other answers do not wait for it.
    async fn scrape(
        &self,
        scraper: Option<ScraperId>,
        variant: Variant,
        uptime: Duration,
    ) -> anyhow::Result<MetricsAnswer> {
        if !self.exposition.takes_long() {
            return Ok(self.exposition.scrape(scraper, variant, uptime)?);
        }
        let exposition = Arc::clone(&self.exposition);
        let scrape = move || exposition.scrape(scraper, variant, uptime);
        Ok(spawn_blocking(scrape).await??)
    }

    /// Waits a moment for a poller to store a new scraper, so that the first scrape
    /// already shows events. Otherwise the next scrape shows them.
    async fn wait_until_stored(&self, scrape: &Scrape) {
        // A scrape waits for at most a quarter of its own time limit, if it states one.
        let limit = match scrape.timeout {
            Duration::ZERO => LONGEST_FIRST_WAIT,
            timeout => (timeout / 4).min(LONGEST_FIRST_WAIT),
        };
        let uptime = self.started.elapsed();
        self.gate
            .wait_until_stored(scrape.scraper, limit, uptime)
            .await;
    }

    fn landing(&self, request: &request::Parts, peer: Peer) -> Response<ResponseBody> {
        let uptime = self.started.elapsed();
        let needs = self.web.client_needs();
        let address = OwnAddress::of(request, peer.address(), needs.tls);
        let user = basic_auth_user(&request.headers);
        let page = LandingPage {
            example: ScrapeExample {
                address: &address,
                telemetry_path: &self.telemetry_path,
                needs,
                user: user.as_deref(),
            },
            accounts: AccountTable::of(&self.liveness.health, uptime),
            gate: match self.gate.hold(uptime) {
                _ if self.scrape_interval == ScrapeInterval::Off => GateState::Off,
                Duration::ZERO => GateState::NeverScraped,
                hold => GateState::Holding(hold),
            },
            failed_reload: self.process.failed_reload(),
            state_hangs: self.liveness.state.hangs_for(),
            event_log_hangs: self.event_log.as_ref().and_then(|log| log.hangs_for()),
            renamed: self.recorder.warnings.last_rename(),
            now: Timestamp::now(),
        }
        .html();
        let html = HeaderValue::from_static(HTML);
        let mut response = response(StatusCode::OK, html, page.into());
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(PAGE_POLICY),
        );
        // The page is made for the one who asks: it has the address and the user of the request.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    /// Asks for a reload, and answers when it is done. The log and the landing page say what is
    /// wrong.
    async fn reload(&self, headers: &HeaderMap) -> Response<ResponseBody> {
        let Some(reload) = &self.reload else {
            return text(
                StatusCode::FORBIDDEN,
                "403: reloads over HTTP are off; start the exporter with --web.enable-lifecycle, or send it SIGHUP\n",
            );
        };
        if is_from_another_site(headers) {
            return text(
                StatusCode::FORBIDDEN,
                "403: a page of another site asks for the reload\n",
            );
        }
        if self.liveness.health.is_ending() {
            return text(
                StatusCode::SERVICE_UNAVAILABLE,
                "503: the exporter is shutting down and loads no configuration\n",
            );
        }
        match reload.reload().await {
            Ok(()) => text(StatusCode::OK, "the configuration was loaded\n"),
            Err(_) => text(
                StatusCode::INTERNAL_SERVER_ERROR,
                "500: the configuration could not be loaded, and the previous one stays in use; the log and the landing page say why\n",
            ),
        }
    }

    fn healthy(&self) -> Response<ResponseBody> {
        if self.liveness.is_alive(self.started.elapsed()) {
            text(StatusCode::OK, "healthy\n")
        } else {
            text(
                StatusCode::SERVICE_UNAVAILABLE,
                "a poller has stalled; restart the exporter and report this\n",
            )
        }
    }

    fn ready(&self) -> Response<ResponseBody> {
        if self.liveness.health.is_ending() {
            text(
                StatusCode::SERVICE_UNAVAILABLE,
                "shutting down: the last counts can still be fetched\n",
            )
        } else if self.liveness.health.is_ready() {
            text(StatusCode::OK, "ready\n")
        } else {
            text(
                StatusCode::SERVICE_UNAVAILABLE,
                "the first poll of an account has not ended yet\n",
            )
        }
    }
}

fn metrics_in(accepted: Accepted, body: ResponseBody) -> Response<ResponseBody> {
    let content_type = HeaderValue::from_static(accepted.content_type());
    let mut response = response(StatusCode::OK, content_type, body);
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    if accepted.variant.encoding == Encoding::Gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

fn not_allowed(methods: &'static str) -> Response<ResponseBody> {
    let said = format!("405: this page answers only {methods}\n");
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, said);
    let methods = HeaderValue::from_static(methods);
    response.headers_mut().insert(ALLOW, methods);
    response
}

fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<ResponseBody> {
    let body = ResponseBody::from(text.into());
    response(status, HeaderValue::from_static(PLAIN), body)
}

fn response(
    status: StatusCode,
    content_type: HeaderValue,
    body: ResponseBody,
) -> Response<ResponseBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
