//! The body of a response, as parts that are sent.

use bytes::Bytes;

use super::{
    blocks::RenderedPart,
    format::{Encoding, Variant},
    gzip::{self, Checksum},
};

/// The event families as they are sent, or the exporter's own metrics, which follow them.
#[derive(Debug, Clone)]
pub(super) struct Body {
    pub(super) parts: Vec<Bytes>,
    pub(super) checksum: Checksum,
}

/// Parts with fewer bytes are joined: sending many small parts costs more than copying
/// them once.
const SMALL: usize = 16 << 10;

impl Body {
    /// Returns the beginning of a response.
    pub(super) fn beginning<'a>(
        variant: Variant,
        rendered: impl IntoIterator<Item = &'a RenderedPart>,
    ) -> Self {
        let header = match variant.encoding {
            Encoding::Identity => Vec::new(),
            Encoding::Gzip => gzip::HEADER.to_vec(),
        };
        Self::joined(header, rendered)
    }

    /// Returns the end of a response.
    pub(super) fn end<'a>(rendered: impl IntoIterator<Item = &'a RenderedPart>) -> Self {
        Self::joined(Vec::new(), rendered)
    }

    /// Returns the last bytes of a gzip stream of this body and `end`.
    pub(super) fn trailer_with(&self, end: &Self) -> Bytes {
        let trailer = self.checksum.then(end.checksum).trailer();
        Bytes::copy_from_slice(&trailer)
    }

    fn joined<'a>(
        mut small: Vec<u8>,
        rendered: impl IntoIterator<Item = &'a RenderedPart>,
    ) -> Self {
        let mut parts = Vec::new();
        let mut checksum = Checksum::default();
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
