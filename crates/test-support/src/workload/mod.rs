//! The input of the benchmarks.

pub mod counting;
pub mod pages;
pub mod seed;
pub mod series;
