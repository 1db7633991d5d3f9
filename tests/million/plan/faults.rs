//! The plans of what goes wrong with the exporter and its disk.

use std::ops::Range;

use fastrand::Rng;

use super::{Theme, pick};
use crate::clock::{MINUTE, Ms, SECOND};

/// The highest number of processes of a crash loop, since each of them takes time to
/// simulate.
const MAX_PROCESSES: Ms = 120;

/// How the disk fails.
#[derive(Debug)]
pub(crate) struct DiskPlan {
    /// The chance that a commit fails before it is durable.
    pub(crate) fails_before: f64,
    /// The chance that a durable commit is reported as failed.
    pub(crate) fails_after: f64,
    /// When every commit fails.
    pub(crate) full: Vec<Range<Ms>>,
    /// The longest time that either half of a commit takes.
    pub(crate) slowest: Ms,
}

/// When and how the process dies.
#[derive(Debug, Default)]
pub(crate) struct Crashes {
    /// The time before which the process does not die.
    pub(crate) from: Ms,
    /// The chance that the process dies at an await.
    pub(crate) chance: f64,
    /// The times at which the process is killed, whatever it does.
    pub(crate) kills: Vec<Ms>,
    /// The time in which the process is killed again and again.
    pub(crate) crash_loop: Option<CrashLoop>,
    /// When the process is replaced by one of another name.
    pub(crate) replacements: Vec<Replacement>,
    /// When a copy of the disk is made, and when the process is killed and the disk is put
    /// back to that copy.
    pub(crate) backup: Option<(Ms, Ms)>,
}

/// A replacement of the process by one of another name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Replacement {
    pub(crate) at: Ms,
    /// `true` if it comes as soon as something is shown after that time, so that no server
    /// has seen it.
    pub(crate) awaits_step: bool,
}

/// A time in which the process is killed again and again.
#[derive(Debug, Clone)]
pub(crate) struct CrashLoop {
    pub(crate) during: Range<Ms>,
    /// How long each process lives.
    pub(crate) uptime: Ms,
    pub(crate) downtime: Downtime,
    /// How long the exporter is down after one of the crashes, if longer.
    pub(crate) outage: Option<Ms>,
}

/// How long the exporter is down after each crash of a crash loop.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Downtime {
    Fixed(Ms),
    /// 10 s, and then twice as long each time up to 5 minutes, as in Kubernetes.
    Growing,
}

impl CrashLoop {
    /// Returns how long the exporter is down after this crash; the first is number 0.
    pub(crate) fn down(&self, crash: u32) -> Ms {
        let usual = match self.downtime {
            Downtime::Fixed(down) => down,
            Downtime::Growing => ((10 * SECOND) << crash.min(5)).min(5 * MINUTE),
        };
        match self.outage {
            Some(outage) if crash == 1 => outage,
            _ => usual,
        }
    }
}

pub(super) fn disk(rng: &mut Rng, span: Ms, (theme, is_quiet): (Theme, bool)) -> DiskPlan {
    let slowest = *pick(rng, &[1, 20, 1500]);
    if theme == Theme::Calm || is_quiet {
        return DiskPlan {
            fails_before: 0.0,
            fails_after: 0.0,
            full: Vec::new(),
            slowest,
        };
    }
    let full = (0..rng.usize(0..2)).map(|_| {
        let from = rng.i64(0..span);
        from..from + rng.i64(SECOND..2 * MINUTE)
    });
    DiskPlan {
        full: full.collect(),
        fails_before: *pick(rng, &[0.0, 0.05]),
        fails_after: *pick(rng, &[0.0, 0.05]),
        slowest,
    }
}

pub(super) fn crashes(
    rng: &mut Rng,
    during: Range<Ms>,
    (theme, is_quiet): (Theme, bool),
) -> Crashes {
    if theme == Theme::Calm || (theme == Theme::Successor && is_quiet) {
        return Crashes::default();
    }
    let Range { start, end } = during;
    let kills = if is_quiet { 0 } else { rng.usize(0..4) };
    let replacements = match theme {
        Theme::Replacements => rng.usize(1..4),
        _ => usize::from(rng.u8(0..20) == 0),
    };
    let crash_loop = match theme {
        Theme::CrashLoop => Some(crash_loop(rng, start..end)),
        _ if rng.u8(0..40) == 0 => Some(crash_loop(rng, start..i64::midpoint(start, end))),
        _ => None,
    };
    let backup = (rng.u8(0..60) == 0).then(|| {
        let copied = rng.i64(0..end / 2);
        (copied, rng.i64(copied.max(start)..end))
    });
    Crashes {
        from: start,
        chance: if is_quiet {
            0.0
        } else {
            *pick(rng, &[0.0, 0.002, 0.01])
        },
        kills: (0..kills).map(|_| rng.i64(start..end)).collect(),
        crash_loop,
        replacements: (0..replacements)
            .map(|_| replacement(rng, start..end))
            .collect(),
        backup,
    }
}

fn replacement(rng: &mut Rng, during: Range<Ms>) -> Replacement {
    Replacement {
        at: rng.i64(during),
        awaits_step: rng.u8(0..4) > 0,
    }
}

/// Draws a crash loop of any period from 1 s to 5 minutes.
fn crash_loop(rng: &mut Rng, during: Range<Ms>) -> CrashLoop {
    let span = during.end - during.start;
    let ratio = 300_f64.powf(rng.f64());
    #[expect(clippy::cast_possible_truncation, reason = "at most 300,000")]
    let uptime = (ratio * 1000.0) as Ms;
    let downtime = match rng.u8(0..4) {
        0 => Downtime::Growing,
        1 => Downtime::Fixed(rng.i64(0..uptime.min(MINUTE))),
        _ => Downtime::Fixed(rng.i64(0..3 * SECOND)),
    };
    let down = match downtime {
        Downtime::Fixed(down) => down,
        Downtime::Growing => MINUTE,
    };
    let from = during.start + rng.i64(0..span / 4);
    let length = rng.i64(span / 3..span * 3 / 4);
    let length = length.min(MAX_PROCESSES * (uptime + down));
    CrashLoop {
        during: from..from + length,
        uptime,
        downtime,
        outage: (rng.u8(0..8) == 0).then(|| rng.i64(10 * MINUTE..20 * MINUTE)),
    }
}
