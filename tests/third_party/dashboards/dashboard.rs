//! The JSON of a dashboard: its queries, and what would prevent its import.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use serde_json::Value;
use test_support::repository;

use super::expression;

const FOLDER: &str = "dashboards/grafana";

/// The schema version of Grafana 10.0. Newer releases migrate it, and an older release
/// would not know a higher number.
const SCHEMA_VERSION: u64 = 38;

/// A dashboard.
pub(super) struct Dashboard {
    pub(super) file: String,
    json: Value,
}

/// An expression of a dashboard.
#[derive(Debug)]
pub(super) struct Query {
    /// The title of the panel, or the name of the annotation, for the message of a
    /// failure.
    pub(super) title: String,
    pub(super) expression: String,
    pub(super) instant: bool,
    /// The labels that legends, titles and columns name.
    pub(super) labels_shown: Vec<String>,
    /// `true` if the query shows events that need not happen.
    pub(super) may_be_empty: bool,
    /// The letter of the query in its panel; empty for an annotation.
    pub(super) letter: String,
}

/// A variable of a dashboard.
pub(super) struct Variable {
    pub(super) name: String,
    /// The value while nothing is chosen, or `None` if it is all that the server knows.
    pub(super) value: Option<String>,
    /// The selector and the label of a variable whose values the server knows.
    pub(super) asks: Option<(String, String)>,
}

/// The values of the variables of a dashboard.
pub(super) type Chosen = BTreeMap<String, String>;

impl Query {
    /// Returns the expression with these values of the variables.
    pub(super) fn filled_in(&self, chosen: &Chosen, range: Duration, interval: Duration) -> String {
        let mut expression = self.expression.clone();
        let seconds = |duration: Duration| format!("{}s", duration.as_secs());
        let dollars = [
            ("$__rate_interval", seconds(4 * interval)),
            ("$__interval", seconds(interval)),
            ("$__range", seconds(range)),
        ];
        for (name, value) in dollars {
            expression = expression.replace(name, &value);
        }
        let expression = replaced(expression, chosen);
        assert!(
            !expression.contains('$'),
            "a variable is left in {expression}"
        );
        expression
    }
}

/// Puts the values of variables into a text.
pub(super) fn replaced(mut text: String, chosen: &Chosen) -> String {
    for (name, value) in chosen {
        text = text.replace(&format!("${name}"), value);
    }
    text
}

impl Dashboard {
    pub(super) fn all() -> Vec<Self> {
        let files = fs::read_dir(repository(FOLDER)).expect("the dashboards");
        let paths = files.map(|file| file.expect("a file").path());
        paths
            .filter(|path| path.extension().is_some_and(|kind| kind == "json"))
            .map(|path| Self {
                file: path.display().to_string(),
                json: serde_json::from_str(&fs::read_to_string(&path).expect("text"))
                    .expect("JSON"),
            })
            .collect()
    }

    pub(super) fn uid(&self) -> String {
        text(&self.json["uid"])
    }

    /// Returns every expression of the panels and annotations.
    pub(super) fn queries(&self) -> Vec<Query> {
        let panels = self.panels().flat_map(|panel| {
            let targets = list(&panel["targets"]);
            targets.map(|target| Query {
                title: text(&panel["title"]),
                expression: text(&target["expr"]),
                instant: target["instant"] == true,
                labels_shown: shown(panel, target),
                // A country need not be new.
                may_be_empty: text(&panel["title"]).starts_with("First-seen"),
                letter: text(&target["refId"]),
            })
        });
        let annotations = self.annotations().map(|annotation| Query {
            title: text(&annotation["name"]),
            expression: text(&annotation["expr"]),
            instant: false,
            labels_shown: expression::labels_in_template(&text(&annotation["titleFormat"])),
            may_be_empty: true,
            letter: String::new(),
        });
        panels.chain(annotations).collect()
    }

    /// Returns what would prevent the import, or show something wrong.
    pub(super) fn findings(&self, known: &[String]) -> Vec<String> {
        let mut findings = Vec::new();
        let mut find = |holds: bool, finding: String| {
            if !holds {
                findings.push(finding);
            }
        };
        find(self.json["id"].is_null(), "a fixed id".to_owned());
        find(
            self.json["schemaVersion"] == SCHEMA_VERSION,
            "another schema version".to_owned(),
        );
        for only_by_hand in ["__inputs", "__elements"] {
            let absent = self.json.get(only_by_hand).is_none();
            find(absent, format!("{only_by_hand} is not provisioned"));
        }
        let mut ids = BTreeSet::new();
        let mut cells = BTreeSet::new();
        for panel in self.panels() {
            let title = text(&panel["title"]);
            find(ids.insert(panel["id"].to_string()), format!("{title}: id"));
            for cell in grid(panel) {
                find(cells.insert(cell), format!("{title} lies over another"));
            }
            find(!title.is_empty(), format!("no title: {panel}"));
            let described = panel["type"] == "row" || !text(&panel["description"]).is_empty();
            find(described, format!("{title}: no description"));
            for source in sources(panel) {
                find(source == "${datasource}", format!("{title}: {source}"));
            }
        }
        for link in self.links() {
            let led = known.iter().any(|uid| link.contains(&format!("/d/{uid}?")));
            find(led, format!("a link that leads nowhere: {link}"));
        }
        findings
    }

    fn panels(&self) -> impl Iterator<Item = &Value> {
        let panels = list(&self.json["panels"]);
        panels.flat_map(|panel| std::iter::once(panel).chain(list(&panel["panels"])))
    }

    fn annotations(&self) -> impl Iterator<Item = &Value> {
        list(&self.json["annotations"]["list"]).filter(|annotation| annotation["builtIn"] != 1)
    }

    /// Returns the variables, in the order in which they depend on one another.
    pub(super) fn variables(&self) -> Vec<Variable> {
        let variables = list(&self.json["templating"]["list"]);
        let known = variables.map(|variable| {
            let asked = text(&variable["definition"]);
            let asks = asked.strip_prefix("label_values(").map(|asked| {
                let (selector, label) = asked.rsplit_once(", ").expect("a selector and a label");
                (selector.to_owned(), label.trim_end_matches(')').to_owned())
            });
            let value = match variable["type"].as_str() {
                Some("query") => variable["allValue"].as_str().map(str::to_owned),
                _ => Some(text(&variable["query"])),
            };
            let name = text(&variable["name"]);
            Variable { name, value, asks }
        });
        known.collect()
    }

    /// Returns all links within Grafana.
    fn links(&self) -> Vec<String> {
        let mut links = Vec::new();
        collect(&self.json, "url", &mut links);
        links.retain(|link| link.starts_with('/'));
        links
    }
}

/// Returns the labels that a legend, a link or a column of a panel names.
fn shown(panel: &Value, target: &Value) -> Vec<String> {
    let mut labels = expression::labels_in_template(&text(&target["legendFormat"]));
    for transformation in list(&panel["transformations"]) {
        let columns = transformation["options"]["indexByName"].as_object();
        let columns = columns.into_iter().flatten().map(|(name, _)| name.clone());
        labels.extend(columns.filter(|name| !name.starts_with("Value") && name != "Time"));
    }
    // Labels that an expression itself makes are written in quotes there.
    let expressions = list(&panel["targets"]).map(|target| text(&target["expr"]));
    let expressions: String = expressions.collect();
    labels.retain(|label| !expressions.contains(&format!("\"{label}\"")));
    labels
}

fn sources(panel: &Value) -> Vec<String> {
    let targets = list(&panel["targets"]);
    let sources = std::iter::once(panel).chain(targets);
    let sources = sources.filter_map(|with| with.get("datasource"));
    sources.map(|source| text(&source["uid"])).collect()
}

/// Returns the cells of the grid that a panel covers.
fn grid(panel: &Value) -> Vec<(u64, u64)> {
    let number = |name| panel["gridPos"][name].as_u64().expect("a number");
    let (x, y, w, h) = (number("x"), number("y"), number("w"), number("h"));
    let rows = y..y + h;
    rows.flat_map(|row| (x..x + w).map(move |column| (row, column)))
        .collect()
}

/// Returns every text under this key.
fn collect(value: &Value, key: &str, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, key, found)),
        Value::Object(fields) => {
            for (name, field) in fields {
                match field.as_str() {
                    Some(text) if name == key => found.push(text.to_owned()),
                    _ => collect(field, key, found),
                }
            }
        }
        _ => {}
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
