//! The identity of an event in 16 bytes.

use std::{fmt, ops::Range};

use xxhash_rust::xxh3::xxh3_128;

/// The identity of an event.
///
/// A UUID, in upper or lower case, is represented by its own 128 bits, and any other id
/// by a 128-bit hash (XXH3). Among a billion ids, the probability that two have the same
/// hash is below 10⁻²⁰. The value is stored, so neither rule may change.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct EventId(u128);

impl EventId {
    /// Returns the identity of the event whose id the API writes as `text`.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self::from_spelling(text).0
    }

    /// Like [`EventId::from_text`]. Returns `true` too if the id is displayed as exactly `text`.
    pub(crate) fn from_spelling(text: &str) -> (Self, bool) {
        match Uuid::read(text.as_bytes()) {
            Some(Uuid { bits, is_lower }) => (Self(bits), is_lower),
            None => (Self(xxh3_128(text.as_bytes())), false),
        }
    }

    /// Returns the identity of an element without an id, a hash of its JSON. It tells the
    /// element apart from others and recognizes it in the next answer.
    pub(crate) fn from_content(raw: &str) -> Self {
        Self(xxh3_128(raw.as_bytes()))
    }

    /// Returns the 128 bits that are stored.
    #[must_use]
    pub fn to_bits(self) -> u128 {
        self.0
    }

    /// Returns the identity that has these bits.
    #[must_use]
    pub fn from_bits(bits: u128) -> Self {
        Self(bits)
    }
}

/// Writes a UUID in lower case. It is the id of the event only if that is a UUID.
impl fmt::Display for EventId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.0;
        write!(
            formatter,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            bits >> 96,
            bits >> 80 & 0xffff,
            bits >> 64 & 0xffff,
            bits >> 48 & 0xffff,
            bits & 0xffff_ffff_ffff
        )
    }
}

/// A UUID that was read from a text.
struct Uuid {
    bits: u128,
    /// `true` if no digit is in upper case.
    is_lower: bool,
}

impl Uuid {
    /// Reads a UUID in the form 8-4-4-4-12; `None` for any other text.
    fn read(text: &[u8]) -> Option<Self> {
        let text: &[u8; 36] = text.try_into().ok()?;
        let is_separated = [8, 13, 18, 23].iter().all(|place| text[*place] == b'-');
        let mut flags = 0;
        let mut digits = |places: Range<usize>| {
            text[places].iter().fold(0_u64, |bits, byte| {
                let digit = HEX_DIGITS[usize::from(*byte)];
                flags |= digit;
                bits << 4 | u64::from(digit & 0xf)
            })
        };
        let high = digits(0..8) << 32 | digits(9..13) << 16 | digits(14..18);
        let low = digits(19..23) << 48 | digits(24..36);
        (is_separated && flags & NO_DIGIT == 0).then_some(Self {
            bits: u128::from(high) << 64 | u128::from(low),
            is_lower: flags & UPPER == 0,
        })
    }
}

/// In [`HEX_DIGITS`]: the digit is in upper case.
const UPPER: u8 = 0x10;
/// In [`HEX_DIGITS`]: the byte is no digit.
const NO_DIGIT: u8 = 0x20;

/// The value of each byte as a hexadecimal digit.
const HEX_DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789ABCDEF"[value as usize] as usize] = value | UPPER;
        digits[b"0123456789abcdef"[value as usize] as usize] = value;
        value += 1;
    }
    digits
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_its_own_bits_in_either_case() {
        let lower = EventId::from_text("aaaaaaaa-bbbb-cccc-dddd-0123456789ab");
        let upper = EventId::from_text("AAAAAAAA-BBBB-CCCC-DDDD-0123456789AB");
        assert_eq!(lower, upper);
        assert_eq!(lower.to_bits(), 0xaaaa_aaaa_bbbb_cccc_dddd_0123_4567_89ab);
        assert_eq!(EventId::from_bits(lower.to_bits()), lower);
    }

    #[test]
    fn anything_else_is_known_by_its_text() {
        let texts = [
            "1",
            "2",
            "a",
            "A",
            "aaaaaaaa-bbbb-cccc-dddd-0123456789a",
            "aaaaaaaa-bbbb-cccc-dddd-0123456789ag",
            "aaaaaaaa+bbbb-cccc-dddd-0123456789ab",
            "aaaaaaaabbbbccccdddd0123456789ab0000",
        ];
        let mut ids: Vec<_> = texts.map(EventId::from_text).into();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), texts.len());
    }

    #[test]
    fn a_uuid_in_lower_case_is_spelled_by_its_bits_alone() {
        let cases = [
            ("aaaaaaaa-bbbb-cccc-dddd-0123456789ab", true),
            ("00000000-0000-0000-0000-000000000001", true),
            ("AAAAAAAA-bbbb-cccc-dddd-0123456789ab", false),
            ("event-1", false),
        ];
        for (text, spelled) in cases {
            let (id, is_spelled) = EventId::from_spelling(text);
            assert_eq!(is_spelled, spelled, "{text}");
            assert_eq!(id.to_string() == text, spelled, "{text}");
        }
    }

    #[test]
    fn the_stored_hash_never_changes() {
        assert_eq!(
            format!("{:032x}", EventId::from_text("event-1").to_bits()),
            "8d1b58c27df83bf1d7bff3191c74e56b"
        );
    }
}
