//! The identity of an event in 16 bytes.

use std::fmt;

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
        Self(uuid_bits(text.as_bytes()).unwrap_or_else(|| xxh3_128(text.as_bytes())))
    }

    /// Returns the identity of an element without an id, a hash of its JSON. It tells the
    /// element apart from others and recognizes it in the next answer.
    pub(crate) fn from_content(raw: &str) -> Self {
        Self(xxh3_128(raw.as_bytes()))
    }

    /// Returns `true` if the id is displayed as exactly `text`.
    pub(crate) fn is_spelled(self, text: &str) -> bool {
        !text.bytes().any(|byte| byte.is_ascii_uppercase())
            && uuid_bits(text.as_bytes()) == Some(self.0)
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

/// Returns the bits of a UUID in the form 8-4-4-4-12; `None` for any other text.
fn uuid_bits(text: &[u8]) -> Option<u128> {
    if text.len() != 36 {
        return None;
    }
    let mut bits = 0;
    for (place, &byte) in text.iter().enumerate() {
        if matches!(place, 8 | 13 | 18 | 23) {
            if byte != b'-' {
                return None;
            }
        } else {
            let digit = char::from(byte).to_digit(16)?;
            bits = bits << 4 | u128::from(digit);
        }
    }
    Some(bits)
}

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
            let id = EventId::from_text(text);
            assert_eq!(id.is_spelled(text), spelled, "{text}");
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
