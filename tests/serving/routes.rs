//! The answer of each path; no answer waits for a poll or another client.

use std::time::{Duration, Instant};

use test_support::audit_event::events;
use test_support::exporter::{Exporter, ONE_POLL};
use test_support::raw_http::RawHttp;
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{Request, ScriptedApi, healthy, listing};

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
/// A time far below the time limit of a request to the API.
const AT_ONCE: Duration = Duration::from_secs(5);

fn polled() -> (ScriptedApi, Exporter) {
    let api = ScriptedApi::start(healthy(events(2, "A")));
    let exporter = Exporter::polling_with(&api, &ONE_POLL);
    exporter.wait_until_up();
    exporter.wait_until_ready();
    (api, exporter)
}

#[test]
fn every_page_has_its_type_and_head_is_get_without_a_body() {
    let (_api, exporter) = polled();
    let mut http = RawHttp::connect(exporter.program.address());
    for (path, content_type) in [
        ("/metrics", TEXT),
        ("/metrics?name[]=up", TEXT),
        ("/", HTML),
        ("/-/healthy", PLAIN),
        ("/-/ready", PLAIN),
    ] {
        let (head, body) = http.get(path);
        assert_eq!(
            (head.status, head.header("content-type")),
            (200, content_type),
            "{path}"
        );
        assert_eq!(head.header("x-content-type-options"), "nosniff", "{path}");
        assert!(!body.is_empty(), "{path}");
        http.send("HEAD", path);
        let only_head = http.read_head();
        let names = |head: &test_support::raw_http::Head| -> Vec<String> {
            head.headers.iter().map(|(name, _)| name.clone()).collect()
        };
        assert_eq!(
            (only_head.status, names(&only_head)),
            (200, names(&head)),
            "{path}"
        );
        // A body would be taken for the head of the next answer.
        assert!(only_head.length() > 0, "{path}");
    }
    let (_, page) = http.get("/");
    assert!(page.contains("href=\"./metrics\""), "{page}");
}

#[test]
fn other_paths_are_404_and_other_methods_405() {
    let (_api, exporter) = polled();
    let mut http = RawHttp::connect(exporter.program.address());
    let cases = [
        ("GET", "/metric", 404),
        ("GET", "/metrics/", 404),
        ("GET", "/-/", 404),
        ("POST", "/nowhere", 404),
        ("POST", "/metrics", 405),
        ("DELETE", "/", 405),
        ("OPTIONS", "/-/ready", 405),
        ("PUT", "/-/healthy", 405),
    ];
    for (method, path, status) in cases {
        http.send(method, path);
        let head = http.read_head();
        let body = http.read_body(head.length());
        assert_eq!(head.status, status, "{method} {path}");
        let allow = if status == 405 { "GET, HEAD" } else { "" };
        assert_eq!(head.header("allow"), allow, "{method} {path}");
        assert!(body.starts_with(&status.to_string()), "{body}");
    }
}

#[test]
fn the_telemetry_path_moves() {
    let api = ScriptedApi::start(healthy(Vec::new()));
    let exporter = Exporter::polling_with(&api, &["--web.telemetry-path=/probe"]);
    assert!(exporter.page("/probe").contains("nexmo_audit_up"));
    assert_eq!(exporter.status("/metrics"), 404);
    assert!(exporter.page("/").contains("href=\"./probe\""));
}

#[test]
fn ready_once_a_poll_has_ended_and_still_in_an_outage() {
    let api = ScriptedApi::start(|_| Answer::silence());
    let exporter = Exporter::polling_with(&api, &["--api.timeout=30s"]);
    api.wait_for_requests(1, |_| true);
    assert_eq!(exporter.status("/-/ready"), 503);
    assert_eq!(exporter.status("/-/healthy"), 200);
    assert!(exporter.page("/").contains("not polled yet"));
    drop(exporter);
    let exporter = Exporter::polling(&api);
    api.follow(healthy(Vec::new()));
    exporter.wait_until_ready();
    exporter.wait_until_up();
    api.follow(|_| Answer::error(500, "Down"));
    let reason = [("reason", "status")];
    exporter.wait_for("nexmo_audit_poll_failures_total", &reason, |failed| {
        failed >= 2.0
    });
    for probe in ["/-/ready", "/-/healthy"] {
        assert_eq!(exporter.status(probe), 200, "{probe}");
    }
}

#[test]
fn a_first_poll_that_fails_makes_it_ready() {
    let api = ScriptedApi::start(|_| Answer::error(401, "No"));
    let exporter = Exporter::polling(&api);
    exporter.program.wait_for_line("polls fail");
    exporter.wait_until_ready();
}

#[test]
fn a_scrape_does_not_wait_for_a_poll() {
    let api = ScriptedApi::start(healthy(events(2, "A")));
    let exporter = Exporter::polling_with(&api, &["--api.timeout=10m"]);
    exporter.wait_until_up();
    api.follow(listing(|_| Answer::silence()));
    let asked = api.requests().len();
    api.wait_for_requests(asked + 1, |_| true);
    let begun = Instant::now();
    assert!(
        exporter
            .page("/metrics")
            .contains("nexmo_audit_events_total{")
    );
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
}

#[test]
fn idle_clients_delay_no_other() {
    let api = ScriptedApi::start(healthy(events(2, "A")));
    let mut exporter = Exporter::polling(&api);
    let address = exporter.program.address();
    let mut idle: Vec<_> = (0..500).map(|_| RawHttp::connect(address)).collect();
    // Half of the clients have never sent a request, half keep their connection.
    for client in idle.iter_mut().step_by(2) {
        assert_eq!(client.get("/-/healthy").0.status, 200);
    }
    let begun = Instant::now();
    let (head, _) = RawHttp::connect(address).get("/metrics");
    assert_eq!(head.status, 200);
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    for client in idle.iter_mut().step_by(2) {
        assert_eq!(client.get("/-/ready").0.status / 100, 2);
    }
    exporter.program.signal("TERM");
    let ended = exporter.program.wait_for_end(AT_ONCE);
    assert_eq!(ended.code(), Some(0), "{}", exporter.program.log());
    assert!(idle.iter_mut().all(RawHttp::is_at_its_end));
    assert!(api.requests().iter().any(Request::is_list));
}

#[test]
fn no_time_limit_of_a_scrape_holds_counts_for_hours() {
    // The hold of the interval of an unknown scraper, one minute.
    const LONGEST_HOLD: f64 = 130.0;
    for limit in ["10", "61", "3600", "1000000000", "1e300"] {
        let (_api, exporter) = polled();
        let mut http = RawHttp::connect(exporter.program.address());
        let scraper = [("X-Prometheus-Scrape-Timeout-Seconds", limit)];
        http.get_as("/metrics", &scraper);
        let hold = exporter.wait_for("nexmo_audit_publish_hold_seconds", &[], |hold| hold > 0.0);
        assert!(hold <= LONGEST_HOLD, "{limit} s: {hold} s");
    }
}
