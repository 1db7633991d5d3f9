//! The part of the canonical form that the fields of the gate and the ledger have.

use std::time::Duration;

use audit_core::gate::LONGEST_ABSENCE;

use crate::{
    debug_text::{Rule, Token, hash},
    fingerprint::{Form, NONE},
    process::Process,
    scope::Scope,
    state::{NAMES, State},
};

/// Ages above this are alike, since it is longer than any time that the gate waits.
const LONGEST_AGE: Duration = Duration::from_secs(LONGEST_ABSENCE.as_secs() + 1);
/// Numbers of scrapes above this are alike.
const MANY_SCRAPES: u64 = 2;
/// The number of gaps that the gate keeps of a scraper, and again of its connection.
const GAPS_KEPT: usize = 2 * 8;
/// More gaps than the gate keeps.
const MANY_GAPS: usize = 100;

/// A part of the canonical form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Part {
    Server(usize),
    Series(usize),
    #[default]
    Rest,
}

/// The fields that are taken up once others are known.
#[derive(Default)]
pub(crate) struct Fields {
    uptime: u64,
    wait_time: u64,
    /// The interval at which the servers scrape.
    interval: u64,
    /// The number of gaps that can still be longer than the interval.
    odd_to_come: usize,
    /// `true` if a server can stay away for as long as the gate waits for it.
    can_be_away: bool,
    /// `true` if every scraper has seen the counter that is being read.
    is_seen: bool,
    first_after_silence: u64,
    /// The generations that first showed the counters that not every scraper has seen.
    shown_in: Vec<(Part, u64)>,
    /// The generations that were served, each followed by the time of the first scrape.
    first_served: Vec<u64>,
    scrapers: [ScraperFields; 2],
}

#[derive(Default)]
struct ScraperFields {
    served: Vec<u64>,
    first_scrape: u64,
    last_scrape: u64,
    /// The stored and the learned interval, as far as they are known.
    intervals: Vec<u64>,
    /// The gaps of the scraper, and again as those of its connection.
    gaps: Vec<u64>,
    has_odd_gaps: bool,
    /// The number of scrapes, and what is known of the connection.
    others: Vec<u64>,
}

impl Fields {
    /// Writes the fields of the gate and the ledger into `form`.
    pub(crate) fn read(
        &mut self,
        form: &mut Form,
        scope: &Scope,
        state: &State,
        process: &Process,
    ) {
        let uptime = process.uptime(state.now);
        self.clear();
        self.uptime = nanoseconds(uptime);
        self.wait_time = nanoseconds(process.gate.wait_time(uptime));
        self.interval = nanoseconds(scope.tick * u32::from(scope.interval));
        self.can_be_away = scope.absences > 0;
        self.odd_to_come = match scope.absences {
            0 => usize::from(scope.cut - state.spent.cut),
            _ => MANY_GAPS,
        };
        for token in process.ledger.fields().iter().chain(process.gate.fields()) {
            match *token {
                Token::Number(value, rule) => self.number(form, value, rule),
                Token::Word(word, rule) => self.word(form, word, rule),
                Token::EndOfScraper => self.end_scraper(form),
                Token::EndOfCounter => form.part = Part::Rest,
            }
        }
        // The commit under way stores the clock of waits.
        let is_stored_next = process
            .under_way
            .as_ref()
            .is_some_and(|commit| !commit.is_durable);
        if process.ledger.pending() > 0 && !is_stored_next {
            form.push(u64::from(process.gate.has_unstored_wait(uptime)));
        }
        self.generations(form, state, process);
    }

    fn clear(&mut self) {
        self.shown_in.clear();
        self.first_served.clear();
        for scraper in &mut self.scrapers {
            let ScraperFields {
                served,
                intervals,
                gaps,
                others,
                ..
            } = scraper;
            for list in [served, intervals, gaps, others] {
                list.clear();
            }
            (scraper.first_scrape, scraper.last_scrape) = (0, 0);
            scraper.has_odd_gaps = false;
        }
    }

    fn number(&mut self, form: &mut Form, value: u64, rule: Rule) {
        match rule {
            Rule::Exact => form.push(value),
            Rule::Time => form.push(age(self.uptime, value)),
            Rule::Reading => form.push(age(self.wait_time, value)),
            // A counter that every scraper has seen does not wait for the gate.
            Rule::ShownIn if !self.is_seen => self.shown_in.push((form.part, value)),
            Rule::FirstServed => self.first_served.push(value),
            Rule::FirstAfterSilence => self.first_after_silence = value,
            Rule::Scraper => form.part = Part::Server(usize::from(value > 0)),
            _ => self.number_of_scraper(form, value, rule),
        }
    }

    fn number_of_scraper(&mut self, form: &mut Form, value: u64, rule: Rule) {
        let Part::Server(server) = form.part else {
            return;
        };
        let scraper = &mut self.scrapers[server];
        match rule {
            Rule::Served => scraper.served.push(value),
            Rule::FirstScrape => scraper.first_scrape = value,
            Rule::LastScrape => {
                scraper.last_scrape = value;
                form.push(age(self.uptime, value));
            }
            Rule::AbsenceBefore if self.can_be_away => form.push(value),
            Rule::Interval => scraper.intervals.push(value),
            Rule::Gaps => scraper.gaps.push(value),
            Rule::OddGaps => scraper.has_odd_gaps |= value > 0,
            Rule::Scrapes => scraper.others.push(value.min(MANY_SCRAPES)),
            Rule::ConnectionTime => scraper.others.push(age(self.uptime, value)),
            _ => {}
        }
    }

    fn word(&mut self, form: &mut Form, word: u64, rule: Rule) {
        const TRUE: u64 = hash(b"true");
        const SEEN: u64 = hash(b"Seen");
        const NO_TIME: u64 = hash(b"None");
        const SECOND_SERIES: u64 = hash(NAMES[1].as_bytes());
        match rule {
            Rule::Source => form.part = Part::Series(usize::from(word == SECOND_SERIES)),
            Rule::FirstValue => {
                self.is_seen = word == SEEN;
                form.push(word);
            }
            Rule::FirstAfterSilence if word == NO_TIME => self.first_after_silence = NONE,
            Rule::WasRunning => {
                form.push(word);
                // The end of the last silence has an effect until the gate runs.
                if word != TRUE {
                    let first = self.first_after_silence;
                    form.push(if first == NONE {
                        NONE
                    } else {
                        age(self.uptime, first)
                    });
                }
            }
            Rule::Exact | Rule::Time | Rule::Reading | Rule::Served => form.push(word),
            Rule::ShownIn if !self.is_seen => form.push(word),
            _ => {}
        }
    }

    /// Writes what the gate knows of the interval of a scraper. If the interval is known,
    /// and at most one gap can ever be longer, nothing can change what the gate knows.
    fn end_scraper(&mut self, form: &mut Form) {
        let Part::Server(server) = form.part else {
            return;
        };
        let scraper = &self.scrapers[server];
        let longer = scraper.gaps.iter().filter(|gap| **gap != self.interval);
        let is_steady = !scraper.has_odd_gaps && longer.count() / 2 + self.odd_to_come <= 1;
        let mut intervals = scraper.intervals.iter();
        let is_known =
            !scraper.intervals.is_empty() && intervals.all(|interval| *interval == self.interval);
        form.push(u64::from(is_steady && is_known));
        if !(is_steady && is_known) {
            form.push(scraper.gaps.len() as u64);
            if scraper.gaps.len() < GAPS_KEPT || !is_steady {
                form.extend(scraper.gaps.iter().copied());
            }
            form.extend(scraper.intervals.iter().chain(&scraper.others).copied());
            form.push(u64::from(scraper.has_odd_gaps));
            form.push(age(scraper.last_scrape, scraper.first_scrape));
            // For its first ten minutes, a process believes an interval that is stored.
            form.push(age(self.uptime, 0));
            form.push(u64::from(
                scraper.last_scrape <= nanoseconds(LONGEST_ABSENCE),
            ));
        }
        form.part = Part::Rest;
    }

    /// Writes the generations by their ranks among those that can still have an effect:
    /// those that first showed a counter that is not seen, the last that changed a value,
    /// and the present one.
    fn generations(&mut self, form: &mut Form, state: &State, process: &Process) {
        let mut all: Vec<u64> = self.shown_in.iter().map(|(_, shown)| *shown).collect();
        all.extend([process.generation, process.last_changed]);
        all.sort_unstable();
        all.dedup();
        let rank = |generation: u64| all.partition_point(|other| *other <= generation) as u64;
        form.extend([rank(process.generation), rank(process.last_changed)]);
        for (part, shown) in &self.shown_in {
            form.part = *part;
            let mut first_served = self.first_served.chunks_exact(2);
            let first = first_served.find(|first| first[0] >= *shown);
            form.extend([
                rank(*shown),
                first.map_or(NONE, |first| age(self.uptime, first[1])),
            ]);
        }
        form.part = Part::Rest;
        let newest = self.first_served.chunks_exact(2).next_back();
        form.push(newest.map_or(NONE, |newest| rank(newest[0])));
        for (server, scraper) in self.scrapers.iter().enumerate() {
            form.part = Part::Server(server);
            let other = &self.scrapers[1 - server];
            form.push(u64::from(scraper.first_scrape > other.last_scrape));
            form.extend(scraper.served.iter().map(|served| rank(*served)));
            let answer = state.servers[server].answer();
            form.push(answer.map_or(NONE, |answer| rank(answer.generation)));
        }
        form.part = Part::Rest;
    }
}

/// Returns the time since `time`, which is no longer than [`LONGEST_AGE`].
pub(crate) fn age(now: u64, time: u64) -> u64 {
    now.saturating_sub(time).min(nanoseconds(LONGEST_AGE))
}

/// Returns a span in nanoseconds.
pub(crate) fn nanoseconds(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(NONE)
}
