//! The cost of a commit of one event for the exposition, and of the next scrape.

use std::{sync::Arc, time::Duration};

use audit_core::{
    event::{EventId, EventType, Labels},
    gate::{Gate, SavedGate, ScrapeInterval},
    ledger::{Age, Changes, Exemplar, FirstValue, Ledger, SavedCounter},
};
use criterion::{BenchmarkId, Criterion};
use nexmo_audit_exporter::{
    exposition::{AccountExposition, Encoding, Exposition, ExpositionSettings, Format, Variant},
    gate::SharedGate,
    metrics::{AccountMetrics, ProcessMetrics},
};
use test_support::workload::{pages, series};
use xxhash_rust::xxh3::xxh3_128;

const SERIES: [usize; 3] = [100, 10_000, 100_000];
/// The format that Prometheus asks for first.
const ASKED: Variant = Variant::new(Format::OpenMetrics, Encoding::Gzip);

/// The counters of an account, as they are shown.
struct OnShow {
    exposition: Arc<Exposition>,
    account: AccountExposition,
    gate: Gate,
    ledger: Ledger,
    labels: Vec<Labels<'static>>,
    types: Arc<[EventType]>,
    /// The number of the event that was counted last.
    place: usize,
    uptime: Duration,
}

impl OnShow {
    fn new(number: usize) -> Self {
        let process = Arc::new(ProcessMetrics::new().expect("metrics"));
        let metrics = Arc::new(AccountMetrics::new(&[], &process));
        let gate = || Gate::new(ScrapeInterval::Off, &SavedGate::default());
        let exposition = Exposition::new(
            process,
            Arc::new(SharedGate::new(gate())),
            ExpositionSettings::default(),
        );
        let exposition = Arc::new(exposition);
        let mut on_show = Self {
            account: exposition.add(None, metrics),
            exposition,
            gate: gate(),
            ledger: Ledger::new(number),
            labels: series::labels(number),
            types: Arc::default(),
            place: 0,
            uptime: Duration::ZERO,
        };
        let saved = SavedCounter {
            total: 1,
            published: 1,
            first_value: FirstValue::Seen,
            waits_since: None,
        };
        for (place, labels) in on_show.labels.iter().enumerate() {
            on_show
                .ledger
                .restore_series(labels, saved, exemplar(place));
        }
        let all = on_show.ledger.all();
        on_show.publish(&all);
        on_show.scrape();
        on_show
    }

    /// Counts one event, each time in another series, and shows it.
    fn count_and_publish(&mut self) {
        self.place = (self.place + 7919) % self.labels.len();
        let labels = &self.labels[self.place];
        self.ledger.count(labels, Age::News, exemplar(self.place));
        let changes = self.ledger.changes(&self.gate, Duration::ZERO);
        self.ledger.confirm(&changes);
        self.publish(&changes);
    }

    fn publish(&mut self, changes: &Changes) {
        self.account
            .publish(&mut self.ledger, changes, &self.types, pages::newest());
    }

    /// Scrapes so long after the last scrape that only the text of the events is reused.
    fn scrape(&mut self) -> usize {
        self.uptime += Duration::from_secs(15);
        let answer = self.exposition.scrape(None, ASKED, self.uptime);
        answer.expect("an answer").parts.len()
    }
}

fn exemplar(place: usize) -> Option<Exemplar> {
    let bits = xxh3_128(&place.to_le_bytes());
    Exemplar::new(EventId::from_bits(bits), None, pages::newest())
}

pub(crate) fn render(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("show one event more");
    for number in SERIES {
        let mut on_show = OnShow::new(number);
        group.bench_function(BenchmarkId::new("series", number), |bench| {
            bench.iter(|| on_show.count_and_publish());
        });
    }
    group.finish();
    let mut group = criterion.benchmark_group("answer a scrape by itself");
    for number in SERIES {
        let mut on_show = OnShow::new(number);
        group.bench_function(BenchmarkId::new("series", number), |bench| {
            bench.iter(|| on_show.scrape());
        });
    }
    group.finish();
}
