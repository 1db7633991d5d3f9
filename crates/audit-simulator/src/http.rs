//! The API over HTTP: checks credentials, routes requests and applies faults. It holds no
//! state and makes no events.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use hyper::header::{
    ACCEPT_ENCODING, ALLOW, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, DATE,
    HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, VARY, WWW_AUTHENTICATE,
};
use hyper::{Method, Request, Response, StatusCode};

use crate::body::{self, AnswerBody};
use crate::faults::{Fault, RetryAfter};
use crate::list_form::BeyondLast;
use crate::query::Query;
use crate::render;
use crate::simulated_api::{ListError, SimulatedApi};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const HTML: HeaderValue = HeaderValue::from_static("text/html");

/// The wait that a 429 asks for. A date has whole seconds, and so asks for a second more.
const RETRY_AFTER_SECONDS: u64 = 1;

/// The error that resets a connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is reset, as asked for by a fault")]
pub(crate) struct ConnectionReset;

/// Answers one request.
///
/// # Errors
/// Returns an error if a fault resets the connection.
pub(crate) async fn answer<B>(
    api: Arc<SimulatedApi>,
    request: Request<B>,
) -> Result<Response<AnswerBody>, ConnectionReset> {
    let fault = api.next_fault();
    if !api.latency.is_zero() {
        tokio::time::sleep(api.latency).await;
    }
    let headers = request.headers().clone();
    let answer = match fault {
        Some(Fault::Reset) => return Err(ConnectionReset),
        Some(Fault::TooManyRequests(retry_after)) => too_many_requests(&api, retry_after),
        Some(Fault::ServerError(status)) => server_error(status),
        Some(Fault::Cut) | None => route(&api, request).await,
    };
    let answer = encode(answer, &headers);
    Ok(finish(&api, answer, fault == Some(Fault::Cut)))
}

/// Returns the answer to a request. A client without valid credentials learns nothing.
async fn route<B>(api: &Arc<SimulatedApi>, request: Request<B>) -> Response<Bytes> {
    if !authorized(api, request.headers()) {
        return unauthorized();
    }
    let (method, uri) = (request.method(), request.uri());
    let rest = uri.path().strip_prefix(api.base_path.as_str());
    let Some(rest) = rest.and_then(|rest| rest.strip_prefix("/events")) else {
        return problem(StatusCode::NOT_FOUND, "No such resource");
    };
    let read = matches!(*method, Method::GET | Method::HEAD);
    match rest.strip_prefix('/') {
        None if !rest.is_empty() => problem(StatusCode::NOT_FOUND, "No such resource"),
        None if *method == Method::OPTIONS => json(StatusCode::OK, render::types()),
        None if read => list(api, uri.query().unwrap_or_default()).await,
        None => not_allowed("GET, HEAD, OPTIONS"),
        Some(id) if read => event(api, id),
        Some(_) => not_allowed("GET, HEAD"),
    }
}

async fn list(api: &Arc<SimulatedApi>, query: &str) -> Response<Bytes> {
    let query = match Query::parse(query) {
        Ok(query) => query,
        Err(error) => return problem(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    match api.list(query).await {
        Ok(body) => json(StatusCode::OK, body),
        Err(error @ ListError::Beyond(_, answer)) => match answer {
            BeyondLast::NotFound => problem(StatusCode::NOT_FOUND, &error.to_string()),
            BeyondLast::BadRequest => problem(StatusCode::BAD_REQUEST, &error.to_string()),
            BeyondLast::Empty | BeyondLast::Object => json(StatusCode::OK, b"{}".to_vec()),
        },
        Err(error @ ListError::Query(_)) => problem(StatusCode::BAD_REQUEST, &error.to_string()),
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn event(api: &SimulatedApi, id: &str) -> Response<Bytes> {
    if let Some(body) = api.event(id) {
        return json(StatusCode::OK, body);
    }
    let message = format!("Event with provided id: {id} was not found");
    problem(StatusCode::NOT_FOUND, &message)
}

fn authorized(api: &SimulatedApi, headers: &HeaderMap) -> bool {
    let value = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let Some((scheme, credentials)) = value.and_then(|value| value.split_once(' ')) else {
        return false;
    };
    scheme.eq_ignore_ascii_case("basic") && api.credentials.admit(credentials)
}

fn unauthorized() -> Response<Bytes> {
    let message = "Full authentication is required: HTTP Basic with API key and API secret";
    let answer = problem(StatusCode::UNAUTHORIZED, message);
    let challenge = HeaderValue::from_static("Basic realm=\"Audit API\"");
    with(answer, WWW_AUTHENTICATE, challenge)
}

fn not_allowed(allowed: &'static str) -> Response<Bytes> {
    let answer = problem(
        StatusCode::METHOD_NOT_ALLOWED,
        "The method is not supported here",
    );
    with(answer, ALLOW, HeaderValue::from_static(allowed))
}

fn too_many_requests(api: &SimulatedApi, retry_after: RetryAfter) -> Response<Bytes> {
    let answer = problem(StatusCode::TOO_MANY_REQUESTS, "Too many requests");
    let value = match retry_after {
        RetryAfter::Missing => return answer,
        RetryAfter::Seconds => HeaderValue::from(RETRY_AFTER_SECONDS),
        RetryAfter::Date => http_date(api, Duration::from_secs(RETRY_AFTER_SECONDS + 1)),
    };
    with(answer, RETRY_AFTER, value)
}

/// Returns an error answer: JSON from the API itself, or HTML from a gateway before it.
fn server_error(status: u16) -> Response<Bytes> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if !matches!(
        status,
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT
    ) {
        return problem(status, "The Audit API cannot answer at the moment");
    }
    let mut answer = Response::new(Bytes::from(format!(
        "<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
    )));
    *answer.status_mut() = status;
    with(answer, CONTENT_TYPE, HTML)
}

fn problem(status: StatusCode, message: &str) -> Response<Bytes> {
    let error = status.canonical_reason().unwrap_or_default();
    json(status, render::error(status.as_u16(), error, message))
}

fn json(status: StatusCode, body: Vec<u8>) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from(body));
    *answer.status_mut() = status;
    with(answer, CONTENT_TYPE, JSON)
}

fn with<B>(mut answer: Response<B>, name: HeaderName, value: HeaderValue) -> Response<B> {
    answer.headers_mut().insert(name, value);
    answer
}

/// Compresses the body if the client accepts gzip.
fn encode(answer: Response<Bytes>, request: &HeaderMap) -> Response<Bytes> {
    let answer = with(answer, VARY, HeaderValue::from_static("Accept-Encoding"));
    if !accepts_gzip(request) {
        return answer;
    }
    let Some(compressed) = body::gzip(answer.body()) else {
        return answer;
    };
    let gzip = HeaderValue::from_static("gzip");
    with(answer.map(|_| compressed), CONTENT_ENCODING, gzip)
}

fn accepts_gzip(request: &HeaderMap) -> bool {
    let values = request.get_all(ACCEPT_ENCODING).iter();
    let codings = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    codings.into_iter().any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let weight = weight.trim().trim_start_matches("q=").parse::<f32>();
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_ok_and(|weight| weight > 0.0)
    })
}

fn finish(api: &SimulatedApi, answer: Response<Bytes>, cut: bool) -> Response<AnswerBody> {
    let answer = answer.map(AnswerBody::whole);
    let length = HeaderValue::from(answer.body().len());
    let answer = with(answer, CONTENT_LENGTH, length);
    // The announced length stays that of the whole body.
    let answer = answer.map(|body| if cut { body.cut() } else { body });
    with(answer, DATE, http_date(api, Duration::ZERO))
}

/// Returns the time of the API plus `ahead`, as headers write it.
fn http_date(api: &SimulatedApi, ahead: Duration) -> HeaderValue {
    // `fmt_http_date` panics outside of the years 1970 to 9999.
    let second = api.clock.now().as_second().clamp(0, 250_000_000_000);
    let since_epoch = Duration::from_secs(second.unsigned_abs()) + ahead;
    let date = httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + since_epoch);
    HeaderValue::from_str(&date).unwrap_or_else(|_| HeaderValue::from_static(""))
}
