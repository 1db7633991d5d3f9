//! A Prometheus server, or another server with its query language.

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
        let folder = tempfile::tempdir().expect("a folder");
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

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}
