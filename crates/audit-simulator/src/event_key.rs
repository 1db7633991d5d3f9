//! The labels of an event (type, source, country); each combination is kept once.

use std::collections::HashMap;

use crate::catalog::{COUNTRIES, EVENT_TYPES, SOURCES};

/// The labels by which events are counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventKey {
    /// `event_type`, as the API writes it.
    pub event_type: String,
    /// `source`, as the API writes it.
    pub source: String,
    /// `source_country`; `None` when the event has none.
    pub country: Option<String>,
}

/// All combinations of labels in use, by number. The combinations of the catalog come first,
/// in the order that [`index_of`] computes; others are added when they are recorded.
#[derive(Clone)]
pub(crate) struct KeyTable {
    keys: Vec<EventKey>,
    type_of: Vec<usize>,
    types: Vec<String>,
    numbers: HashMap<EventKey, u32>,
}

/// Returns the number of a combination of the catalog. The index past the last country
/// stands for no country.
pub(crate) fn index_of(event_type: usize, source: usize, country: usize) -> u32 {
    let index = (event_type * SOURCES.len() + source) * (COUNTRIES.len() + 1) + country;
    u32::try_from(index).unwrap_or(u32::MAX)
}

impl KeyTable {
    pub(crate) fn new() -> Self {
        let mut table = Self {
            keys: Vec::new(),
            type_of: Vec::new(),
            types: Vec::new(),
            numbers: HashMap::new(),
        };
        for event_type in &EVENT_TYPES {
            for (source, _) in SOURCES {
                let known = COUNTRIES.iter().map(|(country, _)| Some(*country));
                for country in known.chain([None]) {
                    table.number(&EventKey {
                        event_type: event_type.name.to_owned(),
                        source: source.to_owned(),
                        country: country.map(str::to_owned),
                    });
                }
            }
        }
        table
    }

    /// Returns the number of `key`, if it is in use.
    pub(crate) fn find(&self, key: &EventKey) -> Option<u32> {
        self.numbers.get(key).copied()
    }

    /// Returns the number of `key`, which is a new number if `key` is not in use yet.
    pub(crate) fn number(&mut self, key: &EventKey) -> u32 {
        if let Some(number) = self.find(key) {
            return number;
        }
        let number = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        let event_type = self.type_index(&key.event_type).unwrap_or_else(|| {
            self.types.push(key.event_type.clone());
            self.types.len() - 1
        });
        self.type_of.push(event_type);
        self.keys.push(key.clone());
        self.numbers.insert(key.clone(), number);
        number
    }

    pub(crate) fn get(&self, number: u32) -> &EventKey {
        &self.keys[slot(number)]
    }

    /// Returns the index of the event type of key `number`.
    pub(crate) fn type_of(&self, number: u32) -> usize {
        self.type_of[slot(number)]
    }

    pub(crate) fn type_index(&self, name: &str) -> Option<usize> {
        self.types.iter().position(|known| known == name)
    }

    pub(crate) fn type_count(&self) -> usize {
        self.types.len()
    }
}

fn slot(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computed_numbers_are_those_of_the_table() {
        let table = KeyTable::new();
        for (at, event_type) in EVENT_TYPES.iter().enumerate() {
            for (source, (source_name, _)) in SOURCES.iter().enumerate() {
                for country in 0..=COUNTRIES.len() {
                    let key = table.get(index_of(at, source, country));
                    assert_eq!(key.event_type, event_type.name);
                    assert_eq!(key.source, *source_name);
                    let name = COUNTRIES.get(country).map(|(name, _)| (*name).to_owned());
                    assert_eq!(key.country, name);
                    assert_eq!(table.type_of(index_of(at, source, country)), at);
                }
            }
        }
    }

    #[test]
    fn a_new_key_is_added_once() {
        let mut table = KeyTable::new();
        let key = EventKey {
            event_type: "NEW_TYPE".to_owned(),
            source: "ELSEWHERE".to_owned(),
            country: None,
        };
        let number = table.number(&key);
        assert_eq!(table.number(&key), number);
        assert_eq!(table.get(number), &key);
        assert_eq!(table.type_of(number), EVENT_TYPES.len());
    }
}
