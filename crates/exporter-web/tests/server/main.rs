//! A server on real sockets, in plain HTTP and in TLS; and the options of its file.

mod limits;
mod options;
mod plain;
mod running;
mod secured;
mod sent;
