//! What the benchmarks work on.

#![allow(dead_code, reason = "no benchmark uses all of it")]

pub(crate) mod counting;
pub(crate) mod pages;
pub(crate) mod seed;
pub(crate) mod series;
