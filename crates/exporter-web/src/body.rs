//! The body of a response: parts that may be shared with other responses. They are
//! given to the system together, which takes as many as it can in one call.

use std::{
    collections::VecDeque,
    convert::Infallible,
    io::IoSlice,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes};
use hyper::body::{Body, Frame, SizeHint};

use crate::{activity::Activity, sent::OnSent, slots::Slot};

/// The body of a response. Each part can be shared with other responses.
#[derive(Debug)]
pub struct ResponseBody(Option<UnsentBytes>);

/// The bytes that are left to send.
#[derive(Debug)]
pub struct UnsentBytes {
    /// The parts in order; none is empty.
    parts: VecDeque<Bytes>,
    length: usize,
    /// The slot, which is given back when all is sent or the connection has ended.
    slot: Option<Slot>,
    /// The code to run once all is sent.
    on_sent: Option<OnSent>,
    /// The activity of the connection; `None` until the body is about to be sent.
    activity: Option<Arc<Activity>>,
}

impl ResponseBody {
    /// Runs `run` once the answer has been sent: all of its bytes were given to the
    /// system, the bytes of TLS included. `run` is dropped if the answer is cut, if the
    /// connection ends before, and if there is no body to send: an empty one, or that of
    /// an answer to `HEAD`.
    ///
    /// `run` runs on the task of the connection, so it may not block. An answer that was
    /// sent may still be lost on its way, which no server can know.
    #[must_use]
    pub fn on_sent(mut self, run: impl FnOnce() + Send + 'static) -> Self {
        if let Some(unsent) = &mut self.0 {
            unsent.on_sent = Some(OnSent::new(run));
        }
        self
    }

    /// Prepares to send the body over the connection of `activity`. The slot is kept until
    /// all of the body is sent.
    pub(crate) fn send_over(&mut self, activity: &Arc<Activity>, slot: Option<Slot>) {
        if let Some(unsent) = &mut self.0 {
            unsent.activity = Some(Arc::clone(activity));
            unsent.slot = slot;
        }
    }
}

impl UnsentBytes {
    /// Records that all bytes were written; see [`ResponseBody::on_sent`].
    fn record_written(&mut self) {
        if let Some((on_sent, activity)) = self.on_sent.take().zip(self.activity.as_ref()) {
            activity.written.push(on_sent);
        }
    }
}

impl From<Vec<Bytes>> for ResponseBody {
    fn from(mut parts: Vec<Bytes>) -> Self {
        parts.retain(|part| !part.is_empty());
        let unsent = UnsentBytes {
            length: parts.iter().map(Bytes::len).sum(),
            parts: parts.into(),
            slot: None,
            on_sent: None,
            activity: None,
        };
        Self((unsent.length > 0).then_some(unsent))
    }
}

impl From<Bytes> for ResponseBody {
    fn from(bytes: Bytes) -> Self {
        vec![bytes].into()
    }
}

impl From<String> for ResponseBody {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl Body for ResponseBody {
    type Data = UnsentBytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<UnsentBytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|unsent| Ok(Frame::data(unsent))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let length = self.0.as_ref().map_or(0, |unsent| unsent.length);
        SizeHint::with_exact(length as u64)
    }
}

impl Buf for UnsentBytes {
    fn remaining(&self) -> usize {
        self.length
    }

    fn chunk(&self) -> &[u8] {
        self.parts.front().map_or(&[], |part| part)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let pairs = slices.iter_mut().zip(&self.parts);
        pairs
            .map(|(slice, part)| *slice = IoSlice::new(part))
            .count()
    }

    fn advance(&mut self, mut sent: usize) {
        self.length = self.length.saturating_sub(sent);
        if self.length == 0 {
            self.record_written();
        }
        while let Some(part) = self.parts.front_mut() {
            if sent < part.len() {
                part.advance(sent);
                return;
            }
            sent -= part.len();
            self.parts.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn all_parts_are_sent_in_order_in_steps_of_any_size(
            parts in prop::collection::vec("[a-z]{0,5}", 0..8),
            steps in prop::collection::vec(1_usize..7, 40),
        ) {
            let whole = parts.concat();
            let body = ResponseBody::from(parts.into_iter().map(Bytes::from).collect::<Vec<_>>());
            prop_assert_eq!(body.size_hint().exact(), Some(whole.len() as u64));
            prop_assert_eq!(body.is_end_stream(), whole.is_empty());
            let mut sent = Vec::new();
            let mut unsent = body.0;
            for step in steps {
                let Some(unsent) = &mut unsent else { break };
                let mut slices = [IoSlice::new(&[]); 3];
                let number = unsent.chunks_vectored(&mut slices);
                let seen: Vec<u8> = slices[..number].iter().flat_map(|slice| slice.to_vec()).collect();
                prop_assert!(seen.starts_with(unsent.chunk()));
                let step = step.min(seen.len());
                sent.extend_from_slice(&seen[..step]);
                unsent.advance(step);
                prop_assert_eq!(unsent.remaining(), whole.len() - sent.len());
                prop_assert_eq!(unsent.has_remaining(), !unsent.chunk().is_empty());
            }
            prop_assert_eq!(String::from_utf8(sent).expect("text"), whole);
        }
    }
}
