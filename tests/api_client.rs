//! The API client over real sockets: where it sends the secret, and what it reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use nexmo_audit_exporter::api::{
    ApiBounds, ApiClient, ApiClientSettings, ApiError, Credentials, HttpClients, MAX_BODY_BYTES,
    PageQuery, REASONS,
};
use nexmo_audit_exporter::metrics::{AccountMetrics, ProcessMetrics};
use serde_json::json;
use test_support::audit_event::{base64, event, events};
use test_support::exporter::{Exporter, is};
use test_support::program::{API_KEY, API_SECRET, command};
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{Request, ScriptedApi, healthy, listing};

const FAST: &[&str] = &["--poll.interval=10ms"];

/// Starts another server, to which no request may be sent.
fn elsewhere() -> ScriptedApi {
    ScriptedApi::start(healthy(events(1, "FROM_ELSEWHERE")))
}

fn nothing_came(elsewhere: &ScriptedApi) {
    assert_eq!(elsewhere.connections(), 0, "{:?}", elsewhere.requests());
}

#[test]
fn every_request_bears_the_secret_and_goes_below_the_base_url() {
    let api = ScriptedApi::start(healthy(events(1, "A")));
    let exporter = Exporter::polling(&api);
    exporter.wait_for_polls(3);
    let basic = format!("Basic {}", base64(&format!("{API_KEY}:{API_SECRET}")));
    let host = api
        .base_url()
        .replace("http://", "")
        .replace("/beta/audit", "");
    for request in api.requests() {
        let header = |name| request.header(name).unwrap_or_default();
        assert_eq!(header("Authorization"), basic, "{request:?}");
        assert_eq!(header("Host"), host, "{request:?}");
        assert_eq!(header("Accept-Encoding"), "gzip", "{request:?}");
        assert!(header("User-Agent").starts_with("nexmo-audit-exporter/"));
        let path = request.target.split('?').next();
        assert_eq!(path, Some("/beta/audit/events"), "{request:?}");
        assert!(!request.target.contains(API_SECRET), "{request:?}");
    }
}

#[test]
fn no_redirect_is_followed() {
    let elsewhere = elsewhere();
    let location = format!("{}/events", elsewhere.base_url());
    let asked = AtomicUsize::new(0);
    let api = ScriptedApi::start(move |_| {
        let kinds = [301, 302, 303, 307, 308];
        let kind = kinds[asked.fetch_add(1, Ordering::SeqCst) % kinds.len()];
        Answer::new(kind, "").header("Location", &location)
    });
    let exporter = Exporter::polling_with(&api, FAST);
    api.wait_for_requests(10, Request::is_list);
    nothing_came(&elsewhere);
    assert!(is(0.0)(exporter.value("nexmo_audit_up", &[])));
}

#[test]
fn no_link_is_followed() {
    let elsewhere = elsewhere();
    let href = format!("{}/events?page=2", elsewhere.base_url());
    let api = ScriptedApi::start(listing(move |_| {
        let link = json!({"href": href});
        let links = json!({"self": link, "next": link, "last": link});
        let event = test_support::audit_event::with(event("a", "A"), "_links", links.clone());
        let page = json!({"totalElements": 1, "totalPages": 1});
        Answer::json(
            200,
            &json!({"_embedded": {"events": [event]}, "_links": links, "page": page}),
        )
    }));
    let exporter = Exporter::polling(&api);
    exporter.wait_for_polls(3);
    assert!(is(1.0)(exporter.counted()));
    nothing_came(&elsewhere);
}

#[test]
fn no_proxy_is_shown_the_secret_over_plain_http() {
    let proxy = elsewhere();
    let api = ScriptedApi::start(healthy(events(1, "A")));
    let proxy_url = proxy.base_url().replace("/beta/audit", "");
    let mut command = command();
    for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(variable, &proxy_url);
    }
    command.env_remove("NO_PROXY").env_remove("no_proxy");
    let exporter = Exporter::started_by(&mut command, &api.base_url(), &[]);
    exporter.wait_for_polls(2);
    assert!(is(1.0)(exporter.counted()));
    nothing_came(&proxy);
}

#[test]
fn a_connection_serves_many_requests() {
    let api = ScriptedApi::start(healthy(events(1, "A")));
    let _exporter = Exporter::polling_with(&api, FAST);
    api.wait_for_requests(20, |_| true);
    // A request may come before the connection of the request before it is free again.
    assert!(api.connections() <= 4, "{}", api.connections());
}

#[test]
fn a_connection_closed_without_notice_loses_nothing() {
    let api = ScriptedApi::start(listing(|_| Answer::list(&events(2, "A")).then_closed()));
    let exporter = Exporter::polling(&api);
    exporter.wait_until_up();
    api.wait_for_requests(5, Request::is_list);
    assert!(is(2.0)(exporter.counted()));
    assert!(api.connections() >= 4);
}

#[test]
fn a_compressed_answer_is_read() {
    let api = ScriptedApi::start(listing(|_| Answer::list(&events(3, "A")).gzip()));
    let exporter = Exporter::polling(&api);
    exporter.wait_until_up();
    assert!(is(3.0)(exporter.counted()));
}

fn client(api: &ScriptedApi) -> ApiClient {
    let settings = ApiClientSettings {
        base_url: api.base_url().parse().expect("a URL"),
        timeout: Duration::from_secs(20),
        max_requests_per_second: 1000.0,
    };
    let credentials = Credentials {
        key: API_KEY.into(),
        secret: API_SECRET.into(),
    };
    let process = ProcessMetrics::new().expect("metrics");
    let metrics = AccountMetrics::new(REASONS, &process);
    ApiClient::new(
        &HttpClients::new(None, ApiBounds::ONE_ACCOUNT),
        &settings,
        credentials,
        Arc::new(metrics),
    )
    .expect("a client")
}

const FIRST_PAGE: PageQuery = PageQuery {
    from: Timestamp::UNIX_EPOCH,
    to: None,
    page: 1,
    size: 100,
};

/// Returns the number of bytes that are read of a body of `length` bytes, plain or
/// compressed.
async fn length_read(length: usize, compressed: bool) -> Result<usize, ApiError> {
    let api = ScriptedApi::start_here(move |_| {
        let answer = Answer::new(200, vec![b'x'; length]);
        if compressed { answer.gzip() } else { answer }
    })
    .await;
    let answer = client(&api).list(FIRST_PAGE).await?;
    Ok(answer.value.len())
}

#[tokio::test]
async fn a_body_is_read_up_to_16_mib_after_decompression() {
    for compressed in [false, true] {
        let read = length_read(MAX_BODY_BYTES, compressed).await;
        assert_eq!(read.ok(), Some(16 * 1024 * 1024), "{compressed}");
        let read = length_read(MAX_BODY_BYTES + 1, compressed).await;
        let error = read.expect_err("a body beyond the cap");
        assert_eq!(error.reason(), "body", "{compressed}");
        assert!(error.to_string().contains("16 MiB"), "{error}");
    }
}

#[tokio::test]
async fn an_id_is_one_part_of_a_path_and_404_is_no_failure() {
    let api = ScriptedApi::start_here(|_| Answer::error(404, "No such event")).await;
    let answer = client(&api).event("../../a?b").await.expect("an answer");
    assert_eq!(answer.value, None);
    let target = &api.requests()[0].target;
    assert_eq!(target, "/beta/audit/events/..%2F..%2Fa%3Fb");
}

#[tokio::test]
async fn neither_client_nor_error_prints_the_secret() {
    let api = ScriptedApi::start_here(|request| {
        let header = request.header("Authorization").unwrap_or_default();
        Answer::error(400, &format!("{API_SECRET} in {header}"))
    })
    .await;
    let client = client(&api);
    let error = client.list(FIRST_PAGE).await.expect_err("status 400");
    let printed = format!("{client:?} {error:?} {error}");
    assert!(printed.contains("[secret] in Basic [secret]"), "{printed}");
    let in_a_header = base64(&format!("{API_KEY}:{API_SECRET}"));
    assert!(!printed.contains(API_SECRET), "{printed}");
    assert!(!printed.contains(&in_a_header), "{printed}");
}

#[tokio::test]
async fn a_large_page_of_an_error_costs_no_more_than_its_message() {
    let api =
        ScriptedApi::start_here(|_| Answer::new(502, "x".repeat(1 << 20)).repeated(100)).await;
    let error = client(&api).list(FIRST_PAGE).await.expect_err("status 502");
    assert_eq!(error.reason(), "status");
    assert!(error.to_string().contains("502"), "{error}");
}
