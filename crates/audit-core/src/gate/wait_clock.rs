//! The clock by which the gate bounds how long a count waits.

use std::time::Duration;

use super::{LONGEST_ABSENCE, scrapers::UNKNOWN_INTERVAL};

/// A clock that goes on over restarts and never runs back, so that a process that is
/// killed again and again cannot begin a wait anew.
///
/// The clock measures the time in which counts could be shown. Of a time in which no
/// server scrapes, at most H counts: nothing that is shown then is seen.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct WaitClock {
    /// The reading of the clock at the uptime `at`.
    reading: Duration,
    /// The uptime of the last scrape, or zero.
    at: Duration,
}

impl WaitClock {
    /// Returns the clock of a process that starts now. `reading` was stored `away` ago. A
    /// time of up to [`LONGEST_ABSENCE`] counts in full, since it may be a part of a crash
    /// loop. A longer time is an outage of the exporter, of which a minute counts.
    pub(super) fn restored(reading: Duration, away: Duration) -> Self {
        let counted = if away <= LONGEST_ABSENCE {
            away
        } else {
            UNKNOWN_INTERVAL
        };
        Self {
            reading: reading.saturating_add(counted),
            at: Duration::ZERO,
        }
    }

    /// Returns the reading at `now`; `hold` is H.
    pub(super) fn read(&self, now: Duration, hold: Duration) -> Duration {
        let since = now.saturating_sub(self.at).min(hold);
        self.reading.saturating_add(since)
    }

    /// Records a scrape.
    pub(super) fn record_scrape(&mut self, now: Duration, hold: Duration) {
        self.reading = self.read(now, hold);
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLD: Duration = Duration::from_secs(40);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_time_without_scrapes_counts_up_to_the_hold() {
        let mut clock = WaitClock::default();
        for (now, reading) in [(0, 0), (15, 15), (40, 40), (1000, 40)] {
            assert_eq!(clock.read(at(now), HOLD), at(reading), "{now}");
        }
        clock.record_scrape(at(1000), HOLD);
        for (now, reading) in [(1000, 40), (1015, 55), (1040, 80), (2000, 80)] {
            assert_eq!(clock.read(at(now), HOLD), at(reading), "{now}");
        }
    }

    #[test]
    fn a_short_time_between_two_processes_counts_in_full_and_a_longer_one_a_minute() {
        for (away, counted) in [(0, 0), (30, 30), (600, 600), (601, 60), (86_400, 60)] {
            let clock = WaitClock::restored(at(7), at(away));
            assert_eq!(clock.read(at(0), HOLD), at(7 + counted), "{away}");
        }
    }

    #[test]
    fn the_clock_never_runs_back() {
        let mut clock = WaitClock::restored(at(100), at(3));
        let mut last = Duration::ZERO;
        let mut now = Duration::ZERO;
        for step in 0..200 {
            now += at(step * step % 97);
            let reading = clock.read(now, HOLD);
            assert!(reading >= last, "{step}");
            last = reading;
            if step % 5 == 0 {
                clock.record_scrape(now, HOLD);
            }
        }
    }
}
