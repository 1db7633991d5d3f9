//! Plays the vendor's Audit API over real HTTP, for tests, for `simulate` and for `demo`.
//!
//! Its events are a function of seed, start time and the time on its clock, so that a
//! simulator that was killed shows the same events again. Traffic, archive, queries and
//! answers know neither clock nor network; `server`, `connection` and `http` are the thin
//! shell around them. It must not use any other module of the exporter: what plays the vendor
//! cannot share the exporter's idea of the vendor.
//!
//! ```no_run
//! # use audit_simulator::{Simulator, SimulatorError, SimulatorSettings};
//! # async fn example() -> Result<(), SimulatorError> {
//! let simulator = Simulator::bind(SimulatorSettings::default()).await?;
//! let handle = simulator.handle();
//! simulator.run(std::future::pending()).await;
//! # Ok(())
//! # }
//! ```

mod archive;
mod body;
mod catalog;
mod clock;
mod connection;
mod context;
mod credentials;
mod event_id;
mod event_key;
mod fault;
mod flag_values;
mod http;
mod intensity;
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
pub use flag_values::ValueError;
pub use server::{Simulator, SimulatorError};
pub use settings::{ListOrder, SettingsProblem, SimulatorSettings};
pub use simulated_api::Outage;
pub use simulator_handle::{ExtraEvent, SimulatorHandle};
