//! The grid as OpenMetrics text: series by series, each in the order of its times,
//! which is the one order that both the format and `promtool` take. Timestamps are
//! seconds.
//!
//! Source: the OpenMetrics specification 1.0, "Text format".

use std::{
    io::{self, Write},
    ops::Range,
};

use super::grid::{Grid, GridCounter, SampleTimes};
use crate::metrics::{
    Family,
    catalog::{EVENTS, EVENTS_BY_TYPE},
};

/// Labels that a server adds to what it scrapes, such as `job` and `instance`.
pub(super) type AddedLabels = [(String, String)];

/// Writes every sample of a span, which is in seconds since 1970, and the end of the
/// text.
///
/// # Errors
/// Those of `out`.
pub(super) fn write(
    grid: &Grid,
    span: &Range<i64>,
    added: &AddedLabels,
    out: &mut impl Write,
) -> io::Result<()> {
    let span = (grid.times(), span);
    header(&EVENTS_BY_TYPE, out)?;
    for (event_type, counter) in grid.types() {
        let series = series(&EVENTS_BY_TYPE, [event_type], added);
        samples(&series, counter, span, out)?;
    }
    header(&EVENTS, out)?;
    for (labels, counter) in grid.series() {
        let values = [
            &*labels.event_type,
            &*labels.source,
            &*labels.source_country,
        ];
        samples(&series(&EVENTS, values, added), counter, span, out)?;
    }
    out.write_all(b"# EOF\n")
}

/// The name of a family of counters is without the `_total` of its samples.
fn header(family: &Family, out: &mut impl Write) -> io::Result<()> {
    let name = family.name.strip_suffix("_total").unwrap_or(family.name);
    writeln!(out, "# TYPE {name} counter")?;
    writeln!(out, "# HELP {name} {}", family.help)
}

fn series<const N: usize>(family: &Family, values: [&str; N], added: &AddedLabels) -> String {
    let mut series = family.name.to_owned();
    let own = family.labels.iter().copied().zip(values);
    let added = added.iter().map(|(name, value)| (&**name, &**value));
    for (place, (name, value)) in own.chain(added).enumerate() {
        series.push(if place == 0 { '{' } else { ',' });
        series.push_str(name);
        series.push_str("=\"");
        escape(value, &mut series);
        series.push('"');
    }
    series.push('}');
    series
}

fn escape(value: &str, text: &mut String) {
    for character in value.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            other => text.push(other),
        }
    }
}

fn samples(
    series: &str,
    counter: &GridCounter,
    (times, span): (SampleTimes, &Range<i64>),
    out: &mut impl Write,
) -> io::Result<()> {
    for (time, total) in counter.samples(times, span) {
        writeln!(out, "{series} {total} {time}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use audit_core::event::Labels;

    #[test]
    fn text() {
        let at = |seconds| Timestamp::from_second(seconds).expect("a time");
        let mut grid = Grid::new(SampleTimes::new(at(600), at(720), 60), 10);
        grid.name_types(["USER_STATUS"]);
        let labels = |event_type: &str| Labels {
            event_type: event_type.to_owned().into(),
            source: "CD".into(),
            source_country: "unknown".into(),
        };
        grid.count(labels("q\"u\\o\nte"), at(630));
        grid.count(labels("USER_STATUS"), at(700));
        let added = [("job".to_owned(), "audit".to_owned())];
        let mut text = Vec::new();
        write(&grid, &grid.times().whole(), &added, &mut text).expect("memory");
        insta::assert_snapshot!(String::from_utf8(text).expect("UTF-8"), @r#"
        # TYPE nexmo_audit_events_by_type counter
        # HELP nexmo_audit_events_by_type Audit events by type alone; 0 from the start for every type that the API names.
        nexmo_audit_events_by_type_total{event_type="USER_STATUS",job="audit"} 0 600
        nexmo_audit_events_by_type_total{event_type="USER_STATUS",job="audit"} 0 660
        nexmo_audit_events_by_type_total{event_type="USER_STATUS",job="audit"} 1 720
        nexmo_audit_events_by_type_total{event_type="q\"u\\o\nte",job="audit"} 0 600
        nexmo_audit_events_by_type_total{event_type="q\"u\\o\nte",job="audit"} 1 660
        nexmo_audit_events_by_type_total{event_type="q\"u\\o\nte",job="audit"} 1 720
        # TYPE nexmo_audit_events counter
        # HELP nexmo_audit_events Audit events recorded by the API, each counted once. A new series is shown at 0 until every server has seen that: see nexmo_audit_pending_events.
        nexmo_audit_events_total{event_type="USER_STATUS",source="CD",source_country="unknown",job="audit"} 0 660
        nexmo_audit_events_total{event_type="USER_STATUS",source="CD",source_country="unknown",job="audit"} 1 720
        nexmo_audit_events_total{event_type="q\"u\\o\nte",source="CD",source_country="unknown",job="audit"} 0 600
        nexmo_audit_events_total{event_type="q\"u\\o\nte",source="CD",source_country="unknown",job="audit"} 1 660
        nexmo_audit_events_total{event_type="q\"u\\o\nte",source="CD",source_country="unknown",job="audit"} 1 720
        # EOF
        "#);
    }
}
