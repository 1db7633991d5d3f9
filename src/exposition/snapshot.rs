//! The events as they are shown from one commit to the next.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::{
    blocks::{Blocks, Key, Piece, Row},
    format::{Encoding, PerVariant, Variant},
    gzip::{self, Checksum},
};
use crate::{
    event::{EventType, label_value},
    ledger::{Change, Changes, SeriesKey},
    metrics::catalog::{EVENT_TYPE_INFO, EVENTS, EVENTS_BY_TYPE},
};

/// Everything of events that is on show.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    by_type: Blocks<Arc<str>>,
    series: Blocks<SeriesKey>,
    types: Arc<[EventType]>,
    descriptions: Blocks<[Arc<str>; 2]>,
    bodies: PerVariant<OnceLock<Body>>,
}

/// What an answer holds before the exporter's own metrics.
#[derive(Debug, Clone)]
pub(super) struct Body {
    pub(super) parts: Vec<Bytes>,
    pub(super) checksum: Checksum,
}

/// Parts below this are put together: to send many small ones costs more than to
/// copy them once for each commit.
const SMALL: usize = 16 << 10;

impl Snapshot {
    /// No event at all. `created` is when the counters were 0, in milliseconds since
    /// 1970, if that is to be told.
    pub(super) fn new(created: Option<i64>) -> Self {
        Self {
            by_type: Blocks::new(&EVENTS_BY_TYPE, created),
            series: Blocks::new(&EVENTS, created),
            types: Arc::default(),
            descriptions: Blocks::new(&EVENT_TYPE_INFO, None),
            bodies: PerVariant::default(),
        }
    }

    /// What is on show once these counters have changed, and `types` are all that
    /// the vendor names.
    pub(super) fn with(&self, changes: &Changes, types: &Arc<[EventType]>) -> Self {
        let descriptions = if Arc::ptr_eq(&self.types, types) {
            self.descriptions.clone()
        } else {
            Blocks::new(&EVENT_TYPE_INFO, None).with(descriptions(types))
        };
        Self {
            by_type: self.by_type.with(rows(&changes.types)),
            series: self.series.with(rows(&changes.series)),
            types: Arc::clone(types),
            descriptions,
            bodies: PerVariant::default(),
        }
    }

    /// Everything in one variant, rendered where it was not before.
    pub(super) fn body(&self, variant: Variant) -> &Body {
        self.bodies.of(variant).get_or_init(|| {
            let families = self
                .by_type
                .pieces(variant)
                .chain(self.series.pieces(variant))
                .chain(self.descriptions.pieces(variant));
            Body::of(variant, families)
        })
    }
}

impl Body {
    pub(super) fn of<'a>(variant: Variant, pieces: impl IntoIterator<Item = &'a Piece>) -> Self {
        let mut parts = Vec::new();
        let mut checksum = Checksum::default();
        let mut small = match variant.encoding {
            Encoding::Identity => Vec::new(),
            Encoding::Gzip => gzip::HEADER.to_vec(),
        };
        for piece in pieces {
            checksum = checksum.then(piece.checksum);
            if piece.bytes.len() < SMALL {
                small.extend_from_slice(&piece.bytes);
            } else {
                put(&mut parts, &mut small);
                parts.push(piece.bytes.clone());
            }
        }
        put(&mut parts, &mut small);
        Self { parts, checksum }
    }
}

fn put(parts: &mut Vec<Bytes>, small: &mut Vec<u8>) {
    if !small.is_empty() {
        small.shrink_to_fit();
        parts.push(std::mem::take(small).into());
    }
}

fn rows<K: Key>(changes: &[Change<K>]) -> Vec<Row<K>> {
    let row = |change: &Change<K>| Row {
        key: change.key.clone(),
        value: change.saved.published,
        exemplar: change.shown_exemplar().cloned(),
    };
    changes.iter().map(row).collect()
}

fn descriptions(types: &[EventType]) -> Vec<Row<[Arc<str>; 2]>> {
    let described = |known: &EventType| {
        let description = label_value(Some((&*known.description).into()));
        [known.name.as_str().into(), description.as_ref().into()]
    };
    let mut keys: Vec<[Arc<str>; 2]> = types.iter().map(described).collect();
    keys.sort_unstable();
    // Two descriptions of one type would be two series that look like two types.
    keys.dedup_by(|one, other| one[0] == other[0]);
    let row = |key| Row {
        key,
        value: 1,
        exemplar: None,
    };
    keys.into_iter().map(row).collect()
}
