//! The ways to listen beside a port, as a system has them: a unix socket, with a web
//! configuration and its health check, and what a service manager hands over
//! and is told.

mod activation;
mod notifications;
mod setup;
mod unix_socket;
