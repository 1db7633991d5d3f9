//! Tells what a browser sends for a page of another site.
//!
//! A browser sends its user's requests for whatever page asks, and with them the user's
//! network and passwords. It says where the page is from, and no page can change that.

use hyper::{
    HeaderMap,
    header::{HOST, HeaderValue, ORIGIN},
};

/// The header with the relation of the page to this site (Fetch Metadata).
const SITE: &str = "sec-fetch-site";

/// Returns `true` if a page of another site asks for the request. Programs that are no
/// browsers send none of the headers.
pub(super) fn is_from_another_site(headers: &HeaderMap) -> bool {
    match headers.get(SITE).map(HeaderValue::as_bytes) {
        // `none` is said of what the user does, such as typing the address.
        Some(site) => !matches!(site, b"same-origin" | b"none"),
        // Older browsers name the page alone, and a browser does not name it to plain HTTP.
        None => headers
            .get(ORIGIN)
            .is_some_and(|origin| !is_own(origin, headers.get(HOST))),
    }
}

fn is_own(origin: &HeaderValue, host: Option<&HeaderValue>) -> bool {
    let (Ok(origin), Some(Ok(host))) = (origin.to_str(), host.map(HeaderValue::to_str)) else {
        return false;
    };
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_another_site_is_recognized() {
        let cases: [(&[(&'static str, &'static str)], bool); 11] = [
            (&[], false),
            (&[("host", "a:1")], false),
            (&[("host", "a:1"), ("sec-fetch-site", "same-origin")], false),
            (&[("host", "a:1"), ("sec-fetch-site", "none")], false),
            (&[("host", "a:1"), ("sec-fetch-site", "same-site")], true),
            (&[("host", "a:1"), ("sec-fetch-site", "cross-site")], true),
            (&[("host", "a:1"), ("origin", "http://A:1")], false),
            (&[("host", "a:1"), ("origin", "http://a:2")], true),
            (&[("host", "a:1"), ("origin", "https://b")], true),
            (&[("host", "a:1"), ("origin", "null")], true),
            (&[("origin", "http://a:1")], true),
        ];
        for (headers, expected) in cases {
            let headers = headers.iter().map(|(name, value)| {
                let name = hyper::header::HeaderName::from_static(name);
                (name, HeaderValue::from_static(value))
            });
            let headers: HeaderMap = headers.collect();
            assert_eq!(is_from_another_site(&headers), expected, "{headers:?}");
        }
    }
}
