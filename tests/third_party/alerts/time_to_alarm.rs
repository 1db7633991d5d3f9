//! The time from the moment at which an event can be read at the API to its notification,
//! by the exporter, a real Prometheus with the rules and a real Alertmanager.
//!
//! Each of [`SETTINGS`] has a chain of programs of its own. All chains run at once and read
//! the same account, in which an event of each of [`TYPES`] happens at a random moment.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use audit_simulator::ExtraEvent;
use test_support::eventually::eventually;
use test_support::pacing;
use test_support::program::Program;
use test_support::repository;
use test_support::tools;
use tokio::runtime::Runtime;

use super::FOLDER;
use super::alertmanager::Alertmanager;
use super::quiet_api::start_api;
use super::receiver::Receiver;
use crate::prometheus_server::Prometheus;

/// The types of which each event is a notification of its own.
const TYPES: [&str; 14] = [
    "ACCOUNT_SECRET_CREATE",
    "ACCOUNT_SECRET_DELETE",
    "ACCOUNT_UPDATE_SETTINGS",
    "ACCOUNT_UPDATE_SETTINGS_API",
    "ACCOUNT_UPDATE_SPAMMER",
    "APP_DELETE",
    "AUTORELOAD_DISABLE",
    "AUTORELOAD_ENABLE",
    "AUTORELOAD_UPDATE",
    "IP_WHITELIST_CREATE",
    "IP_WHITELIST_DELETE",
    "USER_API_KEYS_UPDATE",
    "USER_BILLING_UPDATE",
    "USER_CREATE",
];
/// A type without an alert, of which the first event says that counts are shown.
const ORDINARY: &str = "USER_UPDATE";
/// The time from the start until counts are shown: the exporter has to learn the scrape
/// interval, and one hold has to pass.
const WARM_UP: Duration = Duration::from_mins(8);
/// The time from one event to the next, in seconds.
const BETWEEN: std::ops::Range<f64> = 10.0..30.0;
/// A poll begins this much later than its interval at most.
const JITTER: f64 = 1.05;
/// The time that the programs themselves may take, on a busy machine, in seconds.
const WORK: f64 = 5.0;

/// The settings of a chain, in seconds.
struct Settings {
    poll: u32,
    scrape: u32,
    /// The time from one evaluation of the rules to the next.
    evaluation: u32,
    group_wait: u32,
}

const fn settings(poll: u32, scrape: u32, evaluation: u32, group_wait: u32) -> Settings {
    Settings {
        poll,
        scrape,
        evaluation,
        group_wait,
    }
}

const SETTINGS: [Settings; 10] = [
    settings(30, 60, 60, 10),
    settings(30, 15, 15, 10),
    settings(30, 5, 5, 10),
    settings(10, 60, 60, 10),
    settings(10, 15, 15, 10),
    settings(10, 5, 5, 10),
    settings(5, 60, 60, 10),
    settings(5, 15, 15, 10),
    settings(5, 5, 5, 10),
    settings(5, 5, 5, 0),
];

impl Settings {
    /// Returns the longest time from an event to its notification: it may just have missed
    /// each step.
    fn bound(&self) -> f64 {
        f64::from(self.poll) * JITTER + f64::from(self.scrape + self.evaluation + self.group_wait)
    }
}

/// The programs between the API and a notification.
struct Chain {
    settings: &'static Settings,
    exporter: Program,
    prometheus: Prometheus,
    _alertmanager: Alertmanager,
    receiver: Receiver,
}

impl Chain {
    fn start(
        settings: &'static Settings,
        base_url: &str,
        (prometheus, alertmanager): (&Path, &Path),
    ) -> Self {
        let exporter = Program::start(&[
            "serve",
            "--web.listen-address=127.0.0.1:0",
            &format!("--poll.interval={}s", settings.poll),
            &format!("--api.base-url={base_url}"),
        ]);
        let receiver = Receiver::listen();
        let group_wait = format!("group_wait: {}s", settings.group_wait);
        let changes = [("group_wait: 10s", &*group_wait)];
        let alertmanager = Alertmanager::start(alertmanager, &receiver, &changes);
        let rules = repository(FOLDER).join("rules").display().to_string();
        let config_text = format!(
            "global: {{scrape_interval: {}s, scrape_timeout: 4s, evaluation_interval: {}s}}\n\
             rule_files: ['{rules}/*.yml']\n\
             scrape_configs:\n\
             - job_name: nexmo-audit\n  \
               static_configs: [{{targets: ['{}']}}]\n\
             alerting:\n  \
               alertmanagers:\n  \
               - static_configs: [{{targets: ['127.0.0.1:{}']}}]\n",
            settings.scrape,
            settings.evaluation,
            exporter.address(),
            alertmanager.port
        );
        Self {
            settings,
            exporter,
            prometheus: Prometheus::start(prometheus, &config_text),
            _alertmanager: alertmanager,
            receiver,
        }
    }

    /// Waits until the counter of ordinary events has a value that is accepted.
    fn wait_for_ordinary(&self, accept: impl Fn(f64) -> bool) {
        let counter = format!("nexmo_audit_events_by_type_total{{event_type=\"{ORDINARY}\"}}");
        self.prometheus.expect(&counter, WARM_UP, accept);
    }

    /// Returns the times from each event to its notification in seconds, in order of length.
    fn times(&self, recorded: &[(&str, Instant)]) -> Vec<f64> {
        let mut times: Vec<_> = recorded
            .iter()
            .map(|(event_type, at)| {
                let told = eventually(event_type, WARM_UP, || self.notified(event_type));
                told.duration_since(*at).as_secs_f64()
            })
            .collect();
        times.sort_by(f64::total_cmp);
        times
    }

    fn notified(&self, event_type: &str) -> Result<Instant, String> {
        let all = self.receiver.all();
        let of_type = |received: &&super::receiver::Received| {
            received.notification["commonLabels"]["event_type"] == event_type
        };
        let first = all.iter().find(of_type).map(|received| received.at);
        first.ok_or_else(|| self.exporter.log())
    }
}

/// Returns the line of the table for these times, which are in order of length.
fn line(settings: &Settings, times: &[f64]) -> String {
    let middle = f64::midpoint(times[(times.len() - 1) / 2], times[times.len() / 2]);
    let (first, last) = (times[0], times[times.len() - 1]);
    let Settings {
        poll,
        scrape,
        evaluation,
        group_wait,
    } = settings;
    format!(
        "| {poll} s | {scrape} s | {evaluation} s | {group_wait} s | {first:.0} s | {middle:.0} s | {last:.0} s | {:.0} s |",
        settings.bound().ceil()
    )
}

#[test]
#[ignore = "takes ten minutes: make alarm-time"]
fn table() {
    let (Some(prometheus), Some(alertmanager)) =
        (tools::require("prometheus"), tools::require("alertmanager"))
    else {
        return;
    };
    let runtime = Runtime::new().expect("a runtime");
    let (api, base_url) = start_api(&runtime);
    let chains: Vec<_> = SETTINGS
        .iter()
        .map(|settings| Chain::start(settings, &base_url, (&prometheus, &alertmanager)))
        .collect();
    // An event that is counted before the first scrape is shown at once. One that is counted
    // after it is shown once the gate is open, as it is from then on.
    for chain in &chains {
        chain.wait_for_ordinary(|count| count <= 0.0);
    }
    let _ = api.record(&ExtraEvent::new(ORDINARY));
    for chain in &chains {
        chain.wait_for_ordinary(|count| count >= 1.0);
    }
    let mut recorded = Vec::new();
    for event_type in TYPES {
        let seconds = BETWEEN.start + fastrand::f64() * (BETWEEN.end - BETWEEN.start);
        pacing::wait(Duration::from_secs_f64(seconds));
        let _ = api.record(&ExtraEvent::new(event_type));
        recorded.push((event_type, Instant::now()));
    }
    let mut text =
        "| poll | scrape | evaluation | group_wait | shortest | median | longest | sum |\n\
                    | --- | --- | --- | --- | --- | --- | --- | --- |\n"
            .to_owned();
    let mut late = Vec::new();
    for chain in &chains {
        let times = chain.times(&recorded);
        let line = line(chain.settings, &times);
        let longest = times.last().copied().unwrap_or_default();
        if longest > chain.settings.bound() + WORK {
            late.push(line.clone());
        }
        writeln!(text, "{line}").expect("a string");
    }
    // The lines of a failed test are shown in any case.
    let _ = std::io::stderr().write_all(text.as_bytes());
    assert!(late.is_empty(), "longer than all steps together: {late:?}");
}
