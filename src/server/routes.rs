//! Which path answers what.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    header::{ALLOW, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS},
};

use super::landing;
use crate::{
    exposition::{Exposition, TEXT_FORMAT},
    status::Status,
};

const HTML: &str = "text/html; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";
/// The landing page needs no script and nothing from elsewhere.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What is served.
#[derive(Debug)]
pub struct Site {
    /// Where metrics are; begins with `/`.
    pub telemetry_path: String,
    /// What a scrape is answered with.
    pub exposition: Arc<Exposition>,
    /// How the poller fares.
    pub status: Arc<Status>,
}

impl Site {
    /// The answer to a request, its body left unread.
    pub(super) fn respond<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        let known: fn(&Self) -> Response<Full<Bytes>> = match request.uri().path() {
            path if path == self.telemetry_path => Self::metrics,
            "/" => Self::landing,
            "/-/healthy" => Self::healthy,
            "/-/ready" => Self::ready,
            _ => {
                return text(
                    StatusCode::NOT_FOUND,
                    "404: no such page; metrics are linked from /\n",
                );
            }
        };
        if matches!(*request.method(), Method::GET | Method::HEAD) {
            return known(self);
        }
        let mut response = text(
            StatusCode::METHOD_NOT_ALLOWED,
            "405: only GET and HEAD are answered here\n",
        );
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        response
    }

    fn metrics(&self) -> Response<Full<Bytes>> {
        match self.exposition.render() {
            Ok(text) => response(StatusCode::OK, TEXT_FORMAT, text),
            Err(error) => {
                tracing::error!(%error, "metrics could not be rendered; please report this");
                text(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "500: metrics could not be rendered; see the log\n",
                )
            }
        }
    }

    fn landing(&self) -> Response<Full<Bytes>> {
        let page = landing::page(&self.telemetry_path, &self.status.progress());
        let mut response = response(StatusCode::OK, HTML, page);
        response.headers_mut().insert(
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(PAGE_POLICY),
        );
        response
    }

    fn healthy(&self) -> Response<Full<Bytes>> {
        if self.status.is_healthy(Instant::now()) {
            text(StatusCode::OK, "healthy\n")
        } else {
            text(
                StatusCode::SERVICE_UNAVAILABLE,
                "the poller has stalled; restart the exporter and report this\n",
            )
        }
    }

    fn ready(&self) -> Response<Full<Bytes>> {
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

fn text(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    response(status, PLAIN, text)
}

fn response(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
