//! The event families of all accounts, in parts that are kept until what they show changes.
//!
//! An account with many series has a part for each block of them. Accounts with few series
//! share a part, since thousands of small parts cost more to join and to send, and gzip
//! compresses them badly.

use std::{
    mem,
    sync::{Arc, Weak},
};

use super::{
    blocks::{Blocks, Key, RenderedPart},
    events::EventFamilies,
    format::{PerVariant, Variant},
    gzip::Deflater,
};

/// The most accounts that share a part. With fewer accounts a change costs less, with more
/// accounts gzip compresses better.
const ACCOUNTS: usize = if cfg!(test) { 3 } else { 16 };
/// The most series of an account that shares a part.
const FEW_SERIES: usize = 64;

/// The parts of each variant as they were last rendered.
#[derive(Debug, Default)]
pub(super) struct EventGroups(PerVariant<Vec<EventGroup>>);

/// Accounts that follow each other, with the parts that show their events.
#[derive(Debug)]
pub(super) struct EventGroup {
    /// What is shown. It is not kept alive, and its place in memory is not used again.
    shown: Vec<Weak<EventFamilies>>,
    pub(super) by_type: Vec<RenderedPart>,
    pub(super) series: Vec<RenderedPart>,
}

impl EventGroups {
    /// Returns groups that show these families, in order. What has changed since the last
    /// call is rendered again.
    pub(super) fn renewed(
        &mut self,
        families: &[&Arc<EventFamilies>],
        variant: Variant,
    ) -> &[EventGroup] {
        let groups = self.0.of_mut(variant);
        let mut deflater = Deflater::default();
        groups.truncate(families.len().div_ceil(ACCOUNTS));
        for (place, families) in families.chunks(ACCOUNTS).enumerate() {
            match groups.get_mut(place) {
                Some(group) if group.shows(families) => {}
                Some(group) => *group = EventGroup::new(families, variant, &mut deflater),
                None => groups.push(EventGroup::new(families, variant, &mut deflater)),
            }
        }
        groups
    }
}

impl EventGroup {
    fn new(families: &[&Arc<EventFamilies>], variant: Variant, deflater: &mut Deflater) -> Self {
        let by_type = families.iter().map(|families| &families.by_type);
        let series = families.iter().map(|families| &families.series);
        Self {
            shown: families.iter().map(|shown| Arc::downgrade(shown)).collect(),
            by_type: parts(by_type, variant, deflater),
            series: parts(series, variant, deflater),
        }
    }

    fn shows(&self, families: &[&Arc<EventFamilies>]) -> bool {
        let shown = self.shown.iter().map(Weak::as_ptr);
        shown.eq(families.iter().map(|shown| Arc::as_ptr(shown)))
    }
}

fn parts<'f, K: Key + 'f>(
    families: impl Iterator<Item = &'f Blocks<K>>,
    variant: Variant,
    deflater: &mut Deflater,
) -> Vec<RenderedPart> {
    let mut parts = Vec::new();
    let mut shared = String::new();
    for blocks in families {
        if blocks.has_at_most(FEW_SERIES) {
            blocks.write(&mut shared, variant.format);
        } else {
            parts.extend(part(&mut shared, variant, deflater));
            parts.extend(blocks.parts(variant).cloned());
        }
    }
    parts.extend(part(&mut shared, variant, deflater));
    parts
}

/// Returns a part of what is in `text`, which is empty then.
fn part(text: &mut String, variant: Variant, deflater: &mut Deflater) -> Option<RenderedPart> {
    let mut text = mem::take(text);
    text.shrink_to_fit();
    (!text.is_empty()).then(|| RenderedPart::of_many(text, variant.encoding, deflater))
}
