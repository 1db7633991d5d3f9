//! What a scrape shows of the events.

use std::collections::BTreeMap;

const EVENTS: &str = "nexmo_audit_events_total{";
const BY_TYPE: &str = "nexmo_audit_events_by_type_total{";

/// The counters of events that a scrape shows, by the name of the account.
#[derive(Debug, Default)]
pub(super) struct Shown {
    pub(super) by_name: BTreeMap<String, Counters>,
}

/// The counters of one account, by their name and labels without the account.
pub(super) type Counters = BTreeMap<String, u64>;

impl Shown {
    /// Reads the answer to a scrape.
    pub(super) fn read(text: &str) -> Self {
        let mut shown = Self::default();
        let is_counter = |line: &&str| line.starts_with(EVENTS) || line.starts_with(BY_TYPE);
        for line in text.lines().filter(is_counter) {
            let (series, value) = line.rsplit_once(' ').expect("a sample");
            let (before, rest) = series.split_once("account=\"").expect("an account");
            let (name, after) = rest.split_once('"').expect("a quote");
            let counters = shown.by_name.entry(name.to_owned()).or_default();
            let value = value.parse().expect("a whole number");
            let is_new = counters.insert(format!("{before}{after}"), value).is_none();
            assert!(is_new, "{series} is shown twice");
        }
        shown
    }
}

/// Returns the number of events by their series, and by their types.
pub(super) fn sums(counters: &Counters) -> [u64; 2] {
    [EVENTS, BY_TYPE].map(|family| {
        let of_family = counters
            .iter()
            .filter(|(series, _)| series.starts_with(family));
        of_family.map(|(_, value)| value).sum()
    })
}
