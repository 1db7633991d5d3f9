//! A Prometheus server, or another server with its query language.

use std::fmt::Write;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use test_support::eventually::eventually;
use test_support::http::HttpClient;
use test_support::process::Process;
use url::form_urlencoded::byte_serialize;

/// A running Prometheus server.
pub(crate) struct Prometheus {
    process: Process,
    url: String,
    http: HttpClient,
    _folder: TempDir,
}

impl Prometheus {
    /// Starts the server with this configuration.
    pub(crate) fn start(program: &Path, config_text: &str) -> Self {
        Self::start_in(program, config_text, tempfile::tempdir().expect("a folder"))
    }

    pub(crate) fn start_in(program: &Path, config_text: &str, folder: TempDir) -> Self {
        let config = folder.path().join("prometheus.yml");
        fs::write(&config, config_text).expect("a configuration");
        let mut command = Command::new(program);
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.path().join("data").display()
            ))
            .arg("--web.listen-address=127.0.0.1:0")
            .arg("--enable-feature=exemplar-storage");
        let process = Process::start("prometheus", &mut command);
        let address = process.wait_for_address(|_| true);
        Self::new(process, address, folder)
    }

    /// Starts a server that scrapes nothing and holds these samples, as `promtool` writes
    /// them. The samples are in the text format, each with its time in milliseconds.
    pub(crate) fn start_with_samples(program: &Path, promtool: &Path, samples: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("samples.om");
        fs::write(&file, open_metrics(samples)).expect("the samples");
        let made = Command::new(promtool)
            .args(["tsdb", "create-blocks-from", "openmetrics"])
            .args([&file, &folder.path().join("data")])
            .output()
            .expect("promtool starts");
        assert!(made.status.success(), "{made:?}");
        Self::start_in(program, "scrape_configs: []\n", folder)
    }

    /// Starts VictoriaMetrics with the scrape configuration of a Prometheus server.
    pub(crate) fn start_victoria_metrics(program: &Path, config_text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("scrape.yml");
        fs::write(&config, config_text).expect("a configuration");
        // VictoriaMetrics cannot say which port it took for 0.
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let mut command = Command::new(program);
        command
            .arg(format!("-promscrape.config={}", config.display()))
            .arg(format!("-storageDataPath={}", folder.path().display()))
            .arg(format!("-httpListenAddr={address}"))
            .arg("-search.latencyOffset=0s");
        let process = Process::start("victoria-metrics", &mut command);
        Self::new(process, address, folder)
    }

    fn new(process: Process, address: SocketAddr, folder: TempDir) -> Self {
        Self {
            process,
            url: format!("http://{address}/api/v1"),
            http: HttpClient::new(),
            _folder: folder,
        }
    }

    /// Returns the URL without a path.
    pub(crate) fn base_url(&self) -> &str {
        self.url.trim_end_matches("/api/v1")
    }

    /// Gives VictoriaMetrics samples in the text format, each with its time in
    /// milliseconds.
    pub(crate) fn import(&self, samples: String) {
        let url = format!("{}/import/prometheus", self.url);
        let answer = self.http.post_body(&url, samples).expect("an answer");
        assert!(answer.status < 300, "{answer:?}");
    }

    /// Returns the present series of an expression.
    pub(crate) fn query(&self, expression: &str) -> Result<Vec<Value>, String> {
        self.results(&format!("query?query={}", encoded(expression)))
    }

    /// Returns the series of an expression at this second.
    pub(crate) fn query_at(&self, time: i64, expression: &str) -> Result<Vec<Value>, String> {
        self.results(&format!(
            "query?query={}&time={time}&nocache=1",
            encoded(expression)
        ))
    }

    /// Returns the values that a label has in the `span` before `end` in the series of a
    /// selector.
    pub(crate) fn label_values(
        &self,
        label: &str,
        selector: &str,
        end: i64,
        span: Duration,
    ) -> Result<Vec<String>, String> {
        let start = end - i64::try_from(span.as_secs()).expect("seconds");
        let answer = self.ask(&format!(
            "label/{label}/values?match[]={}&start={start}&end={end}",
            encoded(selector)
        ))?;
        let values = answer["data"].as_array().into_iter().flatten();
        Ok(values
            .filter_map(|value| value.as_str().map(str::to_owned))
            .collect())
    }

    /// Returns the series of an expression in the last `span`, point by point.
    pub(crate) fn query_range(
        &self,
        expression: &str,
        span: Duration,
        step: Duration,
    ) -> Result<Vec<Value>, String> {
        let end = jiff::Timestamp::now().as_second();
        self.query_until(end, expression, span, step)
    }

    /// Returns the series of an expression in the `span` before `end`, point by point.
    pub(crate) fn query_until(
        &self,
        end: i64,
        expression: &str,
        span: Duration,
        step: Duration,
    ) -> Result<Vec<Value>, String> {
        let start = end - i64::try_from(span.as_secs()).expect("seconds");
        self.results(&format!(
            "query_range?query={}&start={start}&end={end}&step={}&nocache=1",
            encoded(expression),
            step.as_secs()
        ))
    }

    /// Returns the value of an expression that has exactly one series.
    pub(crate) fn value(&self, expression: &str) -> Result<f64, String> {
        let result = self.query(expression)?;
        let [only] = result.as_slice() else {
            return Err(format!("{expression} has {} values", result.len()));
        };
        let value = only["value"][1].as_str().and_then(|text| text.parse().ok());
        value.ok_or_else(|| format!("{expression} is {only}"))
    }

    /// Waits until the expression has one series and `accept` agrees with its value.
    pub(crate) fn expect(&self, query: &str, deadline: Duration, accept: impl Fn(f64) -> bool) {
        eventually(query, deadline, || match self.value(query) {
            Ok(value) if accept(value) => Ok(()),
            answer => Err(format!("{answer:?}\n{}", self.process.log())),
        });
    }

    /// Returns the answer to a path below `/api/v1/`.
    pub(crate) fn ask(&self, path: &str) -> Result<Value, String> {
        let answer = self.http.get(&format!("{}/{path}", self.url))?;
        let body = answer.body;
        let parsed: Value = serde_json::from_str(&body).map_err(|error| error.to_string())?;
        if answer.status == 200 {
            Ok(parsed)
        } else {
            Err(format!("{path}: {body}"))
        }
    }

    fn results(&self, path: &str) -> Result<Vec<Value>, String> {
        let mut answer = self.ask(path)?;
        match answer["data"]["result"].take() {
            Value::Array(result) => Ok(result),
            _ => Err(format!("{path}: {answer}")),
        }
    }
}

/// Turns samples of the text format into `OpenMetrics`, whose times are in seconds.
fn open_metrics(samples: &str) -> String {
    let mut text = String::new();
    for line in samples.lines() {
        let (sample, milliseconds) = line.rsplit_once(' ').expect("a time");
        let milliseconds: i64 = milliseconds.parse().expect("a time");
        writeln!(text, "{sample} {}", milliseconds / 1000).expect("a string");
    }
    text + "# EOF\n"
}

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}
