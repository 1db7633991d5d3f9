//! Audit events as people and their tools read them: all of what the API says of
//! an event, which of them are wanted, and how they are written.
//!
//! What is here holds personal data, so it is for those who ask for events by hand:
//! nothing that counts or serves may use it, and what logs leaves out what is
//! personal. Pure: no clock, no network, no file; the width of the terminal and the time zone are arguments.

mod csv;
mod detail;
mod filter;
mod printable;
mod table;
mod zone;

pub use csv::{csv_header, csv_line, csv_row};
pub use detail::detail;
pub use filter::{Filter, UserFilter};
pub use printable::{fitted, printable};
pub use table::{Layout, Table};
pub use zone::Zone;
