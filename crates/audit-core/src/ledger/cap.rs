//! The cap on the number of series.

/// The cap on the number of series of a family: once the family is full, events without
/// a series of their own are counted under `other`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesCap(usize);

impl SeriesCap {
    /// Returns a cap of `max_series` series. The series `other` may be one more.
    #[must_use]
    pub fn new(max_series: usize) -> Self {
        Self(max_series)
    }

    /// Returns `true` if a family of `series` series takes a new one.
    #[must_use]
    pub fn has_room(self, series: usize) -> bool {
        series < self.0
    }
}
