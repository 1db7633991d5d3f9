//! The intensity of the traffic over time: quiet nights, quiet weekends, bursts.
//!
//! Times are in milliseconds since the Unix epoch; days are days of UTC.

use crate::random::{self, Purpose};

/// The length of a slot of even intensity.
const SLOT_MS: f64 = 600_000.0;

/// The relative intensity of each hour of the day.
const HOURS: [f64; 24] = [
    0.10, 0.06, 0.05, 0.05, 0.08, 0.15, 0.40, 0.90, 1.60, 2.10, 2.30, 2.10, 1.60, 1.90, 2.20, 2.10,
    1.80, 1.30, 0.90, 0.60, 0.45, 0.35, 0.25, 0.15,
];
const WEEKEND: f64 = 0.3;
const BURST: f64 = 8.0;
/// One of this number of slots is a burst.
const BURST_EVERY: u64 = 50;

/// The intensity of the traffic over time; its long-term mean is 1.
#[derive(Clone, Debug)]
pub(crate) struct Intensity {
    seed: u64,
    /// The factor that makes the mean 1; `None` if the intensity is always 1.
    scale: Option<f64>,
}

impl Intensity {
    pub(crate) fn steady() -> Self {
        Self {
            seed: 0,
            scale: None,
        }
    }

    pub(crate) fn daily(seed: u64) -> Self {
        let hours = HOURS.iter().sum::<f64>() / 24.0;
        let week = (5.0 + 2.0 * WEEKEND) / 7.0;
        let bursts = 1.0 + (BURST - 1.0) / 50.0;
        Self {
            seed,
            scale: Some(1.0 / (hours * week * bursts)),
        }
    }

    /// Returns the time at which the intensity summed up since `from` reaches `mass`, in
    /// milliseconds of mean traffic, or `until` if that comes first.
    pub(crate) fn after(&self, from: f64, mass: f64, until: f64) -> f64 {
        let Some(scale) = self.scale else {
            return (from + mass).min(until);
        };
        let (mut time, mut left) = (from, mass);
        while time < until {
            let slot = (time / SLOT_MS).floor();
            let end = (slot + 1.0) * SLOT_MS;
            let intensity = self.intensity(slot) * scale;
            let capacity = (end - time) * intensity;
            if left <= capacity {
                return (time + left / intensity).min(until);
            }
            left -= capacity;
            time = end;
        }
        until
    }

    /// Returns the intensity summed up between two times, in milliseconds of mean traffic.
    pub(crate) fn mass(&self, from: f64, to: f64) -> f64 {
        let Some(scale) = self.scale else {
            return to - from;
        };
        let (mut time, mut mass) = (from, 0.0);
        while time < to {
            let slot = (time / SLOT_MS).floor();
            let end = ((slot + 1.0) * SLOT_MS).min(to);
            mass += (end - time) * self.intensity(slot) * scale;
            time = end;
        }
        mass
    }

    fn intensity(&self, slot: f64) -> f64 {
        let slot = whole(slot);
        let hour = usize::try_from(slot.div_euclid(6).rem_euclid(24)).unwrap_or(0);
        // 1970-01-01 was a Thursday; 0 stands for Monday.
        let weekday = (slot.div_euclid(144) + 3).rem_euclid(7);
        let week = if weekday >= 5 { WEEKEND } else { 1.0 };
        let draw = random::bits(self.seed, Purpose::Burst, slot.unsigned_abs());
        let burst = if draw.is_multiple_of(BURST_EVERY) {
            BURST
        } else {
            1.0
        };
        HOURS[hour] * week * burst
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a slot number within the calendar is far below 2^53"
)]
fn whole(value: f64) -> i64 {
    value as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: f64 = 3_600_000.0;
    /// Monday 2026-11-23, midnight UTC.
    const MONDAY: f64 = 1_795_392_000_000.0;

    #[test]
    fn the_mean_over_weeks_is_one() {
        let weeks = 40.0 * 7.0 * 24.0 * HOUR;
        let mean = Intensity::daily(3).mass(MONDAY, MONDAY + weeks) / weeks;
        assert!((mean - 1.0).abs() < 0.05, "{mean}");
    }

    #[test]
    fn nights_and_weekends_are_quiet() {
        // Weeks are summed so that bursts do not decide the outcome.
        let sum = |day: f64, hour: f64| {
            (0..20)
                .map(|week| MONDAY + (f64::from(week) * 168.0 + day * 24.0 + hour) * HOUR)
                .map(|from| Intensity::daily(3).mass(from, from + HOUR))
                .sum::<f64>()
        };
        assert!(sum(0.0, 10.0) > 5.0 * sum(0.0, 2.0));
        assert!(sum(0.0, 10.0) > 1.5 * sum(5.0, 10.0));
    }

    #[test]
    fn after_undoes_mass() {
        for intensity in [Intensity::steady(), Intensity::daily(9)] {
            for hours in [0.0, 0.01, 1.0, 30.0, 400.0] {
                let to = MONDAY + hours * HOUR;
                let mass = intensity.mass(MONDAY, to);
                let back = intensity.after(MONDAY, mass, f64::MAX);
                assert!((back - to).abs() < 1.0, "{hours} h: {back} {to}");
            }
        }
    }

    #[test]
    fn after_stops_at_the_limit() {
        for intensity in [Intensity::steady(), Intensity::daily(9)] {
            let until = MONDAY + HOUR;
            assert!((intensity.after(MONDAY, 1e15, until) - until).abs() < f64::EPSILON);
        }
    }
}
