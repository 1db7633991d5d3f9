//! The events that one thread counts, from the text of a page to the disk.

use std::{fs, thread, time::Instant};

use test_support::workload::{counting, pages};

use super::{report::progress, running::folder, settings::Settings};

const RUNS: usize = 5;

/// The number of events per second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counting {
    /// The number by the clock, with the waits for the disk.
    pub(crate) per_second: f64,
    /// The number by processor time.
    pub(crate) per_processor_second: f64,
}

/// Counts the same pages several times. The best run is the one with the least
/// disturbance.
pub(crate) fn measure(settings: &Settings) -> Counting {
    let pages = pages::pages(settings.events / pages::PAGE_SIZE);
    let run = || {
        let place = folder();
        let (started, before) = (Instant::now(), processor_seconds());
        let counted = counting::count_and_commit(&pages, &place.path().join("data"));
        let used = processor_seconds() - before;
        let took = started.elapsed().as_secs_f64();
        assert_eq!(counted, pages.len() * pages::PAGE_SIZE);
        progress(&format!(
            "{counted} events in {took:.3} s, {used:.3} s of processor time"
        ));
        (counted as f64 / took, counted as f64 / used)
    };
    let runs = (0..RUNS).map(|_| thread::scope(|scope| scope.spawn(run).join()));
    let best = runs.map(|run| run.expect("it counts"));
    let (per_second, per_processor_second) = best.fold((0.0_f64, 0.0_f64), |best, run| {
        (best.0.max(run.0), best.1.max(run.1))
    });
    Counting {
        per_second,
        per_processor_second,
    }
}

/// Returns the processor time of this thread, exact to a nanosecond.
fn processor_seconds() -> f64 {
    let figures = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = figures
        .split(' ')
        .next()
        .and_then(|first| first.parse().ok());
    nanoseconds.map_or(f64::NAN, |nanoseconds: f64| nanoseconds / 1e9)
}
