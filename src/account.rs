//! One account's count: what a page adds to the window and to the ledger.
//!
//! Pure, so that the whole of the counting can be run by the million. It must
//! not know where pages come from nor where totals are shown.

use jiff::Timestamp;

use crate::{
    event::{AuditEvent, Entry, Page},
    ledger::{Counted, Ledger},
    window::{Admission, Window},
};

/// What is counted for one account, and what of it was already seen.
#[derive(Debug, Clone)]
pub struct Account {
    /// Which events are new.
    pub window: Window,
    /// How many there were.
    pub ledger: Ledger,
}

/// What one page brought.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// Seconds from creation to counting of each event counted; its length is
    /// their number.
    pub lags: Vec<f64>,
    /// Counted before.
    pub duplicates: u64,
    /// Seen for the first time, without an id to know them by.
    pub malformed: u64,
    /// Of those counted: created longer ago than the lookback.
    pub late: u64,
    /// Of those counted: beyond the series cap.
    pub overflow: u64,
    /// Not counted, since they were created before the floor of the window.
    pub before_floor: u64,
}

impl Account {
    /// Counts what is new on a page that was answered at `now`, by the API's clock.
    pub fn count(&mut self, page: &Page<'_>, now: Timestamp) -> Tally {
        let mut tally = Tally::default();
        for entry in &page.entries {
            match entry {
                Entry::Event(event) => self.count_event(event, now, &mut tally),
                Entry::Malformed(id) => match self.window.admit(*id, None, now) {
                    Admission::New { .. } => tally.malformed += 1,
                    Admission::Duplicate | Admission::BeforeFloor => {}
                },
            }
        }
        tally
    }

    fn count_event(&mut self, event: &AuditEvent<'_>, now: Timestamp, tally: &mut Tally) {
        match self.window.admit(event.id, event.created_at, now) {
            Admission::New { late, created_at } => {
                tally
                    .lags
                    .push(now.duration_since(created_at).as_secs_f64());
                tally.late += u64::from(late);
                if self.ledger.count(&event.labels) == Counted::Overflow {
                    tally.overflow += 1;
                }
            }
            Admission::Duplicate => tally.duplicates += 1,
            Admission::BeforeFloor => tally.before_floor += 1,
        }
    }
}
