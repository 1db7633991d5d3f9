//! What each server counted, held against what the API recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::recorded_events::Truth;
use super::series::{EVENTS, EVENTS_BY_TYPE, Series};
use super::server::{Sample, Server};
use super::timeline::{Timeline, now};

/// What one server has stored, and what is wrong with it.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// Events of all series: last sample minus first.
    pub(super) counted: u64,
    pub(super) samples: usize,
    pub(super) steps: usize,
    /// The longest time between the two samples that show a step.
    pub(super) widest_step: Duration,
    /// In this window `increase()` was above 0 for each step.
    pub(super) window: Duration,
    /// Differences, each in one line.
    pub(super) differences: Vec<String>,
}

/// The hold of the publish gate where the slowest server scrapes so often.
pub(super) fn hold(interval: Duration) -> Duration {
    interval * 2 + interval.min(Duration::from_secs(10))
}

/// Reads everything that a server has stored since the beginning of the run.
pub(super) fn of_server(
    (index, server): (usize, &Server),
    truth: &Truth,
    timeline: &Timeline,
    hold: Duration,
) -> Result<Verdict, String> {
    let blind = timeline.blind(index, server.interval);
    let longest = blind
        .iter()
        .map(|(from, to)| to.saturating_sub(*from))
        .max();
    let window = hold + longest.unwrap_or_default();
    let mut verdict = Verdict {
        window: Duration::from_secs(window.as_secs() + 1),
        ..Verdict::default()
    };
    let span = (timeline.began(), now());
    for metric in [EVENTS, EVENTS_BY_TYPE] {
        let stored = server.samples(metric, span.1.saturating_sub(span.0) + hold)?;
        verdict.compare(metric, &stored, truth);
        // The two samples and the moment of evaluation fit into it.
        let evaluated = verdict.window + Duration::from_secs(2);
        let increases = server.increases(metric, evaluated, span)?;
        for (series, samples) in &stored {
            let at = increases.get(series).map_or(&[][..], Vec::as_slice);
            verdict.watch(series, samples, at, |from, to| {
                hold + blind_between(&blind, from, to)
            });
        }
    }
    Ok(verdict)
}

impl Verdict {
    /// Last sample minus first is what was recorded.
    fn compare(&mut self, metric: &str, stored: &BTreeMap<Series, Vec<Sample>>, truth: &Truth) {
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

    /// No sample is below the one before it, and each step shows in time.
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

/// How much of a stretch of time is within others.
fn blind_between(blind: &[(Duration, Duration)], from: Duration, to: Duration) -> Duration {
    blind
        .iter()
        .map(|(begin, end)| (*end).min(to).saturating_sub((*begin).max(from)))
        .sum()
}
