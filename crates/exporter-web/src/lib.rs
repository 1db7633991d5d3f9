//! The web server of a Prometheus exporter, with the web configuration file of
//! Prometheus' exporter-toolkit: TLS, client certificates, passwords, response headers
//! and a rate limit.
//!
//! A program gives a [`Server`] three things: listeners, which [`bind`] makes; a
//! [`Site`], which answers requests; and a [`WebConfigFile`], which says who may ask.
//!
//! ```no_run
//! use std::{path::Path, sync::Arc};
//!
//! use exporter_web::{Peer, ResponseBody, Server, Site, WebConfigFile, bind};
//! use hyper::{Response, http::request};
//!
//! struct Metrics;
//!
//! impl Site for Metrics {
//!     async fn respond(&self, request: &request::Parts, _: Peer) -> Response<ResponseBody> {
//!         let text = format!("# There is nothing at {} yet.\n", request.uri.path());
//!         Response::new(text.into())
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let web_config = WebConfigFile::read(Some(Path::new("web-config.yml")))?;
//!     let listeners = bind(&[":9999".parse()?]).await?;
//!     let server = Server::new(listeners, Metrics, Arc::new(web_config));
//!     let shutdown = async {
//!         let _ = tokio::signal::ctrl_c().await;
//!     };
//!     server.max_requests(10).run(shutdown).await;
//!     Ok(())
//! }
//! ```
//!
//! # The path of a request
//!
//! 1. A connection is accepted, and counted: if there are too many, the one that has
//!    been idle for longest is closed, in the network that holds the most.
//! 2. The TLS handshake, if the file asks for TLS, and the head of the request each have
//!    a time limit.
//! 3. The rate limit is checked, and then the password. bcrypt is slow by design, so one
//!    password is checked at a time, and a password that was right is recognized by a
//!    keyed hash.
//! 4. The request takes a slot among the answers in flight, until the client has read all
//!    of its answer. A request without a slot is refused before it has an effect; a client
//!    that does not read loses its slot to another request. Probes need no slot.
//! 5. The [`Site`] makes the response.
//! 6. Once all bytes of the response were given to the system, the code of
//!    [`ResponseBody::on_sent`] runs.
//!
//! # Logs
//!
//! The server logs with [`tracing`]: warnings and errors for the person who runs it, and
//! at debug level the reason why a connection ended early. No line shows a password or a
//! key.
//!
//! # Options
//!
//! The README has a table of every option of the file, and of every limit.

mod activity;
mod bind;
mod body;
mod client_certificates;
mod connection;
mod files;
mod inherited;
mod listen_address;
mod listener;
mod open_connections;
mod passwords;
mod peer;
mod request_handler;
mod scrape_time_limit;
mod sent;
mod server;
pub mod settings;
mod site;
mod slots;
mod stream;
mod systemd_sockets;
mod tls;
mod unix_socket;
mod web_config;

pub use bind::{BindError, BindErrors, bind, try_binding};
pub use body::ResponseBody;
pub use files::{
    FileError, FileStamps, Hanging, PendingFile, ReadFile, current_user, read_file,
    within_time_limit,
};
pub use inherited::{InheritedSocket, InheritedSocketError, inherited_sockets};
pub use listen_address::{ListenAddress, ListenAddressError};
pub use listener::{Listener, LocalAddress};
pub use passwords::basic_auth_user;
pub use peer::{Peer, PeerAddress};
pub use scrape_time_limit::scrape_time_limit;
pub use server::Server;
pub use site::Site;
pub use web_config::{ClientNeeds, WebConfigError, WebConfigFile};
