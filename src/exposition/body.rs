//! The beginning of the body of a response.

use bytes::Bytes;

use super::{
    blocks::RenderedPart,
    format::{Encoding, Variant},
    gzip::{self, Checksum},
};

/// The event families as they are sent, before the exporter's own metrics.
#[derive(Debug, Clone)]
pub(super) struct Body {
    pub(super) parts: Vec<Bytes>,
    pub(super) checksum: Checksum,
}

/// Parts with fewer bytes are joined: sending many small parts costs more than copying
/// them once for each commit.
const SMALL: usize = 16 << 10;

impl Body {
    pub(super) fn of<'a>(
        variant: Variant,
        rendered: impl IntoIterator<Item = &'a RenderedPart>,
    ) -> Self {
        let mut parts = Vec::new();
        let mut checksum = Checksum::default();
        let mut small = match variant.encoding {
            Encoding::Identity => Vec::new(),
            Encoding::Gzip => gzip::HEADER.to_vec(),
        };
        for part in rendered {
            checksum = checksum.then(part.checksum);
            if part.bytes.len() < SMALL {
                small.extend_from_slice(&part.bytes);
            } else {
                put(&mut parts, &mut small);
                parts.push(part.bytes.clone());
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
