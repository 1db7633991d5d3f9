//! Clocks that are wrong, and jump. Moments of a history are milliseconds since
//! its exporter was first started.

use jiff::Timestamp;

/// 2026-11-20T00:00:00Z
const BEGINNING: i64 = 1_795_132_800_000;

/// Milliseconds since the first start.
pub(crate) type Ms = i64;

pub(crate) const SECOND: Ms = 1000;
pub(crate) const MINUTE: Ms = 60 * SECOND;
pub(crate) const HOUR: Ms = 60 * MINUTE;

/// A wall clock.
#[derive(Debug, Clone, Default)]
pub(crate) struct WallClock {
    /// How far it is ahead at first.
    pub(crate) ahead: Ms,
    /// When it jumps, and how far.
    pub(crate) jumps: Vec<(Ms, Ms)>,
}

impl WallClock {
    /// What it shows.
    pub(crate) fn at(&self, now: Ms) -> Ms {
        let jumped = self.jumps.iter().filter(|(at, _)| *at <= now);
        now + self.ahead + jumped.map(|(_, by)| by).sum::<Ms>()
    }
}

/// A moment as the code under test knows it.
pub(crate) fn timestamp(shown: Ms) -> Timestamp {
    Timestamp::from_millisecond(BEGINNING + shown).expect("a time within range")
}

/// A moment as the harness knows it.
pub(crate) fn shown(time: Timestamp) -> Ms {
    time.as_millisecond() - BEGINNING
}

/// Whole seconds, as the API writes all its times.
pub(crate) fn whole_second(shown: Ms) -> Ms {
    shown.div_euclid(SECOND) * SECOND
}
