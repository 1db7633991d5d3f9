//! Compares the parts of an imported account with the stored account, and writes them.

use std::time::Duration;

use audit_core::{event::Labels, ledger::SavedCounter, outbox::Line};
use redb::{Error, ReadTransaction, Table, WriteTransaction};

use super::{Conflicts, Imported, uncompared::UncomparedAccount};
use crate::store::{
    counter_name,
    stored_part::{self, AccountProgress, Counter, GateMemory, StoredPart},
    tables::{
        self, AccountNumber, GATE_BEGUN, GATE_STORED_AT, GATE_WAIT_TIME, IDS, LINES, NUMBERS,
        PROGRESS, SCRAPERS, SERIES, StoredCounter, StoredIdKey, StoredSeriesKey, StoredTypeKey,
        TYPES,
    },
    write,
};

/// The import of one account, within a transaction.
pub(super) struct AccountImport<'t> {
    account: AccountNumber,
    is_new: bool,
    stored: UncomparedAccount,
    stored_gate: GateMemory,
    /// The readings of the imported clock of waits and of the one by which they go on.
    wait_clocks: [Duration; 2],
    /// The first id that the imported account remembers; it has forgotten earlier ones.
    first_id: StoredIdKey,
    has_changed: bool,
    conflicts: Conflicts,
    transaction: &'t WriteTransaction,
    ids: Table<'t, StoredIdKey, ()>,
    series: Table<'t, StoredSeriesKey<'static>, StoredCounter<'static>>,
    types: Table<'t, StoredTypeKey<'static>, StoredCounter<'static>>,
    lines: Table<'t, &'static str, &'static str>,
}

impl<'t> AccountImport<'t> {
    /// Begins an import; `stored` is the state as it is before.
    pub(super) fn begin(
        transaction: &'t WriteTransaction,
        stored: &ReadTransaction,
        api_key: &str,
    ) -> Result<Self, Error> {
        let known = stored_part::number(stored, api_key)?;
        let account = write::number_of(transaction, api_key)?;
        Ok(Self {
            account,
            is_new: known.is_none(),
            stored: UncomparedAccount::new(stored, known)?,
            stored_gate: stored_part::gate(stored)?,
            wait_clocks: [Duration::ZERO; 2],
            first_id: (account, i64::MIN, 0),
            has_changed: false,
            conflicts: Conflicts::default(),
            transaction,
            ids: transaction.open_table(IDS)?,
            series: transaction.open_table(SERIES)?,
            types: transaction.open_table(TYPES)?,
            lines: transaction.open_table(LINES)?,
        })
    }

    /// Takes in the next part.
    pub(super) fn take(&mut self, part: &StoredPart) -> Result<(), Error> {
        match part {
            StoredPart::Progress(progress) => self.take_progress(*progress),
            StoredPart::Gate(gate) => self.take_gate(gate),
            StoredPart::Id(id) => self.take_id(tables::id_key(self.account, id)),
            StoredPart::Series(labels, saved, latest) => {
                self.take_series(labels, &(self.waiting(*saved), latest.clone()))
            }
            StoredPart::Type(name, saved, latest) => {
                self.take_type(name, &(self.waiting(*saved), latest.clone()))
            }
            StoredPart::Line(line) => self.take_line(line),
        }
    }

    /// Ends the import, with all that is left of the stored account.
    pub(super) fn end(mut self) -> Result<(Imported, Conflicts), Error> {
        self.pass_ids(None)?;
        self.pass_series(None)?;
        self.pass_types(None)?;
        self.pass_lines(None)?;
        let imported = match (self.is_new, self.has_changed) {
            (true, _) => Imported::New,
            (false, true) => Imported::Replaced,
            (false, false) => Imported::Unchanged,
        };
        Ok((imported, self.conflicts))
    }

    fn take_progress(&mut self, progress: AccountProgress) -> Result<(), Error> {
        let AccountProgress {
            stage,
            window,
            gate_timeouts,
        } = progress;
        if let Some(stored) = self.stored.progress {
            self.conflicts.history = stored.stage.caught_up && !stage.caught_up;
            let watermark = stored.window.watermark;
            let later = watermark.filter(|_| watermark > window.watermark);
            self.conflicts.watermark = later.map(|later| (later, window.watermark));
            if gate_timeouts < stored.gate_timeouts {
                self.conflicts.falling.add(counter_name::of_timeouts);
            }
        }
        self.has_changed |= self.stored.progress != Some(progress);
        self.first_id = tables::ids_before(self.account, window.floor).end;
        let mut table = self.transaction.open_table(PROGRESS)?;
        table.insert(self.account, tables::progress(stage, window))?;
        write::write_gate_timeouts(self.transaction, self.account, gate_timeouts)
    }

    /// Takes in the memory of the gate if no server has ever scraped this state.
    fn take_gate(&mut self, gate: &GateMemory) -> Result<(), Error> {
        let is_kept = !self.stored_gate.is_unused()
            || (gate.is_unused() && self.stored_gate != GateMemory::default());
        if is_kept {
            self.wait_clocks = [gate.wait_time, self.stored_gate.wait_time];
            return Ok(());
        }
        self.has_changed |= self.stored_gate != *gate;
        let mut scrapers = self.transaction.open_table(SCRAPERS)?;
        for known in &gate.scrapers {
            let interval = known.interval.map(tables::nanoseconds);
            let last_seen = known.last_seen.as_nanosecond();
            let scraper = (known.product, known.target, interval, last_seen);
            scrapers.insert(known.id.0, scraper)?;
        }
        let mut numbers = self.transaction.open_table(NUMBERS)?;
        write::set(&mut numbers, GATE_BEGUN, u64::from(gate.was_scraped))?;
        let wait_time = tables::nanoseconds(gate.wait_time);
        write::set(&mut numbers, GATE_WAIT_TIME, wait_time)?;
        let Some(stored_at) = gate.stored_at else {
            return Ok(());
        };
        let stored_at = u64::try_from(stored_at.as_millisecond()).unwrap_or(0);
        write::set(&mut numbers, GATE_STORED_AT, stored_at)
    }

    /// Returns a counter whose wait goes on by the clock of this state, for as long as it
    /// has lasted.
    fn waiting(&self, saved: SavedCounter) -> SavedCounter {
        let [imported, own] = self.wait_clocks;
        let waits_since = |since| own.saturating_sub(imported.saturating_sub(since));
        SavedCounter {
            waits_since: saved.waits_since.map(|since| {
                if imported == own {
                    since
                } else {
                    waits_since(since)
                }
            }),
            ..saved
        }
    }

    fn take_id(&mut self, key: StoredIdKey) -> Result<(), Error> {
        self.pass_ids(Some(&key))?;
        let is_stored = self.stored.ids.value_of(&key)?.is_some();
        // As in every commit, an id from before the floor is not kept.
        if !is_stored && key >= self.first_id {
            self.has_changed = true;
            self.ids.insert(key, ())?;
        }
        Ok(())
    }

    /// Passes stored ids that the imported account does not have. It has forgotten those
    /// before its floor, and never knew the others.
    fn pass_ids(&mut self, before: Option<&StoredIdKey>) -> Result<(), Error> {
        while let Some((key, ())) = self.stored.ids.next_before(before)? {
            self.has_changed = true;
            self.ids.remove(key)?;
            self.conflicts.unknown_ids += u64::from(key >= self.first_id);
        }
        Ok(())
    }

    fn take_series(&mut self, labels: &Labels<'static>, counter: &Counter) -> Result<(), Error> {
        self.pass_series(Some(labels))?;
        let stored = self.stored.series.value_of(labels)?;
        if stored.as_ref() == Some(counter) {
            return Ok(());
        }
        let name = || counter_name::of_series(labels);
        self.note_change(stored.as_ref(), counter.0, name);
        let Labels {
            event_type,
            source,
            source_country,
        } = labels;
        let key = (self.account, &**event_type, &**source, &**source_country);
        let counter = tables::counter(counter.0, counter.1.as_ref());
        self.series.insert(key, counter)?;
        Ok(())
    }

    fn pass_series(&mut self, before: Option<&Labels<'static>>) -> Result<(), Error> {
        while let Some((labels, _)) = self.stored.series.next_before(before)? {
            let name = || counter_name::of_series(&labels);
            self.conflicts.missing.add(name);
        }
        Ok(())
    }

    fn take_type(&mut self, name: &str, counter: &Counter) -> Result<(), Error> {
        let key = name.to_owned();
        self.pass_types(Some(&key))?;
        let stored = self.stored.types.value_of(&key)?;
        if stored.as_ref() == Some(counter) {
            return Ok(());
        }
        self.note_change(stored.as_ref(), counter.0, || counter_name::of_type(name));
        let counter = tables::counter(counter.0, counter.1.as_ref());
        self.types.insert((self.account, name), counter)?;
        Ok(())
    }

    fn pass_types(&mut self, before: Option<&String>) -> Result<(), Error> {
        while let Some((name, _)) = self.stored.types.next_before(before)? {
            self.conflicts.missing.add(|| counter_name::of_type(&name));
        }
        Ok(())
    }

    fn note_change(
        &mut self,
        stored: Option<&Counter>,
        new: SavedCounter,
        name: impl FnOnce() -> String,
    ) {
        self.has_changed = true;
        let falls = |old: &SavedCounter| new.total < old.total || new.published < old.published;
        if stored.is_some_and(|(old, _)| falls(old)) {
            self.conflicts.falling.add(name);
        }
    }

    fn take_line(&mut self, line: &Line) -> Result<(), Error> {
        self.pass_lines(Some(&line.number))?;
        let stored = self.stored.lines.value_of(&line.number)?;
        if stored.as_ref() != Some(&line.text) {
            self.has_changed = true;
            let key = tables::line_key(self.account, line.number);
            self.lines.insert(&*key, &*line.text)?;
        }
        Ok(())
    }

    /// Removes lines that were written to the log before the export.
    fn pass_lines(&mut self, before: Option<&u64>) -> Result<(), Error> {
        while let Some((number, _)) = self.stored.lines.next_before(before)? {
            self.has_changed = true;
            let key = tables::line_key(self.account, number);
            self.lines.remove(&*key)?;
        }
        Ok(())
    }
}
