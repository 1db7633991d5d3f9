//! An answer to OPTIONS: the names are usable as labels, and are in the order of the
//! answer.

use audit_core::event::{LABEL_MAX_CHARS, parse_types};
use serde_json::Value;

use crate::text;

pub fn holds(data: &[u8]) {
    let types = parse_types(data);
    for named in types.iter().flatten() {
        assert!(!named.name.is_empty());
        assert!(named.name.chars().count() <= LABEL_MAX_CHARS);
    }
    let Ok(answer) = serde_json::from_str::<Value>(&text(data)) else {
        return;
    };
    let Some(listed) = answer["eventTypes"].as_array() else {
        // The answer is an object without the list, or no object at all.
        assert!(types.is_err(), "{types:?}");
        return;
    };
    let strings = |named: &Value| {
        let is_text = |name| {
            named
                .get(name)
                .is_none_or(|said| said.is_string() || said.is_null())
        };
        named.is_object() && is_text("type") && is_text("description")
    };
    if !listed.iter().all(strings) {
        return;
    }
    let cut = |named: &Value| -> Option<String> {
        let name = named["type"].as_str().filter(|name| !name.is_empty())?;
        Some(name.chars().take(LABEL_MAX_CHARS).collect())
    };
    let expected: Vec<String> = listed.iter().filter_map(cut).collect();
    // Some readers of JSON refuse a name that comes twice in one object; others take
    // the last.
    if let Ok(types) = types {
        let names: Vec<String> = types.into_iter().map(|named| named.name).collect();
        assert_eq!(names, expected);
    }
}
