//! The body of an answer, decompressed and up to a limit.

use bytes::Bytes;
use reqwest::{
    Response,
    header::{CONTENT_ENCODING, HeaderMap, HeaderValue},
};

use super::{
    ApiError,
    gzip::{Decompressors, GzipDecoder},
};

/// The least room that is made for decompressed bytes.
const LEAST_ROOM: usize = 4096;
/// The number of decompressed bytes for each byte of a page with gzip, more or less.
const USUAL_GROWTH: usize = 8;

/// Reads the body of one answer.
pub(super) struct BodyReader<'a> {
    response: &'a mut Response,
    /// The variable that names the proxy on the way.
    proxy: Option<&'static str>,
    /// `None` if the body is not compressed.
    gzip: Option<GzipDecoder<'a>>,
    /// The bytes that have arrived and are not decompressed yet.
    arrived: Bytes,
}

impl<'a> BodyReader<'a> {
    pub(super) fn new(
        response: &'a mut Response,
        proxy: Option<&'static str>,
        decompressors: &'a Decompressors,
    ) -> Self {
        let gzip = has_gzip(response.headers()).then(|| GzipDecoder::new(decompressors));
        Self {
            response,
            proxy,
            gzip,
            arrived: Bytes::new(),
        }
    }

    /// Returns the length that the answer announces, in bytes; 0 if that is unknown.
    pub(super) fn announced(&self) -> usize {
        let growth = if self.gzip.is_some() { USUAL_GROWTH } else { 1 };
        let length = self.response.content_length().unwrap_or(0);
        usize::try_from(length).map_or(usize::MAX, |length| length.saturating_mul(growth))
    }

    /// Reads on into `body`, until it is whole or longer than `limit`. Returns `true` if it is
    /// whole.
    pub(super) async fn read(
        &mut self,
        body: &mut Vec<u8>,
        limit: usize,
    ) -> Result<bool, ApiError> {
        while body.len() <= limit {
            if self.arrived.is_empty() {
                let chunk = self.response.chunk().await;
                let chunk = chunk.map_err(|error| ApiError::transport(&error, self.proxy))?;
                match (chunk, &self.gzip) {
                    (Some(chunk), _) => self.arrived = chunk,
                    (None, None) => return Ok(true),
                    (None, Some(gzip)) => {
                        return gzip.end().map(|()| true).map_err(ApiError::body);
                    }
                }
            }
            match &mut self.gzip {
                None => body.extend_from_slice(&std::mem::take(&mut self.arrived)),
                Some(gzip) => {
                    body.reserve(LEAST_ROOM);
                    let read = gzip.decode(&self.arrived, body).map_err(ApiError::body)?;
                    self.arrived = self.arrived.slice(read..);
                }
            }
        }
        Ok(false)
    }
}

/// Returns `true` if the body is compressed with gzip.
fn has_gzip(headers: &HeaderMap) -> bool {
    let encoding = headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes);
    let encoding = encoding.unwrap_or_default();
    let names = [&b"gzip"[..], b"x-gzip"];
    names.iter().any(|name| encoding.eq_ignore_ascii_case(name))
}
