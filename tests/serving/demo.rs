//! The demo, as a person sees it who tries the exporter.

use std::time::Duration;

use test_support::eventually::eventually;
use test_support::http::HttpClient;
use test_support::program::Program;

/// The time that a person may wait for something to look at.
const TEN_SECONDS: Duration = Duration::from_secs(10);

#[test]
fn the_demo_says_what_to_open_shows_events_and_ends_on_ctrl_c() {
    let mut demo = Program::start(&["demo", "--web.listen-address=127.0.0.1:0"]);
    let opened = demo.wait_for_line("Open ");
    let url = opened.split_whitespace().nth(1).expect("a URL").to_owned();
    assert_eq!(url, demo.url("/"));
    let curl = demo.wait_for_line("curl");
    assert!(curl.contains(&demo.url("/metrics")), "{curl}");
    demo.wait_for_line("scrape_configs:");
    demo.wait_for_line("Ctrl-C ends it.");
    let http = HttpClient::new();
    let counted = eventually("counted event", TEN_SECONDS, || {
        let page = http.get_body(&demo.url("/metrics"))?;
        let counted = |line: &&str| line.starts_with("nexmo_audit_events_total{");
        let first = page.lines().find(counted).map(str::to_owned);
        first.ok_or(page)
    });
    assert!(counted.contains("event_type=\""), "{counted}");
    assert!(http.get_body(&url).expect("a page").contains("Metrics"));
    demo.signal("INT");
    let ended = demo.wait_for_end(TEN_SECONDS);
    assert_eq!(ended.code(), Some(0), "{}", demo.log());
}
