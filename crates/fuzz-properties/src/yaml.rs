//! A YAML file: an accepted file means the same when it is written in the plainest
//! form, and the message of a refused file shows no value.

use yaml_tree::{YamlEntry, YamlNode, YamlValue, parse};

use crate::text;

const SECRET: &str = "swordfish-8861";

pub fn holds(data: &[u8]) {
    let text = text(data);
    match parse(&text) {
        Ok(entries) => {
            // A carriage return ends a line in YAML, too.
            let lines = 1 + text.matches(['\n', '\r']).count();
            has_lines_and_keys_once(&entries, lines);
            let plain = in_json(&entries);
            let again = parse(&plain).unwrap_or_else(|error| panic!("{error} in {plain}"));
            assert_eq!(in_json(&again), plain);
        }
        Err(error) => {
            assert!(!error.to_string().contains('\n'), "{error}");
        }
    }
    no_value_is_told(&text);
}

fn has_lines_and_keys_once(entries: &[YamlEntry], lines: usize) {
    for (place, entry) in entries.iter().enumerate() {
        assert!(
            (1..=lines).contains(&entry.line),
            "line {} of {lines}",
            entry.line
        );
        let twice = entries[..place].iter().any(|other| other.key == entry.key);
        assert!(!twice, "{:?} is there twice", entry.key);
        inside(&entry.node, lines);
    }
}

fn inside(node: &YamlNode, lines: usize) {
    match &node.value {
        YamlValue::Null | YamlValue::Scalar { .. } => {}
        YamlValue::List(nodes) => nodes.iter().for_each(|node| inside(node, lines)),
        YamlValue::Map(entries) => has_lines_and_keys_once(entries, lines),
    }
}

/// JSON is YAML, too.
fn in_json(entries: &[YamlEntry]) -> String {
    let entries: Vec<_> = entries
        .iter()
        .map(|entry| format!("{}: {}", quoted(&entry.key), value(&entry.node.value)))
        .collect();
    format!("{{{}}}", entries.join(", "))
}

fn value(said: &YamlValue) -> String {
    match said {
        YamlValue::Null => "null".to_owned(),
        YamlValue::Scalar { text, .. } => quoted(text),
        YamlValue::List(nodes) => {
            let values: Vec<_> = nodes.iter().map(|node| value(&node.value)).collect();
            format!("[{}]", values.join(", "))
        }
        YamlValue::Map(entries) => in_json(entries),
    }
}

fn quoted(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '"' | '\\' => format!("\\{c}"),
        ' '..='~' => c.to_string(),
        _ => format!("\\U{:08x}", u32::from(c)),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

/// A sign in the input stands for a secret, in files that are plain enough to tell keys
/// from values.
fn no_value_is_told(text: &str) {
    if text.contains([
        '"', '\'', '?', '|', '>', '{', '[', '&', '*', '!', '%', '#', '@', '`',
    ]) {
        return;
    }
    let file = text.replace(": $\n", &format!(": {SECRET}\n"));
    let said = match parse(&file) {
        Ok(entries) if in_json(&entries).contains(&format!("{SECRET}\":")) => return,
        Ok(entries) => format!("{entries:?}"),
        Err(error) => format!("{error} {error:?}"),
    };
    assert!(!said.contains(SECRET), "{said}");
}
