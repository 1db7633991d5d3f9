//! What is done to the exporter in a run, and when.

use std::time::Duration;

use super::settings::Settings;

/// The time between two reloads.
const RELOADS: Duration = Duration::from_secs(10);
/// The time between two requests of strangers.
const STRANGERS: Duration = Duration::from_secs(3);
/// The time between two looks at memory and descriptors.
const LOOKS: Duration = Duration::from_secs(5);
/// The number of rotations of the event log.
const ROTATIONS: u32 = 6;

/// Something that is done to the exporter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Disturbance {
    Kill,
    /// The configuration is read again, with one more account or without it.
    Reload {
        has_spare: bool,
    },
    Rotate,
    FillDisk,
    FreeDisk,
    Stranger,
    /// Memory and descriptors are looked at.
    Look,
}

/// Returns what is done, each with the time since the beginning of the traffic.
pub(super) fn plan(settings: &Settings) -> Vec<(Duration, Disturbance)> {
    let Settings {
        duration,
        kills,
        full,
        ..
    } = *settings;
    let mut rng = fastrand::Rng::with_seed(settings.seed);
    let mut plan = Vec::new();
    let mut every = |span: Duration, what: &dyn Fn(u32) -> Disturbance| {
        let times = (1..).map(|number: u32| (span * number, what(number)));
        plan.extend(times.take_while(|(at, _)| *at < duration));
    };
    every(RELOADS, &|number| Disturbance::Reload {
        has_spare: number % 2 == 1,
    });
    every(STRANGERS, &|_| Disturbance::Stranger);
    every(LOOKS, &|_| Disturbance::Look);
    every(duration / ROTATIONS, &|_| Disturbance::Rotate);
    let filled = duration / 2;
    plan.push((filled, Disturbance::FillDisk));
    plan.push((filled + full, Disturbance::FreeDisk));
    for _ in 0..kills {
        let at = duration.mul_f64(0.1 + 0.8 * rng.f64());
        // A process that is killed while its disk is full cannot start again.
        if !(filled..filled + full).contains(&at) {
            plan.push((at, Disturbance::Kill));
        }
    }
    plan.sort_by_key(|(at, _)| *at);
    plan
}
