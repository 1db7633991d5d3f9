//! What the benchmarks work on.

pub mod counting;
pub mod pages;
pub mod seed;
pub mod series;
