//! The bound on the answers in flight.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use crate::activity::Activity;

/// Counts the answers in flight.
#[derive(Debug)]
pub(crate) struct Slots {
    taken: AtomicUsize,
    /// The highest number of slots; 0 for no bound.
    max: usize,
}

/// The slot of one answer in flight. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Slot {
    slots: Arc<Slots>,
    activity: Arc<Activity>,
}

impl Slots {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            taken: AtomicUsize::new(0),
            max,
        }
    }

    /// Takes a slot, if one is left.
    pub(crate) fn take(self: &Arc<Self>, activity: &Arc<Activity>) -> Option<Slot> {
        let taken = self.taken.fetch_add(1, Relaxed);
        // If no slot was left, this one is dropped again and so given back.
        let slot = self.slot(activity);
        (self.max == 0 || taken < self.max).then_some(slot)
    }

    /// Takes a slot in place of one that is about to be given back.
    pub(crate) fn take_over(self: &Arc<Self>, activity: &Arc<Activity>) -> Slot {
        self.taken.fetch_add(1, Relaxed);
        self.slot(activity)
    }

    fn slot(self: &Arc<Self>, activity: &Arc<Activity>) -> Slot {
        activity.set_answered(true);
        Slot {
            slots: Arc::clone(self),
            activity: Arc::clone(activity),
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.activity.set_answered(false);
        self.slots.taken.fetch_sub(1, Relaxed);
    }
}
