//! The settings of a run, and the seeds of its random choices.

use std::env;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;

use super::outage_plan::Plan;

/// The seed of a traffic that has exactly one `ACCOUNT_SECRET_DELETE`, early on: the
/// rare event that must not be missed.
const TRAFFIC_SEED: u64 = 109;

/// The settings of a run.
#[derive(Debug)]
pub(super) struct Settings {
    /// The seed of the outages and kills.
    pub(super) seed: u64,
    /// The seed of the events.
    pub(super) traffic_seed: u64,
    /// The length of the traffic, and of the outages.
    pub(super) duration: Duration,
    /// The number of kills of the exporter at random moments.
    pub(super) kills: usize,
    /// `true` if the run has crash loops and replacements of the exporter, for which the
    /// short form has no time.
    pub(super) is_long: bool,
    /// The number of events per second.
    pub(super) rate: f64,
    /// The scrape interval that the exporter is told.
    pub(super) scrape_interval: String,
}

impl Settings {
    /// Returns the short form.
    pub(super) fn short() -> Self {
        Self {
            seed: setting("SOAK_SEED").unwrap_or(3),
            traffic_seed: TRAFFIC_SEED,
            duration: Duration::from_secs(45),
            kills: 12,
            is_long: false,
            rate: 2.0,
            scrape_interval: setting("SOAK_SCRAPE_INTERVAL").unwrap_or_else(|| "auto".to_owned()),
        }
    }

    /// Returns the long form, with the settings of the environment. Its seed is random
    /// unless it is given.
    pub(super) fn soak() -> Self {
        let duration = setting::<SignedDuration>("SOAK_DURATION")
            .map_or(Duration::from_mins(30), SignedDuration::unsigned_abs);
        // The rate of kills is that of the short form, unless it is given.
        let kills = usize::try_from(duration.as_secs() / 12).unwrap_or(usize::MAX);
        Self {
            seed: setting("SOAK_SEED").unwrap_or_else(|| fastrand::u64(..100_000)),
            duration,
            kills: setting("SOAK_KILLS").unwrap_or(kills.max(10)),
            is_long: true,
            rate: setting("SOAK_RATE").unwrap_or(2.0),
            ..Self::short()
        }
    }
}

impl Settings {
    /// Returns what is done in the run.
    pub(super) fn plan(&self) -> Plan {
        Plan::new(self.seed, self.duration, self.kills, self.is_long)
    }
}

/// Reads a variable. A value that cannot be read ends the test, and not only after half
/// an hour.
fn setting<T: FromStr>(name: &str) -> Option<T> {
    let text = env::var(name).ok().filter(|text| !text.is_empty())?;
    let value = text.parse().ok();
    Some(value.unwrap_or_else(|| panic!("{name}={text} cannot be read")))
}
