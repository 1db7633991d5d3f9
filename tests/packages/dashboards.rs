//! The dashboards beside the manifests, so that their folder can be copied elsewhere.

use test_support::repository;

use super::generated;

#[test]
fn the_dashboards_of_the_manifests_are_those_of_grafana() {
    let files = generated::files(&repository("dashboards/grafana"));
    assert!(files.len() >= 2, "{:?}", files.keys());
    generated::holds("packaging/kubernetes/dashboards/json", &files);
}
