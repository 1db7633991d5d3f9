//! The body of an answer: whole, or cut before its announced length.

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
pub(crate) struct AnswerBody {
    rest: Bytes,
    stage: BodyState,
}

#[derive(Debug, PartialEq, Eq)]
enum BodyState {
    Whole,
    /// Half of the bytes are to be sent.
    Cut,
    /// Hyper has the bytes, and must get a chance to send them.
    Flushing,
    Broken,
}

/// The error that ends a body early because a fault asks for that.
#[derive(Debug, thiserror::Error)]
#[error("the body is cut, as asked for by a fault")]
pub(crate) struct CutBody;

impl AnswerBody {
    pub(crate) fn whole(bytes: Bytes) -> Self {
        Self {
            rest: bytes,
            stage: BodyState::Whole,
        }
    }

    /// Returns a body of which only the first half is sent.
    pub(crate) fn cut(self) -> Self {
        Self {
            rest: self.rest.slice(..self.rest.len() / 2),
            stage: BodyState::Cut,
        }
    }

    pub(crate) fn len(&self) -> usize {
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
            BodyState::Whole if self.rest.is_empty() => Poll::Ready(None),
            BodyState::Broken => Poll::Ready(Some(Err(CutBody))),
            BodyState::Flushing => {
                self.stage = BodyState::Broken;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            BodyState::Cut if self.rest.is_empty() => {
                self.stage = BodyState::Flushing;
                self.poll_frame(context)
            }
            BodyState::Whole | BodyState::Cut => {
                let bytes = std::mem::take(&mut self.rest);
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.stage == BodyState::Whole && self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        if self.stage == BodyState::Whole {
            SizeHint::with_exact(self.rest.len() as u64)
        } else {
            SizeHint::default()
        }
    }
}

/// Returns `bytes` compressed at the fastest level, or `None` if they are too short to gain
/// by it.
pub(crate) fn gzip(bytes: &[u8]) -> Option<Bytes> {
    if bytes.len() < SHORTEST_COMPRESSED {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok().map(Bytes::from)
}
