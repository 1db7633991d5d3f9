//! The families of events in the text format 0.0.4.
//!
//! Source: the Prometheus documentation, "Exposition formats".

use std::fmt::Write;

use crate::{
    event::{EventType, label_value},
    ledger::Ledger,
    metrics::{
        Family, Kind,
        catalog::{EVENT_TYPE_INFO, EVENTS, EVENTS_BY_TYPE},
    },
};

/// Every series, in the order of its labels, so that equal counts are equal bytes.
pub(super) fn render(ledger: &Ledger, types: &[EventType]) -> String {
    let mut text = String::new();
    let mut by_type: Vec<_> = ledger.types().collect();
    by_type.sort_unstable_by_key(|(name, _)| *name);
    header(&mut text, &EVENTS_BY_TYPE);
    for (event_type, saved) in by_type {
        sample(&mut text, &EVENTS_BY_TYPE, [event_type], saved.published);
    }
    let mut series: Vec<_> = ledger.series().collect();
    series.sort_unstable_by_key(|(labels, _)| *labels);
    header(&mut text, &EVENTS);
    for (labels, saved) in series {
        let values = [
            &*labels.event_type,
            &*labels.source,
            &*labels.source_country,
        ];
        sample(&mut text, &EVENTS, values, saved.published);
    }
    let mut types: Vec<_> = types.iter().map(|t| (&*t.name, &*t.description)).collect();
    types.sort_unstable();
    // Two descriptions of one type would be two series that look like two types.
    types.dedup_by_key(|(name, _)| *name);
    header(&mut text, &EVENT_TYPE_INFO);
    for (name, description) in types {
        let description = label_value(Some(description.into()));
        sample(&mut text, &EVENT_TYPE_INFO, [name, &description], 1);
    }
    text
}

fn header(text: &mut String, family: &Family) {
    let kind = match family.kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    };
    push(
        text,
        format_args!("# HELP {} {}\n", family.name, family.help),
    );
    push(text, format_args!("# TYPE {} {kind}\n", family.name));
}

fn sample<const N: usize>(text: &mut String, family: &Family, values: [&str; N], value: u64) {
    text.push_str(family.name);
    for (place, (label, value)) in family.labels.iter().zip(values).enumerate() {
        text.push(if place == 0 { '{' } else { ',' });
        text.push_str(label);
        text.push_str("=\"");
        escape(text, value);
        text.push('"');
    }
    push(text, format_args!("}} {value}\n"));
}

fn escape(text: &mut String, value: &str) {
    for character in value.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            other => text.push(other),
        }
    }
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = text.write_fmt(arguments);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{event::Labels, ledger::Age};

    #[test]
    fn series_are_sorted_and_values_escaped() {
        let mut ledger = Ledger::new(10);
        ledger.name_types(["B", "A"]);
        for event_type in ["B", "q\"u\\o\nte", "B"] {
            let labels = Labels {
                event_type: event_type.into(),
                source: "CD".into(),
                source_country: "GB".into(),
            };
            ledger.count(&labels, Age::History);
        }
        let described = |name: &str, description: &str| EventType {
            name: name.into(),
            description: description.into(),
        };
        let types = [
            described("B", "Second"),
            described("A", "First"),
            described("A", "Again"),
        ];
        insta::assert_snapshot!(render(&ledger, &types), @r#"
        # HELP nexmo_audit_events_by_type_total Audit events by type alone; 0 from the start for every type that the API names.
        # TYPE nexmo_audit_events_by_type_total counter
        nexmo_audit_events_by_type_total{event_type="A"} 0
        nexmo_audit_events_by_type_total{event_type="B"} 2
        nexmo_audit_events_by_type_total{event_type="q\"u\\o\nte"} 1
        # HELP nexmo_audit_events_total Audit events recorded by the API, each counted once. A new series is shown at 0 until every server has seen that: see nexmo_audit_pending_events.
        # TYPE nexmo_audit_events_total counter
        nexmo_audit_events_total{event_type="B",source="CD",source_country="GB"} 2
        nexmo_audit_events_total{event_type="q\"u\\o\nte",source="CD",source_country="GB"} 1
        # HELP nexmo_audit_event_type_info The event types that the API names, with its description; always 1.
        # TYPE nexmo_audit_event_type_info gauge
        nexmo_audit_event_type_info{event_type="A",description="Again"} 1
        nexmo_audit_event_type_info{event_type="B",description="Second"} 1
        "#);
    }
}
