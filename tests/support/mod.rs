//! What the integration tests share.

#![allow(dead_code, reason = "no test binary uses all of it")]

pub(crate) mod audit_event;
pub(crate) mod certificates;
pub(crate) mod eventually;
pub(crate) mod exporter;
pub(crate) mod exposition;
pub(crate) mod http;
pub(crate) mod process;
pub(crate) mod program;
pub(crate) mod raw_http;
pub(crate) mod restartable;
pub(crate) mod scripted_answer;
pub(crate) mod scripted_api;
pub(crate) mod tools;
