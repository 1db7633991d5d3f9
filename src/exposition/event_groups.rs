//! The event families of all accounts, in parts that are kept until what they show changes.
//!
//! An account with many series has a part for each block of them. Accounts with few series
//! share a part, since thousands of small parts cost more to join and to send, and gzip
//! compresses them badly.

use std::sync::{Arc, Weak};

use super::{
    blocks::{Blocks, Key, PartWriter, RenderedPart},
    events::EventFamilies,
    format::{PerVariant, Variant},
};

/// The most accounts that share a part. With fewer accounts a change costs less, with more
/// accounts gzip compresses better.
const ACCOUNTS: usize = if cfg!(test) { 3 } else { 16 };
/// The most series of an account that shares a part.
const FEW_SERIES: usize = 64;

/// The groups of all accounts, in order.
#[derive(Debug, Default)]
pub(super) struct EventGroups(Vec<EventGroup>);

/// Accounts that follow each other, with the parts that show their events.
#[derive(Debug, Default)]
struct EventGroup {
    /// What is shown. It is not kept alive, and its place in memory is not used again.
    shown: Vec<Weak<EventFamilies>>,
    parts: PerVariant<Option<GroupParts>>,
}

/// The parts of each family that show the events of a group.
#[derive(Debug)]
pub(super) struct GroupParts {
    pub(super) by_type: Vec<RenderedPart>,
    pub(super) series: Vec<RenderedPart>,
}

impl EventGroups {
    /// Returns the parts of groups that show these families, in order. What has changed since
    /// it was last rendered in this variant is rendered again.
    pub(super) fn renewed(
        &mut self,
        families: &[&Arc<EventFamilies>],
        variant: Variant,
        writer: &mut PartWriter,
    ) -> Vec<&GroupParts> {
        let groups = families.chunks(ACCOUNTS);
        self.0.resize_with(groups.len(), EventGroup::default);
        let groups = self.0.iter_mut().zip(groups);
        groups
            .map(|(group, families)| group.renewed(families, variant, writer))
            .collect()
    }
}

impl EventGroup {
    /// Returns the parts that show these families. If they are others than before, the parts
    /// of all variants are dropped.
    fn renewed(
        &mut self,
        families: &[&Arc<EventFamilies>],
        variant: Variant,
        writer: &mut PartWriter,
    ) -> &GroupParts {
        if !self.shows(families) {
            *self = Self {
                shown: families.iter().map(|shown| Arc::downgrade(shown)).collect(),
                parts: PerVariant::default(),
            };
        }
        self.parts
            .of_mut(variant)
            .get_or_insert_with(|| GroupParts::new(families, variant, writer))
    }

    fn shows(&self, families: &[&Arc<EventFamilies>]) -> bool {
        let shown = self.shown.iter().map(Weak::as_ptr);
        shown.eq(families.iter().map(|shown| Arc::as_ptr(shown)))
    }
}

impl GroupParts {
    fn new(families: &[&Arc<EventFamilies>], variant: Variant, writer: &mut PartWriter) -> Self {
        let by_type = families.iter().map(|families| &families.by_type);
        let series = families.iter().map(|families| &families.series);
        Self {
            by_type: parts(by_type, variant, writer),
            series: parts(series, variant, writer),
        }
    }
}

fn parts<'f, K: Key + 'f>(
    families: impl Iterator<Item = &'f Blocks<K>>,
    variant: Variant,
    writer: &mut PartWriter,
) -> Vec<RenderedPart> {
    let mut parts = Vec::new();
    for blocks in families {
        if blocks.has_at_most(FEW_SERIES) {
            blocks.write(&mut writer.text, variant.format);
        } else {
            parts.extend(writer.part_if_any(variant.encoding));
            parts.extend(blocks.parts(variant, writer).cloned());
        }
    }
    parts.extend(writer.part_if_any(variant.encoding));
    parts
}
