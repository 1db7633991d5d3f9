//! One account, one disk or one resolver hangs, and everything else goes on as if nothing
//! were.

mod crowd;
mod event_log;
mod files;
mod hanging_calls;
mod resolver;
mod silent_api;
mod state;
mod waiting_lines;
