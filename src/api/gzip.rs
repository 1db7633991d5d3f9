//! Answers that are compressed with gzip.
//!
//! A decompressor takes 48 kB at an aligned address. If each answer had one of its own, the
//! allocator would leave holes of that size between what thousands of accounts keep: 26 MB of
//! them with 2,000 accounts.
//!
//! Source: RFC 1952.

use std::sync::{Mutex, PoisonError};

use crc32fast::Hasher;
use flate2::{Decompress, FlushDecompress, Status};

/// The highest number of decompressors that are kept for the next answers.
const MAX_KEPT: usize = 32;
/// The longest header that is read, in bytes. It may hold a file name and a comment.
const MAX_HEADER: usize = 4096;
/// The length of a header without optional parts, and of a trailer.
const HEADER: usize = 10;
const TRAILER: usize = 8;
/// The bits of the header that stand for optional parts.
const CHECKSUM_OF_HEADER: u8 = 2;
const EXTRA: u8 = 4;
const FILE_NAME: u8 = 8;
const COMMENT: u8 = 16;
const RESERVED: u8 = 0xe0;

/// Decompressors that answers take turns to use.
#[derive(Debug, Default)]
pub(super) struct Decompressors(Mutex<Vec<Decompress>>);

/// Decompresses one answer, which arrives in pieces.
#[derive(Debug)]
pub(super) struct GzipDecoder<'d> {
    decompressors: &'d Decompressors,
    /// `None` until the first header is read.
    decompress: Option<Decompress>,
    part: Part,
    /// The bytes of the header or the trailer that were read so far.
    frame: Vec<u8>,
    /// The checksum of what was decompressed of this member.
    checksum: Hasher,
}

/// The part of a member that comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Header,
    Data,
    Trailer,
}

/// The error of an answer that is not the gzip stream that it claims to be.
#[derive(Debug, thiserror::Error)]
#[error("the answer could not be decompressed")]
pub(super) struct NotGzip;

impl Decompressors {
    fn take(&self) -> Decompress {
        let kept = self.kept().pop();
        kept.unwrap_or_else(|| Decompress::new(false))
    }

    fn give_back(&self, mut decompress: Decompress) {
        decompress.reset(false);
        let mut kept = self.kept();
        if kept.len() < MAX_KEPT {
            kept.push(decompress);
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Vec<Decompress>> {
        // Each of them was reset before it was put here.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'d> GzipDecoder<'d> {
    pub(super) fn new(decompressors: &'d Decompressors) -> Self {
        Self {
            decompressors,
            decompress: None,
            part: Part::Header,
            frame: Vec::new(),
            checksum: Hasher::new(),
        }
    }

    /// Decompresses the beginning of `input` into the spare capacity of `text`, and returns
    /// how many bytes of `input` were read. They are fewer than there are if `text` is full, or
    /// if another part begins.
    pub(super) fn decode(&mut self, input: &[u8], text: &mut Vec<u8>) -> Result<usize, NotGzip> {
        match self.part {
            Part::Header => self.header(input),
            Part::Data => self.data(input, text),
            Part::Trailer => self.trailer(input),
        }
    }

    /// Returns an error if the answer may not end here. It may be empty.
    pub(super) fn end(&self) -> Result<(), NotGzip> {
        let is_whole = self.part == Part::Header && self.frame.is_empty();
        is_whole.then_some(()).ok_or(NotGzip)
    }

    fn header(&mut self, input: &[u8]) -> Result<usize, NotGzip> {
        let before = self.frame.len();
        let room = MAX_HEADER.saturating_sub(before);
        let more = input.get(..room).unwrap_or(input);
        self.frame.extend_from_slice(more);
        let Some(length) = header_length(&self.frame)? else {
            let is_too_long = self.frame.len() >= MAX_HEADER;
            return (!is_too_long).then_some(more.len()).ok_or(NotGzip);
        };
        self.frame.clear();
        self.checksum = Hasher::new();
        self.part = Part::Data;
        match &mut self.decompress {
            Some(used) => used.reset(false),
            None => self.decompress = Some(self.decompressors.take()),
        }
        Ok(length.saturating_sub(before))
    }

    fn data(&mut self, input: &[u8], text: &mut Vec<u8>) -> Result<usize, NotGzip> {
        let decompress = self.decompress.as_mut().ok_or(NotGzip)?;
        let (read, written) = (decompress.total_in(), text.len());
        let status = decompress.decompress_vec(input, text, FlushDecompress::None);
        let read = decompress.total_in() - read;
        self.checksum
            .update(text.get(written..).unwrap_or_default());
        match status.map_err(|_| NotGzip)? {
            Status::StreamEnd => self.part = Part::Trailer,
            // Would not go on either if it were asked again.
            _ if read == 0 && text.len() == written => return Err(NotGzip),
            _ => {}
        }
        usize::try_from(read).map_err(|_| NotGzip)
    }

    fn trailer(&mut self, input: &[u8]) -> Result<usize, NotGzip> {
        let missing = TRAILER.saturating_sub(self.frame.len());
        let more = input.get(..missing).unwrap_or(input);
        self.frame.extend_from_slice(more);
        if self.frame.len() < TRAILER {
            return Ok(more.len());
        }
        let length = self.decompress.as_ref().map_or(0, Decompress::total_out);
        let checksum = self.checksum.clone().finalize().to_le_bytes();
        // The format has only the lower 32 bits of the length.
        let length = length.to_le_bytes();
        let expected = checksum.iter().chain(length.iter().take(4));
        if !self.frame.iter().eq(expected) {
            return Err(NotGzip);
        }
        self.frame.clear();
        // Another member may follow, and its text belongs to this one.
        self.part = Part::Header;
        Ok(more.len())
    }
}

impl Drop for GzipDecoder<'_> {
    fn drop(&mut self) {
        if let Some(decompress) = self.decompress.take() {
            self.decompressors.give_back(decompress);
        }
    }
}

/// Returns the length of the header at the beginning of `bytes`; `None` if they end before it
/// does.
fn header_length(bytes: &[u8]) -> Result<Option<usize>, NotGzip> {
    let Some(fixed) = bytes.first_chunk::<HEADER>() else {
        return Ok(None);
    };
    let [0x1f, 0x8b, 8, flags, ..] = *fixed else {
        return Err(NotGzip);
    };
    if flags & RESERVED != 0 {
        return Err(NotGzip);
    }
    Ok(optional_parts(bytes, flags).filter(|length| *length <= bytes.len()))
}

/// Returns the length of the header with its optional parts; `None` if the bytes end before
/// that is known.
fn optional_parts(bytes: &[u8], flags: u8) -> Option<usize> {
    let mut at = HEADER;
    if flags & EXTRA != 0 {
        let length = bytes.get(at..)?.first_chunk()?;
        at += 2 + usize::from(u16::from_le_bytes(*length));
    }
    for text in [FILE_NAME, COMMENT] {
        if flags & text != 0 {
            at += 1 + bytes.get(at..)?.iter().position(|byte| *byte == 0)?;
        }
    }
    if flags & CHECKSUM_OF_HEADER != 0 {
        at += 2;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, GzBuilder, write::GzEncoder};
    use proptest::prelude::*;

    use super::*;

    /// Decompresses an answer that arrives in pieces of this length.
    fn decoded(
        decompressors: &Decompressors,
        answer: &[u8],
        piece: usize,
    ) -> Result<Vec<u8>, NotGzip> {
        let mut decoder = GzipDecoder::new(decompressors);
        let mut text = Vec::new();
        for mut piece in answer.chunks(piece) {
            while !piece.is_empty() {
                text.reserve(100);
                let read = decoder.decode(piece, &mut text)?;
                piece = &piece[read..];
            }
        }
        decoder.end().map(|()| text)
    }

    fn with_header(text: &[u8], builder: GzBuilder) -> Vec<u8> {
        let mut encoder = builder.write(Vec::new(), Compression::default());
        encoder.write_all(text).expect("memory");
        encoder.finish().expect("memory")
    }

    fn compressed(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).expect("memory");
        encoder.finish().expect("memory")
    }

    #[test]
    fn every_header_is_read() {
        let decompressors = Decompressors::default();
        let headers = [
            GzBuilder::new(),
            GzBuilder::new().filename("a name"),
            GzBuilder::new().comment("a comment").extra([1, 0, 2]),
            GzBuilder::new()
                .filename("")
                .comment("b")
                .extra([0; 300])
                .mtime(7),
        ];
        for header in headers {
            let answer = with_header(b"a text", header);
            for piece in [1, 7, 1000] {
                let text = decoded(&decompressors, &answer, piece);
                assert_eq!(text.expect("gzip"), b"a text");
            }
        }
        let mut with_checksum = compressed(b"a text");
        with_checksum[3] |= CHECKSUM_OF_HEADER;
        with_checksum.splice(HEADER..HEADER, [1, 2]);
        let text = decoded(&decompressors, &with_checksum, 3);
        assert_eq!(text.expect("gzip"), b"a text");
        let endless = with_header(b"a text", GzBuilder::new().filename(vec![b'x'; MAX_HEADER]));
        assert!(decoded(&decompressors, &endless, 100).is_err());
    }

    #[test]
    fn no_cut_or_changed_answer_passes_for_a_whole_one() {
        let decompressors = Decompressors::default();
        let text: Vec<u8> = (0..2000_u32).flat_map(u32::to_le_bytes).collect();
        let whole = compressed(&text);
        for length in 1..whole.len() {
            assert!(decoded(&decompressors, &whole[..length], 64).is_err());
        }
        // The time, the level and the system say nothing of the text.
        let said = (0..whole.len()).filter(|place| !(4..HEADER).contains(place));
        for place in said {
            let mut changed = whole.clone();
            changed[place] ^= 0x40;
            if let Ok(read) = decoded(&decompressors, &changed, 64) {
                // The last bits before the trailer mean nothing.
                assert_eq!((read, place), (text.clone(), whole.len() - TRAILER - 1));
            }
        }
        let mut with_more = whole.clone();
        with_more.extend(b"and more of it");
        assert!(decoded(&decompressors, &with_more, 64).is_err());
        // A decompressor that has failed serves the next answer.
        let read = decoded(&decompressors, &whole, 64).expect("gzip");
        assert_eq!(read, text);
    }

    proptest! {
        #[test]
        fn members_are_decompressed_as_one_text_whatever_the_pieces(
            texts in prop::collection::vec(prop::collection::vec(0..4_u8, 0..5000), 1..4),
            piece in 1..3000_usize,
        ) {
            let decompressors = Decompressors::default();
            let answer: Vec<u8> = texts.iter().flat_map(|text| compressed(text)).collect();
            for _ in 0..2 {
                let read = decoded(&decompressors, &answer, piece);
                prop_assert_eq!(read.expect("gzip"), texts.concat());
            }
            prop_assert_eq!(decompressors.kept().len(), 1);
        }
    }
}
