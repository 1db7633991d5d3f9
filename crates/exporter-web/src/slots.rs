//! How many answers are in flight.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use crate::activity::Activity;

/// A bound on the answers in flight.
#[derive(Debug)]
pub(crate) struct Slots {
    taken: AtomicUsize,
    /// 0 for no bound.
    most: usize,
}

/// One answer in flight, until it is dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    slots: Arc<Slots>,
    activity: Arc<Activity>,
}

impl Slots {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            taken: AtomicUsize::new(0),
            most,
        }
    }

    /// A slot, if there is one.
    pub(crate) fn take(self: &Arc<Self>, activity: &Arc<Activity>) -> Option<Slot> {
        let taken = self.taken.fetch_add(1, Relaxed);
        // Gives it back where it was one too many.
        let slot = self.slot(activity);
        (self.most == 0 || taken < self.most).then_some(slot)
    }

    /// A slot in place of one that is about to be given back.
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
