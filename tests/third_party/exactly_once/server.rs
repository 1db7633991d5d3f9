//! A Prometheus server that scrapes the exporter, and the samples that it has stored.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use test_support::http::HttpClient;
use test_support::restartable::{Restartable, free_port};
use url::form_urlencoded::byte_serialize;

use super::outage_plan::Party;
use super::series::Series;

/// A time since 1970, and a value.
pub(super) type Sample = (Duration, u64);

/// The samples of a series under each name of the exporter, in the order of the names'
/// first samples.
pub(super) type Samples = Vec<(String, Vec<Sample>)>;

/// A Prometheus server that scrapes the exporter under each of its addresses.
pub(super) struct Server {
    pub(super) name: String,
    /// The scrape interval.
    pub(super) interval: Duration,
    /// The programs without which the server has no samples.
    pub(super) needs: Vec<Party>,
    pub(super) process: Restartable,
    url: String,
    http: HttpClient,
}

impl Server {
    /// Makes a server that is not started yet, with its data below `folder`.
    pub(super) fn new(
        program: PathBuf,
        interval: Duration,
        needs: &[Party],
        targets: &[String],
        folder: &Path,
    ) -> Self {
        let program_name = program.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{program_name} every {interval:?}");
        let folder = folder.join(&*program_name);
        fs::create_dir(&folder).expect("a folder");
        let config = folder.join("prometheus.yml");
        fs::write(&config, config_text(interval, targets)).expect("a configuration");
        let (port, log) = (free_port(), folder.clone());
        let command = move || {
            let mut command = Command::new(&program);
            command
                .arg(format!("--config.file={}", config.display()))
                .arg(format!(
                    "--storage.tsdb.path={}",
                    folder.join("data").display()
                ))
                .arg(format!("--web.listen-address=127.0.0.1:{port}"));
            command
        };
        Self {
            process: Restartable::new("prometheus", &log, command),
            name,
            interval,
            needs: needs.to_vec(),
            url: format!("http://127.0.0.1:{port}/api/v1"),
            http: HttpClient::new(),
        }
    }

    /// Returns the programs without which the server has no samples of new events.
    pub(super) fn counting_needs(&self) -> Vec<Party> {
        let mut needs = self.needs.clone();
        needs.push(Party::Api);
        needs
    }

    /// Returns the value of an expression that has exactly one.
    pub(super) fn value(&self, expression: &str) -> Result<f64, String> {
        let result = self.query(expression)?;
        let [only] = result.as_slice() else {
            return Err(format!("{expression} has {} values", result.len()));
        };
        let value = only["value"][1].as_str().and_then(|text| text.parse().ok());
        value.ok_or_else(|| format!("{expression} is {only}"))
    }

    /// Returns every stored sample of `metric` in the last `span`, by series. It asks
    /// for one type at a time: a long run has millions of samples.
    pub(super) fn samples(
        &self,
        metric: &'static str,
        span: Duration,
    ) -> Result<BTreeMap<Series, Samples>, String> {
        let mut samples: BTreeMap<_, Samples> = BTreeMap::new();
        for event_type in self.event_types()? {
            let expression = format!("{metric}{{event_type={event_type:?}}}[{}s]", span.as_secs());
            for series in self.query(&expression)? {
                let values = stored(&series["values"]).ok_or_else(|| format!("{series}"))?;
                let of_series = Series::of_answer(metric, &series["metric"]);
                let of_series = samples.entry(of_series).or_default();
                of_series.push((instance(&series), values));
            }
        }
        for of_series in samples.values_mut() {
            of_series.sort_by_key(|(_, samples)| samples.first().copied());
        }
        Ok(samples)
    }

    /// Returns every stored sample of a metric without labels in the last `span`, in the
    /// order of time.
    pub(super) fn samples_of_all(
        &self,
        metric: &str,
        span: Duration,
    ) -> Result<Vec<Sample>, String> {
        let mut samples = Vec::new();
        for series in self.query(&format!("{metric}[{}s]", span.as_secs()))? {
            samples.extend(stored(&series["values"]).ok_or_else(|| format!("{series}"))?);
        }
        samples.sort_unstable();
        Ok(samples)
    }

    /// Returns the times at which `increase()` over `window` was above 0, for every
    /// second from `from` to `to`, and for each series of `metric` under each name of the
    /// exporter.
    pub(super) fn increases(
        &self,
        metric: &'static str,
        window: Duration,
        (from, to): (Duration, Duration),
    ) -> Result<BTreeMap<(Series, String), Vec<Duration>>, String> {
        // A server computes no more than 11000 points of a series at once.
        let step = to.saturating_sub(from).as_secs() / 10_000 + 1;
        let mut increases = BTreeMap::new();
        for event_type in self.event_types()? {
            let window = window.as_secs();
            let expression = encoded(&format!(
                "increase({metric}{{event_type={event_type:?}}}[{window}s]) > 0"
            ));
            let (from, to) = (from.as_secs_f64(), to.as_secs_f64());
            let path = format!("query_range?query={expression}&start={from}&end={to}&step={step}");
            for series in self.ask(&path)?["data"]["result"]
                .as_array()
                .into_iter()
                .flatten()
            {
                let values = series["values"].as_array().into_iter().flatten();
                let times = values.filter_map(|point| time(&point[0])).collect();
                let of_series = Series::of_answer(metric, &series["metric"]);
                increases.insert((of_series, instance(series)), times);
            }
        }
        Ok(increases)
    }

    fn event_types(&self) -> Result<Vec<String>, String> {
        let answer = self.ask("label/event_type/values")?;
        serde_json::from_value(answer["data"].clone()).map_err(|error| error.to_string())
    }

    fn query(&self, expression: &str) -> Result<Vec<Value>, String> {
        let mut answer = self.ask(&format!("query?query={}", encoded(expression)))?;
        match answer["data"]["result"].take() {
            Value::Array(result) => Ok(result),
            _ => Err(format!("{expression}: {answer}")),
        }
    }

    fn ask(&self, path: &str) -> Result<Value, String> {
        let body = self.http.get_body(&format!("{}/{path}", self.url))?;
        serde_json::from_str(&body).map_err(|error| error.to_string())
    }
}

fn config_text(interval: Duration, targets: &[String]) -> String {
    let targets = targets.join("', '");
    format!(
        "global: {{scrape_interval: {interval:?}, scrape_timeout: {interval:?}}}\n\
         scrape_configs:\n\
         - job_name: audit\n  \
           static_configs: [{{targets: ['{targets}']}}]\n"
    )
}

/// Returns the name of the exporter in a series of an answer.
fn instance(series: &Value) -> String {
    let instance = series["metric"]["instance"].as_str();
    instance.unwrap_or_default().to_owned()
}

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

/// Stale markers are not among the samples in an answer.
fn stored(values: &Value) -> Option<Vec<Sample>> {
    let sample = |point: &Value| Some((time(&point[0])?, point[1].as_str()?.parse().ok()?));
    values.as_array()?.iter().map(sample).collect()
}

fn time(seconds: &Value) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds.as_f64()?).ok()
}
