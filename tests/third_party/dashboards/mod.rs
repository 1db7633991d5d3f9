//! The dashboards and rules as users get them: what they name exists, a real server
//! answers every expression, and no panel is empty.

mod dashboard;
mod exported_metrics;
mod expression;
mod past;
mod real_servers;

use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use test_support::eventually::eventually;
use test_support::process::{Process, START};
use test_support::program::{API_KEY, API_SECRET, Program, command};
use test_support::repository;
use test_support::tools;

use crate::prometheus_server::Prometheus;
use dashboard::{Dashboard, Query};
use exported_metrics::ExportedMetrics;

const RULES: &str = "dashboards/prometheus/rules";

/// The time in which every kind of event happens and is shown.
const DATA: Duration = Duration::from_mins(2);

/// A time in which a server scrapes what happens, at one scrape per second.
const SPAN: Duration = Duration::from_mins(1);
const STEP: Duration = Duration::from_secs(5);

#[test]
fn import_by_hand_by_provisioning_and_by_sidecar_takes_the_same_file() {
    let boards = Dashboard::all();
    assert_eq!(boards.len(), 2);
    let known: Vec<_> = boards.iter().map(Dashboard::uid).collect();
    for board in &boards {
        assert_eq!(
            board.findings(&known),
            Vec::<String>::new(),
            "{}",
            board.file
        );
    }
}

#[test]
fn dashboards_name_only_what_is_exported() {
    let exported = ExportedMetrics::of_the_exporter();
    for board in Dashboard::all() {
        for query in board.queries() {
            let unknown = exported.unknown(&query.expression);
            assert_eq!(unknown, Vec::<String>::new(), "{query:?}");
            let unknown = exported.unknown_labels(&query.labels_shown);
            assert_eq!(unknown, Vec::<String>::new(), "{query:?}");
        }
    }
}

/// Each panel that counts events chooses the exporter of an account in the same words.
#[test]
fn events_are_counted_at_the_same_exporter_everywhere() {
    let mut found = 0;
    let mut first = None;
    for query in Dashboard::all().iter().flat_map(Dashboard::queries) {
        let expression = query.expression.replace("$__interval", "$__range");
        let expression = expression::without_selectors(&expression);
        if !expression.contains("- (nexmo_audit_events_total offset") {
            continue;
        }
        let begins = "unless on (cluster, namespace, job, instance, account) ((last_over_time";
        let (_, chosen) = expression.split_once(begins).expect("a choice");
        let chosen = expression::until_closed(chosen, 2);
        assert_eq!(chosen, first.get_or_insert_with(|| chosen.to_owned()));
        found += 1;
    }
    assert!(found >= 15, "{found}");
}

/// An account without Premium Support has no sign-ins, which is no fault.
#[test]
fn whatever_shows_sign_ins_names_premium_support() {
    let shows = |text: &str| text.contains("USER_LOGIN") || text.contains("USER_LOGOUT");
    let mut found = 0;
    for file in fs::read_dir(repository(RULES)).expect("a folder") {
        let text = fs::read_to_string(file.expect("a file").path()).expect("a text");
        for rule in text.split("- alert:").skip(1).filter(|rule| shows(rule)) {
            let (_, annotations) = rule.split_once("annotations:").expect("annotations");
            assert!(annotations.contains("Premium Support"), "{rule}");
            found += 1;
        }
    }
    for board in ["overview", "health"] {
        let path = repository(&format!("dashboards/grafana/nexmo-audit-{board}.json"));
        let text = fs::read_to_string(path).expect("a text");
        let board: Value = serde_json::from_str(&text).expect("JSON");
        for panel in board["panels"].as_array().expect("panels") {
            if shows(&panel["targets"].to_string()) {
                let description = panel["description"].to_string();
                assert!(description.contains("Premium Support"), "{panel}");
                found += 1;
            }
        }
    }
    assert!(found >= 2, "{found}");
}

/// The server has scraped for a moment, and has loaded the rules.
#[test]
fn a_server_answers_every_expression_and_every_panel_has_data() {
    let Some(prometheus) = tools::require("prometheus") else {
        return;
    };
    let account = busy_account();
    let exporter = exporter_of(&account);
    let prometheus = Prometheus::start(&prometheus, &config_text(&exporter));
    prometheus.expect("up", START, |up| up > 0.0);
    rules_are_sound(&prometheus);
    for board in Dashboard::all() {
        for query in board.queries() {
            eventually(&format!("data of {query:?}"), DATA, || {
                let series = answer(&prometheus, &board, &query)?;
                let enough = query.may_be_empty || !series.is_empty();
                enough.then_some(()).ok_or_else(|| "nothing".to_owned())
            });
        }
    }
}

/// Starts an account on which as much happens every few seconds as on a large account in
/// an hour.
fn busy_account() -> Process {
    let mut simulate = command();
    simulate
        .args(["simulate", "--listen-address=127.0.0.1:0", "--rate=40"])
        .args(["--steady", "--history=0"])
        .args(["--api-key", API_KEY, "--api-secret", API_SECRET]);
    Process::start("the simulator", &mut simulate)
}

fn exporter_of(account: &Process) -> Program {
    let url = account.wait_for_line("base URL", START, |line| {
        let (_, url) = line.split_once("base_url=")?;
        url.split_whitespace().next().map(str::to_owned)
    });
    Program::start(&[
        "serve",
        "--web.listen-address=127.0.0.1:0",
        "--poll.interval=500ms",
        "--metrics.scrape-interval=1s",
        &format!("--api.base-url={url}"),
    ])
}

fn config_text(target: &Program) -> String {
    let rules = repository(RULES).display().to_string();
    format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\n\
         rule_files: ['{rules}/*.yml']\n\
         scrape_configs:\n\
         - job_name: nexmo-audit\n  \
           static_configs: [{{targets: ['{}']}}]\n",
        target.address()
    )
}

/// Each rule names metrics that exist, says what to do, and can be evaluated.
fn rules_are_sound(prometheus: &Prometheus) {
    let rules = rules(prometheus).expect("the rules");
    let exported = ExportedMetrics::of_the_exporter().and_recorded(&rules);
    let mut alerts = 0;
    for rule in &rules {
        let query = rule["query"].as_str().expect("an expression");
        prometheus.query(query).expect("an answer");
        assert_eq!(exported.unknown(query), Vec::<String>::new(), "{rule}");
        if rule["type"] != "alerting" {
            continue;
        }
        alerts += 1;
        let severity = rule["labels"]["severity"].as_str().unwrap_or_default();
        assert!(
            ["info", "warning", "critical"].contains(&severity),
            "{rule}"
        );
        for said in ["summary", "description", "runbook"] {
            let text = rule["annotations"][said].as_str().unwrap_or_default();
            assert!(text.ends_with('.'), "{said} of {rule}");
            for label in expression::labels_in_template(text) {
                assert!(
                    exported.unknown_labels(&[label]).is_empty(),
                    "{said} of {rule}"
                );
            }
        }
    }
    assert_eq!(alerts, 29);
}

/// Returns the rules of all files, as the server has loaded them.
fn rules(prometheus: &Prometheus) -> Result<Vec<Value>, String> {
    let mut answer = prometheus.ask("rules")?;
    let Value::Array(groups) = answer["data"]["groups"].take() else {
        return Err(answer.to_string());
    };
    let rules = groups.iter().filter_map(|group| group["rules"].as_array());
    Ok(rules.flatten().cloned().collect())
}

fn answer(prometheus: &Prometheus, board: &Dashboard, query: &Query) -> Result<Vec<Value>, String> {
    let now = jiff::Timestamp::now().as_second();
    let chosen = real_servers::nothing_chosen(prometheus, board, now, SPAN)?;
    let expression = query.filled_in(&chosen, SPAN, STEP);
    if query.instant {
        prometheus.query(&expression)
    } else {
        prometheus.query_range(&expression, SPAN, STEP)
    }
}

#[test]
fn promtool_accepts_the_configuration_of_the_stack() {
    let Some(promtool) = tools::require("promtool") else {
        return;
    };
    let config = repository("dashboards/prometheus/prometheus.yml");
    accepts(Command::new(promtool).args(["check", "config"]).arg(config));
}

#[test]
fn amtool_accepts_the_configuration_of_the_stack() {
    let Some(amtool) = tools::require("amtool") else {
        return;
    };
    let config = repository("dashboards/alertmanager/alertmanager.yml");
    accepts(Command::new(amtool).arg("check-config").arg(config));
}

fn accepts(check: &mut Command) {
    let output = check.output().expect("it starts");
    assert!(output.status.success(), "{output:?}");
}
