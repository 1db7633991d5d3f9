//! Notices when the disk of the state or of the event log hangs.

use std::{sync::Arc, time::Duration};

use tokio::time::{MissedTickBehavior, interval};

use super::event_log::SharedEventLog;
use crate::{
    metrics::log_seconds,
    store::{DiskCall, Noticed},
};

/// The time from one look at the disks to the next.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Logs when the disk of the state or of the event log hangs, and when it answers again.
/// Runs without end.
pub(super) async fn run(state: Arc<DiskCall>, event_log: Option<Arc<SharedEventLog>>) {
    let mut looks = interval(LOOK_INTERVAL);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        look_at_state(&state);
        if let Some(event_log) = &event_log {
            look_at_event_log(event_log);
        }
    }
}

fn look_at_state(state: &DiskCall) {
    let file = state.file();
    match state.notice() {
        Some(Noticed::Hangs) => tracing::error!(
            file,
            for_seconds = seconds(state),
            "the disk of the state does not answer; nothing is counted until it does, and what was counted before is shown: check the disk"
        ),
        Some(Noticed::Returned) => tracing::info!(file, "the disk of the state answers again"),
        None => {}
    }
}

fn look_at_event_log(event_log: &SharedEventLog) {
    let disk = event_log.disk();
    let file = disk.file();
    match disk.notice() {
        Some(Noticed::Hangs) => {
            event_log.count_failure();
            tracing::warn!(
                file,
                for_seconds = seconds(&disk),
                "the event log does not answer; counting goes on, and the lines wait in the state: check the disk, or the reader of a pipe"
            );
        }
        Some(Noticed::Returned) => tracing::info!(file, "the event log answers again"),
        None => {}
    }
}

fn seconds(disk: &DiskCall) -> Option<f64> {
    disk.hangs_for().map(log_seconds)
}
