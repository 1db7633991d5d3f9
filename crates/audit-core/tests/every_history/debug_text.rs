//! Reads the fields of the gate and the ledger, which are private, from their `Debug` output.
//!
//! A field without a [`rule`] counts as it is written, so that a new field is not forgotten.
//! If such a field counts up, or is a time, a search has no end: give it a rule.

use std::{
    cell::RefCell,
    fmt::{Debug, Write as _},
    sync::{Arc, OnceLock},
};

thread_local! {
    /// The text that is read and its tokens, kept since allocating them takes time.
    static BUFFERS: RefCell<(String, Vec<Token>)> = RefCell::default();
}

/// A value, and its fields once they are read. Clones share both.
#[derive(Clone)]
pub(crate) struct WithFields<T> {
    value: Arc<T>,
    fields: OnceLock<Arc<[Token]>>,
}

impl<T: Debug + Clone> WithFields<T> {
    /// Wraps a value.
    pub(crate) fn new(value: T) -> Self {
        Self {
            value: Arc::new(value),
            fields: OnceLock::new(),
        }
    }

    /// Returns the value to change it.
    pub(crate) fn change(&mut self) -> &mut T {
        self.fields = OnceLock::new();
        Arc::make_mut(&mut self.value)
    }

    /// Returns the fields.
    pub(crate) fn fields(&self) -> &[Token] {
        self.fields.get_or_init(|| {
            BUFFERS.with_borrow_mut(|(text, tokens)| {
                text.clear();
                tokens.clear();
                let _ = write!(text, "{:?}", self.value);
                let mut reader = Reader {
                    text: text.as_bytes(),
                    place: 0,
                    tokens,
                };
                reader.value(Rule::Exact);
                tokens.as_slice().into()
            })
        })
    }
}

impl<T> std::ops::Deref for WithFields<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// A part of the `Debug` output.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Token {
    /// A number, or a duration in nanoseconds.
    Number(u64, Rule),
    /// The hash of a word, such as `true` or `None`.
    Word(u64, Rule),
    /// The end of a scraper.
    EndOfScraper,
    /// The end of a counter.
    EndOfCounter,
}

/// Returns the hash of a word.
pub(crate) const fn hash(word: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut place = 0;
    while place < word.len() {
        hash = (hash ^ word[place] as u64).wrapping_mul(0x0100_0000_01b3);
        place += 1;
    }
    hash
}

/// How a value is taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// As it is written.
    Exact,
    /// Not at all, since it has no effect or is taken up elsewhere.
    Skip,
    /// A time since the process started.
    Time,
    /// A reading of the clock of waits.
    Reading,
    /// The label by which two series differ. What follows is part of the series.
    Source,
    /// The generation that first showed a counter.
    ShownIn,
    /// Generations and the times at which they were first served.
    FirstServed,
    /// How far the scrapers have seen the first value of a counter.
    FirstValue,
    /// The end of the last silence, which has an effect until the gate runs.
    FirstAfterSilence,
    WasRunning,
    /// The identity of a scraper. What follows is part of the scraper.
    Scraper,
    /// The generations that a scraper was served.
    Served,
    /// The time of the first scrape of a scraper.
    FirstScrape,
    /// The time of the last scrape of a scraper.
    LastScrape,
    /// The time that a scraper was away before the process started.
    AbsenceBefore,
    /// What the gate knows of the interval of a scraper.
    Interval,
    /// The gaps between the scrapes of a scraper.
    Gaps,
    /// A bit for each gap that fits no interval.
    OddGaps,
    /// A number of scrapes, of which it matters only whether it is 0, 1 or more.
    Scrapes,
    /// The connections of a scraper, of which each server has one.
    Connections,
    /// The time of the last scrape over a connection.
    ConnectionTime,
}

/// Returns the rule for the field `name` of the type `of`.
fn rule(of: &[u8], name: &[u8]) -> Rule {
    match name {
        b"setting" | b"stored_wait_time" | b"reading" | b"cap" | b"values" => Rule::Skip,
        b"first_served" => Rule::FirstServed,
        b"first_after_silence" => Rule::FirstAfterSilence,
        b"was_running" => Rule::WasRunning,
        b"last_scrape" if of == b"Scraper" => Rule::LastScrape,
        b"last_scrape" if of == b"ScraperConnection" => Rule::ConnectionTime,
        b"last_scrape" | b"at" => Rule::Time,
        b"first_scrape" => Rule::FirstScrape,
        b"absence_before" => Rule::AbsenceBefore,
        b"saved_interval" | b"learned_interval" | b"shown_interval" => Rule::Interval,
        b"latest" if of == b"Gaps" => Rule::Gaps,
        // They are those of `latest`.
        b"sorted" if of == b"Gaps" => Rule::Skip,
        b"odd" if of == b"Gaps" => Rule::OddGaps,
        b"served" => Rule::Served,
        b"scrapes" => Rule::Scrapes,
        b"connections" => Rule::Connections,
        // Each server has one connection.
        b"number" if of == b"ScraperConnection" => Rule::Skip,
        b"source" => Rule::Source,
        // The counters say it themselves.
        b"unsettled" if of == b"Series" => Rule::Skip,
        b"shown_in" => Rule::ShownIn,
        b"first_value" => Rule::FirstValue,
        b"waits_since" => Rule::Reading,
        _ => Rule::Exact,
    }
}

/// Reads the `Debug` output of a value.
struct Reader<'t, 'v> {
    text: &'t [u8],
    place: usize,
    tokens: &'v mut Vec<Token>,
}

impl<'t> Reader<'t, '_> {
    fn peek(&self) -> u8 {
        self.text.get(self.place).copied().unwrap_or(0)
    }

    /// Moves past `expected` and a space after it, if it comes next.
    fn take(&mut self, expected: u8) -> bool {
        let found = self.peek() == expected;
        if found {
            self.place += 1;
            if self.peek() == b' ' {
                self.place += 1;
            }
        }
        found
    }

    /// Returns the letters and digits that come next.
    fn word(&mut self) -> &'t [u8] {
        let rest = &self.text[self.place..];
        let is_part =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | 0x80..);
        let length = rest
            .iter()
            .position(|byte| !is_part(byte))
            .unwrap_or(rest.len());
        self.place += length;
        &rest[..length]
    }

    fn push_word(&mut self, word: &[u8], rule: Rule) {
        if rule != Rule::Skip {
            self.tokens.push(Token::Word(hash(word), rule));
        }
    }

    /// Reads one value.
    fn value(&mut self, rule: Rule) {
        match self.peek() {
            b'[' => self.all(b']', rule),
            b'(' => self.all(b')', rule),
            b'{' => self.all(b'}', rule),
            b'"' => {
                let rest = &self.text[self.place + 1..];
                let length = rest
                    .iter()
                    .position(|byte| *byte == b'"')
                    .expect("the end of a text");
                self.place += length + 2;
                self.push_word(&rest[..length], rule);
            }
            b'0'..=b'9' => {
                let number = parse(self.word());
                if rule != Rule::Skip {
                    self.tokens.push(Token::Number(number, rule));
                }
            }
            _ => self.named(rule),
        }
    }

    /// Reads all values up to `end`, or all keys and values of a map.
    fn all(&mut self, end: u8, rule: Rule) {
        self.place += 1;
        while !self.take(end) {
            self.value(rule);
            let _ = self.take(b':') || self.take(b',');
        }
        self.push_word(b"end", rule);
    }

    /// Reads a word, a tuple with a name, or a struct.
    fn named(&mut self, rule: Rule) {
        let name = self.word();
        assert!(
            !name.is_empty(),
            "a value at {} of {}",
            self.place,
            String::from_utf8_lossy(self.text)
        );
        match self.peek() {
            b'(' => {
                let rule = if name == b"ScraperId" {
                    Rule::Scraper
                } else {
                    rule
                };
                self.push_word(name, rule);
                self.all(b')', rule);
            }
            b' ' if self.text.get(self.place + 1) == Some(&b'{') => {
                self.place += 1;
                self.fields(name);
            }
            _ => self.push_word(name, rule),
        }
    }

    fn fields(&mut self, of: &[u8]) {
        self.take(b'{');
        while !self.take(b'}') {
            let name = self.word();
            self.take(b':');
            self.value(rule(of, name));
            if !self.take(b',') {
                self.take(b' ');
            }
        }
        match of {
            b"Scraper" => self.tokens.push(Token::EndOfScraper),
            b"Counter" => self.tokens.push(Token::EndOfCounter),
            _ => {}
        }
    }
}

/// Returns a number, or a duration in nanoseconds.
fn parse(word: &[u8]) -> u64 {
    let is_digit = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let digits = word
        .iter()
        .position(|byte| !is_digit(byte))
        .unwrap_or(word.len());
    let (number, unit) = word.split_at(digits);
    let mut weight = match unit {
        b"" | b"ns" => 1,
        b"ms" => 1_000_000,
        b"s" => 1_000_000_000,
        other => panic!("the unit {:?}", String::from_utf8_lossy(other)),
    };
    let digit = |byte: &u8| u64::from(byte - b'0');
    let mut parts = number.split(|byte| *byte == b'.');
    let whole = parts.next().unwrap_or_default();
    let mut value = whole.iter().fold(0, |value, byte| value * 10 + digit(byte)) * weight;
    for byte in parts.next().unwrap_or_default() {
        weight /= 10;
        value += digit(byte) * weight;
    }
    value
}
