//! The values of one account: atomic numbers without names, labels or a registry. With ten
//! thousand accounts, those would take most of the memory.

use std::{
    borrow::Cow,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use jiff::Timestamp;

/// A number that never decreases.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

/// A number that increases and decreases.
#[derive(Debug, Default)]
pub(crate) struct Gauge(AtomicI64);

/// A time, to the millisecond. It has no sample until a time is set: a 0 would be 1970, and
/// set off all alerts on its age.
#[derive(Debug)]
pub(crate) struct TimeGauge(AtomicI64);

/// Counters that differ in the values of their labels. Each exists from its first count on.
#[derive(Debug)]
pub(crate) struct LabelledCounters<const LABELS: usize>(Mutex<Vec<(Labels<LABELS>, u64)>>);

/// The values of the labels of a counter.
pub(crate) type Labels<const LABELS: usize> = [Cow<'static, str>; LABELS];

/// Counters of any number of labels.
pub(crate) trait EachCounter {
    /// Calls `counter` with the label values and the count of each counter, in order.
    fn each(&self, counter: &mut dyn FnMut(&[Cow<'static, str>], u64));
}

impl Counter {
    pub(crate) fn inc(&self) {
        self.inc_by(1);
    }

    pub(crate) fn inc_by(&self, by: u64) {
        if by > 0 {
            self.0.fetch_add(by, Ordering::Relaxed);
        }
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Gauge {
    pub(crate) fn set(&self, value: i64) {
        self.0.store(value, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl TimeGauge {
    /// The value while no time is set. It is no time that a [`Timestamp`] can be.
    const UNSET: i64 = i64::MIN;

    /// Returns the time that is shown.
    pub(crate) fn get(&self) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.milliseconds()?).ok()
    }

    /// Returns the time that is shown, in milliseconds since 1970.
    pub(crate) fn milliseconds(&self) -> Option<i64> {
        let value = self.0.load(Ordering::Relaxed);
        (value != Self::UNSET).then_some(value)
    }

    /// Shows `time` from now on.
    pub(crate) fn set(&self, time: Timestamp) {
        self.0.store(time.as_millisecond(), Ordering::Relaxed);
    }
}

impl Default for TimeGauge {
    fn default() -> Self {
        Self(AtomicI64::new(Self::UNSET))
    }
}

impl<const LABELS: usize> LabelledCounters<LABELS> {
    /// Returns counters that are 0 from the start. `labels` are in order.
    pub(super) fn beginning_with(labels: impl IntoIterator<Item = Labels<LABELS>>) -> Self {
        let counters = labels.into_iter().map(|labels| (labels, 0));
        Self(Mutex::new(counters.collect()))
    }

    /// Counts one more under these labels.
    pub(crate) fn inc(&self, labels: Labels<LABELS>) {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match counters.binary_search_by(|counter| counter.0.cmp(&labels)) {
            Ok(place) => counters[place].1 += 1,
            Err(place) => {
                counters.reserve_exact(1);
                counters.insert(place, (labels, 1));
            }
        }
    }
}

impl<const LABELS: usize> EachCounter for LabelledCounters<LABELS> {
    fn each(&self, counter: &mut dyn FnMut(&[Cow<'static, str>], u64)) {
        let counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (labels, count) in &*counters {
            counter(labels, *count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_absent_until_it_is_set_and_kept_to_the_millisecond() {
        let gauge = TimeGauge::default();
        assert_eq!(gauge.get(), None);
        for text in ["2026-11-27T13:45:12.123Z", "1969-12-31T23:59:59.999Z"] {
            let time: Timestamp = text.parse().expect("a time");
            gauge.set(time);
            assert_eq!(gauge.get(), Some(time));
        }
    }

    #[test]
    fn labelled_counters_are_in_order_and_count_apart() {
        let label = |text: &str| [Cow::Owned(text.to_owned())];
        let counters = LabelledCounters::beginning_with([label("b")]);
        for text in ["c", "a", "c"] {
            counters.inc(label(text));
        }
        let mut all = Vec::new();
        counters.each(&mut |labels, count| all.push(format!("{} {count}", labels[0])));
        assert_eq!(all, ["a 1", "b 0", "c 2"]);
    }
}
