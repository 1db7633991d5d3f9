//! The web configuration of Prometheus' exporter-toolkit for servers made with hyper.

mod activity;
mod bind;
mod body;
mod client_certificates;
mod connection;
mod connections;
mod front;
mod passwords;
mod peer;
mod server;
pub mod settings;
mod site;
mod slots;
mod stream;
mod tls;
mod web_config;

pub use bind::{BindError, bind};
pub use body::Parts;
pub use peer::Peer;
pub use server::Server;
pub use site::Site;
pub use web_config::{WebConfigError, WebConfigFile};
