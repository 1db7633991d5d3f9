//! The rules of the dashboards as objects of the Prometheus Operator.

use std::collections::BTreeMap;
use std::fmt::Write;

use test_support::repository;

use super::generated;

const HEAD: &str = "# Made from dashboards/prometheus/rules by `make generated`.\n";

#[test]
fn the_rules_of_the_operator_are_those_of_the_dashboards() {
    let files = generated::files(&repository("dashboards/prometheus/rules"));
    assert!(files.len() >= 5, "{:?}", files.keys());
    let mut all = HEAD.to_owned();
    for (file, rules) in &files {
        all.push_str(&object(file.trim_end_matches(".yml"), rules));
    }
    let made = BTreeMap::from([("rules.yaml".to_owned(), all)]);
    generated::holds("packaging/kubernetes/prometheus-operator/rules", &made);
}

/// Returns a file of rules as the object that has the file as its `spec`.
fn object(name: &str, rules: &str) -> String {
    let name = name.replace('.', "-");
    let mut object = format!(
        "---\napiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  \
         name: {name}\n  labels:\n    app.kubernetes.io/name: nexmo-audit-exporter\nspec:\n"
    );
    for line in rules.lines() {
        let indent = if line.is_empty() { "" } else { "  " };
        writeln!(object, "{indent}{line}").expect("a string takes all");
    }
    object
}
