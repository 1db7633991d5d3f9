//! The single steps of counting an event: `cargo bench --bench micro`.

mod render;

use std::{hint::black_box, time::Duration};

use audit_core::{
    account::Account,
    event::{Keep, Page},
};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use nexmo_audit_exporter::store::Store;
use test_support::workload::{counting, pages};

/// The number of pages that one commit stores.
const PAGES: usize = 200;
const EVENTS: u64 = (PAGES * pages::PAGE_SIZE) as u64;

criterion_group! {
    name = micro;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    targets = parse, count, commit, render::render
}
criterion_main!(micro);

fn parse(criterion: &mut Criterion) {
    let pages = pages::pages(1);
    let mut group = criterion.benchmark_group("parse");
    group.throughput(Throughput::Elements(pages::PAGE_SIZE as u64));
    group.bench_function("a page of 100 events", |bench| {
        bench.iter(|| Page::parse(black_box(&pages[0]), Keep::Parsed));
    });
    group.finish();
}

fn count(criterion: &mut Criterion) {
    let texts = pages::pages(PAGES);
    let pages: Vec<Page<'_>> = texts.iter().map(|text| parsed(text)).collect();
    let counted = |mut account: Account| {
        for page in &pages {
            account.count(page, pages::newest(), None);
        }
        account
    };
    let mut group = criterion.benchmark_group("count");
    group.throughput(Throughput::Elements(EVENTS));
    let empty = counting::account_for_pages();
    group.bench_function("20,000 new events", |bench| {
        bench.iter_batched(|| empty.clone(), counted, BatchSize::PerIteration);
    });
    let full = counted(empty);
    group.bench_function("20,000 events that were counted before", |bench| {
        bench.iter_batched(|| full.clone(), counted, BatchSize::PerIteration);
    });
    group.finish();
}

fn commit(criterion: &mut Criterion) {
    let mut account = counting::account_for_pages();
    for page in pages::pages(PAGES) {
        counting::count(&mut account, &page);
    }
    let commit = counting::prepare(&mut account, pages::newest());
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let mut stores = 0;
    let mut group = criterion.benchmark_group("commit");
    group.throughput(Throughput::Elements(EVENTS));
    group.bench_function("20,000 events into a new store", |bench| {
        let store = |mut store: Store| {
            counting::store(&mut store, &commit);
            store
        };
        let open = || {
            stores += 1;
            Store::open(&folder.path().join(stores.to_string())).expect("a store")
        };
        bench.iter_batched(open, store, BatchSize::PerIteration);
    });
    group.finish();
}

fn parsed(text: &str) -> Page<'_> {
    Page::parse(text, Keep::Parsed).expect("a page")
}
