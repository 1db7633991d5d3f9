//! A simulator in which events happen when a test says so.

use audit_simulator::{Simulator, SimulatorHandle, SimulatorSettings};
use test_support::program::{API_KEY, API_SECRET};
use tokio::runtime::Runtime;

/// Starts an API in which nothing happens but what the handle records. Returns its base URL
/// too.
pub(super) fn start_api(runtime: &Runtime) -> (SimulatorHandle, String) {
    let settings = SimulatorSettings {
        listen_address: ([127, 0, 0, 1], 0).into(),
        api_key: API_KEY.to_owned(),
        api_secret: API_SECRET.to_owned(),
        rate: 0.0,
        history: 0,
        ..SimulatorSettings::default()
    };
    let simulator = runtime.block_on(Simulator::bind(settings));
    let simulator = simulator.expect("a simulator");
    let (handle, base_url) = (simulator.handle(), simulator.base_url());
    runtime.spawn(simulator.run(std::future::pending()));
    (handle, base_url)
}
