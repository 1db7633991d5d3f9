//! The metrics of the exporter's own work, which are the end of a response.

use std::{collections::BTreeMap, time::Duration};

use once_cell::sync::OnceCell;
use prometheus::{
    TextEncoder,
    proto::{Histogram, Metric, MetricFamily, MetricType},
};

use super::{
    blocks::RenderedPart,
    format::{Format, PerVariant, Variant},
    gzip::Position,
    lines::{self, Header},
};
use crate::metrics::Kind;

/// The last line of an `OpenMetrics` response, by which a client knows that it is
/// complete.
const END: &str = "# EOF\n";

/// The metrics of the exporter's own work, as they were at one time.
#[derive(Debug)]
pub(super) struct OwnMetrics {
    /// The number of the generation that was shown at that time.
    pub(super) generation: u64,
    /// The uptime of the process at that time.
    pub(super) gathered: Duration,
    families: Vec<MetricFamily>,
    /// The time when the counters were 0, in milliseconds since 1970, if `_created` is to
    /// be shown.
    created: Option<i64>,
    parts: PerVariant<OnceCell<RenderedPart>>,
}

impl OwnMetrics {
    pub(super) fn new(
        families: Vec<MetricFamily>,
        created: Option<i64>,
        generation: u64,
        gathered: Duration,
    ) -> Self {
        Self {
            generation,
            gathered,
            families,
            created,
            parts: PerVariant::default(),
        }
    }

    /// Returns all families and the end of the response. Fails if the format cannot
    /// represent a family.
    pub(super) fn part(&self, variant: Variant) -> prometheus::Result<&RenderedPart> {
        let part = self.parts.of(variant);
        if let Some(part) = part.get() {
            return Ok(part);
        }
        let text = match variant.format {
            Format::Text => TextEncoder::new().encode_to_string(&self.families)?,
            Format::OpenMetrics => self.open_metrics(),
        };
        Ok(part.get_or_init(|| RenderedPart::new(text, variant.encoding, Position::Last)))
    }

    fn open_metrics(&self) -> String {
        let mut text = String::new();
        for family in &self.families {
            self.family(&mut text, family);
        }
        text.push_str(END);
        text
    }

    fn family(&self, text: &mut String, family: &MetricFamily) {
        let kind = match family.get_field_type() {
            MetricType::COUNTER => Kind::Counter,
            MetricType::HISTOGRAM => Kind::Histogram,
            // Neither the catalogue nor the process collector has another type.
            _ => Kind::Gauge,
        };
        let header = Header {
            name: family.name(),
            help: family.help(),
            kind,
        };
        lines::header(text, header, Format::OpenMetrics);
        let name = lines::family_name(family.name(), kind, Format::OpenMetrics);
        for metric in family.get_metric() {
            match kind {
                Kind::Counter => {
                    let value = metric.get_counter().get_value();
                    sample(text, (name, "_total"), metric, value);
                }
                Kind::Gauge => sample(text, (name, ""), metric, metric.get_gauge().get_value()),
                Kind::Histogram => histogram(text, name, metric),
            }
            if let Some(created) = self.created.filter(|_| kind != Kind::Gauge) {
                begin_sample(text, (name, "_created"), metric, None);
                lines::seconds(text, created);
                text.push('\n');
            }
        }
    }
}

/// Merges the families of several registries, and sorts them by name.
pub(super) fn merged(registries: impl Iterator<Item = Vec<MetricFamily>>) -> Vec<MetricFamily> {
    let mut all: BTreeMap<String, MetricFamily> = BTreeMap::new();
    for mut family in registries.flatten() {
        match all.get_mut(family.name()) {
            Some(there) => there.mut_metric().append(&mut family.take_metric()),
            None => {
                all.insert(family.name().to_owned(), family);
            }
        }
    }
    all.into_values().collect()
}

fn histogram(text: &mut String, name: &str, metric: &Metric) {
    let histogram: &Histogram = metric.get_histogram();
    let count = histogram.get_sample_count();
    let bounded = histogram.get_bucket().iter();
    let bounded = bounded.filter(|bucket| bucket.upper_bound().is_finite());
    for bucket in bounded {
        // OpenMetrics has one way to write a bound, such as 1.0.
        let bound = format!("{:?}", bucket.upper_bound());
        begin_sample(text, (name, "_bucket"), metric, Some(&bound));
        lines::push(text, format_args!("{}\n", bucket.cumulative_count()));
    }
    begin_sample(text, (name, "_bucket"), metric, Some("+Inf"));
    lines::push(text, format_args!("{count}\n"));
    begin_sample(text, (name, "_count"), metric, None);
    lines::push(text, format_args!("{count}\n"));
    sample(text, (name, "_sum"), metric, histogram.get_sample_sum());
}

fn sample(text: &mut String, name: (&str, &str), metric: &Metric, value: f64) {
    begin_sample(text, name, metric, None);
    lines::push(text, format_args!("{value}\n"));
}

/// Writes a line up to its value.
fn begin_sample(
    text: &mut String,
    (name, suffix): (&str, &str),
    metric: &Metric,
    bound: Option<&str>,
) {
    text.push_str(name);
    text.push_str(suffix);
    let labels = metric.get_label().iter();
    let labels = labels.map(|label| (label.name(), label.value()));
    lines::labels(text, labels.chain(bound.map(|bound| ("le", bound))));
    text.push(' ');
}
