//! The grid as OpenMetrics text: one series after the other, each in the order of its
//! times. No other order suits both the format and `promtool`. Timestamps are in
//! seconds.
//!
//! Source: the OpenMetrics specification 1.0, "Text format".

use std::{
    io::{self, Write},
    ops::Range,
};

use super::grid::{Grid, GridCounter, SampleTimes};
use crate::{
    exposition::{
        Format,
        lines::{self, Header},
    },
    metrics::{
        Family,
        catalog::{EVENTS, EVENTS_BY_TYPE},
    },
};

/// Labels that a server adds when it scrapes, such as `job` and `instance`.
pub(super) type AddedLabels = [(String, String)];

/// Writes every sample of a span, which is in seconds since 1970, and the end of the
/// text.
///
/// # Errors
/// The errors of `out`.
pub(super) fn write(
    grid: &Grid,
    span: &Range<i64>,
    added: &AddedLabels,
    out: &mut impl Write,
) -> io::Result<()> {
    let span = (grid.times(), span);
    write_header(&EVENTS_BY_TYPE, out)?;
    for (event_type, counter) in grid.types() {
        let series = series(&EVENTS_BY_TYPE, [event_type], added);
        samples(&series, counter, span, out)?;
    }
    write_header(&EVENTS, out)?;
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

fn write_header(family: &Family, out: &mut impl Write) -> io::Result<()> {
    let header = Header {
        name: family.name,
        help: family.help,
        kind: family.kind,
    };
    let mut text = String::new();
    lines::header(&mut text, header, Format::OpenMetrics);
    out.write_all(text.as_bytes())
}

fn series<const N: usize>(family: &Family, values: [&str; N], added: &AddedLabels) -> String {
    let mut series = family.name.to_owned();
    let own = family.labels.iter().copied().zip(values);
    let added = added.iter().map(|(name, value)| (&**name, &**value));
    lines::labels(&mut series, own.chain(added));
    series
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
        # HELP nexmo_audit_events_by_type Audit events by type alone; 0 from the start for every type that the API names or that is known.
        # TYPE nexmo_audit_events_by_type counter
        nexmo_audit_events_by_type_total{event_type="USER_STATUS",job="audit"} 0 600
        nexmo_audit_events_by_type_total{event_type="USER_STATUS",job="audit"} 0 660
        nexmo_audit_events_by_type_total{event_type="USER_STATUS",job="audit"} 1 720
        nexmo_audit_events_by_type_total{event_type="q\"u\\o\nte",job="audit"} 0 600
        nexmo_audit_events_by_type_total{event_type="q\"u\\o\nte",job="audit"} 1 660
        nexmo_audit_events_by_type_total{event_type="q\"u\\o\nte",job="audit"} 1 720
        # HELP nexmo_audit_events Audit events recorded by the API, each counted once. A new series is shown at 0 until every scraper has seen the 0: see nexmo_audit_pending_events.
        # TYPE nexmo_audit_events counter
        nexmo_audit_events_total{event_type="USER_STATUS",source="CD",source_country="unknown",job="audit"} 0 660
        nexmo_audit_events_total{event_type="USER_STATUS",source="CD",source_country="unknown",job="audit"} 1 720
        nexmo_audit_events_total{event_type="q\"u\\o\nte",source="CD",source_country="unknown",job="audit"} 0 600
        nexmo_audit_events_total{event_type="q\"u\\o\nte",source="CD",source_country="unknown",job="audit"} 1 660
        nexmo_audit_events_total{event_type="q\"u\\o\nte",source="CD",source_country="unknown",job="audit"} 1 720
        # EOF
        "#);
    }
}
