//! A simulated account, and what the program makes of it.

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use test_support::eventually::eventually;
use test_support::exporter::is;
use test_support::exposition;
use test_support::http::HttpClient;
use test_support::process::{Process, START};
use test_support::program::{API_KEY, API_SECRET, Program, command};

use super::{METRICS, SEEN, Series};

/// The length of each phase of a test.
const TRAFFIC: SignedDuration = SignedDuration::from_secs(10);

/// An account with history, and with traffic that begins later and ends.
pub(super) struct Account {
    _process: Process,
    base_url: String,
    /// The time at which the traffic ends.
    ends: Timestamp,
    http: HttpClient,
}

impl Account {
    pub(super) fn start(quiet: Duration) -> Self {
        let begins = Timestamp::now() + SignedDuration::try_from(quiet).expect("a while");
        let mut simulator = command();
        simulator
            .args(["simulate", "--listen-address=127.0.0.1:0", "--steady"])
            .args(["--history=500", "--history-span=12h"])
            .args(["--rate=4", &format!("--traffic-for={}s", TRAFFIC.as_secs())])
            .arg(format!("--start={begins}"))
            .args(["--api-key", API_KEY, "--api-secret", API_SECRET]);
        let process = Process::start("the simulator", &mut simulator);
        let base_url = process.wait_for_line("base URL", START, |line| {
            let (_, url) = line.split_once("base_url=")?;
            url.split(' ').next().map(str::to_owned)
        });
        Self {
            _process: process,
            base_url,
            ends: begins + TRAFFIC,
            http: HttpClient::new(),
        }
    }

    /// Returns the type, source, country and time of every event from `from` on.
    pub(super) fn events(&self, from: Timestamp) -> Vec<(Series, Timestamp)> {
        let with_key = format!("http://{API_KEY}:{API_SECRET}@");
        let base_url = self.base_url.replace("http://", &with_key);
        let mut events = Vec::new();
        for page in 1.. {
            let url = format!("{base_url}/events?size=100&page={page}");
            let body = self.http.get_body(&url).expect("a page");
            let body: Value = serde_json::from_str(&body).expect("JSON");
            for event in body["_embedded"]["events"].as_array().into_iter().flatten() {
                let text = |name: &str| event[name].as_str().unwrap_or("unknown").to_owned();
                let at: Timestamp = (text("created_at") + "Z").parse().expect("a time");
                let labels = ["event_type", "source", "source_country"].map(text);
                if at >= from {
                    events.push((labels.to_vec(), at));
                }
            }
            if Some(page) >= body["page"]["totalPages"].as_u64() {
                break;
            }
        }
        events
    }

    pub(super) fn backfill(&self, arguments: &[&str], file: &Path) {
        let output = command()
            .arg("backfill")
            .args(arguments)
            .args(["--label=job=audit", "--label=instance=one", "--output"])
            .arg(file)
            .arg(format!("--api.base-url={}", self.base_url))
            .output()
            .expect("the program starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && output.stdout.is_empty(),
            "{errors}"
        );
    }

    pub(super) fn exporter(&self, start: &str) -> Program {
        let exporter = Program::start(&[
            "serve",
            "--web.listen-address=127.0.0.1:0",
            "--poll.interval=500ms",
            "--metrics.scrape-interval=1s",
            &format!("--poll.start={start}"),
            &format!("--api.base-url={}", self.base_url),
        ]);
        eventually("readiness", SEEN, || {
            let answer = self.http.get(&exporter.url("/-/ready"))?;
            let ready = answer.status == 200;
            ready.then_some(()).ok_or_else(|| exporter.log())
        });
        exporter
    }

    /// Waits until the traffic has ended and the exporter shows every event since its
    /// start.
    pub(super) fn wait_until_all_is_shown(&self, exporter: &Program, from: Timestamp) {
        eventually("every event on show", SEEN, || {
            let expected = self.events(from).len();
            let text = self.http.get_body(&exporter.url("/metrics"))?;
            let samples = exposition::samples(&text).into_iter();
            let events = samples.filter(|sample| sample.name == METRICS[0]);
            let shown: f64 = events.map(|sample| sample.value).sum();
            let ended = Timestamp::now() > self.ends + SignedDuration::from_secs(1);
            let expected = f64::from(u32::try_from(expected).expect("not so many"));
            let all = ended && is(expected)(shown);
            all.then_some(())
                .ok_or_else(|| format!("{shown} of {expected}, {ended}"))
        });
    }
}
