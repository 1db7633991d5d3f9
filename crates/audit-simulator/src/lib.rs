//! Plays the Audit API of Nexmo (now Vonage) over real HTTP, for tests, for `simulate`
//! and for `demo`.
//!
//! [`Simulator::bind`] makes an account with its history and takes a port;
//! [`Simulator::run`] answers requests until it is told to stop. A [`SimulatorHandle`]
//! steers the simulator meanwhile: it records events, begins outages, moves the clock of
//! the API, and says what the list holds.
//!
//! ```
//! use audit_simulator::{ExtraEvent, Simulator, SimulatorSettings};
//! # use reqwest::Client;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let settings = SimulatorSettings {
//!     // Any free port.
//!     listen_address: ([127, 0, 0, 1], 0).into(),
//!     // No events but the one that is recorded below.
//!     rate: 0.0,
//!     history: 0,
//!     ..SimulatorSettings::default()
//! };
//! let (key, secret) = (settings.api_key.clone(), settings.api_secret.clone());
//! let simulator = Simulator::bind(settings).await?;
//! let url = format!("{}/events", simulator.base_url());
//! let handle = simulator.handle();
//! tokio::spawn(simulator.run(std::future::pending()));
//!
//! let id = handle.record(&ExtraEvent::new("NUMBER_ASSIGN"));
//! # let _ = rustls::crypto::ring::default_provider().install_default();
//! # let client = Client::builder().tls_certs_only([]).no_proxy().build()?;
//! let request = client.get(&url).basic_auth(&key, Some(&secret));
//! let list = request.send().await?.text().await?;
//! assert!(list.contains(&id));
//! assert_eq!(handle.counts(None).values().sum::<u64>(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! The events are a function of the seed, the start time and the time on the clock of the
//! API, so that a simulator that was killed shows the same events again. Traffic,
//! archive, queries and answers know neither clock nor network; `server`, `connection`
//! and `http` are the thin shell around them. The crate uses nothing of the exporter: a
//! simulator that shared the exporter's code would share its mistakes about the vendor.

mod archive;
mod body;
mod catalog;
mod clock;
mod connection;
mod context;
mod credentials;
mod event_id;
mod event_key;
mod faults;
mod flag_values;
mod http;
mod intensity;
mod list_form;
mod list_limits;
mod list_order;
mod listed_page;
mod query;
mod random;
mod render;
mod server;
mod settings;
mod simulated_api;
mod simulator_handle;
mod traffic;
mod type_blocks;
mod users;

pub use event_key::EventKey;
pub use flag_values::FlagValueError;
pub use list_form::{BeyondLast, IncludedBounds, ListOrder, TimeFormat};
pub use server::{Simulator, SimulatorError};
pub use settings::{SettingsProblem, SimulatorSettings};
pub use simulated_api::Outage;
pub use simulator_handle::{ExtraEvent, SimulatorHandle};
