//! The order in which the names of objects usually come.

/// The highest number of names that are expected.
const MAX_USUAL_NAMES: usize = 32;

/// The names of the members of objects, in their usual order.
///
/// Nearly all events have the same names in the same order. To compare a name with the one
/// that is expected takes a small part of the time to look for its end.
#[derive(Default)]
pub(super) struct UsualNames<'a>(
    /// Each name with its quotation marks and the colon, as it was written.
    Vec<&'a [u8]>,
);

impl<'a> UsualNames<'a> {
    /// Returns the name that is expected in a place, with its quotation marks and the colon.
    pub(super) fn get(&self, place: usize) -> Option<&'a [u8]> {
        self.0.get(place).copied()
    }

    /// Takes in the name that was read in the place of the one that was expected, and sets
    /// `place` to the one after it. Names before it are missing in this object.
    pub(super) fn learn(&mut self, member: &'a [u8], place: &mut usize) {
        let rest = self.0.get(*place..).unwrap_or_default();
        if let Some(missing) = rest.iter().position(|usual| *usual == member) {
            *place += missing + 1;
        } else if self.0.len() < MAX_USUAL_NAMES {
            self.0.insert(*place, member);
            *place += 1;
        }
    }
}
