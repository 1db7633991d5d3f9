//! The texts of label values, which all counters of all accounts share.
//!
//! Ten thousand accounts have the same event types. With texts of their own, these would take
//! a tenth of the memory.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use rustc_hash::FxBuildHasher;

/// The texts in use, and some that no counter has any more.
static VALUES: Mutex<HashSet<Arc<str>, FxBuildHasher>> =
    Mutex::new(HashSet::with_hasher(FxBuildHasher));
/// The room that is made for more texts at the beginning.
const FEW: usize = 64;

/// Returns the text that all counters with this label value share.
pub(super) fn shared(value: &str) -> Arc<str> {
    // A panic leaves the set as it was.
    let mut values = VALUES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = values.get(value) {
        return Arc::clone(known);
    }
    if values.len() == values.capacity() {
        values.retain(|value| Arc::strong_count(value) > 1);
        let more = values.len().max(FEW);
        values.reserve(more);
    }
    let new: Arc<str> = value.into();
    values.insert(Arc::clone(&new));
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_a_text_while_it_is_in_use() {
        let first = shared("a value");
        // So many others come and go that the set forgets them several times.
        for number in 0..10 * FEW {
            assert_eq!(
                &*shared(&format!("value {number}")),
                format!("value {number}")
            );
        }
        assert!(Arc::ptr_eq(&first, &shared("a value")));
        let values = VALUES.lock().expect("no panic");
        let forgotten = values.len() < 10 * FEW;
        drop(values);
        assert!(forgotten);
    }
}
