//! The ways to listen beside a port, as a system has them: a unix socket, with a web
//! configuration and its health check, and the sockets of a service manager.

mod activation;
mod setup;
mod unix_socket;
