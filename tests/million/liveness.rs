//! The claims about how long a count waits, by a clock of the test's own.

use std::collections::BTreeMap;

use audit_core::{
    account::Commit,
    gate::{LONGEST_ABSENCE, ScrapeInterval},
    ledger::{SavedCounter, SeriesKey},
};

use crate::{
    clock::{MINUTE, Ms, SECOND},
    plan::{Plan, hold},
    sample::{series_name, type_name},
};

/// How much later than claimed a count may be stored as shown: a look at the gate each
/// second, also while a poll waits for the API, and a commit of up to 3 s.
const SLACK: Ms = 7 * SECOND;
/// How much longer than two H a new series may wait because of strangers: a single request
/// makes it wait for 70 s after it was first served.
const STRANGER: Ms = 75 * SECOND;
/// How long a new series may wait because of a stranger that came twice: for 130 s after the
/// series was first served.
const STRANGER_TWICE: Ms = 145 * SECOND;
/// How much of a wait may not be counted each time that the clock of the machine jumps, or
/// the exporter is down for longer than 10 minutes: what was not stored.
const UNSTORED_WAIT: Ms = 45 * SECOND;

/// The longest interval that the gate learns.
const LONGEST_INTERVAL: Ms = 5 * MINUTE;
/// How long the exporter waits before it tries again to store what could not be stored.
const RETRY: Ms = 62 * SECOND;

/// The circumstances of a stretch of time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Circumstances {
    /// `true` if the process runs and publishes.
    pub(crate) is_up: bool,
    /// When a server was last answered.
    pub(crate) last_answer: Option<Ms>,
}

/// The readings of the clocks at one moment.
#[derive(Debug, Clone, Copy, Default)]
struct Moment {
    effective: Ms,
    now: Ms,
}

/// The counts that wait to be shown.
pub(crate) struct Liveness {
    /// The longest H that the gate may have, and the longest while nothing is unusual. Both
    /// are longer if the gate learns a longer interval from the scrapes that a server missed.
    longest_hold: Ms,
    usual_hold: Ms,
    learns: bool,
    shortest_hold: Ms,
    /// The time in which the exporter could show a count: the process runs, the disk works,
    /// and a server was answered within the shortest H. Of a longer time without a scrape
    /// the gate counts no more than the H of that time.
    effective: Ms,
    /// When the last commit failed; `None` if it did not.
    failed: Option<Ms>,
    /// When the last commit was begun, or the process was started.
    begun: Moment,
    /// How much of the waits may not be counted.
    unstored: Ms,
    /// The last moment at which something kept the gate from publishing soon: the exporter
    /// was down, a commit failed, or a server was away.
    disturbed: Ms,
    counters: BTreeMap<String, ShownCounter>,
    waits: BTreeMap<String, Wait>,
    pub(crate) longest: LongestWaits,
}

/// The longest waits, in effective time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LongestWaits {
    /// Of a series that was seen.
    pub(crate) seen: Ms,
    /// Of a new series.
    pub(crate) new: Ms,
    /// Of a new series, in a time in which nothing else than strangers made it wait.
    pub(crate) calm: Ms,
    /// The number of the latter waits.
    pub(crate) calm_waits: u64,
}

/// What is durable of a counter.
#[derive(Debug, Clone, Copy, Default)]
struct ShownCounter {
    published: u64,
    /// The effective time at which every server had seen its first value; `None` for a new
    /// series.
    seen: Option<Ms>,
}

/// The counts of one counter that wait.
#[derive(Debug, Clone, Default)]
struct Wait {
    /// Each durable total, with the effective time and the time since which it was.
    totals: Vec<(u64, Ms, Ms)>,
    seen: Option<Ms>,
    /// When it was noticed that the first of them waits for too long.
    overdue: Option<Moment>,
}

impl Liveness {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            longest_hold: plan.longest_hold(),
            usual_hold: plan.usual_hold(),
            learns: plan.polls.scrape_interval == ScrapeInterval::Learned,
            shortest_hold: plan.shortest_hold(),
            effective: 0,
            failed: None,
            begun: Moment::default(),
            unstored: 0,
            disturbed: 0,
            counters: BTreeMap::new(),
            waits: BTreeMap::new(),
            longest: LongestWaits::default(),
        }
    }

    /// Advances the clock from `from` to `to`.
    pub(crate) fn advance(&mut self, from: Ms, to: Ms, circumstances: Circumstances) {
        let Circumstances { is_up, last_answer } = circumstances;
        let Some(last_answer) = last_answer.filter(|_| is_up) else {
            return;
        };
        let from = self.failed.map_or(from, |failed| from.max(failed + RETRY));
        self.effective += (to.min(last_answer + self.shortest_hold) - from).max(0);
    }

    /// Records that a server was answered `gap` after its last answer.
    pub(crate) fn answer(&mut self, gap: Ms) {
        if self.learns {
            let learned = hold(gap.min(LONGEST_INTERVAL));
            self.longest_hold = self.longest_hold.max(learned);
            self.usual_hold = self.usual_hold.max(learned);
        }
    }

    /// Records that a process was started.
    pub(crate) fn start(&mut self, down: Ms, now: Ms) {
        self.begun = self.moment(now);
        self.failed = None;
        if down > 10 * MINUTE {
            self.unstored += UNSTORED_WAIT;
        }
    }

    /// Records that the clock of the machine has jumped.
    pub(crate) fn clock_jumps(&mut self) {
        self.unstored += UNSTORED_WAIT;
    }

    fn moment(&self, now: Ms) -> Moment {
        Moment {
            effective: self.effective,
            now,
        }
    }

    /// Records that something keeps the gate from publishing soon.
    pub(crate) fn disturb(&mut self, now: Ms) {
        self.disturbed = now;
    }

    /// Forgets all counters, since an older copy of the disk was put back.
    pub(crate) fn reset(&mut self) {
        self.counters.clear();
        self.waits.clear();
    }

    /// Records that a commit was begun. Checks that a count of a series that was seen does
    /// not wait while nothing keeps the gate from publishing it.
    pub(crate) fn begin(&mut self, commit: &Commit, now: Ms) -> Result<(), String> {
        let retried = self.failed.take().map(|failed| now.min(failed + RETRY));
        self.disturbed = self.disturbed.max(retried.unwrap_or(0));
        self.begun = self.moment(now);
        let calm = now - self.disturbed;
        if calm <= self.usual_hold * 2 + SLACK {
            return Ok(());
        }
        let waits = |(name, saved): &(String, SavedCounter)| {
            let counter = self.counters.get(name);
            saved.published < saved.total && counter.is_some_and(|counter| counter.seen.is_some())
        };
        match changes(commit).find(waits) {
            None => Ok(()),
            Some((name, _)) => Err(format!(
                "{name} waits in a calm of {calm} ms, although it was seen"
            )),
        }
    }

    /// Records the outcome of a commit that is not stored, or is reported as failed.
    pub(crate) fn fail(&mut self, now: Ms) {
        self.failed = Some(now);
        self.disturb(now);
    }

    /// Records that a commit is durable. Checks that it shows what has waited for too long.
    pub(crate) fn store(&mut self, commit: &Commit, now: Ms) -> Result<(), String> {
        for (name, saved) in changes(commit) {
            self.change(name, saved, now);
        }
        for (name, wait) in &self.waits {
            if let Some((over, why)) = self.overdue(wait, self.begun)
                && over > SLACK
            {
                return Err(format!(
                    "{name} is held for {over} ms too long, {why}: {wait:?}"
                ));
            }
        }
        Ok(())
    }

    fn change(&mut self, name: String, saved: SavedCounter, now: Ms) {
        let counter = self.counters.entry(name.clone()).or_default();
        counter.published = counter.published.max(saved.published);
        let published = counter.published;
        let mut wait = self.waits.remove(&name).unwrap_or_default();
        let newest = wait.totals.last().map_or(published, |(total, ..)| *total);
        if saved.total > newest {
            wait.totals.push((saved.total, self.effective, now));
        }
        let shown = wait.totals.iter();
        let shown = shown.take_while(|(total, ..)| *total <= published).count();
        for (_, since, at) in wait.totals.drain(..shown) {
            let waited = self.effective - since;
            self.longest
                .record(waited, wait.seen.is_some(), at > self.disturbed);
        }
        // What a commit said that is reported as failed is decided again.
        let seen = counter.seen.unwrap_or(self.effective);
        counter.seen = (!saved.first_value.is_new()).then_some(seen);
        wait.seen = counter.seen;
        if !wait.totals.is_empty() {
            self.waits.insert(name, wait);
        }
    }

    /// Checks that the process tries to show what has waited for too long.
    pub(crate) fn check(&mut self, now: Ms) -> Result<(), String> {
        let moment = self.moment(now);
        let mut waits = std::mem::take(&mut self.waits);
        let mut checked = waits.iter_mut();
        let checked = checked.try_for_each(|(name, wait)| self.check_wait(name, wait, moment));
        self.waits = waits;
        checked
    }

    fn check_wait(&self, name: &str, wait: &mut Wait, now: Moment) -> Result<(), String> {
        let overdue = self.overdue(wait, now).filter(|(over, _)| *over > 0);
        let Some((over, why)) = overdue else {
            wait.overdue = None;
            return Ok(());
        };
        let since = *wait.overdue.get_or_insert(now);
        let waited = now.effective - since.effective.max(self.begun.effective);
        if waited <= SLACK {
            return Ok(());
        }
        Err(format!(
            "{name} waits for {over} ms too long, {why}, and no commit was begun for {waited} ms: {wait:?}"
        ))
    }

    /// Returns by how much a wait is too long, and by which claim.
    fn overdue(&self, wait: &Wait, at: Moment) -> Option<(Ms, &'static str)> {
        let (_, since, counted) = wait.totals.first()?;
        let longest = (self.usual_hold * 2 + STRANGER).max(STRANGER_TWICE);
        let failed = self.failed.map_or(0, |failed| at.now.min(failed + RETRY));
        let calm = at.now - self.disturbed.max(*counted).max(failed) - longest;
        let bounded = at.effective - self.latest(*since, wait.seen);
        let claims = [(calm, "in a calm"), (bounded, "in spite of the bound")];
        claims.into_iter().max()
    }

    /// Returns until when a count may wait, in effective time: 10 minutes from when it was
    /// counted, or two H if its series was seen.
    fn latest(&self, since: Ms, seen: Option<Ms>) -> Ms {
        let absence = Ms::try_from(LONGEST_ABSENCE.as_millis()).unwrap_or(Ms::MAX);
        // A series may be seen only after 10 minutes, if its first value is not shown before
        // the history is counted.
        let latest = seen.map_or(since + absence, |seen| {
            seen.max(since + 2 * self.longest_hold)
        });
        latest + self.unstored
    }
}

impl LongestWaits {
    fn record(&mut self, waited: Ms, is_seen: bool, is_calm: bool) {
        if is_seen {
            self.seen = self.seen.max(waited);
            return;
        }
        self.new = self.new.max(waited);
        if is_calm {
            self.calm = self.calm.max(waited);
            self.calm_waits += u64::from(waited > 0);
        }
    }
}

/// Returns the counters that a commit changes.
fn changes(commit: &Commit) -> impl Iterator<Item = (String, SavedCounter)> {
    let series = commit.changes.series.iter();
    let series = series.map(|change| {
        let key: &SeriesKey = &change.key;
        (series_name(&key.labels()), change.saved)
    });
    let types = commit.changes.types.iter();
    series.chain(types.map(|change| (type_name(&change.key), change.saved)))
}
