//! Watches and steers a simulator from outside of its connections.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::event_key::EventKey;
use crate::simulated_api::{Outage, SimulatedApi};

/// An event to add to those of the traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtraEvent {
    /// The type, source and country of the event, which the API need not know.
    pub key: EventKey,
    /// The time at which the event was created, on the API's clock; `None` stands for now. An
    /// event of the future enters the list at its time.
    pub created_at: Option<Timestamp>,
    /// The time at which the event enters the list, on the API's clock; `None` stands for
    /// the time at which it was created.
    pub visible_at: Option<Timestamp>,
}

impl ExtraEvent {
    /// Makes an event of this type from the Customer Dashboard in Great Britain, created now.
    #[must_use]
    pub fn new(event_type: &str) -> Self {
        Self {
            key: EventKey {
                event_type: event_type.to_owned(),
                source: "CD".to_owned(),
                country: Some("GB".to_owned()),
            },
            created_at: None,
            visible_at: None,
        }
    }
}

/// Watches and steers one simulator. Clones of a handle steer the same simulator.
#[derive(Clone)]
pub struct SimulatorHandle {
    api: Arc<SimulatedApi>,
}

impl SimulatorHandle {
    pub(crate) fn new(api: Arc<SimulatedApi>) -> Self {
        Self { api }
    }

    /// Adds an event and returns its id.
    #[must_use = "the id is the only way to ask for this very event"]
    pub fn record(&self, event: &ExtraEvent) -> String {
        let created = event.created_at.unwrap_or_else(|| self.now());
        let visible = event.visible_at.unwrap_or(created);
        let mut archive = self.api.archive();
        archive.record(
            &event.key,
            created.as_millisecond(),
            visible.as_millisecond(),
        )
    }

    /// Returns how many events of each type, source and country the list holds now: the
    /// ground truth of a test. With `created_from`, only events count whose `created_at` is
    /// not before that whole second.
    #[must_use]
    pub fn counts(&self, created_from: Option<Timestamp>) -> BTreeMap<EventKey, u64> {
        let from = created_from.map(|time| time.as_millisecond().div_euclid(1000));
        self.api.archive().counts(from)
    }

    /// Returns the number of late events that were created and are not in the list yet.
    #[must_use]
    pub fn hidden(&self) -> usize {
        self.api.archive().hidden()
    }

    /// Returns the number of requests so far, with those that a fault left unanswered.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.api.requests()
    }

    /// Begins or ends an outage, also for connections that are open.
    pub fn set_outage(&self, outage: Outage) {
        self.api.set_outage(outage);
    }

    /// Returns the time on the API's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.api.clock.now()
    }

    /// Lets the API's clock run, ahead of the machine's by `offset`. Events that were shown
    /// stay in the list, also when the clock is turned back.
    pub fn set_clock_offset(&self, offset: SignedDuration) {
        self.api.clock.shift(offset);
    }

    /// Makes the API's clock stand still at `time`.
    pub fn stop_clock(&self, time: Timestamp) {
        self.api.clock.stop(time);
    }

    /// Ends the traffic for good. Late events still appear, and events can still be recorded.
    pub fn stop_traffic(&self) {
        self.api.archive().stop_traffic();
    }
}
