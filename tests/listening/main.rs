//! The ways to listen beside a port, as a system has them: a unix socket, with a web
//! configuration and its health check.

mod setup;
mod unix_socket;
