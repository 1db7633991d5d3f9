//! The web configuration of Prometheus' exporter-toolkit for servers made with hyper.

mod activity;
mod bind;
mod body;
mod client_certificates;
mod connection;
mod open_connections;
mod passwords;
mod peer;
mod request_handler;
mod server;
pub mod settings;
mod site;
mod slots;
mod stream;
mod tls;
mod web_config;

pub use bind::{BindError, bind};
pub use body::ResponseBody;
pub use peer::Peer;
pub use server::Server;
pub use site::Site;
pub use web_config::{WebConfigError, WebConfigFile};
