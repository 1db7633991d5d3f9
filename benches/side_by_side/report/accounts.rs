//! The tables of many accounts.

use std::time::Duration;

use super::{duration, heading, megabytes, row, significant};
use crate::{accounts::Accounts, hour::Look};

pub(super) fn tables(text: &mut String, accounts: &Accounts) {
    let number = accounts.number;
    heading(
        text,
        &format!("{number} accounts, each polled every minute"),
        &["", ""],
    );
    let Accounts {
        memory,
        polls,
        oldest_poll,
        probe_median,
        probe_highest,
        quiet_series,
        restart,
        ..
    } = accounts;
    for (of, figure) in [
        ("resident memory", megabytes(memory.resident)),
        ("peak memory", megabytes(memory.peak)),
        ("processors that polls take", significant(*polls)),
        ("age of the oldest poll", duration(*oldest_poll)),
        (
            "`/-/healthy` beside two servers that scrape, median",
            duration(*probe_median),
        ),
        ("the same, highest", duration(*probe_highest)),
        (
            "series of an account without events",
            quiet_series.to_string(),
        ),
        (
            "start with the state of all accounts to the first answer",
            duration(*restart),
        ),
    ] {
        row(text, &[of, &figure]);
    }
    heading(
        text,
        &format!("A scrape of {number} accounts, a quarter polled since the last"),
        &["", "bytes", "processor time", "latency"],
    );
    for scrape in &accounts.scrapes {
        row(
            text,
            &[
                scrape.encoding.name(),
                &scrape.bytes.to_string(),
                &duration(Duration::from_secs_f64(scrape.processor_seconds.max(0.0))),
                &duration(scrape.took),
            ],
        );
    }
}

/// Shows the first of the looks, and each twelfth of them.
pub(super) fn hour_table(text: &mut String, looks: &[Look]) {
    if looks.is_empty() {
        return;
    }
    let columns = [
        "minute",
        "resident memory",
        "peak memory",
        "descriptors",
        "threads",
        "series of events",
        "events",
    ];
    heading(text, "100 accounts with 50 events a second", &columns);
    let every = looks.len().div_ceil(12);
    let is_shown = |(place, _): &(usize, &Look)| *place == 0 || (place + 1) % every == 0;
    for (_, look) in looks.iter().enumerate().filter(is_shown) {
        row(
            text,
            &[
                &look.minute.to_string(),
                &megabytes(look.memory.resident),
                &megabytes(look.memory.peak),
                &look.descriptors.to_string(),
                &look.threads.to_string(),
                &look.series.to_string(),
                &format!("{:.0}", look.events),
            ],
        );
    }
}
