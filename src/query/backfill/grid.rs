//! The counters as scrapes at the times of a grid would have shown them.
//!
//! A sample counts the events that were created before its time. A series begins with a 0
//! one step before its first event, so that its first increase is visible; a series whose
//! first event comes after the grid has its 0 at the end of the grid, for the exporter
//! that continues the series. Only the steps at which a counter rises are held, so memory
//! grows with series and steps and not with events.

use std::{collections::BTreeMap, ops::Range};

use audit_core::{
    event::{Labels, OTHER},
    ledger::SeriesCap,
};
use jiff::Timestamp;

/// A day in seconds.
const DAY: i64 = 86_400;

/// The times of the samples: every multiple of the step from the last one before the
/// range, and the end of the range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SampleTimes {
    first: i64,
    step: i64,
    end: i64,
}

impl SampleTimes {
    /// Returns the times from `from` to `to`, which is not before it, `step` seconds
    /// apart. Parts of a second are dropped.
    pub(super) fn new(from: Timestamp, to: Timestamp, step: u32) -> Self {
        let step = i64::from(step.max(1));
        let first = from.as_second().div_euclid(step) * step;
        let end = to.as_second().max(first);
        Self { first, step, end }
    }

    /// Returns the time of the sample at `place`, in seconds since 1970.
    fn at(self, place: u32) -> i64 {
        (self.first + i64::from(place) * self.step).min(self.end)
    }

    /// Returns the place of the first sample that is not before `second`; the place
    /// after the last sample if there is none.
    fn place_from(self, second: i64) -> u32 {
        if second > self.end {
            return self.last() + 1;
        }
        let steps = (second - self.first + self.step - 1).div_euclid(self.step);
        u32::try_from(steps.max(0))
            .unwrap_or(u32::MAX)
            .min(self.last())
    }

    /// Returns the days in UTC, each from its first second since 1970 to that of the
    /// next day.
    pub(super) fn days(self) -> impl Iterator<Item = Range<i64>> {
        let day = |second: i64| second.div_euclid(DAY);
        (day(self.first)..=day(self.end)).map(|day| day * DAY..(day + 1) * DAY)
    }

    /// Returns the whole range.
    pub(super) fn whole(self) -> Range<i64> {
        self.first..self.end + 1
    }

    fn last(self) -> u32 {
        let steps = (self.end - self.first + self.step - 1).div_euclid(self.step);
        u32::try_from(steps).unwrap_or(u32::MAX)
    }

    /// Returns the place of the first sample that counts an event of that time; `None`
    /// after the end.
    fn place_of(self, created_at: Timestamp) -> Option<u32> {
        let second = created_at.as_nanosecond().div_euclid(1_000_000_000);
        let second = i64::try_from(second).ok()?;
        if second >= self.end {
            return None;
        }
        let place = (second - self.first).div_euclid(self.step) + 1;
        Some(u32::try_from(place).unwrap_or(0))
    }
}

/// A counter on the grid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GridCounter {
    /// The place of the first sample of the counter. That sample is 0.
    begin: u32,
    /// The places where the counter rises, and by how much, in order.
    rises: Vec<(u32, u32)>,
}

impl GridCounter {
    fn beginning_at(begin: u32) -> Self {
        Self {
            begin,
            rises: Vec::new(),
        }
    }

    fn rise(&mut self, place: u32) {
        match self.rises.last_mut() {
            Some((last, by)) if *last == place => *by += 1,
            _ => self.rises.push((place, 1)),
        }
    }

    /// Returns the number of events that the counter counts.
    pub(super) fn total(&self) -> u64 {
        self.rises.iter().map(|(_, by)| u64::from(*by)).sum()
    }

    /// Returns the samples of a span: the time in seconds since 1970, and the count.
    pub(super) fn samples<'c>(
        &'c self,
        times: SampleTimes,
        span: &Range<i64>,
    ) -> impl Iterator<Item = (i64, u64)> + use<'c> {
        let begin = self.begin.max(times.place_from(span.start));
        let mut rises = self.rises.iter().peekable();
        let mut total = 0;
        (begin..times.place_from(span.end)).map(move |place| {
            while let Some((_, by)) = rises.next_if(|(risen, _)| *risen <= place) {
                total += u64::from(*by);
            }
            (times.at(place), total)
        })
    }
}

/// All counters, with the labels and the cap of `serve`.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    times: SampleTimes,
    cap: SeriesCap,
    series: BTreeMap<Labels<'static>, GridCounter>,
    types: BTreeMap<String, GridCounter>,
    overflow: u64,
}

impl Grid {
    /// Returns a grid without events; see
    /// [`Ledger::new`](audit_core::ledger::Ledger::new) for `max_series`.
    pub(super) fn new(times: SampleTimes, max_series: usize) -> Self {
        Self {
            times,
            cap: SeriesCap::new(max_series),
            series: BTreeMap::new(),
            types: BTreeMap::new(),
            overflow: 0,
        }
    }

    /// Gives every type that the vendor names a series that is 0 from the beginning.
    pub(super) fn name_types<'t>(&mut self, names: impl IntoIterator<Item = &'t str>) {
        for name in names {
            if self.cap.has_room(self.types.len()) {
                let counter = GridCounter::beginning_at(0);
                self.types.entry(name.to_owned()).or_insert(counter);
            }
        }
    }

    /// Counts one event. Events come in the order of their time; an event after the end
    /// opens its series and is not counted.
    pub(super) fn count(&mut self, labels: Labels<'static>, created_at: Timestamp) {
        let place = self.times.place_of(created_at);
        let begin = place.map_or(self.times.last(), |place| place.saturating_sub(1));
        let open = || GridCounter::beginning_at(begin);
        let name = &*labels.event_type;
        let has_own = self.types.contains_key(name) || self.cap.has_room(self.types.len());
        let name = if has_own { name } else { OTHER };
        let by_type = self.types.entry(name.to_owned()).or_insert_with(open);
        let has_own = self.series.contains_key(&labels) || self.cap.has_room(self.series.len());
        let labels = if has_own { labels } else { Labels::other() };
        let by_labels = self.series.entry(labels).or_insert_with(open);
        if let Some(place) = place {
            by_type.rise(place);
            by_labels.rise(place);
            self.overflow += u64::from(!has_own);
        }
    }

    /// Returns the times of the samples.
    pub(super) fn times(&self) -> SampleTimes {
        self.times
    }

    /// Returns the counters of `nexmo_audit_events_total`, in the order of their labels.
    pub(super) fn series(&self) -> impl ExactSizeIterator<Item = (&Labels<'static>, &GridCounter)> {
        self.series.iter()
    }

    /// Returns the counters of `nexmo_audit_events_by_type_total`, in the order of the
    /// types.
    pub(super) fn types(&self) -> impl ExactSizeIterator<Item = (&str, &GridCounter)> {
        self.types.iter().map(|(name, counter)| (&**name, counter))
    }

    /// Returns the number of events that are counted.
    pub(super) fn events(&self) -> u64 {
        self.series.values().map(GridCounter::total).sum()
    }

    /// Returns the number of events that are counted under `other`, beyond the cap.
    pub(super) fn overflow(&self) -> u64 {
        self.overflow
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("a time")
    }

    fn labels(event_type: &str) -> Labels<'static> {
        Labels {
            event_type: event_type.to_owned().into(),
            source: "CD".into(),
            source_country: "GB".into(),
        }
    }

    fn samples(grid: &Grid, event_type: &str) -> Vec<(i64, u64)> {
        let (_, counter) = grid
            .series()
            .find(|(labels, _)| labels.event_type == event_type)
            .expect(event_type);
        counter
            .samples(grid.times(), &grid.times().whole())
            .collect()
    }

    #[test]
    fn a_sample_counts_what_was_before_it() {
        let mut grid = Grid::new(SampleTimes::new(at(65), at(310), 60), 10);
        for second in [65, 119, 120, 300, 309] {
            grid.count(labels("A"), at(second));
        }
        let expected = [(60, 0), (120, 2), (180, 3), (240, 3), (300, 3), (310, 5)];
        assert_eq!(samples(&grid, "A"), expected);
        assert_eq!(grid.events(), 5);
    }

    #[test]
    fn a_series_begins_a_step_before_its_first_event() {
        let mut grid = Grid::new(SampleTimes::new(at(60), at(300), 60), 10);
        grid.name_types(["A", "B"]);
        grid.count(labels("A"), at(60));
        grid.count(labels("B"), at(200));
        grid.count(labels("C"), at(300));
        grid.count(labels("A"), at(301));
        assert_eq!(samples(&grid, "A")[..2], [(60, 0), (120, 1)]);
        assert_eq!(samples(&grid, "A").last(), Some(&(300, 1)));
        assert_eq!(samples(&grid, "B"), [(180, 0), (240, 1), (300, 1)]);
        assert_eq!(samples(&grid, "C"), [(300, 0)]);
        let by_type = |name| {
            let (_, counter) = grid.types().find(|(known, _)| *known == name).expect(name);
            counter
                .samples(grid.times(), &grid.times().whole())
                .collect::<Vec<_>>()
        };
        assert_eq!(by_type("B")[..3], [(60, 0), (120, 0), (180, 0)]);
        assert_eq!(by_type("C"), [(300, 0)]);
    }

    #[test]
    fn too_many_series_are_counted_under_other() {
        let mut grid = Grid::new(SampleTimes::new(at(0), at(60), 60), 2);
        for name in ["A", "B", "C", "A", "D"] {
            grid.count(labels(name), at(0));
        }
        let series = grid
            .series()
            .map(|(labels, counter)| (&*labels.event_type, counter.total()));
        assert_eq!(
            series.collect::<Vec<_>>(),
            [("A", 2), ("B", 1), ("other", 2)]
        );
        let types = grid.types().map(|(name, counter)| (name, counter.total()));
        assert_eq!(
            types.collect::<Vec<_>>(),
            [("A", 2), ("B", 1), ("other", 2)]
        );
        assert_eq!((grid.events(), grid.overflow()), (5, 2));
    }

    #[test]
    fn a_fraction_of_a_second_is_not_before_its_second() {
        let mut grid = Grid::new(SampleTimes::new(at(-60), at(0), 1), 10);
        let almost = "1969-12-31T23:59:58.9Z".parse().expect("a time");
        grid.count(labels("A"), almost);
        assert_eq!(samples(&grid, "A"), [(-2, 0), (-1, 1), (0, 1)]);
    }

    #[test]
    fn the_days_together_are_the_whole() {
        for (from, to, step) in [
            (0, 3 * DAY, 60),
            (100, 2 * DAY + 77, 3600),
            (DAY, DAY + 1, 7),
            (5, 86_399, 86_400),
        ] {
            let mut grid = Grid::new(SampleTimes::new(at(from), at(to), step), 10);
            grid.name_types(["A"]);
            for second in (from..to).step_by(5000) {
                grid.count(labels("A"), at(second));
            }
            let times = grid.times();
            for (_, counter) in grid.types() {
                let whole = counter.samples(times, &times.whole());
                let days = times.days().flat_map(|day| counter.samples(times, &day));
                assert!(whole.eq(days), "{from} to {to} by {step}");
            }
        }
    }
}
