//! Plays the Audit API over real HTTP.
