//! The aims for many accounts in one exporter.

use super::{Aim, Limit, aim};
use crate::accounts::{Accounts, Scrape};

/// The number of accounts for which aims are set.
const NUMBER: usize = 10_000;

/// Returns the aims, which are for [`NUMBER`] accounts.
pub(super) fn judge(accounts: Option<&Accounts>) -> [Aim; 4] {
    let accounts = accounts.filter(|accounts| accounts.number == NUMBER);
    let cost = |scrape: &Scrape| scrape.processor_seconds * 1e3;
    let costs = accounts.map(|accounts| {
        let scrapes = accounts.scrapes.iter();
        let each =
            scrapes.map(|scrape| format!("{:.0} ms {}", cost(scrape), scrape.encoding.name()));
        let highest = accounts.scrapes.iter().map(cost).fold(0.0, f64::max);
        (highest, each.collect::<Vec<_>>().join(", "))
    });
    let probe = accounts.map(|accounts| {
        let highest = accounts.probe_highest.as_secs_f64() * 1e3;
        let text = format!("{highest:.1} ms, median {:.2?}", accounts.probe_median);
        (highest, text)
    });
    let resident = accounts.map(|accounts| {
        let megabytes = accounts.memory.resident as f64 / 1e6;
        (megabytes, format!("{megabytes:.0} MB"))
    });
    let series = accounts.map(|accounts| {
        let series = accounts.quiet_series;
        (series as f64, series.to_string())
    });
    [
        aim(
            "10,000 accounts: processor time of a scrape, a quarter polled since",
            "800 to 1700 ms by the clock",
            ("150 ms", Limit::AtMost(150.0)),
            costs,
        ),
        aim(
            "10,000 accounts: highest latency of /-/healthy beside two servers that scrape",
            "a scrape",
            ("below 50 ms", Limit::AtMost(50.0)),
            probe,
        ),
        aim(
            "10,000 accounts: resident memory",
            "940 MB",
            ("300 MB", Limit::AtMost(300.0)),
            resident,
        ),
        aim(
            "series of an account without events",
            "109",
            ("fewer", Limit::AtMost(108.0)),
            series,
        ),
    ]
}
