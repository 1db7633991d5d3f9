//! Converts event numbers to UUIDs and back, so that ids need neither storage nor an index.
//!
//! The upper half of a UUID is drawn from the number; the lower half is the number, masked
//! with bits drawn from the upper half.

use crate::random::{self, Purpose};

const VERSION_4: u64 = 0x4000;
const VERSION_MASK: u64 = 0xf000;
const VARIANT: u64 = 0x8000_0000_0000_0000;
const VARIANT_MASK: u64 = 0xc000_0000_0000_0000;

/// Returns the id of event `number`, a lower-case UUID.
pub(crate) fn id_of(seed: u64, number: u32) -> String {
    let (high, low) = halves(seed, number);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

/// Returns the number whose id is `text`, or `None` if `text` is the id of no number.
pub(crate) fn number_of(seed: u64, text: &str) -> Option<u32> {
    let (high, low) = parse(text)?;
    let number = low_word(low ^ mask(seed, high));
    (halves(seed, number) == (high, low)).then_some(number)
}

fn halves(seed: u64, number: u32) -> (u64, u64) {
    let high = random::bits(seed, Purpose::IdHigh, number.into()) & !VERSION_MASK | VERSION_4;
    let low = (mask(seed, high) ^ u64::from(number)) & !VARIANT_MASK | VARIANT;
    (high, low)
}

fn mask(seed: u64, high: u64) -> u64 {
    random::bits(seed, Purpose::IdLow, high)
}

#[expect(clippy::cast_possible_truncation, reason = "the lower word is meant")]
fn low_word(value: u64) -> u32 {
    value as u32
}

fn parse(text: &str) -> Option<(u64, u64)> {
    let bytes = text.as_bytes();
    let dashes = [8, 13, 18, 23];
    if bytes.len() != 36 || dashes.iter().any(|&at| bytes[at] != b'-') {
        return None;
    }
    let mut digits = String::with_capacity(32);
    for (at, &byte) in bytes.iter().enumerate() {
        if dashes.contains(&at) {
            continue;
        }
        if !byte.is_ascii_hexdigit() {
            return None;
        }
        digits.push(char::from(byte));
    }
    let high = u64::from_str_radix(&digits[..16], 16).ok()?;
    let low = u64::from_str_radix(&digits[16..], 16).ok()?;
    Some((high, low))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_number_comes_back_from_its_id(seed: u64, number: u32) {
            let id = id_of(seed, number);
            prop_assert_eq!(number_of(seed, &id), Some(number));
            prop_assert_eq!(number_of(seed, &id.to_uppercase()), Some(number));
            prop_assert_eq!(&id[14..15], "4");
            prop_assert!("89ab".contains(&id[19..20]));
        }

        #[test]
        fn other_text_has_no_number(text in ".{0,40}") {
            prop_assert_eq!(number_of(1, &text), None);
        }
    }

    #[test]
    fn an_altered_id_has_no_number() {
        let id = id_of(1, 7);
        let altered = id.replace(&id[35..], if id.ends_with('0') { "1" } else { "0" });
        assert_eq!(number_of(1, &altered), None);
        assert_eq!(number_of(2, &id), None);
        assert_eq!(number_of(1, "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"), None);
    }
}
