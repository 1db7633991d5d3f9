//! Pages of 100 events, as the API answers them, from the simulator.

use std::time::Duration;

use audit_simulator::{Simulator, SimulatorSettings};
use reqwest::Client;
use tokio::runtime::Runtime;

/// The highest number of events on a page of the API.
pub const PAGE_SIZE: usize = 100;
/// The start of the traffic, which is fixed so that counts of instructions do not
/// change.
const START: &str = "2025-06-02T12:00:00Z";
const SPAN: Duration = Duration::from_hours(12);

/// Returns the texts of `number` full pages of different events, which were created
/// within the 12 hours before [`newest`].
pub fn pages(number: usize) -> Vec<String> {
    let events = u32::try_from(number * PAGE_SIZE).expect("a number of events");
    let settings = SimulatorSettings {
        listen_address: ([127, 0, 0, 1], 0).into(),
        start: Some(newest()),
        rate: 0.0,
        history: events,
        history_span: SPAN,
        ..SimulatorSettings::default()
    };
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(ask_for_all(settings, number))
}

/// Returns the time of which no event is younger.
pub fn newest() -> jiff::Timestamp {
    START.parse().expect("a time")
}

async fn ask_for_all(settings: SimulatorSettings, number: usize) -> Vec<String> {
    let (key, secret) = (settings.api_key.clone(), settings.api_secret.clone());
    let simulator = Simulator::bind(settings).await.expect("a simulator");
    let url = simulator.base_url();
    let running = tokio::spawn(simulator.run(std::future::pending()));
    // A second installation fails and changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().tls_certs_only([]).no_proxy().build();
    let client = client.expect("a client");
    let mut pages = Vec::with_capacity(number);
    for page in 1..=number {
        let url = format!("{url}/events?page={page}&size={PAGE_SIZE}");
        let request = client.get(url).basic_auth(&key, Some(&secret));
        let answer = request.send().await.expect("an answer");
        pages.push(answer.text().await.expect("a page"));
    }
    running.abort();
    pages
}
