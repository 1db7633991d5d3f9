//! The body of an answer: whole, or cut before the length that was announced.

use std::io::Write;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::{Body, Frame, SizeHint};

/// Bodies shorter than this are not worth compressing.
const SHORTEST_COMPRESSED: usize = 1024;

/// The body of an answer.
#[derive(Debug)]
pub(super) struct AnswerBody {
    rest: Bytes,
    stage: Stage,
}

#[derive(Debug, PartialEq, Eq)]
enum Stage {
    Whole,
    /// Half of the bytes are to be sent.
    Cut,
    /// They are with hyper, which must get a chance to send them.
    Flushing,
    Broken,
}

/// The body ended too early, as it was meant to.
#[derive(Debug, thiserror::Error)]
#[error("the body is cut, as asked for by a fault")]
pub(super) struct CutBody;

impl AnswerBody {
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self {
            rest: bytes,
            stage: Stage::Whole,
        }
    }

    /// Turns into a body of which only the first half is sent.
    pub(super) fn cut(self) -> Self {
        Self {
            rest: self.rest.slice(..self.rest.len() / 2),
            stage: Stage::Cut,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.rest.len()
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = CutBody;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutBody>>> {
        match self.stage {
            Stage::Whole if self.rest.is_empty() => Poll::Ready(None),
            Stage::Broken => Poll::Ready(Some(Err(CutBody))),
            Stage::Flushing => {
                self.stage = Stage::Broken;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Stage::Cut if self.rest.is_empty() => {
                self.stage = Stage::Flushing;
                self.poll_frame(context)
            }
            Stage::Whole | Stage::Cut => {
                let bytes = std::mem::take(&mut self.rest);
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.stage == Stage::Whole && self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        if self.stage == Stage::Whole {
            SizeHint::with_exact(self.rest.len() as u64)
        } else {
            SizeHint::default()
        }
    }
}

/// `bytes` compressed at the fastest level, if they are long enough to gain by it.
pub(super) fn gzip(bytes: &[u8]) -> Option<Bytes> {
    if bytes.len() < SHORTEST_COMPRESSED {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok().map(Bytes::from)
}
