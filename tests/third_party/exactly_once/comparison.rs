//! Compares the samples of each server with what the API recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::entries::Entries;
use super::recorded_events::RecordedEvents;
use super::series::{EVENTS, EVENTS_BY_TYPE, Series};
use super::server::{Sample, Samples, Server};
use super::timeline::{Timeline, now, overlap};
use super::waits::{self, EventWait, Waits};

const TIMEOUTS: &str = "nexmo_audit_gate_timeouts_total";
const HOLD: &str = "nexmo_audit_publish_hold_seconds";

/// The time by which the count of timeouts may be seen apart from the events that it
/// counts, and the list apart from a server that shows it.
const APART: Duration = Duration::from_secs(5);
/// The time before the first sample of a series in which a timeout may have let it begin
/// above 0.
const BEFORE: Duration = Duration::from_secs(15);

/// The number of series that a difference names; more would hide the next one.
const MOST_NAMED: usize = 3;

/// The time that an event may wait beyond the bound, for polls that fail and are slow, and
/// on a busy machine.
const SLACK: Duration = Duration::from_secs(10);
/// The longest hold for two servers that scrape every 1 and 3 s and miss a scrape now and
/// then. A longer one means that one server was taken for several.
const LONGEST_HOLD: Duration = Duration::from_secs(35);
/// The bound on the wait of an event of a new series.
const NEW_SERIES: Duration = Duration::from_mins(10);

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
    /// The longest hold that the exporter showed for a minute once the traffic had begun.
    pub(super) longest_hold: Duration,
    /// The number of events of series with all labels that are part of a first sample.
    pub(super) hidden: u64,
    pub(super) waits: Waits,
    /// The differences, each in one line.
    pub(super) differences: Vec<String>,
    hidden_events: Vec<Hidden>,
}

/// Events that a server has in the first sample of a series, so that no increase shows
/// them.
#[derive(Debug)]
struct Hidden {
    series: Series,
    events: u64,
    /// The time of the sample before it under another name of the exporter, if there is
    /// one, and of the first sample.
    between: (Duration, Duration),
}

/// Everything with which a server is compared.
pub(super) struct Expected<'r> {
    pub(super) truth: &'r RecordedEvents,
    pub(super) entries: &'r Entries,
    pub(super) timeline: &'r Timeline,
    pub(super) traffic_from: Duration,
    /// The hold of the slowest server's interval.
    pub(super) hold: Duration,
}

/// Returns the hold of the gate if the slowest server scrapes at this interval.
pub(super) fn hold(interval: Duration) -> Duration {
    interval * 2 + interval.min(Duration::from_secs(10))
}

/// Reads everything that a server has stored since the beginning of the run.
pub(super) fn of_server(server: &Server, expected: &Expected<'_>) -> Result<Comparison, String> {
    let Expected { timeline, hold, .. } = *expected;
    let blind = timeline.away(&server.needs, server.interval);
    let away = timeline.away(&server.counting_needs(), server.interval);
    let longest = blind
        .iter()
        .map(|(from, to)| to.saturating_sub(*from))
        .max();
    let window = hold + longest.unwrap_or_default();
    let span = (timeline.began(), now());
    let lasted = span.1.saturating_sub(span.0) + hold;
    let mut comparison = Comparison {
        window: Duration::from_secs(window.as_secs() + 1),
        longest_hold: longest_hold(server, expected)?,
        ..Comparison::default()
    };
    if comparison.longest_hold > LONGEST_HOLD {
        let hold = comparison.longest_hold;
        let text = format!("the hold was {hold:?}, and {LONGEST_HOLD:?} are enough");
        comparison.differences.push(text);
    }
    let timeouts = server.samples_of_all(TIMEOUTS, lasted)?;
    if !timeouts.is_sorted_by_key(|(_, value)| *value) {
        comparison.differences.push(format!("{TIMEOUTS} fell"));
    }
    for metric in [EVENTS, EVENTS_BY_TYPE] {
        let stored = server.samples(metric, lasted)?;
        comparison.compare(metric, &stored, expected.truth);
        comparison.allow_hidden(&timeouts);
        // The window has room for two samples and for the moment of evaluation.
        let evaluated = comparison.window + Duration::from_secs(2);
        let increases = server.increases(metric, evaluated, span)?;
        for (series, instances) in &stored {
            comparison.watch_instances(series, instances, &increases, |from, to| {
                hold + overlap(&blind, from, to)
            });
            let all: Vec<_> = instances
                .iter()
                .flat_map(|(_, samples)| samples)
                .copied()
                .collect();
            let entries = expected.entries.get(series).map_or(&[][..], Vec::as_slice);
            let settled = comparison.longest_hold + server.interval * 2;
            let waits = waits::of_series(entries, &all, &away, settled);
            comparison.check_waits(series, &waits, server);
        }
    }
    Ok(comparison)
}

/// Returns the longest hold that stood for a minute. On a busy machine, three scrapes of a
/// server may be so late that they look like those of two servers, until 16 more have come:
/// 48 s of a server that scrapes every 3 s.
fn longest_hold(server: &Server, expected: &Expected<'_>) -> Result<Duration, String> {
    let since = now().saturating_sub(expected.traffic_from).as_secs();
    let lasting = format!("min_over_time({HOLD}[60s])");
    let seconds = server.value(&format!("max(max_over_time({lasting}[{since}s:1s]))"))?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

impl Comparison {
    /// Checks that the last value of each series is what was recorded, and finds the events
    /// that are part of a first sample.
    fn compare(
        &mut self,
        metric: &str,
        stored: &BTreeMap<Series, Samples>,
        truth: &RecordedEvents,
    ) {
        let recorded = truth.keys().filter(|series| series.metric == metric);
        let all: BTreeSet<_> = recorded.chain(stored.keys()).collect();
        for series in all {
            let expected = truth.get(series).copied().unwrap_or(0);
            let instances = stored.get(series).map_or(&[][..], Vec::as_slice);
            let mut last: Option<Sample> = None;
            for samples in instances.iter().map(|(_, samples)| samples) {
                let (Some(first), Some(newest)) = (samples.first(), samples.last()) else {
                    continue;
                };
                self.meet(series, last, *first);
                if metric == EVENTS {
                    self.counted += newest.1.saturating_sub(first.1);
                }
                last = Some(*newest);
            }
            let shown = last.map_or(0, |(_, value)| value);
            if shown != expected {
                let text = format!("{series}: recorded {expected}, shown {shown} in the end");
                self.differences.push(text);
            }
        }
    }

    /// Compares the first sample of a series under a name of the exporter with the last one
    /// under the name before.
    fn meet(&mut self, series: &Series, last: Option<Sample>, first: Sample) {
        let begins = first.0.saturating_sub(BEFORE);
        let (before, value) = last.unwrap_or((begins, 0));
        if first.1 < value {
            let fell = format!("{series}: {} under a new name after {value}", first.1);
            self.differences.push(fell);
        }
        let events = first.1.saturating_sub(value);
        if events > 0 {
            if series.metric == EVENTS {
                self.hidden += events;
            }
            self.hidden_events.push(Hidden {
                series: series.clone(),
                events,
                between: (before, first.0),
            });
        }
    }

    /// Checks that at each scrape no more events were hidden than were counted as timeouts
    /// since the scrape before. Without timeouts no event may be hidden.
    fn allow_hidden(&mut self, timeouts: &[Sample]) {
        let counted_at = |at: Duration| {
            let place = timeouts.partition_point(|(taken, _)| *taken <= at);
            timeouts[..place].last().map_or(0, |(_, value)| *value)
        };
        let mut scrapes: BTreeMap<Duration, Vec<Hidden>> = BTreeMap::new();
        for hidden in self.hidden_events.drain(..) {
            scrapes.entry(hidden.between.1).or_default().push(hidden);
        }
        for (at, all) in scrapes {
            let before = all.iter().map(|hidden| hidden.between.0).min();
            let before = before.unwrap_or_default().saturating_sub(APART);
            let allowed = counted_at(at + APART).saturating_sub(counted_at(before));
            let events: u64 = all.iter().map(|hidden| hidden.events).sum();
            if events > allowed {
                let series = all.iter().take(MOST_NAMED);
                let series: Vec<_> = series.map(|hidden| hidden.series.to_string()).collect();
                self.differences.push(format!(
                    "{events} events are part of the first sample at {at:?}, and {allowed} \
                     timeouts were counted meanwhile: {}, …",
                    series.join(", ")
                ));
            }
        }
    }

    fn watch_instances(
        &mut self,
        series: &Series,
        instances: &Samples,
        increases: &BTreeMap<(Series, String), Vec<Duration>>,
        allowed: impl Fn(Duration, Duration) -> Duration,
    ) {
        for (instance, samples) in instances {
            let key = (series.clone(), instance.clone());
            let at = increases.get(&key).map_or(&[][..], Vec::as_slice);
            self.watch(series, samples, at, &allowed);
        }
    }

    /// Checks that no event waited for longer than the bounds allow, and that none was shown
    /// before it was recorded.
    fn check_waits(&mut self, series: &Series, waits: &[EventWait], server: &Server) {
        let seen = self.longest_hold * 2 + server.interval * 2 + SLACK;
        for event in waits {
            self.waits.add(*event);
            let most = if event.is_new {
                NEW_SERIES + SLACK
            } else {
                seen
            };
            if event.wait.without_outages > most {
                self.differences.push(format!(
                    "{series}: the event that was recorded at {:?} waited {:?} without outages",
                    event.entry, event.wait.without_outages
                ));
            }
            if event.shown + APART < event.entry {
                self.differences.push(format!(
                    "{series}: more events at {:?} than the API had recorded",
                    event.shown
                ));
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

#[cfg(test)]
mod tests {
    use super::super::series::event_type;
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Returns the differences of a series that the API recorded five times.
    fn differences(samples: &[(&str, &[(u64, u64)])], timeouts: &[(u64, u64)]) -> Vec<String> {
        let series = event_type("NUMBER_ASSIGN");
        let taken = |samples: &[(u64, u64)]| -> Vec<Sample> {
            let samples = samples.iter();
            samples
                .map(|(seconds, value)| (at(*seconds), *value))
                .collect()
        };
        let instances = samples.iter();
        let instances =
            instances.map(|(instance, samples)| ((*instance).to_owned(), taken(samples)));
        let stored = BTreeMap::from([(series.clone(), instances.collect())]);
        let mut comparison = Comparison::default();
        comparison.compare(EVENTS_BY_TYPE, &stored, &BTreeMap::from([(series, 5)]));
        comparison.allow_hidden(&taken(timeouts));
        comparison.differences
    }

    #[test]
    fn every_event_of_every_name_is_compared() {
        let none: [String; 0] = [];
        let before: &[(u64, u64)] = &[(1, 0), (2, 3)];
        let followed = |after: &'static [(u64, u64)]| vec![("one", before), ("two", after)];
        assert_eq!(differences(&followed(&[(9, 3), (10, 5)]), &[]), none);
        for (after, problem) in [
            (
                &[(9, 4), (10, 5)][..],
                "1 events are part of the first sample at 9s",
            ),
            (&[(9, 3), (10, 4)], "recorded 5, shown 4 in the end"),
            (&[(9, 3), (10, 6)], "recorded 5, shown 6 in the end"),
            (&[(9, 2), (10, 5)], "2 under a new name after 3"),
        ] {
            let found = differences(&followed(after), &[]);
            assert!(found.len() == 1 && found[0].contains(problem), "{found:?}");
        }
    }

    #[test]
    fn a_first_sample_has_no_more_events_than_there_were_timeouts_meanwhile() {
        let samples: &[(&str, &[(u64, u64)])] = &[("one", &[(40, 2), (50, 5)])];
        for (timeouts, is_allowed) in [
            (&[(10, 0), (39, 0), (40, 2)][..], true),
            (&[(10, 0), (39, 0), (40, 1)], false),
            (&[(10, 2), (50, 2)], false),
        ] {
            assert_eq!(differences(samples, timeouts).is_empty(), is_allowed);
        }
    }
}
