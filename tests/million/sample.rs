//! The counters of events that a scrape shows.

use std::{collections::BTreeMap, sync::Arc};

use audit_core::event::Labels;

/// Values by the name and labels of their series.
pub(crate) type Sample = BTreeMap<String, u64>;

const FIRST_LINE: &str = "# HELP nexmo_audit_events_by_type_total ";
const FAMILIES: [&str; 2] = [
    "nexmo_audit_events_total{",
    "nexmo_audit_events_by_type_total{",
];
/// The first line after the counters.
const END: &str = "# HELP nexmo_audit_event_type_info ";

/// Returns a series of `nexmo_audit_events_total` as the exposition writes it.
pub(crate) fn series_name(labels: &Labels<'_>) -> String {
    format!(
        r#"nexmo_audit_events_total{{event_type="{}",source="{}",source_country="{}"}}"#,
        labels.event_type, labels.source, labels.source_country
    )
}

/// Returns a series of `nexmo_audit_events_by_type_total` as the exposition writes it.
pub(crate) fn type_name(name: &str) -> String {
    format!(r#"nexmo_audit_events_by_type_total{{event_type="{name}"}}"#)
}

/// Returns the number of the family of a series.
pub(crate) fn family(name: &str) -> usize {
    usize::from(name.starts_with(FAMILIES[1]))
}

/// Reads expositions. Most of them repeat the previous one, which is kept for that.
#[derive(Default)]
pub(crate) struct Reader {
    last: Option<(String, Arc<Sample>)>,
}

impl Reader {
    /// Returns the counters of events; `None` if the exposition does not even have their
    /// families.
    pub(crate) fn read(&mut self, text: &str) -> Option<Arc<Sample>> {
        if !text.starts_with(FIRST_LINE) {
            return None;
        }
        if let Some((last, sample)) = &self.last
            && text.starts_with(last)
        {
            return Some(Arc::clone(sample));
        }
        let end = text.find(END).expect("the families of events") + END.len();
        let sample = Arc::new(text[..end].lines().filter_map(counter).collect());
        self.last = Some((text[..end].to_owned(), Arc::clone(&sample)));
        Some(sample)
    }
}

fn counter(line: &str) -> Option<(String, u64)> {
    FAMILIES.iter().find(|family| line.starts_with(**family))?;
    let (name, value) = line.rsplit_once(' ').expect("a sample");
    Some((name.to_owned(), value.parse().expect("a whole number")))
}

/// Returns a sample in a short form for people: `T0/CD/GB 3`.
pub(crate) fn brief(sample: &Sample) -> String {
    let line = |(name, value): (&String, &u64)| {
        let values: Vec<&str> = name.split('"').skip(1).step_by(2).collect();
        format!("{} {value}", values.join("/"))
    };
    sample.iter().map(line).collect::<Vec<_>>().join(", ")
}
