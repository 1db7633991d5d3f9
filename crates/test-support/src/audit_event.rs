//! Events as the API writes them, with personal data that the exporter must not show.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::program::{API_KEY, API_SECRET};

/// The personal data of every event that [`event`] makes: e-mail, user id, address,
/// context.
pub const PERSONAL: [&str; 4] = [
    "ada@example.org",
    "424242424",
    "198.51.100.77",
    "found-in-a-context",
];

/// Makes an event of this type, created now in Great Britain on the dashboard.
pub fn event(id: &str, event_type: &str) -> Value {
    json!({
        "_links": {"self": {"href": format!("http://api.nexmo.com/beta/audit/events/{id}")}},
        "id": id,
        "event_type": event_type,
        "event_type_description": "In words",
        "created_at": written(Timestamp::now()),
        "user_email": PERSONAL[0],
        "user_id": 424_242_424,
        "account_id": API_KEY,
        "source": "CD",
        "source_description": "Customer Dashboard",
        "source_ip": PERSONAL[2],
        "source_country": "GB",
        "context": {"note": PERSONAL[3]},
    })
}

/// Returns the event with another value of one field; `null` removes the field.
pub fn with(mut event: Value, field: &str, value: Value) -> Value {
    let fields = event.as_object_mut().expect("an object");
    if value.is_null() {
        fields.remove(field);
    } else {
        fields.insert(field.to_owned(), value);
    }
    event
}

/// Makes this number of events of one type.
pub fn events(number: usize, event_type: &str) -> Vec<Value> {
    (0..number)
        .map(|place| event(&format!("event-{place}"), event_type))
        .collect()
}

/// Makes events that each have a series of their own, so many that `/metrics` is larger
/// than 8 MB: a label has 64 characters, most of four bytes each.
pub fn many_series() -> Vec<Value> {
    let snow = "🌨".repeat(56);
    (0..8000)
        .map(|number| {
            let label = format!("{number:08}{snow}");
            json!({"id": label, "event_type": label, "source": label, "source_country": label})
        })
        .collect()
}

/// Writes a time as the API does: in whole seconds, without a zone.
pub fn written(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Fails if `text` holds the API secret or personal data of [`event`].
pub fn assert_shows_nothing_private(place: &str, text: &str) {
    let in_a_header = base64(&format!("{API_KEY}:{API_SECRET}"));
    let private = PERSONAL.iter().chain([&API_SECRET]);
    for private in private.copied().chain([&*in_a_header]) {
        assert!(!text.contains(private), "{place} shows {private}:\n{text}");
    }
}

/// Encodes a text as HTTP Basic authentication does.
pub fn base64(text: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.encode(text)
}
