//! Counts the audit events of an account exactly once, and says when each count may be
//! shown.
//!
//! The API lists events page by page, in no promised order, some of them twice and some
//! of them late. Scrapers see only the values of counters, and must see each of them
//! rise. This crate holds the rules by which every event becomes one step of a counter
//! that every scraper sees.
//!
//! # No input or output
//!
//! The crate does no input or output. It has no socket, file, thread, metrics library or
//! log, and it never reads a clock. All of that belongs to the program that drives it, so
//! that a test can run hours of polls, crashes and scrapes within milliseconds.
//! `Cargo.toml` names no crate for any of it, and `clippy.toml` forbids reading a clock.
//!
//! # The path of an event
//!
//! 1. [`sweep`] says which pages of a range are still to be read, and when a sweep has
//!    seen everything. It cuts a range that holds too many events into pieces.
//! 2. [`event`] parses a page. A fault in one event costs at most that event.
//! 3. [`account`] counts the page. It asks the [`window`] which events are new, adds each
//!    of those to its counters in the [`ledger`], and hands its JSON, a [`raw_event`], to
//!    the [`outbox`] if an event log is kept.
//! 4. [`Account::prepare`](account::Account::prepare) returns a
//!    [`Commit`](account::Commit): everything that has to be stored in one transaction.
//!    For each counter it contains the total, and the value that may be shown as the
//!    [`gate`] permits.
//! 5. The program stores the commit, together with what the gate has to remember. After
//!    that, and not before, it calls [`Account::confirm`](account::Account::confirm) and
//!    shows the new values.
//!
//! A process that ends at any moment goes on from its last commit when it starts again. It
//! counts the later events again; none of them was shown.
//!
//! # Time is an argument
//!
//! Two kinds of time are passed in, and they are never mixed:
//!
//! - A `Timestamp` is a time of day. The time of creation of an event and the `now` of the
//!   answer that shows it are both by the clock of the API. Where the clock of this machine
//!   matters too, both are given as [`Clocks`](window::Clocks), and the earlier of the two
//!   is believed: to read a span again costs a request, to skip it costs events.
//! - A `Duration` called `now` or `uptime` is the span since the process started. The gate
//!   uses it alone, since setting a clock does not change it.
//!
//! # How to use the crate
//!
//! A program parses and counts pages, stores commits, and tells the gate of each scrape:
//!
//! ```
//! use std::time::Duration;
//!
//! use audit_core::{
//!     account::Account,
//!     event::Page,
//!     gate::{Gate, SavedGate, Scrape, ScrapeInterval, ScraperId},
//!     window::{Clocks, WindowSettings},
//! };
//! use jiff::{SignedDuration, Timestamp};
//!
//! let start: Timestamp = "2026-11-20T10:00:00Z".parse()?;
//! let settings = WindowSettings {
//!     lookback: SignedDuration::from_mins(15),
//!     retention: SignedDuration::from_hours(25),
//! };
//! let mut account = Account::new(settings, start, start, 1000);
//! let interval = ScrapeInterval::Fixed(Duration::from_secs(15));
//! let mut gate = Gate::new(interval, &SavedGate::default());
//!
//! let uptime = Duration::from_secs;
//! let scrape = Scrape {
//!     scraper: ScraperId(1),
//!     product: 1,
//!     target: 1,
//!     connection: 1,
//!     timeout: Duration::from_secs(10),
//! };
//!
//! // A server scrapes for the first time. It is shown events once it is stored.
//! assert!(!gate.announce(scrape.scraper, uptime(0)));
//! let saved = gate.saved(uptime(0));
//! // ... The program stores `saved` here ...
//! gate.confirm(&saved);
//! // Generation 1 of what is shown has no series.
//! assert!(gate.may_show(scrape.scraper));
//! gate.record_scrape(scrape, 1, uptime(0));
//!
//! // A poll reads a page with one event, which is shown twice.
//! let answer = r#"{"_embedded": {"events": [
//!     {"id": "a", "event_type": "APP_CREATE", "created_at": "2026-11-20T10:00:05"},
//!     {"id": "a", "event_type": "APP_CREATE", "created_at": "2026-11-20T10:00:05"}
//! ]}, "page": {"totalElements": 1, "totalPages": 1}}"#;
//! let now: Timestamp = "2026-11-20T10:00:20Z".parse()?;
//! let page = Page::parse(answer, account.keep())?;
//! let tally = account.count(&page, now, account.window.believed_watermark(now));
//! assert_eq!((tally.lags.len(), tally.duplicates), (1, 1));
//! let clocks = Clocks { api: now, local: now };
//! account.window.complete_sweep(clocks);
//! account.stage.caught_up = true;
//!
//! // The commit stores the event. Its series is new, so it is shown at 0 first.
//! let commit = account.prepare(&gate, uptime(20));
//! assert_eq!(commit.ids.len(), 1);
//! let saved = commit.changes.series[0].saved;
//! assert_eq!((saved.total, saved.published), (1, 0));
//! // ... The program stores `commit` here, and goes on if that has succeeded ...
//! account.confirm(&commit);
//! account.ledger.shown(2); // Generation 2 shows the series.
//! assert_eq!(account.ledger.pending(), 1);
//!
//! // Once the server has had the time to see the 0, the next commit lets it see the 1.
//! for seconds in [30, 45, 60, 75] {
//!     gate.record_scrape(scrape, 2, uptime(seconds));
//! }
//! let commit = account.prepare(&gate, uptime(76));
//! assert_eq!(commit.changes.series[0].saved.published, 1);
//! account.confirm(&commit);
//! assert_eq!(account.ledger.pending(), 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod account;
pub mod event;
pub mod gate;
pub mod ledger;
pub mod outbox;
pub mod raw_event;
pub mod sweep;
pub mod window;
