//! The metrics and labels that the exporter exports.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;
use test_support::repository;

use super::RULES;
use super::expression::names;

/// The golden file of `/metrics`.
const METRICS: &str = include_str!("../../golden/metrics.snap");

/// The labels that servers of metrics and operators add to each series, and the label of
/// several accounts.
const ADDED: [&str; 5] = ["cluster", "namespace", "job", "instance", "account"];

/// The metrics, each with its labels.
pub(super) struct ExportedMetrics(BTreeMap<String, BTreeSet<String>>);

impl ExportedMetrics {
    pub(super) fn of_the_exporter() -> Self {
        let mut metrics = BTreeMap::<String, BTreeSet<String>>::new();
        // Prometheus makes this metric of each scrape.
        metrics.insert("up".to_owned(), BTreeSet::new());
        let (_, body) = METRICS.split_once("\n---\n").expect("the metrics");
        for line in body.lines().filter(|line| !line.starts_with('#')) {
            // The last line of the file is no sample.
            let Some((series, _)) = line.rsplit_once(' ') else {
                continue;
            };
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let labels = labels.trim_end_matches('}').split(',');
            let labels = labels.filter_map(|label| label.split('=').next());
            let known = metrics.entry(name.to_owned()).or_default();
            known.extend(labels.filter(|label| !label.is_empty()).map(str::to_owned));
        }
        Self(metrics)
    }

    /// Adds the metrics that rules record, and those that users are told to record.
    pub(super) fn and_recorded(mut self, rules: &[Value]) -> Self {
        let labels = || self.0.values().flatten().cloned().collect::<BTreeSet<_>>();
        let labels = labels();
        for rule in rules.iter().filter(|rule| rule["type"] == "recording") {
            let name = rule["name"].as_str().expect("a name");
            self.0.insert(name.to_owned(), labels.clone());
        }
        let expected = fs::read_to_string(repository(RULES).join("nexmo-audit.expected.yml"));
        for line in expected.expect("the list that users edit").lines() {
            if let Some((_, name)) = line.split_once("- record: ") {
                self.0.insert(name.to_owned(), labels.clone());
            }
        }
        self
    }

    /// Returns the metrics that are not known, and the labels that no metric of the
    /// expression has.
    pub(super) fn unknown(&self, expression: &str) -> Vec<String> {
        let names = names(expression);
        let mut unknown = Vec::new();
        let mut here: BTreeSet<&str> = ADDED.into();
        for selector in &names.selectors {
            let Some(labels) = self.0.get(&selector.metric) else {
                unknown.push(selector.metric.clone());
                continue;
            };
            here.extend(labels.iter().map(String::as_str));
            let labels =
                |label: &&String| !labels.contains(*label) && !ADDED.contains(&label.as_str());
            let strange = selector.labels.iter().filter(labels);
            unknown.extend(strange.map(|label| format!("{}{{{label}}}", selector.metric)));
        }
        let strange = names
            .labels
            .iter()
            .filter(|label| !here.contains(label.as_str()));
        unknown.extend(strange.cloned());
        unknown
    }

    /// Returns the labels that no metric has.
    pub(super) fn unknown_labels(&self, labels: &[String]) -> Vec<String> {
        let known = |label: &&String| {
            let added = ADDED.contains(&label.as_str());
            added || self.0.values().any(|labels| labels.contains(*label))
        };
        labels
            .iter()
            .filter(|label| !known(label))
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_is_exported_and_nothing_else() {
        let exported = ExportedMetrics::of_the_exporter();
        let cases = [
            ("sum by (job) (nexmo_audit_up{account=\"a\"})", ""),
            ("sum by (event_type) (nexmo_audit_up)", "event_type"),
            ("nexmo_audit_up{source=\"CD\"}", "nexmo_audit_up{source}"),
            ("nexmo_audit_events", "nexmo_audit_events"),
            ("nexmo_audit_exporter_build_info{version=\"1\"}", ""),
            ("sum by (le) (nexmo_audit_ingest_lag_seconds_bucket)", ""),
        ];
        for (expression, expected) in cases {
            assert_eq!(exported.unknown(expression).join(" "), expected);
        }
    }
}
