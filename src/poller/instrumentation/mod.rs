//! The log lines and the metrics of a poller. Each struct stands for one occurrence and
//! both logs and counts it, so that the log and the metrics agree.
//!
//! Every poll has a line at level debug. A line at level info or above is a change of
//! state.

mod commits;
mod missing;
mod pages;
mod polls;

pub(super) use commits::{CommitFailed, CommitHangs, GateTimeouts, PendingObserved};
pub(super) use missing::{
    DeepSweepEnded, DeepSweepFailed, EventsMissing, LimitMet, MissingObserved, SecondTooDense,
};
pub(super) use pages::{
    LinesCut, LinesLost, OtherAccountSeen, PageCounted, RegularlyLate, TimeUnread,
};
pub(super) use polls::{
    ClockDisproved, CountingBegins, FirstSuccess, PieceCounted, PollFailed, PollSucceeded,
    Recovered, StateContinued, TypesFailed,
};
