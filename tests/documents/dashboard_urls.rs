//! The dashboards that the alerts lead to.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::Value;

use super::runbooks::{Annotations, parts};

const ADDRESS: &str = "https://grafana.example.com/d/";
const ANNOTATION: &str = "dashboard_url";
/// The parameters of an address that are none of a variable.
const TIMES: [&str; 2] = ["from", "to"];

/// The variables of each dashboard, by its uid.
type Dashboards = BTreeMap<String, BTreeSet<String>>;

/// Alerts whose address leads to no dashboard, or names a variable that it does not have.
pub(crate) fn leading_nowhere(
    alerts: &BTreeMap<String, Annotations>,
    dashboards: &Dashboards,
) -> Vec<String> {
    let problem = |(name, annotations): (&String, &Annotations)| {
        let problem = problem(annotations, dashboards)?;
        Some(format!("{name}: {problem}"))
    };
    alerts.iter().filter_map(problem).collect()
}

fn problem(annotations: &Annotations, dashboards: &Dashboards) -> Option<String> {
    let url = annotations.get(ANNOTATION).map(String::as_str);
    let path = url.and_then(|url| url.strip_prefix(ADDRESS));
    let Some((uid, query)) = path.and_then(|path| path.split_once('?')) else {
        return Some(format!("no {ANNOTATION} that begins with {ADDRESS}"));
    };
    let Some(variables) = dashboards.get(uid) else {
        return Some(format!("there is no dashboard {uid}"));
    };
    // The text between the actions of the template holds the names.
    let text: String = parts(query).into_iter().map(|(text, _)| text).collect();
    let lost = text.split('&').find_map(|parameter| {
        let (name, _) = parameter.split_once('=').unwrap_or((parameter, ""));
        let known = match name.strip_prefix("var-") {
            Some(variable) => variables.contains(variable),
            None => TIMES.contains(&name),
        };
        (!known).then(|| name.to_owned())
    });
    lost.map(|name| format!("{uid} does not know {name}"))
}

/// Returns the dashboards below a folder, with their variables.
pub(crate) fn dashboards(root: &Path) -> Dashboards {
    let files = fs::read_dir(root.join("dashboards/grafana")).expect("the dashboards");
    let paths = files.map(|file| file.expect("a file").path());
    let texts = paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .map(|path| fs::read_to_string(path).expect("a text"));
    let dashboard = |text: String| {
        let dashboard: Value = serde_json::from_str(&text).expect("JSON");
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let variables = dashboard["templating"]["list"].as_array().expect("a list");
        let names = variables.iter().map(|variable| text(&variable["name"]));
        (text(&dashboard["uid"]), names.collect())
    };
    texts.map(dashboard).collect()
}

#[test]
fn an_address_that_leads_nowhere_is_found() {
    let alert = |name: &str, url: &str| {
        let annotations = [(ANNOTATION.to_owned(), url.to_owned())];
        (name.to_owned(), Annotations::from(annotations))
    };
    let account = "{{ with $labels.account }}&var-account={{ . | urlquery }}{{ end }}";
    let alerts = BTreeMap::from([
        alert("Good", &format!("{ADDRESS}a?from=now-6h&to=now{account}")),
        alert("OtherDashboard", &format!("{ADDRESS}b?from=now-6h")),
        alert("OtherVariable", &format!("{ADDRESS}a?var-b=1{account}")),
        ("None".to_owned(), Annotations::new()),
    ]);
    let dashboards = [("a".to_owned(), BTreeSet::from(["account".to_owned()]))];
    let expected = [
        "None: no dashboard_url that begins with https://grafana.example.com/d/",
        "OtherDashboard: there is no dashboard b",
        "OtherVariable: a does not know var-b",
    ];
    assert_eq!(leading_nowhere(&alerts, &dashboards.into()), expected);
}
