//! What is served, to how many, and how it ends.

mod demo;
mod formats;
mod golden;
mod routes;
mod shutdown;
