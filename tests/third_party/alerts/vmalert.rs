//! The rules under the server of rules of VictoriaMetrics: the scenarios of promtool, in the
//! words of its own tool; and an event from the API to the receiver of its alert.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use audit_simulator::ExtraEvent;
use test_support::eventually::eventually;
use test_support::http::HttpClient;
use test_support::process::Process;
use test_support::program::Program;
use test_support::restartable::free_port;
use test_support::{repository, tools};
use tokio::runtime::Runtime;

use super::alertmanager::Alertmanager;
use super::quiet_api::start_api;
use super::receiver::Receiver;
use super::{FOLDER, files};
use crate::prometheus_server::Prometheus;

/// The time for each of the steps, on a busy machine.
const STEP: Duration = Duration::from_mins(1);

/// Returns a file of tests for promtool in the words of vmalert-tool, which adds the group of
/// an alert to its labels, and whose `changes()` counts the first value too.
fn translated(tests: &str) -> String {
    let lines = tests.lines().map(|line| {
        let line = line.replace("changes(", "changes_prometheus(");
        match line.split_once("- expr: ") {
            Some((indent, expression)) => {
                format!("{indent}- expr: label_del({expression}, \"alertgroup\")\n")
            }
            None => line.replace("promql_expr_test:", "metricsql_expr_test:") + "\n",
        }
    });
    lines.collect()
}

/// Copies the rules and the translated tests into `folder`.
fn translate(folder: &Path) {
    for name in ["rules", "tests"] {
        fs::create_dir(folder.join(name)).expect("a folder");
        for file in files(name) {
            let text = fs::read_to_string(&file).expect("a text");
            let text = if name == "tests" {
                translated(&text)
            } else {
                text
            };
            let copy = folder.join(name).join(file.file_name().expect("a name"));
            fs::write(copy, text).expect("a copy");
        }
    }
}

#[test]
fn scenarios_fire_the_same_alerts_under_vmalert() {
    let Some(program) = tools::optional("vmalert-tool") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    translate(folder.path());
    thread::scope(|scope| {
        for test in files("tests") {
            let copy = folder
                .path()
                .join("tests")
                .join(test.file_name().expect("a name"));
            let program = &program;
            scope.spawn(move || {
                let output = Command::new(program)
                    .args(["unittest", "--disableAlertgroupLabel"])
                    .arg(format!("--files={}", copy.display()))
                    .output()
                    .expect("vmalert-tool starts");
                let said = String::from_utf8_lossy(&output.stdout);
                assert!(
                    output.status.success() && said.contains("SUCCESS"),
                    "{}:\n{said}\n{}",
                    test.display(),
                    String::from_utf8_lossy(&output.stderr)
                );
            });
        }
    });
}

/// Starts vmalert with the rules beside a server of VictoriaMetrics.
fn start_vmalert(program: &Path, server: &str, alertmanager: u16) -> Process {
    let rules = repository(FOLDER).join("rules/*.yml");
    let mut command = Command::new(program);
    command
        .arg(format!("-rule={}", rules.display()))
        .arg(format!("-datasource.url={server}"))
        .arg(format!("-remoteWrite.url={server}"))
        .arg(format!("-remoteRead.url={server}"))
        .arg(format!("-notifier.url=http://127.0.0.1:{alertmanager}"))
        .arg("-evaluationInterval=1s")
        .arg(format!("-httpListenAddr=127.0.0.1:{}", free_port()));
    Process::start("vmalert", &mut command)
}

#[test]
fn an_event_is_one_notification_under_vmalert() {
    let (Some(server), Some(alertmanager), Some(vmalert)) = (
        tools::require("victoria-metrics"),
        tools::require("alertmanager"),
        tools::optional("vmalert"),
    ) else {
        return;
    };
    let runtime = Runtime::new().expect("a runtime");
    let (api, base_url) = start_api(&runtime);
    let exporter = Program::start(&[
        "serve",
        "--web.listen-address=127.0.0.1:0",
        "--poll.interval=1s",
        "--metrics.scrape-interval=1s",
        &format!("--api.base-url={base_url}"),
    ]);
    let receiver = Receiver::listen();
    let changes = [("group_wait: 10s", "group_wait: 1s")];
    let alertmanager = Alertmanager::start(&alertmanager, &receiver, &changes);
    let scrape_config = format!(
        "scrape_configs:\n\
         - job_name: nexmo-audit\n  \
           scrape_interval: 1s\n  \
           static_configs: [{{targets: ['{}']}}]\n",
        exporter.address()
    );
    // `increase()` of VictoriaMetrics takes this event, which is older than the server, for an
    // increase.
    exporter.wait_for_line("first poll succeeded");
    let _ = api.record(&ExtraEvent::new("ACCOUNT_SECRET_DELETE"));
    let http = HttpClient::new();
    eventually("counted event", STEP, || {
        let page = http.get_body(&exporter.url("/metrics"))?;
        let counted = page.contains(&format!("{} 1\n", counter("ACCOUNT_SECRET_DELETE")));
        counted.then_some(()).ok_or(page)
    });
    let server = Prometheus::start_victoria_metrics(&server, &scrape_config);
    server.expect(&counter("ACCOUNT_SECRET_CREATE"), STEP, |count| {
        count <= 0.0
    });
    let vmalert = start_vmalert(&vmalert, server.base_url(), alertmanager.port);
    let _ = api.record(&ExtraEvent::new("ACCOUNT_SECRET_CREATE"));
    let told = eventually("notification", STEP, || {
        let told = receiver.of("NexmoAuditSecretCreated");
        let is_told = !told.is_empty();
        is_told.then_some(told).ok_or_else(|| vmalert.log())
    });
    let annotations = &told[0]["alerts"][0]["annotations"];
    assert_eq!(annotations["summary"], "An API secret was created.");
    assert_eq!(
        annotations["dashboard_url"],
        "https://grafana.example.com/d/nexmo-audit-overview?from=now-24h&to=now&var-type=ACCOUNT_SECRET_CREATE"
    );
    // The rule on the older event is in the same group.
    assert!(receiver.of("NexmoAuditSecretDeleted").is_empty());
    assert_eq!(told.len(), 1, "{told:?}");
}

fn counter(event_type: &str) -> String {
    format!("nexmo_audit_events_by_type_total{{event_type=\"{event_type}\"}}")
}
