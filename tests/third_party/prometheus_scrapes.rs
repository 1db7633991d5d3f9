//! Real Prometheus servers of three releases, which scrape `demo`.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use test_support::eventually::eventually;
use test_support::http::HttpClient;
use test_support::program::Program;
use test_support::tools;

use crate::prometheus_server::Prometheus;

/// The time from the start to a scrape that can be queried.
const FIRST_SCRAPE: Duration = Duration::from_secs(30);

/// The time for which the gate holds a new series back, until the server has seen its
/// 0.
const FIRST_INCREASE: Duration = Duration::from_mins(2);

fn config_text(target: &Program) -> String {
    format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n\
         scrape_configs:\n\
         - job_name: demo\n  \
           static_configs: [{{targets: ['{}']}}]\n",
        target.address()
    )
}

fn sees_events_increase(server: &Path) {
    let demo = Program::start(&["demo", "--web.listen-address=127.0.0.1:0"]);
    let prometheus = Prometheus::start(server, &config_text(&demo));
    prometheus.expect("up", FIRST_SCRAPE, |up| up > 0.0);
    let increase = "sum(increase(nexmo_audit_events_total[1m]))";
    prometheus.expect(increase, FIRST_INCREASE, |increase| increase > 0.0);
}

#[test]
fn release_2_42_scrapes_the_demo() {
    if let Some(server) = tools::require("prometheus") {
        sees_events_increase(&server);
    }
}

#[test]
fn release_2_53_scrapes_the_demo() {
    if let Some(server) = tools::optional("prometheus-2.53") {
        sees_events_increase(&server);
    }
}

#[test]
fn release_3_scrapes_the_demo() {
    if let Some(server) = tools::optional("prometheus-3") {
        sees_events_increase(&server);
    }
}

#[test]
fn promtool_has_no_findings_about_the_metrics() {
    let Some(promtool) = tools::require("promtool") else {
        return;
    };
    let demo = Program::start(&["demo", "--web.listen-address=127.0.0.1:0"]);
    let http = HttpClient::new();
    let metrics = eventually("counted event", FIRST_SCRAPE, || {
        let text = http.get_body(&demo.url("/metrics"))?;
        let counted = text.contains("\nnexmo_audit_events_total{");
        if counted { Ok(text) } else { Err(text) }
    });
    assert_eq!(findings(&promtool, &metrics), "");
}

/// Returns what `promtool check metrics` writes about an exposition.
fn findings(promtool: &Path, metrics: &str) -> String {
    let mut check = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool starts");
    let mut stdin = check.stdin.take().expect("standard input is piped");
    stdin.write_all(metrics.as_bytes()).expect("promtool reads");
    drop(stdin);
    let output = check.wait_with_output().expect("promtool ends");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(output.status.success(), "promtool check metrics: {text}");
    text
}
