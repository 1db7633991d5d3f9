//! Real Prometheus servers of three releases against `demo`.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use url::form_urlencoded::byte_serialize;

use crate::support::eventually::eventually;
use crate::support::http::HttpClient;
use crate::support::process::Process;
use crate::support::program::Program;
use crate::support::tools;

/// From the start to a scrape that can be asked for.
const FIRST_SCRAPE: Duration = Duration::from_secs(30);

/// The publish gate holds a new series back until the server has seen its 0.
const FIRST_INCREASE: Duration = Duration::from_mins(2);

/// A Prometheus server with one target.
struct Prometheus {
    process: Process,
    url: String,
    http: HttpClient,
    _folder: TempDir,
}

impl Prometheus {
    fn scraping(server: &Path, target: &Program) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("prometheus.yml");
        fs::write(&config, config_text(target)).expect("a configuration");
        let mut command = Command::new(server);
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.path().join("data").display()
            ))
            .arg("--web.listen-address=127.0.0.1:0");
        let process = Process::start("prometheus", &mut command);
        let url = format!("http://{}", process.wait_for_address(|_| true));
        Self {
            process,
            url,
            http: HttpClient::new(),
            _folder: folder,
        }
    }

    /// Waits until the query has one result and `accept` agrees with its value.
    fn expect(&self, query: &str, deadline: Duration, accept: impl Fn(f64) -> bool) {
        let query_string: String = byte_serialize(query.as_bytes()).collect();
        let url = format!("{}/api/v1/query?query={query_string}", self.url);
        eventually(query, deadline, || {
            let answer = self.http.get_body(&url)?;
            match value(&answer) {
                Some(value) if accept(value) => Ok(()),
                _ => Err(format!("{answer}\n{}", self.process.log())),
            }
        });
    }
}

fn config_text(target: &Program) -> String {
    format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n\
         scrape_configs:\n\
         - job_name: demo\n  \
           static_configs: [{{targets: ['{}']}}]\n",
        target.address()
    )
}

/// The value in the answer to an instant query that has exactly one series.
fn value(answer: &str) -> Option<f64> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    match answer["data"]["result"].as_array()?.as_slice() {
        [only] => only["value"][1].as_str()?.parse().ok(),
        _ => None,
    }
}

fn sees_events_increase(server: &Path) {
    let demo = Program::start(&["demo", "--web.listen-address=127.0.0.1:0"]);
    let prometheus = Prometheus::scraping(server, &demo);
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
fn promtool_has_nothing_to_say_about_the_metrics() {
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

/// What `promtool check metrics` writes about an exposition.
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
