//! The rules under the engine of VictoriaMetrics, whose `increase()` takes the first value
//! of a series for an increase.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::time::Duration;

use jiff::Timestamp;
use test_support::eventually::eventually;
use test_support::process::START;
use test_support::tools;
use yaml_tree::YamlEntry;

use super::files;
use crate::prometheus_server::Prometheus;

/// The time from one sample to the next, and from one evaluation to the next.
const STEP: i64 = 60;
/// The number of samples of a history.
const SAMPLES: i64 = 60;
const MILLISECONDS: i64 = 1000;
const DAY: i64 = 24 * 3600;

/// The counters of which each may be the reason of an alert.
const COUNTERS: [&str; 20] = [
    r#"nexmo_audit_events_by_type_total{event_type="ACCOUNT_SECRET_DELETE""#,
    r#"nexmo_audit_events_by_type_total{event_type="ACCOUNT_SECRET_CREATE""#,
    r#"nexmo_audit_events_by_type_total{event_type="IP_WHITELIST_CREATE""#,
    r#"nexmo_audit_events_by_type_total{event_type="APP_DELETE""#,
    r#"nexmo_audit_events_by_type_total{event_type="USER_CREATE""#,
    r#"nexmo_audit_events_by_type_total{event_type="ACCOUNT_UPDATE_SETTINGS""#,
    r#"nexmo_audit_events_by_type_total{event_type="AUTORELOAD_ENABLE""#,
    r#"nexmo_audit_events_by_type_total{event_type="USER_BILLING_UPDATE""#,
    r#"nexmo_audit_events_by_type_total{event_type="USER_API_KEYS_UPDATE""#,
    r#"nexmo_audit_events_by_type_total{event_type="NUMBER_RELEASE""#,
    r#"nexmo_audit_events_by_type_total{event_type="NUMBER_USER_CANCELED""#,
    r#"nexmo_audit_events_by_type_total{event_type="IP_WHITELIST_DELETE""#,
    r#"nexmo_audit_events_total{event_type="USER_LOGIN",source="CD",source_country="FR""#,
    r#"nexmo_audit_events_total{event_type="USER_LOGIN",source="DEVAPI",source_country="GB""#,
    r#"nexmo_audit_poll_failures_total{reason="auth""#,
    r#"nexmo_audit_poll_failures_total{reason="rate_limited""#,
    "nexmo_audit_late_events_total{",
    "nexmo_audit_overflow_events_total{",
    "nexmo_audit_malformed_events_total{",
    "nexmo_audit_storage_failures_total{",
];

/// The alerts on what a counter counts.
const ON_COUNTERS: [&str; 19] = [
    "NexmoAuditApplicationDeleted",
    "NexmoAuditAutoReloadChanged",
    "NexmoAuditBillingChanged",
    "NexmoAuditBurstOfDeletions",
    "NexmoAuditCountryNotSeenBefore",
    "NexmoAuditEventsLate",
    "NexmoAuditIpAllowListChanged",
    "NexmoAuditKeyRejected",
    "NexmoAuditLoginFromUnexpectedCountry",
    "NexmoAuditMalformedRising",
    "NexmoAuditRateLimited",
    "NexmoAuditSecretCreated",
    "NexmoAuditSecretDeleted",
    "NexmoAuditSeriesCapped",
    "NexmoAuditSettingsChanged",
    "NexmoAuditSourceNotSeenBefore",
    "NexmoAuditStorageFailing",
    "NexmoAuditUserApiKeysChanged",
    "NexmoAuditUserCreated",
];

/// A history of all counters of an account. Each has the same value at each sample, and
/// the account has the name of the history.
struct History {
    name: &'static str,
    /// The first sample of each part, its target and its value.
    parts: &'static [(i64, &'static str, i64)],
    /// The alerts beside the one on polls, which never succeed.
    fires: &'static [&'static [&'static str]],
}

const ON_POLLS: &str = "NexmoAuditPollStale";
const ON_A_FALL: [&str; 1] = ["NexmoAuditCountersReset"];

const HISTORIES: [History; 7] = [
    History {
        name: "a new server, to which three of all are old",
        parts: &[(20, "a", 3)],
        fires: &[],
    },
    History {
        name: "an exporter that changes its address",
        parts: &[(0, "a", 3), (20, "b", 3)],
        fires: &[],
    },
    History {
        name: "an outage of the exporter",
        parts: &[(0, "a", 3), (10, "", 0), (40, "a", 3)],
        fires: &[],
    },
    History {
        name: "the first of all",
        parts: &[(0, "a", 0), (20, "a", 3)],
        fires: &[&ON_COUNTERS],
    },
    History {
        name: "a new address and then another of all",
        parts: &[(0, "a", 3), (20, "b", 3), (25, "b", 6)],
        fires: &[&ON_COUNTERS],
    },
    History {
        name: "an outage and then another of all",
        parts: &[(0, "a", 3), (10, "", 0), (40, "a", 3), (43, "a", 6)],
        fires: &[&ON_COUNTERS],
    },
    History {
        name: "a lost state and then another of all",
        parts: &[(0, "a", 9), (20, "a", 0), (25, "a", 3)],
        fires: &[&ON_COUNTERS, &ON_A_FALL],
    },
];

impl History {
    /// Returns the samples in the text format.
    fn samples(&self, start: i64) -> String {
        let mut samples = String::new();
        for sample in 0..SAMPLES {
            let begun = self.parts.iter().rfind(|(from, ..)| *from <= sample);
            let Some((_, target, value)) = begun.filter(|(_, target, _)| !target.is_empty()) else {
                continue;
            };
            let time = (start + sample * STEP) * MILLISECONDS;
            for counter in COUNTERS {
                let labels = self.labels(target);
                let comma = if counter.ends_with('{') { "" } else { "," };
                writeln!(samples, "{counter}{comma}{labels}}} {value} {time}").expect("a string");
            }
            let labels = self.labels(target);
            writeln!(samples, "nexmo_audit_up{{{labels}}} 0 {time}").expect("a string");
        }
        samples + &self.memory(start)
    }

    /// Returns two weeks in which the account was watched and nothing happened.
    fn memory(&self, start: i64) -> String {
        let labels = format!("job=\"nexmo-audit\",account=\"{}\"", self.name);
        let watched = |days| format!("{{{labels}}} 1 {}\n", (start - days * DAY) * MILLISECONDS);
        let days = (7..14).map(watched);
        days.map(|sample| "nexmo_audit:watched".to_owned() + &sample)
            .collect()
    }

    fn labels(&self, target: &str) -> String {
        format!(
            "job=\"nexmo-audit\",instance=\"{target}\",account=\"{}\"",
            self.name
        )
    }
}

/// Returns the samples of the list of countries that people sign in from.
fn expected_country(start: i64) -> String {
    let mut samples = String::new();
    for sample in 0..SAMPLES {
        let time = (start + sample * STEP) * MILLISECONDS;
        let country = "nexmo_audit:expected_login_country{source_country=\"GB\"}";
        writeln!(samples, "{country} 1 {time}").expect("a string");
    }
    samples
}

/// Returns the names and the expressions of all alerts.
fn alerts() -> Vec<(String, String)> {
    let mut alerts = Vec::new();
    for file in files("rules") {
        let text = fs::read_to_string(file).expect("the rules");
        let document = yaml_tree::parse(&text).expect("YAML");
        for group in value(&document, "groups").list().expect("groups") {
            let group = group.map("a group").expect("a group");
            for rule in value(group, "rules").list().expect("rules") {
                let rule = rule.map("a rule").expect("a rule");
                let text = |key| value(rule, key).text().expect("a text").to_owned();
                if rule.iter().any(|entry| entry.key == "alert") {
                    alerts.push((text("alert"), text("expr")));
                }
            }
        }
    }
    alerts
}

fn value<'a>(entries: &'a [YamlEntry], key: &str) -> &'a YamlEntry {
    let found = entries.iter().find(|entry| entry.key == key);
    found.unwrap_or_else(|| panic!("no {key}"))
}

#[test]
fn alerts_hold_under_victoria_metrics() {
    let Some(program) = tools::require("victoria-metrics") else {
        return;
    };
    let server = Prometheus::start_victoria_metrics(&program, "scrape_configs: []\n");
    let end = Timestamp::now().as_second() / STEP * STEP;
    let start = end - SAMPLES * STEP;
    let samples = HISTORIES.iter().map(|history| history.samples(start));
    eventually("a server", START, || server.ask("labels"));
    server.import(samples.chain([expected_country(start)]).collect());
    let counters = format!("count({{account=\"{}\"}})", HISTORIES[3].name);
    let held = || {
        let found = server.query_until(end, &counters, minutes(10), minutes(1))?;
        found.first().cloned().ok_or_else(|| "nothing".to_owned())
    };
    eventually("data", START, held);

    let alerts = alerts();
    for history in &HISTORIES {
        let fired: BTreeSet<_> = alerts
            .iter()
            .filter(|(_, expression)| fires(&server, expression, history, end))
            .map(|(name, _)| &**name)
            .collect();
        let expected = history.fires.iter().copied().flatten().copied();
        let expected: BTreeSet<_> = expected.chain([ON_POLLS]).collect();
        assert_eq!(fired, expected, "{}", history.name);
    }
}

/// Returns `true` if the expression has a value for the account at any time.
fn fires(server: &Prometheus, expression: &str, history: &History, end: i64) -> bool {
    let span = minutes(SAMPLES.unsigned_abs());
    let series = server.query_until(end, expression, span, minutes(1));
    let series = series.unwrap_or_else(|error| panic!("{expression}: {error}"));
    series
        .iter()
        .any(|series| series["metric"]["account"] == history.name)
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_mins(minutes)
}
