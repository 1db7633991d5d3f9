use std::sync::Arc;

use audit_core::gate::ScrapeInterval;
use tokio::time::Instant;

use super::*;

const LIMIT: Duration = Duration::from_millis(500);

fn shared() -> Arc<SharedGate> {
    let gate = Gate::new(ScrapeInterval::Learned, &SavedGate::default());
    Arc::new(SharedGate::new(gate))
}

fn store(gate: &SharedGate) {
    let saved = gate.lock().saved(Duration::ZERO);
    gate.confirm(&saved);
}

#[tokio::test(start_paused = true)]
async fn a_scrape_waits_until_a_commit_stores_its_scraper_and_no_longer() {
    let gate = shared();
    let poller = Arc::clone(&gate);
    let poller = tokio::spawn(async move {
        poller.unstored().await;
        tokio::time::advance(Duration::from_millis(20)).await;
        store(&poller);
    });
    let begun = Instant::now();
    gate.wait_until_stored(ScraperId(1), LIMIT, Duration::ZERO)
        .await;
    assert_eq!(begun.elapsed(), Duration::from_millis(20));
    poller.await.expect("a poller");
    gate.wait_until_stored(ScraperId(1), LIMIT, Duration::ZERO)
        .await;
    assert_eq!(begun.elapsed(), Duration::from_millis(20));
}

#[tokio::test(start_paused = true)]
async fn a_scrape_without_a_commit_waits_for_its_limit() {
    let gate = shared();
    let begun = Instant::now();
    gate.wait_until_stored(ScraperId(1), LIMIT, Duration::ZERO)
        .await;
    assert_eq!(begun.elapsed(), LIMIT);
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_stores_another_scraper_does_not_end_the_wait() {
    let gate = shared();
    gate.lock().announce(ScraperId(2), Duration::ZERO);
    let before = gate.lock().saved(Duration::ZERO);
    let waiting = Arc::clone(&gate);
    let waiting = tokio::spawn(async move {
        let begun = Instant::now();
        waiting
            .wait_until_stored(ScraperId(1), LIMIT, Duration::ZERO)
            .await;
        begun.elapsed()
    });
    gate.unstored().await;
    gate.confirm(&before);
    gate.unstored().await;
    store(&gate);
    assert_eq!(waiting.await.expect("a wait"), Duration::ZERO);
}
