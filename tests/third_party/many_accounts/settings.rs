//! The settings of a run.

use std::env;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;

/// The settings of a run.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// The seed of the traffic and of the kills.
    pub(super) seed: u64,
    pub(super) accounts: usize,
    /// The number of events per second of one account.
    pub(super) rate: f64,
    /// The scrape intervals of the servers, in seconds; the longer one last.
    pub(super) intervals: [u64; 2],
    /// The length of the traffic, and of the disturbances.
    pub(super) duration: Duration,
    pub(super) kills: usize,
    /// How long the disk is full.
    pub(super) full: Duration,
    /// `true` if memory and descriptors have the time to reach a plateau.
    pub(super) is_long: bool,
}

impl Settings {
    /// Returns the short form.
    pub(super) fn short() -> Self {
        Self {
            seed: setting("SOAK_SEED").unwrap_or(1),
            accounts: 10,
            rate: 1.0,
            intervals: [1, 3],
            duration: Duration::from_secs(40),
            kills: 2,
            full: Duration::from_secs(5),
            is_long: false,
        }
    }

    /// Returns the long form: 100 accounts with 50 events a second.
    pub(super) fn long() -> Self {
        let duration = setting::<SignedDuration>("SOAK_DURATION")
            .map_or(Duration::from_hours(1), SignedDuration::unsigned_abs);
        let kills = usize::try_from(duration.as_secs() / 120).unwrap_or(usize::MAX);
        Self {
            accounts: 100,
            rate: 0.5,
            intervals: [5, 10],
            duration,
            kills: kills.max(1),
            full: Duration::from_mins(1).min(duration / 8),
            is_long: true,
            ..Self::short()
        }
    }
}

impl Settings {
    /// Returns the time from the start of the programs to the first event, in which the
    /// exporter learns the intervals.
    pub(super) fn warm_up(&self) -> Duration {
        let [_, seldom] = self.intervals;
        Duration::from_secs(4 * seldom + 6)
    }
}

/// Reads a variable. A value that cannot be read ends the test at once.
fn setting<T: FromStr>(name: &str) -> Option<T> {
    let text = env::var(name).ok().filter(|text| !text.is_empty())?;
    let value = text.parse().ok();
    Some(value.unwrap_or_else(|| panic!("{name}={text} cannot be read")))
}
