//! The key of a series.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use indexmap::Equivalent;

use crate::event::Labels;

/// The labels of a series. Series with the same label value share its text.
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
    /// Returns the labels, borrowed.
    #[must_use]
    pub fn labels(&self) -> Labels<'_> {
        Labels {
            event_type: (&*self.event_type).into(),
            source: (&*self.source).into(),
            source_country: (&*self.source_country).into(),
        }
    }
}

/// Gives the same hash as [`Labels`], so that a series can be found by them.
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
