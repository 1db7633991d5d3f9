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
mod blocks;
mod body;
mod cast;
mod catalog;
mod clock;
mod connection;
mod context;
mod credentials;
mod draw;
mod fault;
mod flag;
mod handle;
mod http;
mod identity;
mod key;
mod listing;
mod order;
mod query;
mod render;
mod rhythm;
mod server;
mod settings;
mod state;
mod traffic;

pub use handle::{ExtraEvent, SimulatorHandle};
pub use key::EventKey;
pub use server::{Simulator, SimulatorError};
pub use settings::{ListOrder, SettingsProblem, SimulatorSettings};
pub use state::Outage;
