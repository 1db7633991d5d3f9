//! A store as the exporter leaves it, with ids and with series that every server has
//! seen.

use std::path::Path;

use audit_core::{
    event::{AuditEvent, Element, EventId, Page},
    ledger::FirstValue,
};
use jiff::{SignedDuration, Timestamp};
use nexmo_audit_exporter::store::Store;

use super::{counting, series};

/// The age of the watermark of a seeded store. The events of a simulator since the
/// watermark are a backlog.
const WATERMARK_AGE: SignedDuration = SignedDuration::from_hours(13);
const OLDEST: SignedDuration = SignedDuration::from_hours(24);

/// Makes a store in `directory` in which `series` series count `events` events, and the
/// ids of all these events are remembered.
pub fn seed(directory: &Path, series: usize, events: usize) {
    let now = Timestamp::now();
    let (start, end) = (now - OLDEST, now - WATERMARK_AGE);
    let labels = series::labels(series);
    let mut account = counting::account(start);
    let step = end.duration_since(start) / i32::try_from(events).expect("not so many");
    let mut created_at = start;
    for place in 0..events {
        created_at += step;
        let event = AuditEvent {
            id: EventId::from_text(&uuid(place)),
            id_text: None,
            created_at: Some(created_at),
            labels: labels[place % series].clone(),
        };
        let page = Page {
            elements: vec![Element::Event(event)],
            raw: Vec::new(),
            total_elements: None,
            total_pages: None,
            has_next: false,
            unread_time: None,
            account_ids: Vec::new(),
        };
        account.count(&page, created_at, None);
    }
    let mut commit = counting::prepare(&mut account, end);
    for change in &mut commit.changes.series {
        change.saved.first_value = FirstValue::Seen;
    }
    for change in &mut commit.changes.types {
        change.saved.first_value = FirstValue::Seen;
    }
    let mut store = Store::open(directory).expect("a store");
    counting::store(&mut store, &commit);
}

/// Returns an id. The ids are spread as those of the API are.
fn uuid(place: usize) -> String {
    let bits = (place as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    EventId::from_bits(bits).to_string()
}
