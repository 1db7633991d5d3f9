//! A claim of more events than were shown.
//!
//! It says that a smaller number is no limit. But any claim may be wrong, and a wrong one that was
//! believed would keep every limit from being found, so it is believed after the range only if the
//! parts of the range turn out to have as many events.

use jiff::Timestamp;

/// A claim of more events than were shown, until all parts of its range are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenClaim {
    events: u64,
    /// The end of the range.
    to: Timestamp,
    /// The number of events that the parts of the range have so far, as far as is known. Each
    /// part exceeds its bounds, so some are in two parts.
    of_parts: u64,
}

impl OpenClaim {
    /// Returns the claim that there are so many events until `to`.
    pub(super) fn new(events: u64, to: Timestamp) -> Self {
        Self {
            events,
            to,
            of_parts: 0,
        }
    }

    /// Returns `true` if more events are claimed than these.
    pub(super) fn exceeds(&self, events: u64) -> bool {
        self.events > events
    }

    /// Takes in that a part, which ends at `end` or with the range, has so many events. Returns
    /// `true` if that was the last part.
    pub(super) fn add(&mut self, end: Option<Timestamp>, events: u64) -> bool {
        self.of_parts = self.of_parts.saturating_add(events);
        end.is_none_or(|end| end >= self.to)
    }

    /// Returns the number of events that is claimed, if the parts have as many.
    pub(super) fn confirmed(&self) -> Option<u64> {
        (self.of_parts >= self.events).then_some(self.events)
    }
}
