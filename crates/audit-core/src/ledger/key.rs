//! What a series is known by.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use indexmap::Equivalent;

use crate::event::Labels;

/// The labels of a series, their values shared with every other that has them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeriesKey {
    /// See [`Labels::event_type`].
    pub event_type: Arc<str>,
    /// See [`Labels::source`].
    pub source: Arc<str>,
    /// See [`Labels::source_country`].
    pub source_country: Arc<str>,
}

impl SeriesKey {
    /// The labels, borrowed.
    #[must_use]
    pub fn labels(&self) -> Labels<'_> {
        Labels {
            event_type: (&*self.event_type).into(),
            source: (&*self.source).into(),
            source_country: (&*self.source_country).into(),
        }
    }
}

/// As [`Labels`] do, so that a series is found by them.
impl Hash for SeriesKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.labels().hash(state);
    }
}

impl Equivalent<SeriesKey> for Labels<'_> {
    fn equivalent(&self, key: &SeriesKey) -> bool {
        *self == key.labels()
    }
}
