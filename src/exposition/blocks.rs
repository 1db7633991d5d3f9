//! The series of one family in order, in blocks that are rendered once.
//!
//! A commit changes few series of many. Only the blocks with changed series are built,
//! rendered and compressed again; the other blocks are shared with the generation before.
//! The cost therefore depends on what changed, and not on how many series there are.

use std::sync::Arc;

use audit_core::ledger::{Exemplar, SeriesKey};
use bytes::Bytes;
use once_cell::sync::OnceCell;

use super::{
    format::{Encoding, Format, PerVariant, Variant},
    gzip::{self, Checksum, Deflater},
    lines::{self, Header},
};
use crate::metrics::Family;

/// The most series in a block. With fewer series a change costs less, with more series
/// gzip compresses better.
const BLOCK: usize = 256;

/// Identifies a series of a family.
pub(super) trait Key: Ord + Clone {
    /// Returns the values of the labels, in the order of the catalogue.
    fn values(&self) -> impl Iterator<Item = &str>;
}

impl Key for SeriesKey {
    fn values(&self) -> impl Iterator<Item = &str> {
        let values = [&self.event_type, &self.source, &self.source_country];
        values.into_iter().map(|value| &**value)
    }
}

impl Key for Arc<str> {
    fn values(&self) -> impl Iterator<Item = &str> {
        [&**self].into_iter()
    }
}

impl Key for [Arc<str>; 2] {
    fn values(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|value| &**value)
    }
}

/// A series as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row<K> {
    pub(super) key: K,
    pub(super) value: u64,
    /// Boxed, since most series show none.
    pub(super) exemplar: Option<Box<Exemplar>>,
}

/// A part of a response, such as a block, as it is sent.
#[derive(Debug, Clone)]
pub(super) struct RenderedPart {
    pub(super) bytes: Bytes,
    /// The checksum of the uncompressed bytes; empty if `bytes` are not compressed.
    pub(super) checksum: Checksum,
}

/// Makes many parts, one after the other, none of which is the last one of the response. If
/// each were made in memory of its own, the parts that are kept would lie scattered in it, and
/// ten times their size would stay in use.
#[derive(Debug, Default)]
pub(super) struct PartWriter {
    /// The text of the next part.
    pub(super) text: String,
    deflater: Deflater,
}

#[derive(Debug)]
struct Block<K> {
    rows: Vec<Row<K>>,
    /// Boxed, since accounts with few series share their parts.
    parts: PerVariant<OnceCell<Box<RenderedPart>>>,
}

/// The series of one family of one account.
#[derive(Debug, Clone)]
pub(super) struct Blocks<K> {
    common: Common,
    /// The blocks in order. No block is empty.
    blocks: Vec<Arc<Block<K>>>,
}

/// The properties that all series of one family of one account share.
#[derive(Debug, Clone)]
struct Common {
    family: &'static Family,
    /// The value of the label `account`, if there are several accounts.
    account: Option<Arc<str>>,
    /// The time when the counters were 0, in milliseconds since 1970, if `_created` is to
    /// be shown.
    created: Option<i64>,
}

/// The lines before the series of a family, rendered once.
#[derive(Debug)]
pub(super) struct FamilyHeader {
    family: &'static Family,
    parts: PerVariant<OnceCell<RenderedPart>>,
}

impl RenderedPart {
    /// Returns the last part of a response.
    pub(super) fn last(text: impl Into<Bytes>, encoding: Encoding) -> Self {
        let text = text.into();
        match encoding {
            Encoding::Identity => Self {
                bytes: text,
                checksum: Checksum::default(),
            },
            Encoding::Gzip => Self {
                bytes: gzip::deflate_last(&text).into(),
                checksum: Checksum::of(&text),
            },
        }
    }
}

impl PartWriter {
    /// Returns the part with what is in `text`, which is then empty.
    pub(super) fn part(&mut self, encoding: Encoding) -> RenderedPart {
        let text = self.text.as_bytes();
        let part = match encoding {
            Encoding::Identity => RenderedPart {
                bytes: Bytes::copy_from_slice(text),
                checksum: Checksum::default(),
            },
            Encoding::Gzip => RenderedPart {
                bytes: self.deflater.deflate(text).into(),
                checksum: Checksum::of(text),
            },
        };
        self.text.clear();
        part
    }

    /// Returns the part with what is in `text`, which is then empty; `None` if it is empty
    /// already.
    pub(super) fn part_if_any(&mut self, encoding: Encoding) -> Option<RenderedPart> {
        (!self.text.is_empty()).then(|| self.part(encoding))
    }
}

impl<K: Key> Blocks<K> {
    /// Returns a family without series. `created` is the time when its counters were 0,
    /// in milliseconds since 1970, if `_created` is to be shown.
    pub(super) fn new(
        family: &'static Family,
        account: Option<Arc<str>>,
        created: Option<i64>,
    ) -> Self {
        Self {
            common: Common {
                family,
                account,
                created,
            },
            blocks: Vec::new(),
        }
    }

    /// Returns the family with these series added or changed, and all others unchanged.
    pub(super) fn with(&self, mut rows: Vec<Row<K>>) -> Self {
        rows.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        let mut rows = rows.into_iter().peekable();
        let mut blocks = Vec::with_capacity(self.blocks.len() + 1);
        for (place, block) in self.blocks.iter().enumerate() {
            let next = self.blocks.get(place + 1).map(|next| &next.rows[0].key);
            let belongs = |row: &Row<K>| next.is_none_or(|next| row.key < *next);
            let mut changed = Vec::new();
            while let Some(row) = rows.next_if(belongs) {
                changed.push(row);
            }
            match block.with(changed) {
                None => blocks.push(Arc::clone(block)),
                Some(rows) => blocks.extend(split(rows)),
            }
        }
        blocks.extend(split(rows.collect()));
        Self {
            common: self.common.clone(),
            blocks,
        }
    }

    /// Returns the family without the exemplars of these series.
    pub(super) fn without_exemplars(&self, mut keys: Vec<K>) -> Self {
        keys.sort_unstable();
        let without = |block: &Arc<Block<K>>| {
            let ends =
                |row: &Row<K>| row.exemplar.is_some() && keys.binary_search(&row.key).is_ok();
            if !block.rows.iter().any(ends) {
                return Arc::clone(block);
            }
            let mut rows = block.rows.clone();
            for row in rows.iter_mut().filter(|row| ends(row)) {
                row.exemplar = None;
            }
            Arc::new(Block::new(rows))
        };
        Self {
            common: self.common.clone(),
            blocks: self.blocks.iter().map(without).collect(),
        }
    }

    /// Returns `true` if the blocks of both are the same in memory.
    pub(super) fn are_shared_with(&self, other: &Self) -> bool {
        let mut blocks = self.blocks.iter().zip(&other.blocks);
        self.blocks.len() == other.blocks.len()
            && blocks.all(|(one, other)| Arc::ptr_eq(one, other))
    }

    /// Returns `true` if there are no more than so many series.
    pub(super) fn has_at_most(&self, series: usize) -> bool {
        self.blocks
            .iter()
            .map(|block| block.rows.len())
            .sum::<usize>()
            <= series
    }

    /// Writes all series.
    pub(super) fn write(&self, text: &mut String, format: Format) {
        for row in self.blocks.iter().flat_map(|block| &block.rows) {
            row.render(text, &self.common, format);
        }
    }

    /// Returns the parts, each of which is rendered when it is first used.
    pub(super) fn parts(
        &self,
        variant: Variant,
        writer: &mut PartWriter,
    ) -> impl Iterator<Item = &RenderedPart> {
        self.blocks.iter().map(move |block| {
            let part = block.parts.of(variant);
            &**part.get_or_init(|| Box::new(block.render(&self.common, variant, writer)))
        })
    }
}

impl FamilyHeader {
    pub(super) fn new(family: &'static Family) -> Self {
        Self {
            family,
            parts: PerVariant::default(),
        }
    }

    pub(super) fn part(&self, variant: Variant, writer: &mut PartWriter) -> &RenderedPart {
        self.parts.of(variant).get_or_init(|| {
            let header = Header {
                name: self.family.name,
                help: self.family.help,
                kind: self.family.kind,
            };
            lines::header(&mut writer.text, header, variant.format);
            writer.part(variant.encoding)
        })
    }
}

fn split<K>(rows: Vec<Row<K>>) -> Vec<Arc<Block<K>>> {
    if rows.is_empty() {
        return Vec::new();
    }
    let count = rows.len().div_ceil(BLOCK);
    let size = rows.len().div_ceil(count);
    let mut rows = rows.into_iter();
    let mut blocks = Vec::with_capacity(count);
    while rows.len() > 0 {
        let block = rows.by_ref().take(size).collect();
        blocks.push(Arc::new(Block::new(block)));
    }
    blocks
}

impl<K> Block<K> {
    fn new(rows: Vec<Row<K>>) -> Self {
        Self {
            rows,
            parts: PerVariant::default(),
        }
    }
}

impl<K: Key> Block<K> {
    /// Returns the rows with `changed` rows merged in; `None` if that changes nothing. Both
    /// are in order.
    fn with(&self, changed: Vec<Row<K>>) -> Option<Vec<Row<K>>> {
        if changed.is_empty() {
            return None;
        }
        let mut rows = Vec::with_capacity(self.rows.len() + changed.len());
        let mut before = self.rows.iter().peekable();
        for row in changed {
            while let Some(earlier) = before.next_if(|before| before.key < row.key) {
                rows.push(earlier.clone());
            }
            before.next_if(|before| before.key == row.key);
            rows.push(row);
        }
        rows.extend(before.cloned());
        (rows != self.rows).then_some(rows)
    }

    fn render(&self, common: &Common, variant: Variant, writer: &mut PartWriter) -> RenderedPart {
        for row in &self.rows {
            row.render(&mut writer.text, common, variant.format);
        }
        writer.part(variant.encoding)
    }
}

impl<K: Key> Row<K> {
    fn render(&self, text: &mut String, common: &Common, format: Format) {
        text.push_str(common.family.name);
        self.labels(text, common);
        text.push(' ');
        text.push_str(itoa::Buffer::new().format(self.value));
        if format == Format::OpenMetrics {
            self.render_exemplar(text);
            text.push('\n');
            if let Some(created) = common.created {
                self.render_created(text, common, created);
            }
        } else {
            text.push('\n');
        }
    }

    fn labels(&self, text: &mut String, common: &Common) {
        let account = common.account.as_deref();
        lines::series_labels(text, common.family, self.key.values(), account);
    }

    fn render_exemplar(&self, text: &mut String) {
        if let Some(exemplar) = &self.exemplar {
            text.push_str(" # ");
            lines::labels(text, [("event_id", &*exemplar.event_id())]);
            text.push_str(" 1 ");
            lines::seconds(text, exemplar.created_at());
        }
    }

    fn render_created(&self, text: &mut String, common: &Common, created: i64) {
        lines::created(
            text,
            common.family,
            |text| self.labels(text, common),
            created,
        );
    }
}
