//! A model of the disk, where a commit may fail before or after it is durable.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use audit_core::{
    account::{Account, Commit, Stage},
    event::TypeFilter,
    gate::SavedGate,
    ledger::{Exemplar, Ledger, SavedCounter, SeriesKey},
    outbox::Outbox,
    window::{Ids, Remembered, SavedWindow, Window},
};
use nexmo_audit_exporter::poller::Storage;

use crate::{
    api::Beginning,
    clock::{Ms, SECOND, shown},
    mutant::Mutant,
    plan::{Plan, StrangerPlan},
    sample::{Sample, series_name, type_name},
    world::{Shared, World},
};

/// The series cap, above the number of series in any history.
pub(crate) const MAX_SERIES: usize = 1000;

/// The durable state, and what is checked against it.
#[derive(Clone, Default)]
pub(crate) struct Disk {
    account: Option<Stored>,
    /// The state of the gate, and the local time at which it was stored.
    gate: (SavedGate, Ms),
    /// The durable published values, which may be shown.
    pub(crate) published: Sample,
    /// The durable totals.
    pub(crate) totals: Sample,
    /// The highest published value of each series in any commit that was begun.
    pub(crate) decided: Sample,
    /// `true` if the last commit that is durable was reported as failed.
    pub(crate) is_ahead: bool,
    /// The commit that is not stored yet, under [`Mutant::ShowBeforeCommit`].
    unstored_commit: Option<(Arc<Commit>, Arc<SavedGate>)>,
}

#[derive(Clone)]
struct Stored {
    stage: Stage,
    window: SavedWindow,
    ids: Vec<Remembered>,
    series: BTreeMap<SeriesKey, (SavedCounter, Option<Exemplar>)>,
    types: BTreeMap<String, (SavedCounter, Option<Exemplar>)>,
    gate_timeouts: u64,
}

impl Disk {
    pub(crate) fn is_empty(&self) -> bool {
        self.account.is_none()
    }

    /// Returns `true` if all of the history is counted.
    pub(crate) fn is_whole(&self) -> bool {
        let account = self.account.as_ref();
        account.is_some_and(|stored| stored.stage.caught_up)
    }

    /// Returns what is stored of the gate, as it was stored.
    pub(crate) fn stored_gate(&self) -> &SavedGate {
        &self.gate.0
    }

    /// Returns the account as a process that starts now finds it.
    pub(crate) fn account(&self, plan: &Plan) -> Option<Account> {
        let stored = self.account.as_ref()?;
        let mut ledger = Ledger::new(MAX_SERIES);
        let restored = |saved: SavedCounter| match plan.mutant {
            Some(Mutant::WaitsInMemory) => SavedCounter {
                waits_since: None,
                ..saved
            },
            _ => saved,
        };
        if plan.mutant != Some(Mutant::CountersInMemory) {
            for (key, (saved, latest)) in &stored.series {
                ledger.restore_series(&key.labels(), restored(*saved), latest.clone());
            }
            for (name, (saved, latest)) in &stored.types {
                ledger.restore_type(name, restored(*saved), latest.clone());
            }
        }
        ledger.restore_gate_timeouts(stored.gate_timeouts);
        Some(Account {
            window: Window::restore(plan.window(), stored.window),
            ledger,
            outbox: Outbox::default(),
            filter: TypeFilter::default(),
            stage: stored.stage,
        })
    }

    /// Returns what is stored of the gate, by a wall clock that may have been set since.
    pub(crate) fn gate(&self, world: &World) -> SavedGate {
        let (gate, stored_at) = &self.gate;
        let away = u64::try_from(world.local() - stored_at).unwrap_or(0);
        let away = Duration::from_millis(away);
        let mut gate = SavedGate {
            away,
            taken: Duration::ZERO,
            ..gate.clone()
        };
        match world.plan.mutant {
            Some(Mutant::ScrapersInMemory) => gate.scrapers.clear(),
            Some(Mutant::WaitsInMemory) => gate.wait_time = Duration::ZERO,
            Some(Mutant::StrangersAreServers) => {
                let strangers = world.plan.strangers.iter();
                gate.scrapers.extend(strangers.map(StrangerPlan::as_server));
            }
            _ => {}
        }
        gate
    }

    /// Returns `true` if the commit shows a higher value of any counter.
    fn is_raised_by(&self, commit: &Commit) -> bool {
        let mut series = commit.changes.series.iter();
        series.any(|change| {
            let before = self.published.get(&series_name(&change.key.labels()));
            before.is_none_or(|before| *before < change.saved.published)
        })
    }

    /// Returns the number of events that a bound let through; see
    /// [`Changes::gate_timeouts`](audit_core::ledger::Changes::gate_timeouts).
    pub(crate) fn gate_timeouts(&self) -> u64 {
        self.account
            .as_ref()
            .map_or(0, |stored| stored.gate_timeouts)
    }

    /// Forgets what is not durable, since the process died.
    pub(crate) fn crash(&mut self) {
        self.unstored_commit = None;
    }

    fn store_window(&mut self, commit: &Commit) {
        let stored = self.account.get_or_insert_with(|| Stored {
            stage: commit.stage,
            window: commit.window,
            ids: Vec::new(),
            series: BTreeMap::new(),
            types: BTreeMap::new(),
            gate_timeouts: 0,
        });
        stored.window = commit.window;
        stored.ids.extend_from_slice(&commit.ids);
        let floor = commit.window.floor;
        stored.ids.retain(|remembered| remembered.time >= floor);
    }

    fn store(&mut self, commit: &Commit, gate: &SavedGate, (local, mutant): (Ms, Option<Mutant>)) {
        self.store_window(commit);
        self.gate = (gate.clone(), local);
        let Some(stored) = &mut self.account else {
            return;
        };
        stored.stage = commit.stage;
        if mutant != Some(Mutant::TimeoutsInMemory) {
            stored.gate_timeouts = commit.changes.gate_timeouts;
        }
        for change in &commit.changes.series {
            let counter = (change.saved, change.latest.clone());
            stored.series.insert(change.key.clone(), counter);
            let name = series_name(&change.key.labels());
            self.totals.insert(name.clone(), change.saved.total);
            self.published.insert(name, change.saved.published);
        }
        for change in &commit.changes.types {
            let counter = (change.saved, change.latest.clone());
            stored.types.insert(change.key.to_string(), counter);
            let name = type_name(&change.key);
            self.totals.insert(name.clone(), change.saved.total);
            self.published.insert(name, change.saved.published);
        }
    }

    fn decide(&mut self, commit: &Commit) {
        let mut raise = |name: String, saved: SavedCounter| {
            let decided = self.decided.entry(name).or_default();
            *decided = (*decided).max(saved.published);
        };
        for change in &commit.changes.series {
            raise(series_name(&change.key.labels()), change.saved);
        }
        for change in &commit.changes.types {
            raise(type_name(&change.key), change.saved);
        }
    }
}

/// The error of a commit.
#[derive(Debug, thiserror::Error)]
#[error("no space left on device")]
pub(crate) struct DiskFull;

/// The account on the disk of the simulated world, as the poller uses it.
pub(crate) struct StoredAccount(pub(crate) Shared);

/// The outcome of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CommitOutcome {
    Durable,
    FailsBefore,
    /// The commit is durable, and the process is told that it failed.
    FailsAfter,
}

impl Storage for StoredAccount {
    type Error = DiskFull;

    async fn ids(&mut self, mut ids: Ids) -> Result<Ids, DiskFull> {
        let Self(world) = self;
        let world = world.lock();
        if world.plan.mutant != Some(Mutant::IdsInMemory) {
            let stored = world.disk.account.as_ref();
            ids.restore(stored.iter().flat_map(|stored| stored.ids.iter().copied()));
        }
        Ok(ids)
    }

    async fn commit(&mut self, commit: Arc<Commit>, gate: Arc<SavedGate>) -> Result<(), DiskFull> {
        let Self(world) = self;
        let (before, after, mutant) = begin(&mut world.lock(), &commit);
        // The store reads the clock before it begins to write.
        let local = world.lock().local();
        match mutant {
            Some(Mutant::ShowBeforeCommit) => {
                let unstored_commit = world.lock().disk.unstored_commit.replace((commit, gate));
                if let Some((commit, gate)) = unstored_commit {
                    store(&mut world.lock(), &commit, &gate, local);
                }
                world.lock().is_in_commit = false;
                return Ok(());
            }
            Some(Mutant::WindowFirst) => {
                store_window_first(&mut world.lock(), &commit);
                world.sleep(2 * SECOND).await;
            }
            _ => {}
        }
        world.crash_point("before a commit").await;
        world.sleep(before).await;
        let outcome = draw_outcome(&mut world.lock());
        let steps = world.lock().disk.is_raised_by(&commit);
        if outcome != CommitOutcome::FailsBefore {
            store(&mut world.lock(), &commit, &gate, local);
            world
                .crash_point("after a commit, before it is shown")
                .await;
        }
        world.sleep(after).await;
        end(&mut world.lock(), outcome, steps)
    }
}

fn end(world: &mut World, outcome: CommitOutcome, steps: bool) -> Result<(), DiskFull> {
    world.log(|| format!("commit: {outcome:?}"));
    world.is_in_commit = false;
    if outcome == CommitOutcome::Durable {
        world.disk.is_ahead = false;
        world.has_stepped |= steps;
        return Ok(());
    }
    world.disk.is_ahead |= outcome == CommitOutcome::FailsAfter;
    world.tally.commits_failed += 1;
    world.liveness.fail(world.now);
    Err(DiskFull)
}

fn store_window_first(world: &mut World, commit: &Commit) {
    begin_counting(world, commit);
    world.disk.store_window(commit);
}

fn begin(world: &mut World, commit: &Commit) -> (Ms, Ms, Option<Mutant>) {
    world.tally.commits += 1;
    world.is_in_commit = true;
    world.disk.decide(commit);
    if let Err(claim) = world.liveness.begin(commit, world.now) {
        world.report_broken(claim);
    }
    let slowest = world.plan.disk.slowest;
    let before = world.rng.i64(0..=slowest);
    let after = world.rng.i64(0..=slowest);
    (before, after, world.plan.mutant)
}

fn draw_outcome(world: &mut World) -> CommitOutcome {
    let disk = &world.plan.disk;
    let full = disk.full.iter().any(|span| span.contains(&world.now));
    let (before, after) = (disk.fails_before, disk.fails_after);
    if !world.is_calm && full || world.happens(before) {
        CommitOutcome::FailsBefore
    } else if world.happens(after) {
        CommitOutcome::FailsAfter
    } else {
        CommitOutcome::Durable
    }
}

fn store(world: &mut World, commit: &Commit, gate: &SavedGate, local: Ms) {
    let before = world.disk.totals.clone();
    begin_counting(world, commit);
    let mutant = world.plan.mutant;
    world.disk.store(commit, gate, (local, mutant));
    world.log(|| trace(commit, gate));
    world.update_recorded();
    let waits = world.liveness.store(commit, world.now);
    if let Err(claim) = check(world, &before).and(waits) {
        world.report_broken(claim);
    }
}

/// Returns the line of the trace for a commit: each counter that changes with its published
/// value, its total, and the time since which it waits; and the state of the gate.
fn trace(commit: &Commit, gate: &SavedGate) -> String {
    let change = |name: String, saved: SavedCounter| {
        let since = saved.waits_since.map_or(String::new(), |since| {
            format!(" since {}", since.as_millis())
        });
        format!(" {name} {}/{}{since},", saved.published, saved.total)
    };
    let series = commit.changes.series.iter().map(|changed| {
        let SeriesKey {
            event_type,
            source,
            source_country,
        } = &changed.key;
        change(
            format!("{event_type}/{source}/{source_country}"),
            changed.saved,
        )
    });
    let types = commit.changes.types.iter();
    let types = types.map(|changed| change(changed.key.to_string(), changed.saved));
    let changes: String = series.chain(types).collect();
    let known = gate
        .scrapers
        .iter()
        .map(|k| (k.id.0, k.interval.map(|interval| interval.as_millis())));
    let known: Vec<_> = known.collect();
    format!(
        "durable: {} ids,{changes} scrapers {known:?}, waits at {}, {} timeouts",
        commit.ids.len(),
        gate.wait_time.as_millis(),
        commit.changes.gate_timeouts,
    )
}

/// Records where counting begins, which the first commit makes durable.
fn begin_counting(world: &mut World, commit: &Commit) {
    if world.disk.is_empty() {
        let beginning = Beginning {
            start: shown(commit.stage.start),
            began: shown(commit.stage.began),
            process_started: world.started,
        };
        world.api.counting_began(beginning);
    }
}

/// Checks that published ≤ total ≤ what the API has recorded, and that no total falls. A
/// published value may fall: after a durable commit that was reported as failed, the gate
/// decides again, since no scrape has shown the value.
fn check(world: &World, before: &Sample) -> Result<(), String> {
    let disk = &world.disk;
    for (name, total) in &disk.totals {
        let recorded = world.api.recorded.get(name).copied().unwrap_or(0);
        let published = disk.published[name];
        if published > *total {
            return Err(format!("{name}: {published} published of {total} counted"));
        }
        if *total > recorded {
            return Err(format!("{name}: {total} counted of {recorded} recorded"));
        }
        if before.get(name).is_some_and(|before| before > total) {
            return Err(format!("{name}: the durable total falls to {total}"));
        }
    }
    Ok(())
}
