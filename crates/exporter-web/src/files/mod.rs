//! The files that people hand to the program: settings, secrets, certificates.
//!
//! A path may name a pipe that nobody writes, a device without an end, or a file on a
//! server that does not answer. So only regular files are read, with a bound on their size,
//! and nobody waits for them without end.

mod reading;
mod stamps;
mod time_limit;
mod user;

pub use reading::{FileError, PendingFile, ReadFile, read_file};
pub use stamps::FileStamps;
pub use time_limit::{Hanging, within_time_limit};
pub use user::current_user;
