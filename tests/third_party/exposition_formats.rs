//! The exposition, read by the servers that the exporter is made for: both formats have
//! the same values everywhere, and each exemplar leads to its event.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use test_support::eventually::eventually;
use test_support::exporter::{Exporter, ONE_POLL};
use test_support::exposition::samples;
use test_support::program::{Simulator, command};
use test_support::raw_http::RawHttp;
use test_support::repository;
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{Request, ScriptedApi};
use test_support::tools;

use crate::prometheus_server::Prometheus;

const TEXT: &str = "text/plain;version=0.0.4";
const OPEN_METRICS: &str = "application/openmetrics-text;version=1.0.0";

const PARSER: &str = "tests/third_party/open_metrics.py";

/// The time from the start of a server to the samples of a scrape.
const SCRAPED: Duration = Duration::from_mins(1);

/// A number of events that is enough for many series.
const HISTORY: usize = 500;

/// One answer of a real exporter in each format, which is served again and again, so
/// that every server reads the same.
struct Captured {
    target: ScriptedApi,
    text: String,
    open_metrics: String,
    _exporter: Exporter,
    _simulator: Simulator,
}

impl Captured {
    fn new() -> Self {
        let simulator = Simulator::start(HISTORY);
        let settings = [ONE_POLL[0], ONE_POLL[1], "--poll.start=8760h"];
        let exporter = Exporter::started_by(&mut command(), &simulator.base_url(), &settings);
        exporter.wait_until_up();
        let ask = |accept| {
            let mut http = RawHttp::connect(exporter.program.address());
            let headers = [("Accept", accept), ("Accept-Encoding", "gzip;q=0")];
            let (head, body) = http.get_as("/metrics", &headers);
            let content_type = head.header("content-type").to_owned();
            (content_type, String::from_utf8(body).expect("UTF-8"))
        };
        // Both answers are of one moment, so that the exporter's own metrics agree,
        // too.
        let (text, open_metrics) = eventually("two answers of one moment", SCRAPED, || {
            let (one, other, again) = (ask(TEXT), ask(OPEN_METRICS), ask(TEXT));
            if one == again {
                Ok((one, other))
            } else {
                Err("something changed".to_owned())
            }
        });
        let (plain, open) = (text.clone(), open_metrics.clone());
        let target = ScriptedApi::start(move |request: &Request| {
            let (content_type, body) = match &*request.target {
                "/text" => &plain,
                _ => &open,
            };
            Answer::new(200, body.as_str()).header("Content-Type", content_type)
        });
        Self {
            target,
            text: text.1,
            open_metrics: open_metrics.1,
            _exporter: exporter,
            _simulator: simulator,
        }
    }

    fn scrape_config(&self) -> String {
        let address = self.target.address();
        let job = |name: &str| {
            format!(
                "- job_name: {name}\n  metrics_path: /{name}\n  \
                 static_configs: [{{targets: ['{address}']}}]\n"
            )
        };
        let jobs = [job("text"), job("openmetrics")].concat();
        format!("global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n{jobs}")
    }
}

/// The values by name and labels. Bounds of buckets are numbers, since servers and
/// formats write them differently.
type Values = BTreeMap<String, f64>;

fn key(name: &str, labels: impl Iterator<Item = (String, String)>) -> String {
    let bound = |(name, value): (String, String)| match (&*name, value.parse::<f64>()) {
        ("le", Ok(bound)) => (name, bound.to_string()),
        _ => (name, value),
    };
    let labels: BTreeMap<_, _> = labels.map(bound).collect();
    format!("{name}{labels:?}")
}

fn values(text: &str) -> Values {
    let samples = samples(text).into_iter();
    let samples = samples.map(|s| (key(&s.name, s.labels.into_iter()), s.value));
    samples.collect()
}

/// The difference that a value may have from what was served, as a share of it.
type Loss = f64;

const EXACT: Loss = 0.0;
/// VictoriaMetrics keeps decimal numbers, with no more than 12 digits where that is
/// faster.
const TWELVE_DIGITS: Loss = 1e-11;

/// Waits until a job has the expected series with their values.
fn expect_values(server: &Prometheus, job: &str, expected: &Values, loss: Loss) {
    let query = format!("{{job=\"{job}\",__name__=~\"nexmo_.+|process_.+\"}}");
    let found = eventually(&format!("series of {job}"), SCRAPED, || {
        let series = server.query(&query)?;
        if series.len() < expected.len() {
            return Err(format!("{} series", series.len()));
        }
        Ok(series)
    });
    let found: Option<Values> = found.iter().map(queried).collect();
    let mut found = found.expect("names, labels and numbers");
    for (series, value) in &mut found {
        let exact = expected.get(series).copied().unwrap_or(f64::NAN);
        if (*value - exact).abs() <= exact.abs() * loss {
            *value = exact;
        }
    }
    assert_eq!(&found, expected, "{job}");
}

fn queried(series: &Value) -> Option<(String, f64)> {
    let labels = series["metric"].as_object()?.iter();
    let own = labels.filter(|(name, _)| !["__name__", "job", "instance"].contains(&&***name));
    let own = own.map(|(name, value)| (name.clone(), value.as_str().unwrap_or("").to_owned()));
    let name = series["metric"]["__name__"].as_str()?;
    let value = series["value"][1].as_str()?.parse().ok()?;
    Some((key(name, own), value))
}

/// Returns the ids of all exemplars that a server has of a family.
fn exemplars(server: &Prometheus, family: &str) -> BTreeSet<String> {
    let query = format!("query_exemplars?query={family}&start=0&end=4000000000");
    let answer = server.ask(&query).expect("an answer");
    let series = answer["data"].as_array().expect("series").iter();
    let exemplars = series.flat_map(|series| series["exemplars"].as_array().expect("some"));
    let id = |exemplar: &Value| exemplar["labels"]["event_id"].as_str().map(str::to_owned);
    exemplars.map(|e| id(e).expect("an id")).collect()
}

fn reads_both_formats_alike(prometheus: &Path) {
    let captured = Captured::new();
    let expected = values(&captured.text);
    assert_eq!(values(&captured.open_metrics), expected);
    assert!(expected.len() > 100, "{} series", expected.len());
    let server = Prometheus::start(prometheus, &captured.scrape_config());
    expect_values(&server, "text", &expected, EXACT);
    expect_values(&server, "openmetrics", &expected, EXACT);
    for family in [
        "nexmo_audit_events_total",
        "nexmo_audit_events_by_type_total",
    ] {
        let lines = captured.open_metrics.lines();
        let lines = lines.filter(|line| line.starts_with(&format!("{family}{{")));
        let ids = lines.filter_map(|line| {
            let (_, exemplar) = line.split_once(" # {event_id=\"")?;
            Some(exemplar.split('"').next()?.to_owned())
        });
        let ids: BTreeSet<String> = ids.collect();
        assert!(!ids.is_empty());
        assert_eq!(exemplars(&server, family), ids, "{family}");
    }
}

#[test]
fn prometheus_2_42_reads_both_formats_alike_and_keeps_the_exemplars() {
    if let Some(server) = tools::require("prometheus") {
        reads_both_formats_alike(&server);
    }
}

#[test]
fn prometheus_3_reads_both_formats_alike_and_keeps_the_exemplars() {
    if let Some(server) = tools::optional("prometheus-3") {
        reads_both_formats_alike(&server);
    }
}

#[test]
fn victoria_metrics_reads_both_formats_alike() {
    let Some(program) = tools::require("victoria-metrics") else {
        return;
    };
    let captured = Captured::new();
    let expected = values(&captured.text);
    let server = Prometheus::start_victoria_metrics(&program, &captured.scrape_config());
    expect_values(&server, "text", &expected, TWELVE_DIGITS);
    expect_values(&server, "openmetrics", &expected, TWELVE_DIGITS);
}

/// The reference parser of the format is the strictest reader of it.
#[test]
fn the_reference_parser_takes_every_line_of_open_metrics() {
    let Some(python) = tools::require("tests-python") else {
        return;
    };
    let captured = Captured::new();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("metrics");
    fs::write(&file, &captured.open_metrics).expect("a file");
    let mut command = Command::new(python);
    let output = command
        .arg(repository(PARSER))
        .arg(&file)
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let samples = String::from_utf8_lossy(&output.stdout);
    let samples: usize = samples.trim().parse().expect("a number");
    assert_eq!(samples, values(&captured.open_metrics).len());
}
