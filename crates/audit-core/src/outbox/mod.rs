//! Lines of the event log on their way: made when an event is counted, stored with
//! the commit that counts it, and taken away once they are written.
//!
//! So each counted event has its line at least once, through any crash, and a log
//! that cannot be written holds up nothing: its lines wait in the state. Pure: who
//! writes them is told of elsewhere.

mod line;

use line::line;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// A line, and its place in the order of counting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// From 1, and one more for each line.
    pub number: u64,
    /// JSON, without the end of the line.
    pub text: String,
}

/// What a commit stores of the lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    /// To keep.
    pub new: Vec<Line>,
    /// Lines up to this number are written, so that they can go.
    pub written: u64,
}

/// Up to which line everything is written; shared with whoever writes.
#[derive(Debug, Clone, Default)]
pub struct Written(Arc<AtomicU64>);

impl Written {
    /// Lines up to this number are where they belong, and stay there.
    pub fn set(&self, number: u64) {
        self.0.store(number, Ordering::Release);
    }

    /// The number of the last one.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// The lines that no commit has stored yet.
#[derive(Debug, Clone, Default)]
pub struct Outbox {
    /// `None` where no log is kept.
    content: Option<Content>,
    /// The account, where it has a name.
    account: Option<Arc<str>>,
    last: u64,
    new: Vec<Line>,
    written: Written,
}

/// What a line tells of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Neither who did it nor from where, nor the context.
    Impersonal,
    /// All that the API says.
    Everything,
}

impl Outbox {
    /// An outbox that goes on after the line of number `last`.
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

    /// Whether a log is kept.
    pub(crate) fn is_kept(&self) -> bool {
        self.content.is_some()
    }

    /// Takes in an event that was counted, as the API writes it.
    pub(crate) fn push(&mut self, json: &str) {
        if let Some(content) = self.content {
            self.last += 1;
            self.new.push(Line {
                number: self.last,
                text: line(json, content, self.account.as_deref()),
            });
        }
    }

    /// What the next commit stores.
    pub(crate) fn lines(&self) -> Lines {
        Lines {
            new: self.new.clone(),
            written: self.written.get(),
        }
    }

    /// Everything was stored.
    pub(crate) fn confirm(&mut self) {
        self.new.clear();
    }
}
