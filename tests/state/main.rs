//! The commands that look at the stored state and move it, as a person runs them.

mod export;
mod exported;
mod golden;
mod import;
mod moves;
mod properties;
mod refusals;
mod run;
mod show;
mod states;
