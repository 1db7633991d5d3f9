//! One rare event among ordinary ones, from the API to the receiver of the alert: by
//! the exporter, a real Prometheus with the rules and a real Alertmanager, while the
//! exporter is killed.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use test_support::eventually::eventually;
use test_support::http::HttpClient;
use test_support::process::Process;
use test_support::program::{API_KEY, API_SECRET, command};
use test_support::repository;
use test_support::restartable::{Restartable, Signal, free_port};
use test_support::tools;

use super::FOLDER;
use super::alertmanager::Alertmanager;
use super::receiver::Receiver;
use crate::prometheus_server::Prometheus;

/// The seed of a traffic with exactly one `ACCOUNT_SECRET_DELETE`, 9 seconds after its
/// start.
const TRAFFIC: [&str; 4] = ["--seed=109", "--rate=2", "--steady", "--traffic-for=45s"];
/// The time from the start of all parties to the first event.
const WARM_UP: Duration = Duration::from_secs(8);
/// The time for each of the steps, on a busy machine.
const STEP: Duration = Duration::from_mins(1);

/// The times of Alertmanager, short for a test.
const SHORT_TIMES: [(&str, &str); 2] = [
    ("group_wait: 10s", "group_wait: 1s"),
    ("group_interval: 1m", "group_interval: 2s"),
];

const ALERT: &str = "NexmoAuditSecretDeleted";
const COUNTER: &str = "nexmo_audit_events_by_type_total{event_type=\"ACCOUNT_SECRET_DELETE\"}";

#[test]
fn a_deleted_secret_is_one_notification_although_the_exporter_is_killed() {
    let (Some(prometheus), Some(alertmanager)) =
        (tools::require("prometheus"), tools::require("alertmanager"))
    else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let (api_port, exporter_port) = (free_port(), free_port());
    let _api = Process::start("the simulator", &mut simulate(api_port));
    let mut exporter = Restartable::new(
        "exporter",
        folder.path(),
        serve(folder.path(), api_port, exporter_port),
    );
    exporter.start();
    let receiver = Receiver::listen();
    let alertmanager = Alertmanager::start(&alertmanager, &receiver, &SHORT_TIMES);
    let prometheus = Prometheus::start(&prometheus, &config_text(exporter_port, alertmanager.port));
    prometheus.expect(COUNTER, STEP, |count| count <= 0.0);

    // The event may or may not be counted or shown yet, which must not matter.
    wait_until_recorded(api_port);
    exporter.stop(Signal::Kill);
    exporter.start();
    let told = eventually("notification", STEP, || {
        let told = receiver.of(ALERT);
        let is_told = !told.is_empty();
        is_told.then_some(told).ok_or_else(|| {
            let alerts = prometheus.query("ALERTS");
            format!(
                "{alerts:?}\n{}\n{}",
                exporter.log(),
                alertmanager.process.log()
            )
        })
    });
    says_what_happened(&told[0]);

    // The exporter is killed once more while the alert fires.
    exporter.stop(Signal::Kill);
    let firing = format!("count_over_time(ALERTS{{alertname=\"{ALERT}\"}}[10m])");
    let before = prometheus.value(&firing).expect("an alert that fires");
    exporter.start();
    prometheus.expect("up", STEP, |up| up > 0.0);
    prometheus.expect(COUNTER, STEP, |count| count >= 1.0);
    prometheus.expect(&firing, STEP, |times| times >= before + 15.0);
    assert_eq!(receiver.of(ALERT).len(), 1, "{:?}", receiver.of(ALERT));
    prometheus.expect(COUNTER, STEP, |count| count <= 1.0);
}

fn simulate(port: u16) -> Command {
    let mut simulate = command();
    simulate
        .args(["simulate", "--history=100"])
        .args(TRAFFIC)
        .arg(format!("--listen-address=127.0.0.1:{port}"))
        .arg(format!("--start={}", Timestamp::now() + WARM_UP))
        .args(["--api-key", API_KEY, "--api-secret", API_SECRET]);
    simulate
}

fn serve(folder: &Path, api_port: u16, port: u16) -> impl Fn() -> Command + 'static {
    let storage = folder.join("state");
    move || {
        let mut serve = command();
        serve
            .args([
                "serve",
                "--poll.interval=1s",
                "--metrics.scrape-interval=1s",
            ])
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg(format!(
                "--api.base-url=http://127.0.0.1:{api_port}/beta/audit"
            ))
            .arg(format!("--storage.path={}", storage.display()));
        serve
    }
}

fn config_text(exporter_port: u16, alertmanager_port: u16) -> String {
    let rules = repository(FOLDER).join("rules").display().to_string();
    format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\n\
         rule_files: ['{rules}/*.yml']\n\
         scrape_configs:\n\
         - job_name: nexmo-audit\n  \
           static_configs: [{{targets: ['127.0.0.1:{exporter_port}']}}]\n\
         alerting:\n  \
           alertmanagers:\n  \
           - static_configs: [{{targets: ['127.0.0.1:{alertmanager_port}']}}]\n"
    )
}

/// Waits until the API lists the only new event of its kind.
fn wait_until_recorded(api_port: u16) {
    let http = HttpClient::new();
    let url = format!(
        "http://{API_KEY}:{API_SECRET}@127.0.0.1:{api_port}/beta/audit/events?event_type=ACCOUNT_SECRET_DELETE"
    );
    let recorded = || -> Result<u64, String> {
        let answer: Value =
            serde_json::from_str(&http.get_body(&url)?).map_err(|error| error.to_string())?;
        answer["page"]["totalElements"]
            .as_u64()
            .ok_or_else(|| answer.to_string())
    };
    eventually(
        "ACCOUNT_SECRET_DELETE on the list",
        STEP,
        || match recorded()? {
            0 => Err("none".to_owned()),
            _ => Ok(()),
        },
    );
}

fn says_what_happened(notification: &Value) {
    let alerts = notification["alerts"].as_array().expect("alerts");
    let [alert] = alerts.as_slice() else {
        panic!("more than one alert: {notification}");
    };
    assert_eq!(alert["status"], "firing");
    assert_eq!(alert["labels"]["severity"], "critical");
    assert_eq!(
        alert["annotations"]["summary"],
        "An API secret was deleted."
    );
    let runbook = alert["annotations"]["runbook"].as_str().unwrap_or_default();
    assert!(
        runbook.starts_with("Ask whoever rotates secrets"),
        "{runbook}"
    );
}
