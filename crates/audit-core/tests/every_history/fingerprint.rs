//! The fingerprint of a state. States of one fingerprint have the same future.
//!
//! The fingerprint is a hash of the canonical form of a state. In it, times are counted from
//! now, readings of the clock of waits from its present reading, and generations by their
//! rank among those that still matter. What can have no effect any more is left out. Each
//! server and each series has a part of its own, and these parts are sorted, since nothing
//! depends on the names.
//!
//! A test checks for the states of the small scopes that their futures are the same.

use std::time::Duration;

use audit_core::{gate::SavedGate, ledger::SavedCounter};
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    fields::{Fields, Part, age, nanoseconds},
    process::{CommitUnderWay, Process},
    scope::Scope,
    state::{COUNTERS, Exporter, ScrapeStage, ServerName, State, TYPE, Values, changed},
};

/// Stands for a value that there is not.
pub(crate) const NONE: u64 = u64::MAX;

/// How far the stored clock of waits may be behind until a process commits.
const WAIT_TIME_KEPT: Duration = Duration::from_secs(30);

/// Computes fingerprints.
#[derive(Default)]
pub(crate) struct Fingerprinter {
    form: Form,
    fields: Fields,
    bytes: Vec<u8>,
}

/// The canonical form of a state.
#[derive(Default)]
pub(crate) struct Form {
    servers: [Vec<u64>; 2],
    series: [Vec<u64>; 2],
    rest: Vec<u64>,
    /// The part that is being written.
    pub(crate) part: Part,
    /// `true` if the second series comes first.
    is_swapped: bool,
}

impl Fingerprinter {
    /// Returns the fingerprint of `state`.
    pub(crate) fn of(&mut self, scope: &Scope, state: &State) -> u64 {
        let Self {
            form,
            fields,
            bytes,
        } = self;
        form.clear();
        match &state.exporter {
            Exporter::Down { ticks } => form.push(u64::from(*ticks)),
            Exporter::Up(process) => {
                fields.read(form, scope, state, process);
                form.process(scope, state, process);
            }
        }
        form.disk(scope, state);
        form.sort_series();
        form.servers(scope, state);
        if scope.is_symmetric() && form.servers[0] > form.servers[1] {
            form.servers.swap(0, 1);
        }
        bytes.clear();
        for part in form.servers.iter().chain(&form.series).chain([&form.rest]) {
            let length = part.len() as u64;
            let values = part.iter().chain([&length]);
            bytes.extend(values.flat_map(|value| value.to_le_bytes()));
        }
        xxh3_64(bytes)
    }
}

impl Form {
    pub(crate) fn push(&mut self, value: u64) {
        let part = match self.part {
            Part::Server(server) => &mut self.servers[server],
            Part::Series(series) => &mut self.series[series],
            Part::Rest => &mut self.rest,
        };
        part.push(value);
    }

    pub(crate) fn extend(&mut self, values: impl IntoIterator<Item = u64>) {
        values.into_iter().for_each(|value| self.push(value));
    }

    fn clear(&mut self) {
        self.servers.iter_mut().for_each(Vec::clear);
        self.series.iter_mut().for_each(Vec::clear);
        self.rest.clear();
        self.part = Part::Rest;
    }

    /// Writes what the test itself keeps of a process.
    fn process(&mut self, scope: &Scope, state: &State, process: &Process) {
        let flags = [process.is_last_call, process.has_committed];
        self.extend(flags.map(u64::from));
        self.since(process.last_recorded, state.now);
        self.counters(&process.shown);
        match &process.standstill {
            None => self.push(NONE),
            Some(standstill) => {
                self.since(standstill.since, state.now);
                self.counters(&standstill.decided);
                self.push(standstill.gate_timeouts);
            }
        }
        if let Some(commit) = &process.under_way {
            self.commit(scope, commit);
        }
    }

    fn commit(&mut self, scope: &Scope, commit: &CommitUnderWay) {
        self.push(u64::from(commit.is_durable));
        self.push(commit.changes.gate_timeouts);
        for (place, saved) in changed(&commit.changes) {
            self.part = part_of(place);
            self.counter(&saved, commit.gate.wait_time);
        }
        self.part = Part::Rest;
        self.saved_gate(scope, &commit.gate);
    }

    fn counter(&mut self, counter: &SavedCounter, wait_time: Duration) {
        let SavedCounter {
            total,
            published,
            first_value,
            waits_since,
        } = *counter;
        self.extend([total, published, first_value as u64]);
        self.since(waits_since, wait_time);
    }

    fn saved_gate(&mut self, scope: &Scope, gate: &SavedGate) {
        self.push(u64::from(gate.was_scraped));
        for server in ServerName::ALL {
            self.part = Part::Server(server.place());
            let mut scrapers = gate.scrapers.iter();
            let scraper = scrapers.find(|scraper| scraper.id.0 == server.place() as u64);
            match scraper {
                None => self.push(NONE),
                Some(scraper) => {
                    let interval = scraper.interval.map_or(NONE, nanoseconds);
                    self.extend([scraper.product, scraper.target, interval]);
                    if scope.absences > 0 {
                        self.push(nanoseconds(scraper.unseen_for));
                    }
                }
            }
        }
        self.part = Part::Rest;
    }

    /// Writes everything outside the process, except the servers.
    fn disk(&mut self, scope: &Scope, state: &State) {
        let disk = &state.disk;
        self.extend([
            u64::from(state.phase),
            u64::from(state.name),
            disk.gate_timeouts,
        ]);
        self.extend(state.spent.all());
        self.saved_gate(scope, &disk.gate);
        // The time between two processes counts as a time of waiting, unless it is very long.
        let stored_for = state.since(disk.stored_at);
        let (wait, matters) = match scope.outages {
            0 => (stored_for, WAIT_TIME_KEPT),
            _ => (Duration::ZERO, Duration::MAX),
        };
        let wait_time = disk.gate.wait_time + wait;
        for place in 0..COUNTERS {
            self.part = part_of(place);
            match &disk.counters[place] {
                Some(counter) => self.counter(counter, wait_time),
                None => self.push(NONE),
            }
            self.since(state.waiting[place], state.now);
        }
        self.part = Part::Rest;
        if state.waiting.iter().any(Option::is_some) {
            self.since(Some(Duration::ZERO), stored_for.min(matters));
        }
    }

    fn sort_series(&mut self) {
        self.is_swapped = self.series[0] > self.series[1];
        if self.is_swapped {
            self.series.swap(0, 1);
        }
    }

    fn servers(&mut self, scope: &Scope, state: &State) {
        let may_miss = state.spent.lost < scope.lost || state.spent.cut < scope.cut;
        for name in ServerName::ALL {
            let server = &state.servers[name.place()];
            self.part = Part::Server(name.place());
            let has_missed = server.has_missed && may_miss && !state.may_miss_again(name);
            // It has an effect at the end of a last call.
            let has_lost = server.has_lost_recorded && scope.last_calls > 0;
            let scrape = match server.scrape {
                ScrapeStage::Ended => 0,
                ScrapeStage::Due => 1,
                ScrapeStage::Announced => 2,
                ScrapeStage::Answered(_) => 3,
            };
            self.push(scrape);
            self.extend([server.is_away, has_missed, has_lost].map(u64::from));
            self.since(server.left, state.now);
            if state.spent.absences < scope.absences {
                self.since(server.recorded, state.now);
            }
            let made = server.answer().and_then(|answer| answer.values);
            for values in [server.last, server.before_rename, made] {
                match values {
                    Some(values) => self.values(&values),
                    None => self.push(NONE),
                }
            }
            self.values(&server.unseen.map(Some));
        }
    }

    /// Writes a value of each counter into the part of the counter.
    fn counters(&mut self, values: &Values) {
        for (place, value) in values.iter().enumerate() {
            self.part = part_of(place);
            self.push(value.unwrap_or(NONE));
        }
        self.part = Part::Rest;
    }

    /// Writes a value of each counter, in the order of the sorted series.
    fn values(&mut self, values: &Values) {
        let [a, b, of_type] = values.map(|value| value.unwrap_or(NONE));
        let [first, second] = if self.is_swapped { [b, a] } else { [a, b] };
        self.extend([first, second, of_type]);
    }

    fn since(&mut self, time: Option<Duration>, now: Duration) {
        self.push(time.map_or(NONE, |time| age(nanoseconds(now), nanoseconds(time))));
    }
}

fn part_of(counter: usize) -> Part {
    if counter == TYPE {
        Part::Rest
    } else {
        Part::Series(counter)
    }
}
