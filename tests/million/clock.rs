//! Wall clocks that are wrong and that jump. The times of a history are milliseconds since
//! its exporter was first started.

use jiff::Timestamp;

/// 2026-11-20T00:00:00Z
const BEGINNING: i64 = 1_795_132_800_000;

/// A time in milliseconds since the first start, or a span in milliseconds.
pub(crate) type Ms = i64;

pub(crate) const SECOND: Ms = 1000;
pub(crate) const MINUTE: Ms = 60 * SECOND;
pub(crate) const HOUR: Ms = 60 * MINUTE;

/// A wall clock.
#[derive(Debug, Clone, Default)]
pub(crate) struct WallClock {
    /// How far the clock is ahead at first.
    pub(crate) ahead: Ms,
    /// Each jump: when it happens, and how far the clock jumps.
    pub(crate) jumps: Vec<(Ms, Ms)>,
}

impl WallClock {
    /// Returns the time that the clock shows at `now`.
    pub(crate) fn at(&self, now: Ms) -> Ms {
        let jumped = self.jumps.iter().filter(|(at, _)| *at <= now);
        now + self.ahead + jumped.map(|(_, by)| by).sum::<Ms>()
    }
}

/// Returns the time that a clock shows as the exporter represents it.
pub(crate) fn timestamp(shown: Ms) -> Timestamp {
    Timestamp::from_millisecond(BEGINNING + shown).expect("a time within range")
}

/// Returns the time that a clock shows as this test represents it.
pub(crate) fn shown(time: Timestamp) -> Ms {
    time.as_millisecond() - BEGINNING
}

/// Rounds down to whole seconds, in which the API writes all its times.
pub(crate) fn whole_second(shown: Ms) -> Ms {
    shown.div_euclid(SECOND) * SECOND
}
