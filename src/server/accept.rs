//! Reads the formats and encodings that a request accepts.

use hyper::{
    HeaderMap,
    header::{ACCEPT, ACCEPT_ENCODING, HeaderName},
};

use crate::exposition::{self, Accepted};

/// Chooses the format and the encoding of the answer.
pub(super) fn accepted(headers: &HeaderMap) -> Accepted {
    Accepted::choose(
        &joined(headers, &ACCEPT),
        &joined(headers, &ACCEPT_ENCODING),
    )
}

/// Returns `true` if the client names a format of metrics, as scrapers do.
pub(super) fn names_format(headers: &HeaderMap) -> bool {
    headers.contains_key(&ACCEPT) && exposition::names_format(&joined(headers, &ACCEPT))
}

/// Joins the values of a header that is given several times, which is one list.
fn joined(headers: &HeaderMap, name: &HeaderName) -> String {
    let values = headers.get_all(name).iter();
    let values: Vec<_> = values.filter_map(|value| value.to_str().ok()).collect();
    values.join(",")
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;
    use crate::exposition::{Encoding, Format, Variant};

    #[test]
    fn a_list_can_be_spread_over_several_headers() {
        let mut headers = HeaderMap::new();
        let nothing = Variant::new(Format::Text, Encoding::Identity);
        assert_eq!(accepted(&headers).variant, nothing);
        headers.append(ACCEPT, HeaderValue::from_static("text/plain;q=0.1"));
        let accept = HeaderValue::from_static("application/openmetrics-text;q=0.2");
        headers.append(ACCEPT, accept);
        headers.append(ACCEPT_ENCODING, HeaderValue::from_static("br"));
        headers.append(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let expected = Variant::new(Format::OpenMetrics, Encoding::Gzip);
        assert_eq!(accepted(&headers).variant, expected);
    }
}
