//! Watching and steering a simulator from outside of its connections.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::event_key::EventKey;
use crate::simulated_api::{Outage, SimulatedApi};

/// An event to add to those of the traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtraEvent {
    /// Its type, source and country, which need not be known ones.
    pub key: EventKey,
    /// When it was created, on the API's clock; now if not given. Earlier and later times
    /// are fine: a later one enters the list then.
    pub created_at: Option<Timestamp>,
    /// When it enters the list, on the API's clock; when it is created if not given.
    pub visible_at: Option<Timestamp>,
}

impl ExtraEvent {
    /// An event of this type from the Customer Dashboard in Great Britain, created now.
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

/// Watches and steers one simulator; clones do so for the same one.
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

    /// How many events of each type, source and country the list holds now: the ground truth.
    /// With `created_from`, only those whose `created_at` is not before that whole second.
    #[must_use]
    pub fn counts(&self, created_from: Option<Timestamp>) -> BTreeMap<EventKey, u64> {
        let from = created_from.map(|time| time.as_millisecond().div_euclid(1000));
        self.api.archive().counts(from)
    }

    /// Number of late events that were created and are not in the list yet.
    #[must_use]
    pub fn hidden(&self) -> usize {
        self.api.archive().hidden()
    }

    /// Number of requests that were answered or deliberately not answered.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.api.requests()
    }

    /// Begins or ends an outage, also for connections that are open.
    pub fn set_outage(&self, outage: Outage) {
        self.api.set_outage(outage);
    }

    /// The time on the API's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.api.clock.now()
    }

    /// Lets the API's clock run, ahead of the machine's by `offset`. Events that were shown
    /// stay, also when this turns the clock back.
    pub fn set_clock_offset(&self, offset: SignedDuration) {
        self.api.clock.shift(offset);
    }

    /// Makes the API's clock stand still at `time`.
    pub fn stop_clock(&self, time: Timestamp) {
        self.api.clock.stop(time);
    }

    /// Ends the traffic for good. Late events still appear, and more can be recorded.
    pub fn stop_traffic(&self) {
        self.api.archive().stop_traffic();
    }
}
