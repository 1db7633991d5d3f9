//! The simulator as its clients see it: over real sockets.

mod faults;
mod limits;
mod listing;
mod running_simulator;
