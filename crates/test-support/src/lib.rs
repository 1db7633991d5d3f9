//! Code that the tests, the benchmarks and the fuzzers share.
//!
//! - Programs that run beside a test: [`program`], [`exporter`], [`process`],
//!   [`restartable`], the [`command_output`] of one that ends by itself, and [`tools`]
//!   that were installed for it.
//! - The other end of a connection: [`scripted_api`] with its [`scripted_answer`] and
//!   [`audit_event`], a [`limited_list`] for it, the clients [`http`] and [`raw_http`],
//!   [`certificates`] and [`tls_front`] for TLS.
//! - [`exposition`] reads metrics back, [`eventually`] waits for a condition, [`pacing`]
//!   for the next moment of a plan.
//! - [`store`] holds states and processes that store them, a [`volume`] disks that fail, [`workload`] what the
//!   benchmarks work on, and [`instruction_counts`] what they may cost.
//!
//! A function of this crate panics, and so fails its test, where something does not go
//! as it should.

#![allow(
    missing_docs,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::new_without_default,
    clippy::return_self_not_must_use,
    reason = "support for tests: names say what its items are, and each may panic"
)]

pub mod audit_event;
pub mod certificates;
pub mod command_output;
pub mod eventually;
pub mod exporter;
pub mod exposition;
pub mod http;
pub mod instruction_counts;
pub mod limited_list;
pub mod pacing;
pub mod process;
pub mod program;
pub mod raw_http;
pub mod restartable;
pub mod scripted_answer;
pub mod scripted_api;
pub mod store;
pub mod tls_front;
pub mod tools;
pub mod volume;
pub mod workload;

use std::path::{Path, PathBuf};

/// The path of a file or folder of the repository, which is given relative to its root.
pub fn repository(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    root.expect("this crate is two folders below the root")
        .join(path)
}
