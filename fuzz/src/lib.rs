//! The properties that the fuzzers look for a breach of. `tests/fuzz_corpus.rs` has
//! the same ones, and needs no fuzzer.

#[path = "../properties/mod.rs"]
pub mod properties;
#[path = "../../tests/store_support/mod.rs"]
mod store_support;
