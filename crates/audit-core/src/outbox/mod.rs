//! The lines of the event log between counting and storing.
//!
//! A line is made when its event is counted, stored by the commit that counts the event,
//! and deleted from the store by a commit after it was written to the log. So the log has
//! a line for each counted event at least once, whenever the process ends, and a log that
//! cannot be written does not stop counting: its lines wait in the store, up to a bound.
//! A line beyond the bound is lost, and counted as such.
//!
//! The lines of one commit are in the order of creation, oldest first, although the API
//! lists the newest event first.

mod line;
mod stored_bytes;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use jiff::Timestamp;
use line::{EventLine, line};
use stored_bytes::StoredBytes;

/// The size of the lines of one commit from which on they are stored before others are added,
/// in bytes.
const FULL_BYTES: usize = 4 * 1024 * 1024;

/// A line of the event log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The place in the order of the log, from 1 without gaps.
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

/// The most that may wait of the lines of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitingLimit {
    /// The highest number of lines.
    pub lines: u64,
    /// The size from which on no line is added, in bytes.
    pub bytes: u64,
}

impl Default for WaitingLimit {
    /// Returns no limit.
    fn default() -> Self {
        Self {
            lines: u64::MAX,
            bytes: u64::MAX,
        }
    }
}

/// Lines that no commit has stored yet. The default keeps no event log.
#[derive(Debug, Clone, Default)]
pub struct Outbox {
    /// `None` if no event log is kept.
    content: Option<Content>,
    /// The name of the account, which begins each line.
    account: Option<Arc<str>>,
    /// The number of the last line in `new`, or of the last one that is stored.
    last: u64,
    /// The lines of commits that failed. Such a commit may be stored all the same, so its
    /// lines keep their numbers.
    new: Vec<Line>,
    /// The lines since the last commit, with the times of their events, in the order of
    /// counting.
    fresh: Vec<(Timestamp, String)>,
    written: Written,
    limit: WaitingLimit,
    stored: StoredBytes,
    /// The number of lines beyond the limit since [`Outbox::take_lost`].
    lost: u64,
    /// `true` if a loss was taken since the last line that was kept.
    is_losing: bool,
    /// The size of the lines in `new` and `fresh`, in bytes.
    bytes: usize,
    /// The number of lines since [`Outbox::take_cut`] of which parts are left out.
    cut: u64,
}

/// Lines that were lost, since as many waited as may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LostLines {
    /// The number of lines.
    pub lines: u64,
    /// `true` if a line was kept since the last loss.
    pub is_first: bool,
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
            fresh: Vec::new(),
            written,
            limit: WaitingLimit::default(),
            stored: StoredBytes::default(),
            lost: 0,
            is_losing: false,
            bytes: 0,
            cut: 0,
        }
    }

    /// Returns the outbox with a bound on the lines that are not written, of which `stored`
    /// bytes are stored already.
    #[must_use]
    pub fn with_limit(mut self, limit: WaitingLimit, stored: u64) -> Self {
        self.limit = limit;
        self.stored.add(self.last, stored);
        self
    }

    /// Returns `true` if an event log is kept.
    pub(crate) fn is_kept(&self) -> bool {
        self.content.is_some()
    }

    /// Adds the line of a counted event, given as the API wrote it. If as many lines wait as
    /// may, the line is lost.
    pub(crate) fn push(&mut self, json: &str, created_at: Timestamp) {
        let Some(content) = self.content else {
            return;
        };
        if self.is_at_limit() {
            self.lost += 1;
            return;
        }
        self.is_losing = false;
        let EventLine { text, is_cut } = line(json, content, self.account.as_deref());
        self.cut += u64::from(is_cut);
        self.bytes += text.len();
        self.fresh.push((created_at, text));
    }

    /// Returns `true` if as many lines wait as may.
    fn is_at_limit(&mut self) -> bool {
        let stored = self.stored.after(self.written.get());
        let bytes = u64::try_from(self.bytes).unwrap_or(u64::MAX);
        self.waiting() >= self.limit.lines || stored.saturating_add(bytes) >= self.limit.bytes
    }

    /// Returns the number of lines that are not written.
    fn waiting(&self) -> u64 {
        let fresh = u64::try_from(self.fresh.len()).unwrap_or(u64::MAX);
        (self.last + fresh).saturating_sub(self.written.get())
    }

    /// Returns what the next commit stores.
    pub(crate) fn lines(&self) -> Lines {
        let mut new = self.new.clone();
        new.extend(oldest_first(&self.fresh, self.last));
        Lines {
            new,
            written: self.written.get(),
        }
    }

    /// Keeps the lines of a commit that failed for the next one.
    pub(crate) fn reject(&mut self) {
        let lines = oldest_first(&std::mem::take(&mut self.fresh), self.last);
        self.last = lines.last().map_or(self.last, |line| line.number);
        self.new.extend(lines);
    }

    /// Returns the lines that were lost since the last call; `None` if none was.
    pub fn take_lost(&mut self) -> Option<LostLines> {
        let lines = std::mem::take(&mut self.lost);
        if lines == 0 {
            return None;
        }
        let is_first = !std::mem::replace(&mut self.is_losing, true);
        Some(LostLines { lines, is_first })
    }

    /// Returns `true` if the lines take so much memory that they are to be stored before
    /// others are added.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.bytes >= FULL_BYTES
    }

    /// Returns the number of lines since the last call of which parts are left out, since
    /// they would be longer than 64 KiB.
    pub fn take_cut(&mut self) -> u64 {
        std::mem::take(&mut self.cut)
    }

    /// Drops all lines, since a commit has stored them.
    pub(crate) fn confirm(&mut self) {
        self.reject();
        self.new.clear();
        let bytes = u64::try_from(self.bytes).unwrap_or(u64::MAX);
        self.stored.add(self.last, bytes);
        self.bytes = 0;
    }
}

/// Numbers lines in the order of the times of their events; the first has the number after
/// `last`. Times are whole seconds, and the API lists the newest event first; events of one
/// second come in the reverse order of such a list.
fn oldest_first(lines: &[(Timestamp, String)], last: u64) -> Vec<Line> {
    let mut sorted: Vec<_> = lines.iter().collect();
    let ends = lines.first().zip(lines.last());
    if ends.is_some_and(|(first, last)| first.0 > last.0) {
        sorted.reverse();
    }
    sorted.sort_by_key(|(created_at, _)| *created_at);
    let numbered = (last + 1..).zip(sorted);
    let numbered = numbered.map(|(number, (_, text))| Line {
        number,
        text: text.clone(),
    });
    numbered.collect()
}

#[cfg(test)]
mod tests;
