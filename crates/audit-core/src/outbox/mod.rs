//! The lines of the event log between counting and storing.
//!
//! A line is made when its event is counted, stored by the commit that counts the event,
//! and deleted from the store by a commit after it was written to the log. So the log has
//! a line for each counted event at least once, whenever the process ends, and a log that
//! cannot be written does not stop counting: its lines wait in the store.

mod line;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use line::line;

/// A line of the event log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The place in the order of counting, from 1 without gaps.
    pub number: u64,
    /// A JSON object, without a line feed.
    pub text: String,
}

/// The part of a commit that belongs to the event log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    /// The lines of the events that this commit counts.
    pub new: Vec<Line>,
    /// The number of the last line that is written to the log. Lines up to this number
    /// can be deleted.
    pub written: u64,
}

/// The number of the last line that is written to the log, shared with its writer.
#[derive(Debug, Clone, Default)]
pub struct Written(Arc<AtomicU64>);

impl Written {
    /// Says that all lines up to `number` are in the log for good.
    pub fn set(&self, number: u64) {
        self.0.store(number, Ordering::Release);
    }

    /// Returns the number of the last line that is written; 0 if none is.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// Lines that no commit has stored yet. The default keeps no event log.
#[derive(Debug, Clone, Default)]
pub struct Outbox {
    /// `None` if no event log is kept.
    content: Option<Content>,
    /// The name of the account, which begins each line.
    account: Option<Arc<str>>,
    last: u64,
    new: Vec<Line>,
    written: Written,
}

/// The fields of an event that its line contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Only fields that are known not to identify a person.
    Impersonal,
    /// All fields.
    Everything,
}

impl Outbox {
    /// Returns an outbox whose first line has the number after `last`. If `account` is
    /// given, each line begins with that name.
    #[must_use]
    pub fn new(content: Content, account: Option<Arc<str>>, last: u64, written: Written) -> Self {
        Self {
            content: Some(content),
            account,
            last,
            new: Vec::new(),
            written,
        }
    }

    /// Returns `true` if an event log is kept.
    pub(crate) fn is_kept(&self) -> bool {
        self.content.is_some()
    }

    /// Adds the line of a counted event, given as the API wrote it.
    pub(crate) fn push(&mut self, json: &str) {
        if let Some(content) = self.content {
            self.last += 1;
            self.new.push(Line {
                number: self.last,
                text: line(json, content, self.account.as_deref()),
            });
        }
    }

    /// Returns what the next commit stores.
    pub(crate) fn lines(&self) -> Lines {
        Lines {
            new: self.new.clone(),
            written: self.written.get(),
        }
    }

    /// Drops all lines, since a commit has stored them.
    pub(crate) fn confirm(&mut self) {
        self.new.clear();
    }
}

#[cfg(test)]
mod tests;
