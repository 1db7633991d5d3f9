//! How long a run takes, and what chance decides in it.

use std::env;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;

/// Traffic with exactly one `ACCOUNT_SECRET_DELETE` early on: the rare event
/// that must not be missed.
const TRAFFIC_SEED: u64 = 109;

/// What a run is like.
#[derive(Debug)]
pub(super) struct Settings {
    /// Of everything that is done to the parties.
    pub(super) seed: u64,
    /// Of the events.
    pub(super) traffic_seed: u64,
    /// How long there is traffic, and trouble.
    pub(super) duration: Duration,
    /// How often the exporter is killed at a random moment.
    pub(super) kills: usize,
    /// Events a second.
    pub(super) rate: f64,
    /// What the exporter is told of the scrape interval.
    pub(super) scrape_interval: String,
}

impl Settings {
    /// The short form.
    pub(super) fn short() -> Self {
        Self {
            seed: setting("SOAK_SEED").unwrap_or(3),
            traffic_seed: TRAFFIC_SEED,
            duration: Duration::from_secs(45),
            kills: 12,
            rate: 2.0,
            scrape_interval: setting("SOAK_SCRAPE_INTERVAL").unwrap_or_else(|| "auto".to_owned()),
        }
    }

    /// The long form, as the environment has it. Its seed is a new one each time
    /// unless it is given.
    pub(super) fn soak() -> Self {
        let duration = setting::<SignedDuration>("SOAK_DURATION")
            .map_or(Duration::from_mins(30), SignedDuration::unsigned_abs);
        // As often as the short form, unless it is given.
        let kills = usize::try_from(duration.as_secs() / 12).unwrap_or(usize::MAX);
        Self {
            seed: setting("SOAK_SEED").unwrap_or_else(|| fastrand::u64(..100_000)),
            duration,
            kills: setting("SOAK_KILLS").unwrap_or(kills.max(10)),
            rate: setting("SOAK_RATE").unwrap_or(2.0),
            ..Self::short()
        }
    }
}

/// A variable that is there and cannot be read ends the test: nobody should wait
/// for half an hour to learn of it.
fn setting<T: FromStr>(name: &str) -> Option<T> {
    let text = env::var(name).ok().filter(|text| !text.is_empty())?;
    let value = text.parse().ok();
    Some(value.unwrap_or_else(|| panic!("{name}={text} cannot be read")))
}
