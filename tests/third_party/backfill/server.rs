//! A server into which blocks can be imported, and the samples that it has stored.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use test_support::eventually::eventually;
use test_support::exporter::is;
use test_support::http::HttpClient;
use test_support::process::Process;
use test_support::program::Program;
use url::form_urlencoded::byte_serialize;

use super::{METRICS, SEEN, Samples, Series};

/// A server whose data outlive it.
pub(super) struct Server {
    program: PathBuf,
    folder: TempDir,
    process: Option<Process>,
    url: String,
    http: HttpClient,
}

impl Server {
    pub(super) fn new(program: PathBuf, target: &Program) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n\
             scrape_configs:\n- job_name: audit\n  static_configs:\n  \
             - {{targets: ['{}'], labels: {{instance: one}}}}\n",
            target.address()
        );
        fs::write(folder.path().join("prometheus.yml"), config).expect("a configuration");
        Self {
            program,
            folder,
            process: None,
            url: String::new(),
            http: HttpClient::new(),
        }
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(super) fn start(&mut self) {
        let config = self.folder.path().join("prometheus.yml");
        let mut command = Command::new(&self.program);
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", self.data().display()))
            .args([
                "--web.listen-address=127.0.0.1:0",
                "--storage.tsdb.retention.time=10y",
            ]);
        let process = Process::start("prometheus", &mut command);
        self.url = format!("http://{}", process.wait_for_address(|_| true));
        self.process = Some(process);
    }

    pub(super) fn stop(&mut self) {
        let mut process = self.process.take().expect("a running server");
        process.signal("TERM");
        process.wait_for_end(SEEN);
    }

    pub(super) fn query(&self, query: &str) -> Result<Vec<Value>, String> {
        let query: String = byte_serialize(query.as_bytes()).collect();
        let body = self
            .http
            .get_body(&format!("{}/api/v1/query?query={query}", self.url))?;
        let mut body: Value = serde_json::from_str(&body).map_err(|error| error.to_string())?;
        match body["data"]["result"].take() {
            Value::Array(result) => Ok(result),
            _ => Err(body.to_string()),
        }
    }

    /// Returns the only value of a query.
    pub(super) fn value(&self, query: &str) -> Result<f64, String> {
        let result = self.query(query)?;
        let value = result.first().and_then(|only| only["value"][1].as_str());
        value
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| format!("{query}: {result:?}"))
    }

    pub(super) fn wait_until_all_is_scraped(&self, shown: f64) {
        let query = format!("sum({})", METRICS[0]);
        eventually(&query, SEEN, || {
            let value = self.value(&query)?;
            is(shown)(value)
                .then_some(())
                .ok_or_else(|| value.to_string())
        });
    }

    /// Returns every sample of a metric, by series. Labels are distinct.
    pub(super) fn samples(&self, metric: &str) -> BTreeMap<Series, Samples> {
        let mut samples = BTreeMap::new();
        for series in self.query(&format!("{metric}[1d]")).expect("samples") {
            let label = |name: &&str| series["metric"][*name].as_str().map(str::to_owned);
            let names = ["event_type", "source", "source_country"];
            let labels: Series = names.iter().filter_map(label).collect();
            let values = series["values"].as_array().expect("values");
            let number = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
            let sample = |point: &Value| Some((point[0].as_f64()?, number(&point[1])?));
            let values: Option<Samples> = values.iter().map(sample).collect();
            let before = samples.insert(labels.clone(), values.expect("numbers"));
            assert!(before.is_none(), "two series of {labels:?}");
        }
        samples
    }
}
