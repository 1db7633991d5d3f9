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

/// Records two scrapes of a stored scraper that were answered with `generation`.
fn serve(gate: &SharedGate, generation: u64) {
    let scrape = Scrape {
        scraper: ScraperId(1),
        product: 1,
        target: 1,
        connection: 1,
        timeout: Duration::ZERO,
    };
    for _ in 0..2 {
        gate.record_scrape(scrape, generation, Duration::ZERO);
        store(gate);
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_call_ends_with_the_scrape_that_shows_the_last_counts() {
    let gate = shared();
    let now = || Duration::ZERO;
    // Nobody is waited for before anybody came.
    gate.wait_until_served(2, now).await;
    serve(&gate, 1);
    let waiting = Arc::clone(&gate);
    let mut waiting = tokio::spawn(async move { waiting.wait_until_served(2, now).await });
    assert!(timeout(LIMIT, &mut waiting).await.is_err());
    serve(&gate, 1);
    assert!(timeout(LIMIT, &mut waiting).await.is_err());
    serve(&gate, 2);
    waiting.await.expect("a wait");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_publishing_waits_for_commits_under_way_and_lets_no_other_begin() {
    let gate = shared();
    let under_way = [gate.begin_commit().await, gate.begin_commit().await];
    let ending = Arc::clone(&gate);
    let mut ending = tokio::spawn(async move { ending.end_publishing().await });
    assert!(timeout(LIMIT, &mut ending).await.is_err());
    // A commit that comes meanwhile waits too.
    assert!(timeout(LIMIT, gate.begin_commit()).await.is_err());
    drop(under_way);
    let end = ending.await.expect("an end");
    assert!(timeout(LIMIT, gate.begin_commit()).await.is_err());
    drop(end);
    assert!(timeout(LIMIT, gate.begin_commit()).await.is_ok());
}
