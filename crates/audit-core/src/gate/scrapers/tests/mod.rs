mod intervals;
mod waits;

use super::*;

const TIMEOUT: Duration = Duration::from_secs(10);

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn scrape(scraper: u64, connection: u64) -> Scrape {
    Scrape {
        scraper: ScraperId(scraper),
        product: 7,
        target: 0,
        connection,
        timeout: TIMEOUT,
    }
}

/// Returns `count` scrapes over one connection, each as its time in seconds and the
/// connection.
fn every(interval: u64, from: u64, count: u64, connection: u64) -> Vec<(u64, u64)> {
    (0..count)
        .map(|time| (from + time * interval, connection))
        .collect()
}

fn saved(id: u64, interval: Option<u64>) -> SavedScraper {
    SavedScraper {
        id: ScraperId(id),
        product: 7,
        target: 0,
        interval: interval.map(at),
        unseen_for: Duration::ZERO,
    }
}
