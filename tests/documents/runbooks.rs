//! The runbooks of the alerts.

use std::{collections::BTreeMap, fs, path::Path};

use yaml_tree::YamlEntry;

use super::{Repository, commands};

/// The page that has a section for each alert.
const PAGE: &str = "docs/runbooks.md";
const ADDRESS: &str = "https://example.com/nexmo-audit-exporter/docs/runbooks.md#";
/// Every alert begins with it, and no other heading does.
const PREFIX: &str = "nexmoaudit";
/// The annotations that hold a command.
const COMMANDS: [&str; 3] = ["on_host", "in_container", "in_pod"];

pub(crate) type Annotations = BTreeMap<String, String>;

/// Alerts without a section, and sections without an alert.
pub(crate) fn without_section(
    alerts: &BTreeMap<String, Annotations>,
    repository: &Repository,
) -> Vec<String> {
    let anchors = repository.anchors();
    let sections = anchors.get(PAGE).copied().unwrap_or_default();
    let has_section = |name: &str| {
        let anchor = name.to_lowercase();
        let leads = alerts[name].get("runbook_url") == Some(&format!("{ADDRESS}{anchor}"));
        leads && sections.contains(&anchor)
    };
    let names = alerts.keys().filter(|name| !has_section(name));
    let lost = sections.iter().filter(|anchor| {
        let is_alert = |name: &String| name.to_lowercase() == **anchor;
        anchor.starts_with(PREFIX) && !alerts.keys().any(is_alert)
    });
    names
        .map(|name| format!("{name}: no runbook_url that leads to its section"))
        .chain(lost.map(|anchor| format!("{PAGE}: no alert has the section {anchor}")))
        .collect()
}

/// Commands in annotations that the program does not take.
pub(crate) fn commands_not_taken(alerts: &BTreeMap<String, Annotations>) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, annotations) in alerts {
        let given = COMMANDS.iter().filter_map(|key| annotations.get(*key));
        let given: Vec<_> = given.map(|command| filled_in(command)).collect();
        if ![0, COMMANDS.len()].contains(&given.len()) {
            problems.push(format!("{name}: commands for some places only"));
        }
        for command in given {
            let parts = command.split_once("exporter events list");
            let arguments = parts.map(|(_, rest)| rest.trim_end_matches('\''));
            let listed = format!(
                "nexmo-audit-exporter events list{}",
                arguments.unwrap_or(" --none")
            );
            problems.extend(commands::not_taken(&listed).map(|error| format!("{name}: {error}")));
        }
    }
    problems
}

/// Fills in each label of a template.
fn filled_in(template: &str) -> String {
    let mut text = String::new();
    for (before, action) in parts(template) {
        text.push_str(before);
        let is_value =
            action.trim() == "." || (action.contains("$labels") && !action.contains("with"));
        text.push_str(if is_value { "value" } else { "" });
    }
    text
}

/// Returns the texts of a template, each with the action after it.
pub(crate) fn parts(template: &str) -> Vec<(&str, &str)> {
    let parts = template.split("}}");
    parts
        .map(|part| part.split_once("{{").unwrap_or((part, "")))
        .collect()
}

/// Returns the alerts of the rules below a folder, with their annotations.
pub(crate) fn alerts(root: &Path) -> BTreeMap<String, Annotations> {
    let mut alerts = BTreeMap::new();
    let files = fs::read_dir(root.join("dashboards/prometheus/rules")).expect("the rules");
    for file in files {
        let text = fs::read_to_string(file.expect("a file").path()).expect("a text");
        let document = yaml_tree::parse(&text).expect("YAML");
        let groups = maps(&document, "groups");
        for rule in groups.iter().flat_map(|group| maps(group, "rules")) {
            let Some(name) = rule.iter().find(|entry| entry.key == "alert") else {
                continue;
            };
            let annotations = rule.iter().find(|entry| entry.key == "annotations");
            let annotations = annotations.expect("annotations").map().expect("a mapping");
            let text = |entry: &YamlEntry| entry.text().expect("a text").to_owned();
            let annotations = annotations
                .iter()
                .map(|entry| (entry.key.clone(), text(entry)));
            alerts.insert(text(name), annotations.collect());
        }
    }
    alerts
}

/// Returns the mappings of a list.
fn maps<'a>(entries: &'a [YamlEntry], key: &str) -> Vec<&'a [YamlEntry]> {
    let list = entries.iter().find(|entry| entry.key == key);
    let list = list.map(|entry| entry.list().expect("a list"));
    let items = list.unwrap_or_default().iter();
    items
        .map(|item| item.map(key).expect("a mapping"))
        .collect()
}

#[test]
fn an_alert_without_a_section_or_with_a_wrong_command_is_found() {
    let annotations = |anchor: &str, flag: &str| -> Annotations {
        let command = format!(
            "nexmo-audit-exporter events list {flag}{{{{ with $labels.account }}}} --account={{{{ . }}}}{{{{ end }}}}"
        );
        let commands = COMMANDS
            .iter()
            .map(|key| ((*key).to_owned(), command.clone()));
        let url = ("runbook_url".to_owned(), format!("{ADDRESS}{anchor}"));
        commands.chain([url]).collect()
    };
    let repository = Repository::of(&[(PAGE, "# R\n## NexmoAuditA\n## NexmoAuditC\n")]);
    let alerts = BTreeMap::from([
        (
            "NexmoAuditA".to_owned(),
            annotations("nexmoaudita", "--type={{ $labels.event_type }}"),
        ),
        (
            "NexmoAuditB".to_owned(),
            annotations("nexmoauditb", "--kind=A"),
        ),
    ]);
    let expected = [
        "NexmoAuditB: no runbook_url that leads to its section",
        "docs/runbooks.md: no alert has the section nexmoauditc",
    ];
    assert_eq!(without_section(&alerts, &repository), expected);
    assert_eq!(commands_not_taken(&alerts).len(), COMMANDS.len());
}
