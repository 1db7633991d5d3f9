//! How long events waited, from their entry into the list until a server had them in a
//! sample.

use std::time::Duration;

use super::server::Sample;
use super::timeline::{longest_between, overlap};

/// The longest waits on a server.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Waits {
    /// The longest wait of an event of a series that was shown before.
    pub(super) seen: Wait,
    /// The longest wait of an event of a new series.
    pub(super) new: Wait,
}

/// A wait of an event.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wait {
    /// The longest time.
    pub(super) whole: Duration,
    /// The longest time less the outages in it.
    pub(super) without_outages: Duration,
}

/// The wait of one event.
#[derive(Clone, Copy, Debug)]
pub(super) struct EventWait {
    pub(super) is_new: bool,
    pub(super) entry: Duration,
    /// The time of the first sample with the event.
    pub(super) shown: Duration,
    pub(super) wait: Wait,
}

impl Waits {
    pub(super) fn add(&mut self, event: EventWait) {
        let longest = if event.is_new {
            &mut self.new
        } else {
            &mut self.seen
        };
        longest.whole = longest.whole.max(event.wait.whole);
        longest.without_outages = longest.without_outages.max(event.wait.without_outages);
    }
}

/// Returns the wait of each event of a series that was shown. The samples are in the order
/// of time, and the values in them count from 0; the n-th event to enter the list is taken
/// for the n-th that was shown. A series of which all samples are 0 is new until it was shown
/// for `settled` without an outage: a process that is killed before that has to show the 0
/// anew.
pub(super) fn of_series(
    entries: &[Duration],
    samples: &[Sample],
    away: &[(Duration, Duration)],
    settled: Duration,
) -> Vec<EventWait> {
    let first_sample = samples.first().map(|(at, _)| *at);
    let first_event = samples.iter().find(|(_, value)| *value > 0);
    let mut waits = Vec::new();
    for (entry, number) in entries.iter().copied().zip(1..) {
        let place = samples.partition_point(|(_, value)| *value < number);
        let Some((shown, _)) = samples.get(place) else {
            break;
        };
        let whole = shown.saturating_sub(entry);
        let was_shown = first_event.is_some_and(|(at, _)| *at < entry)
            || first_sample.is_some_and(|at| longest_between(away, at, entry) > settled);
        waits.push(EventWait {
            is_new: !was_shown,
            entry,
            shown: *shown,
            wait: Wait {
                whole,
                without_outages: whole.saturating_sub(overlap(away, entry, *shown)),
            },
        });
    }
    waits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_wait_ends_with_the_sample_that_has_the_event_and_leaves_out_outages() {
        let samples = [(at(2), 0), (at(10), 1), (at(20), 1), (at(30), 3)];
        let away = [(at(15), at(18))];
        let waits = of_series(&[at(1), at(12), at(25), at(40)], &samples, &away, at(60));
        let found: Vec<_> = waits
            .iter()
            .map(|event| (event.is_new, event.wait.whole, event.wait.without_outages))
            .collect();
        let expected = [
            (true, at(9), at(9)),
            (false, at(18), at(15)),
            (false, at(5), at(5)),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_series_that_was_shown_at_0_for_long_without_an_outage_is_not_new() {
        let samples = [(at(0), 0), (at(300), 0), (at(310), 1)];
        let is_new =
            |away: &[(Duration, Duration)]| of_series(&[at(305)], &samples, away, at(60))[0].is_new;
        assert!(!is_new(&[]));
        assert!(!is_new(&[(at(50), at(100)), (at(161), at(400))]));
        assert!(is_new(&[
            (at(50), at(100)),
            (at(150), at(200)),
            (at(250), at(260))
        ]));
    }
}
