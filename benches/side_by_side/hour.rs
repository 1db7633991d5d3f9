//! The memory and the descriptors of an exporter with many accounts, minute by minute, while
//! two servers scrape it.

use std::{
    fs,
    time::{Duration, Instant},
};

use test_support::{exposition, pacing};

use super::{
    accounts::{config, config_of, serve},
    report::progress,
    running::{Memory, Running, folder, free_address},
    scrape::{Ask, Encoding, Scraper},
    settings::Settings,
    simulator::{Simulator, Traffic},
};

const ACCOUNTS: usize = 100;
/// The number of events of an account each second.
const RATE: f64 = 0.5;
/// The time for which the exporter remembers an id: the `reconcile_lookback` of [`SETTINGS`]
/// and an hour. The accounts have events for as long before the start, so that the exporter
/// remembers as many ids at the beginning as at the end.
const REMEMBERED: Duration = Duration::from_mins(75);
/// Each account has as many series as it may before the first look. With as many ids and
/// series from the first look to the last, memory that rises is lost.
const SETTINGS: &str = "poll:
  interval: 15s
  start: 75m
  reconcile_interval: 15m
  reconcile_lookback: 15m
metrics: {max_series: 200}";
/// The time between two looks, in which two servers scrape as often as by default.
const LOOK: Duration = Duration::from_mins(1);
const SCRAPES_EACH_LOOK: u32 = 4;

/// The exporter at one time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// The time since the start, in minutes.
    pub(crate) minute: u32,
    pub(crate) memory: Memory,
    pub(crate) descriptors: usize,
    pub(crate) threads: usize,
    pub(crate) series: usize,
    /// The number of events that are counted.
    pub(crate) events: f64,
}

/// Looks at the exporter each minute.
pub(crate) fn measure(settings: &Settings) -> Vec<Look> {
    let place = folder();
    let traffic = Traffic {
        rate: RATE,
        history: (RATE * REMEMBERED.as_secs_f64()) as u32,
        span: REMEMBERED,
    };
    let api = Simulator::of_accounts(settings, place.path(), ACCOUNTS, traffic);
    let written = fs::write(config(place.path()), config_of(SETTINGS, ACCOUNTS));
    written.expect("a config file");
    let address = free_address();
    let exporter = serve(settings, &api, place.path(), address);
    let url = format!("http://{address}/metrics");
    let (text, open_metrics) = (Scraper::new(), Scraper::new());
    text.ask_until(&url, Ask::TEXT, |answer| answer.series() > 0);
    let compressed = Ask {
        encoding: Encoding::Gzip,
        ..Ask::OPENMETRICS
    };
    let started = Instant::now();
    let mut looks = Vec::new();
    for minute in 1..=settings.minutes {
        for scrape in 1..=SCRAPES_EACH_LOOK {
            text.time(&url, Ask::TEXT).expect("an answer");
            open_metrics.time(&url, compressed).expect("an answer");
            let until = LOOK * (minute - 1) + LOOK * scrape / SCRAPES_EACH_LOOK;
            pacing::wait(until.saturating_sub(started.elapsed()));
        }
        let look = look(&exporter, &text, &url, minute);
        progress(&format!("{look:?}"));
        looks.push(look);
    }
    looks
}

fn look(exporter: &Running, scraper: &Scraper, url: &str, minute: u32) -> Look {
    let entries = |folder: &str| {
        let entries = fs::read_dir(format!("/proc/{}/{folder}", exporter.id()));
        entries.expect("a process that runs").count()
    };
    let answer = scraper.ask(url, Ask::TEXT).expect("an answer");
    let text = String::from_utf8_lossy(&answer.text);
    let samples = exposition::samples(&text);
    let counts = samples
        .iter()
        .filter(|sample| sample.name == "nexmo_audit_events_by_type_total");
    Look {
        minute,
        memory: exporter.memory(),
        descriptors: entries("fd"),
        threads: entries("task"),
        series: answer.series(),
        events: counts.map(|sample| sample.value).sum(),
    }
}
