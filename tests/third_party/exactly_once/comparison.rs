//! Compares the samples of each server with what the API recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::recorded_events::RecordedEvents;
use super::series::{EVENTS, EVENTS_BY_TYPE, Series};
use super::server::{Sample, Server};
use super::timeline::{Timeline, now};

/// The samples of a server, and what is wrong with them.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    /// The number of events of all series: last sample minus first.
    pub(super) counted: u64,
    pub(super) samples: usize,
    pub(super) steps: usize,
    /// The longest time between the two samples that show a step.
    pub(super) widest_step: Duration,
    /// The window in which `increase()` was above 0 for each step.
    pub(super) window: Duration,
    /// The differences, each in one line.
    pub(super) differences: Vec<String>,
}

/// Returns the hold of the gate if the slowest server scrapes at this interval.
pub(super) fn hold(interval: Duration) -> Duration {
    interval * 2 + interval.min(Duration::from_secs(10))
}

/// Reads everything that a server has stored since the beginning of the run.
pub(super) fn of_server(
    (index, server): (usize, &Server),
    truth: &RecordedEvents,
    timeline: &Timeline,
    hold: Duration,
) -> Result<Comparison, String> {
    let blind = timeline.blind(index, server.interval);
    let longest = blind
        .iter()
        .map(|(from, to)| to.saturating_sub(*from))
        .max();
    let window = hold + longest.unwrap_or_default();
    let mut comparison = Comparison {
        window: Duration::from_secs(window.as_secs() + 1),
        ..Comparison::default()
    };
    let span = (timeline.began(), now());
    for metric in [EVENTS, EVENTS_BY_TYPE] {
        let stored = server.samples(metric, span.1.saturating_sub(span.0) + hold)?;
        comparison.compare(metric, &stored, truth);
        // The window has room for two samples and for the moment of evaluation.
        let evaluated = comparison.window + Duration::from_secs(2);
        let increases = server.increases(metric, evaluated, span)?;
        for (series, samples) in &stored {
            let at = increases.get(series).map_or(&[][..], Vec::as_slice);
            comparison.watch(series, samples, at, |from, to| {
                hold + blind_between(&blind, from, to)
            });
        }
    }
    Ok(comparison)
}

impl Comparison {
    /// Checks that the last sample minus the first is what was recorded.
    fn compare(
        &mut self,
        metric: &str,
        stored: &BTreeMap<Series, Vec<Sample>>,
        truth: &RecordedEvents,
    ) {
        let recorded = truth.keys().filter(|series| series.metric == metric);
        let all: BTreeSet<_> = recorded.chain(stored.keys()).collect();
        for series in all {
            let expected = truth.get(series).copied().unwrap_or(0);
            let samples = stored.get(series).map_or(&[][..], Vec::as_slice);
            let first = samples.first().map_or(0, |(_, value)| *value);
            let last = samples.last().map_or(0, |(_, value)| *value);
            let counted = last.saturating_sub(first);
            if metric == EVENTS {
                self.counted += counted;
            }
            if counted != expected {
                let found = if samples.is_empty() {
                    "no such series".to_owned()
                } else {
                    format!("{last} − {first} = {counted}")
                };
                self.differences
                    .push(format!("{series}: recorded {expected}, counted {found}"));
            }
        }
    }

    /// Checks that no sample is below the sample before it, and that each step shows in
    /// time.
    fn watch(
        &mut self,
        series: &Series,
        samples: &[Sample],
        increases: &[Duration],
        allowed: impl Fn(Duration, Duration) -> Duration,
    ) {
        self.samples += samples.len();
        for pair in samples.windows(2) {
            let [(from, before), (to, after)] = [pair[0], pair[1]];
            if after < before {
                let reset = format!("{series}: fell from {before} to {after} at {to:?}");
                self.differences.push(reset);
            }
            if after <= before {
                continue;
            }
            self.steps += 1;
            let gap = to.saturating_sub(from);
            self.widest_step = self.widest_step.max(gap);
            if gap > allowed(from, to) {
                let wide = format!("{series}: {before} and {after} at {to:?} are {gap:?} apart");
                self.differences.push(wide);
            }
            let fired = |at: &Duration| (to..=to + self.window).contains(at);
            if !increases.iter().any(fired) {
                let silent = format!("{series}: increase() missed {before} to {after} at {to:?}");
                self.differences.push(silent);
            }
        }
    }
}

/// Returns how much of a time is within other times.
fn blind_between(blind: &[(Duration, Duration)], from: Duration, to: Duration) -> Duration {
    blind
        .iter()
        .map(|(begin, end)| (*end).min(to).saturating_sub((*begin).max(from)))
        .sum()
}
