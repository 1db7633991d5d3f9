//! The metrics of the exporter's own work, which are the end of a response.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use once_cell::sync::OnceCell;
use prometheus::{
    TextEncoder,
    proto::{Histogram, Metric, MetricFamily, MetricType},
};

use super::{
    account_families::AccountFamilies,
    blocks::RenderedPart,
    body::Body,
    format::{Encoding, Format, PerVariant, Variant},
    generation::Generation,
    lines::{self, Header},
};
use crate::metrics::Kind;

/// The last line of an `OpenMetrics` response, by which a client knows that it is
/// complete.
const END: &str = "# EOF\n";

/// The metrics of the exporter's own work, as they were at one time: those of each account,
/// and then those of the process.
#[derive(Debug)]
pub(super) struct OwnMetrics {
    /// The number of the generation that was shown at that time.
    pub(super) generation: u64,
    /// The uptime of the process at that time.
    pub(super) gathered: Duration,
    /// The families of the process.
    process: Vec<MetricFamily>,
    /// The time when the counters were 0, in milliseconds since 1970, if `_created` is to
    /// be shown.
    created: Option<i64>,
    ends: PerVariant<OnceCell<Body>>,
    trailers: PerVariant<OnceCell<Bytes>>,
}

impl OwnMetrics {
    pub(super) fn new(
        process: Vec<MetricFamily>,
        created: Option<i64>,
        generation: u64,
        gathered: Duration,
    ) -> Self {
        Self {
            generation,
            gathered,
            process,
            created,
            ends: PerVariant::default(),
            trailers: PerVariant::default(),
        }
    }

    /// Returns all families and the end of the response. `accounts` are the families of the
    /// accounts of `generation`. Fails if the format cannot represent a family.
    pub(super) fn end(
        &self,
        variant: Variant,
        generation: &Generation,
        accounts: &Mutex<AccountFamilies>,
    ) -> prometheus::Result<&Body> {
        self.ends.of(variant).get_or_try_init(|| {
            let mut accounts = accounts.lock().unwrap_or_else(PoisonError::into_inner);
            let shown = generation.accounts();
            if generation.has_few_accounts() {
                // Their few samples are compressed together with those of the process.
                let plain = Variant::new(variant.format, Encoding::Identity);
                let mut text = Vec::new();
                for part in accounts.parts(shown, plain) {
                    text.extend_from_slice(&part.bytes);
                }
                text.extend_from_slice(self.of_process(variant.format)?.as_bytes());
                let last = RenderedPart::last(text, variant.encoding);
                return Ok(Body::end([&last]));
            }
            let last = self.of_process(variant.format)?;
            let last = RenderedPart::last(last, variant.encoding);
            let parts = accounts.parts(shown, variant);
            Ok(Body::end(parts.into_iter().chain([&last])))
        })
    }

    /// Returns the trailer of a gzip answer of `events`, which are those of the generation, and
    /// `end`. It is kept, since combining checksums takes longer than the rest of an answer that
    /// is ready.
    pub(super) fn trailer(&self, variant: Variant, events: &Body, end: &Body) -> Bytes {
        let kept = self.trailers.of(variant);
        kept.get_or_init(|| events.trailer_with(end)).clone()
    }

    fn of_process(&self, format: Format) -> prometheus::Result<String> {
        match format {
            Format::Text => TextEncoder::new().encode_to_string(&self.process),
            Format::OpenMetrics => Ok(self.open_metrics()),
        }
    }

    fn open_metrics(&self) -> String {
        let mut text = String::new();
        for family in &self.process {
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
