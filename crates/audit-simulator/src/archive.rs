//! The events of the simulated account: 16 bytes each, in the order of their times.
//!
//! The archive knows neither clock nor network: its caller passes the time. An event that
//! was once shown stays shown, also when time steps back.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use crate::event_id;
use crate::event_key::{EventKey, KeyTable};
use crate::traffic::{Arrival, FIRST_EXTRA, Traffic};
use crate::type_blocks::{BLOCK, TypeBlocks};

/// One event of the archive. Everything else that the API says of the event is drawn from
/// its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ArchivedEvent {
    /// The time of creation, in milliseconds since the Unix epoch.
    pub(crate) at: i64,
    pub(crate) number: u32,
    /// The number of its combination of labels, see [`KeyTable`].
    pub(crate) key: u32,
}

/// Every event that happened up to the last [`Archive::advance`].
pub(crate) struct Archive {
    seed: u64,
    traffic: Traffic,
    keys: Arc<KeyTable>,
    /// The list: what is visible, oldest first.
    events: Vec<ArchivedEvent>,
    blocks: TypeBlocks,
    /// Highest number of a traffic event within or before each block.
    highest: Vec<u32>,
    /// Events that are not visible yet, by the time at which they become visible.
    hidden: BinaryHeap<Reverse<(i64, ArchivedEvent)>>,
    /// The time of creation of each recorded event, by number from [`FIRST_EXTRA`] on.
    extras: HashMap<u32, i64>,
    now: i64,
}

impl Archive {
    pub(crate) fn new(seed: u64, traffic: Traffic) -> Self {
        let keys = KeyTable::new();
        Self {
            seed,
            traffic,
            blocks: TypeBlocks::new(keys.type_count()),
            keys: Arc::new(keys),
            events: Vec::new(),
            highest: Vec::new(),
            hidden: BinaryHeap::new(),
            extras: HashMap::new(),
            now: i64::MIN,
        }
    }

    /// Adds every event that happens, and shows every late event that appears, up to `now`.
    pub(crate) fn advance(&mut self, now: i64) {
        self.now = self.now.max(now);
        let mut changed = usize::MAX;
        while let Some(arrival) = self.traffic.next_until(self.now) {
            changed = changed.min(self.admit(arrival));
        }
        while let Some(Reverse((_, event))) = self.pop_due() {
            changed = changed.min(self.insert(event));
        }
        self.index_from(changed);
    }

    /// Adds an event that does not belong to the traffic, and returns its id.
    pub(crate) fn record(&mut self, key: &EventKey, at: i64, visible_at: i64) -> String {
        let key = self.keys.find(key).unwrap_or_else(|| {
            let keys = Arc::make_mut(&mut self.keys);
            let number = keys.number(key);
            self.blocks.grow_types(keys.type_count());
            number
        });
        let count = u32::try_from(self.extras.len()).unwrap_or(u32::MAX);
        let number = FIRST_EXTRA.saturating_add(count);
        self.extras.insert(number, at);
        let changed = self.admit(Arrival {
            at,
            visible_at: visible_at.max(at),
            number,
            key,
        });
        self.index_from(changed);
        event_id::id_of(self.seed, number)
    }

    /// Ends the traffic at the time of the last [`Archive::advance`].
    pub(crate) fn stop_traffic(&mut self) {
        self.traffic.stop(self.now);
    }

    /// Returns the visible event with this id.
    pub(crate) fn find(&self, id: &str) -> Option<ArchivedEvent> {
        let number = event_id::number_of(self.seed, id)?;
        if let Some(at) = self.extras.get(&number) {
            let key = |event: &ArchivedEvent| (event.at, event.number);
            let position = self.events.binary_search_by_key(&(*at, number), key);
            return position.ok().map(|position| self.events[position]);
        }
        let block = self.highest.partition_point(|highest| *highest < number);
        let from = (block * BLOCK).min(self.events.len());
        let to = (from + BLOCK).min(self.events.len());
        let mut block = self.events[from..to].iter();
        block.find(|event| event.number == number).copied()
    }

    /// Returns the positions of the events that were created in the whole seconds `from` to
    /// `to`, both included.
    pub(crate) fn range(&self, from: Option<i64>, to: Option<i64>) -> Range<usize> {
        let before = |time: i64| self.events.partition_point(|event| event.at < time);
        let start = from.map_or(0, |second| before(second.saturating_mul(1000)));
        let end = to.map_or(self.events.len(), |second| {
            before(second.saturating_add(1).saturating_mul(1000))
        });
        start..end.max(start)
    }

    /// Returns the visible events, oldest first.
    pub(crate) fn events(&self) -> &[ArchivedEvent] {
        &self.events
    }

    pub(crate) fn blocks(&self) -> &TypeBlocks {
        &self.blocks
    }

    pub(crate) fn keys(&self) -> &Arc<KeyTable> {
        &self.keys
    }

    /// Returns the number of events that were created up to now and are not visible yet.
    pub(crate) fn hidden(&self) -> usize {
        let created = |Reverse((_, event)): &&Reverse<(i64, ArchivedEvent)>| event.at <= self.now;
        self.hidden.iter().filter(created).count()
    }

    /// Returns the number of visible events per combination of labels, from the second
    /// `from` on.
    pub(crate) fn counts(&self, from: Option<i64>) -> BTreeMap<EventKey, u64> {
        let mut by_key = HashMap::new();
        for event in &self.events[self.range(from, None)] {
            *by_key.entry(event.key).or_insert(0) += 1;
        }
        let named = |(key, count)| (self.keys.get(key).clone(), count);
        by_key.into_iter().map(named).collect()
    }

    /// Shows or hides an arrival, and returns the position from which on the list has
    /// changed.
    fn admit(&mut self, arrival: Arrival) -> usize {
        let event = ArchivedEvent {
            at: arrival.at,
            number: arrival.number,
            key: arrival.key,
        };
        if arrival.visible_at <= self.now {
            return self.insert(event);
        }
        self.hidden.push(Reverse((arrival.visible_at, event)));
        usize::MAX
    }

    fn pop_due(&mut self) -> Option<Reverse<(i64, ArchivedEvent)>> {
        let Reverse((visible_at, _)) = self.hidden.peek()?;
        if *visible_at > self.now {
            return None;
        }
        self.hidden.pop()
    }

    /// Inserts an event, and returns its position.
    fn insert(&mut self, event: ArchivedEvent) -> usize {
        let end = self.events.len();
        if self.events.last().is_none_or(|last| *last < event) {
            self.events.push(event);
            return end;
        }
        let position = self.events.partition_point(|other| *other < event);
        self.events.insert(position, event);
        position
    }

    /// Counts the blocks again from the block of `position` on, if there is one.
    fn index_from(&mut self, position: usize) {
        if position >= self.events.len() {
            return;
        }
        let block = position / BLOCK;
        let moved = &self.events[block * BLOCK..];
        let types = moved.iter().map(|event| self.keys.type_of(event.key));
        self.blocks.rebuild(block, types);
        self.highest.truncate(block);
        for position in block * BLOCK..self.events.len() {
            self.note_highest(position / BLOCK, self.events[position].number);
        }
    }

    fn note_highest(&mut self, block: usize, number: u32) {
        if block >= self.highest.len() {
            let before = self.highest.last().copied().unwrap_or(0);
            self.highest.push(before);
        }
        if number < FIRST_EXTRA {
            self.highest[block] = self.highest[block].max(number);
        }
    }
}
