//! The filter that decides by the type of an event whether it is counted.

use std::collections::BTreeSet;

/// The event types that are counted. The default counts all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypeFilter {
    /// The only types that are counted; empty if all are.
    pub only: BTreeSet<String>,
    /// Types that are not counted, even if `only` names them.
    pub except: BTreeSet<String>,
}

impl TypeFilter {
    /// Returns `true` if events of this type are counted.
    #[must_use]
    pub fn admits(&self, event_type: &str) -> bool {
        let wanted = self.only.is_empty() || self.only.contains(event_type);
        wanted && !self.except.contains(event_type)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types() {
        let set = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let cases: [(&[&str], &[&str], [bool; 2]); 5] = [
            (&[], &[], [true, true]),
            (&["A"], &[], [true, false]),
            (&[], &["A"], [false, true]),
            (&["A", "B"], &["A"], [false, true]),
            (&["C"], &[], [false, false]),
        ];
        for (only, except, expected) in cases {
            let filter = TypeFilter {
                only: set(only),
                except: set(except),
            };
            assert_eq!(["A", "B"].map(|name| filter.admits(name)), expected);
        }
    }
}
