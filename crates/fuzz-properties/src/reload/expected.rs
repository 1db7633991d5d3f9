//! What scrapes may show of each account.

use std::{collections::BTreeMap, time::Duration};

use super::{
    configuration::{Configuration, KEYS, Polls, key},
    shown::{Counters, Shown, sums},
    vendor::Vendor,
};

/// What is expected of the accounts.
pub(super) struct Expected {
    vendor: Vendor,
    /// `true` if events count from the moment on at which their account was taken up.
    counts_from_now: bool,
    /// The accounts that are counted, by name: the key of each.
    counted: BTreeMap<String, String>,
    polls: Option<Polls>,
    keys: BTreeMap<String, Key>,
}

/// What is known of an API key.
#[derive(Debug, Default)]
struct Key {
    /// The highest value of each counter that was shown.
    shown: Counters,
    /// The first and the last time at which the key was taken up before anything of it was
    /// shown.
    taken_up: Option<(Duration, Duration)>,
}

impl Expected {
    pub(super) fn new(vendor: &Vendor, counts_from_now: bool) -> Self {
        Self {
            vendor: vendor.clone(),
            counts_from_now,
            counted: BTreeMap::new(),
            polls: None,
            keys: (0..KEYS)
                .map(|number| (key(number), Key::default()))
                .collect(),
        }
    }

    /// Returns the numbers of accounts that a reload of the configuration adds, changes and
    /// removes.
    pub(super) fn difference(&self, configuration: &Configuration) -> [usize; 3] {
        let new: BTreeMap<_, _> = configuration.accounts().collect();
        let has_changed = self.polls != Some(configuration.polls());
        let is_added = |name: &String| !self.counted.contains_key(name);
        let is_changed = |(name, key): (&String, &String)| {
            let old = self.counted.get(name);
            old.is_some_and(|old| has_changed || old != key)
        };
        let is_removed = |name: &&String| !new.contains_key(*name);
        [
            new.keys().filter(|name| is_added(name)).count(),
            new.iter().filter(|account| is_changed(*account)).count(),
            self.counted.keys().filter(is_removed).count(),
        ]
    }

    /// Records that the process ended.
    pub(super) fn process_ended(&mut self) {
        self.counted.clear();
    }

    /// Records that the accounts are those of the configuration.
    pub(super) fn counts(&mut self, configuration: &Configuration) {
        let now = self.vendor.time.now();
        let before: Vec<_> = std::mem::take(&mut self.counted).into_values().collect();
        self.counted = configuration.accounts().collect();
        self.polls = Some(configuration.polls());
        for key in self.counted.values().filter(|key| !before.contains(key)) {
            let known = self.keys.get_mut(key).expect("a key");
            if known.shown.is_empty() {
                let first = known.taken_up.map_or(now, |(first, _)| first);
                known.taken_up = Some((first, now));
            }
        }
    }

    /// Compares a scrape with what was shown before and with what the API has.
    pub(super) fn scraped(&mut self, scrape: &Shown) {
        for name in scrape.by_name.keys() {
            assert!(self.counted.contains_key(name), "{name} is not counted");
        }
        let nothing = Counters::new();
        for (name, key) in &self.counted {
            let counters = scrape.by_name.get(name).unwrap_or(&nothing);
            let most = self.range(key).1;
            for sum in sums(counters) {
                assert!(sum <= most, "{name} shows {sum} of {most} events of {key}");
            }
            let known = self.keys.get_mut(key).expect("a key");
            for (series, before) in &known.shown {
                let now = counters.get(series);
                assert!(
                    now.is_some_and(|now| now >= before),
                    "{name} shows {now:?} after {before} for {series} of {key}"
                );
            }
            known.shown.extend(counters.clone());
        }
    }

    /// Returns `true` if a scrape shows all events of the accounts that are counted.
    pub(super) fn is_whole(&self, scrape: &Shown) -> bool {
        self.counted.iter().all(|(name, key)| {
            let counters = scrape.by_name.get(name);
            let least = self.range(key).0;
            counters.is_some_and(|counters| sums(counters).iter().all(|sum| *sum >= least))
        })
    }

    /// Returns the lowest and the highest number of events of a key that are to be counted.
    fn range(&self, key: &str) -> (u64, u64) {
        let all = self.vendor.created_since(key, 0);
        match self.keys.get(key).and_then(|known| known.taken_up) {
            Some((first, last)) if self.counts_from_now => {
                let second = |time: Duration| i64::try_from(time.as_secs()).expect("a time");
                // The clock of the API, in whole seconds, may be a second behind.
                let most = self.vendor.created_since(key, second(first) - 1);
                (self.vendor.created_since(key, second(last)), most)
            }
            _ => (all, all),
        }
    }
}
