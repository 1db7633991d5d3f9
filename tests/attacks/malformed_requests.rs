//! Requests that are malformed, and requests that hide a second one.

use test_support::audit_event::events;
use test_support::exporter::{Exporter, ONE_POLL};
use test_support::raw_http::RawHttp;
use test_support::scripted_api::{ScriptedApi, healthy};

use crate::resource_use::{memory, scrape};

fn exporter() -> (ScriptedApi, Exporter) {
    let api = ScriptedApi::start(healthy(events(2, "A")));
    let exporter = Exporter::polling_with(&api, &ONE_POLL);
    exporter.wait_until_up();
    exporter.wait_until_ready();
    (api, exporter)
}

/// Returns the statuses of all answers to these bytes, until the server closes the
/// connection, for which the last request has to ask.
fn statuses(exporter: &Exporter, bytes: &[u8]) -> Vec<u16> {
    let mut http = RawHttp::connect(exporter.program.address());
    http.send_bytes(bytes);
    let answers = http.read_to_end();
    let starts = answers.split("HTTP/1.").skip(1);
    let statuses = starts.filter_map(|answer| answer.split(' ').nth(1)?.parse().ok());
    statuses.collect()
}

/// The request that other requests try to hide; its method is answered with 405.
const HIDDEN: &str = "DELETE /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

#[test]
fn bytes_after_a_body_are_never_a_request() {
    let (_api, exporter) = exporter();
    let cases = [
        ("Content-Length: 5\r\n\r\nhello", "a body"),
        (
            "Content-Length: 5\r\nContent-Length: 0\r\n\r\n",
            "two lengths",
        ),
        ("Content-Length: 5, 0\r\n\r\n", "a list of lengths"),
        ("Content-Length: +5\r\n\r\nhello", "a sign"),
        ("Content-Length: -1\r\n\r\n", "below 0"),
        ("Content-Length: 0x5\r\n\r\nhello", "a prefix"),
        (
            "Content-Length: 99999999999999999999\r\n\r\n",
            "an overflow",
        ),
        (
            "Content-Length : 5\r\n\r\nhello",
            "a space before the colon",
        ),
        (
            "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "a length and chunks",
        ),
        (
            "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
            "chunks and a length",
        ),
        ("Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "chunks"),
        ("Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "no chunks"),
        (
            "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
            "chunks inside",
        ),
        ("Transfer-Encoding: identity\r\n\r\n", "identity"),
        (
            "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n",
            "a tab before the colon",
        ),
        (
            "Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
            "a vertical tab",
        ),
        (
            "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n",
            "a chunk that is too long",
        ),
        (
            "Transfer-Encoding: chunked\r\n\r\n0;x=\n\r\n\r\n",
            "a chunk with an extension",
        ),
        (
            "X: a\r\n b\r\nContent-Length: 5\r\n\r\nhello",
            "a folded line",
        ),
        ("Content-Length:\r\n 5\r\n\r\nhello", "a folded length"),
        ("X: a\rContent-Length: 5\r\n\r\nhello", "a bare return"),
        ("X: a\0b\r\nContent-Length: 5\r\n\r\nhello", "a NUL"),
    ];
    for (rest, what) in cases {
        for method in ["GET", "POST"] {
            let bytes = format!("{method} /-/ready HTTP/1.1\r\nHost: x\r\n{rest}{HIDDEN}");
            let found = statuses(&exporter, bytes.as_bytes());
            assert!(found.len() <= 1, "{what}, {method}: {found:?}");
            assert!(
                found
                    .iter()
                    .all(|status| [200, 400, 405, 501].contains(status)),
                "{what}: {found:?}"
            );
        }
    }
    // After a request without a body, the second request is answered by itself.
    let two = format!("GET /-/ready HTTP/1.1\r\nHost: x\r\n\r\n{HIDDEN}");
    assert_eq!(statuses(&exporter, two.as_bytes()), [200, 405]);
    scrape(&exporter.program);
}

#[test]
fn a_path_is_matched_as_it_is_written() {
    let (_api, exporter) = exporter();
    let long = format!("/{}", "a".repeat(20_000));
    let cases: [(&str, u16); 20] = [
        ("/metrics", 200),
        ("/metrics?a=/../b", 200),
        ("http://elsewhere.test/metrics", 200),
        ("//metrics", 404),
        ("/./metrics", 404),
        ("/metrics/../", 404),
        ("/metrics/..", 404),
        ("/../metrics", 404),
        ("/%2e%2e/metrics", 404),
        ("/%2e", 404),
        ("/metrics%2f", 404),
        ("/metrics%00", 404),
        ("/%6detrics", 404),
        ("/METRICS", 404),
        ("/metrics;x", 404),
        ("/-//healthy", 404),
        ("http://elsewhere.test//metrics", 404),
        ("*", 404),
        (&long, 404),
        ("/metrics\0", 400),
    ];
    for (path, expected) in cases {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let shown: String = path.chars().take(40).collect();
        assert_eq!(
            statuses(&exporter, request.as_bytes()),
            [expected],
            "{shown:?}"
        );
    }
    for bytes in [
        "CONNECT a.test:443 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "TRACE /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ] {
        let found = statuses(&exporter, bytes.as_bytes());
        assert!(matches!(found[..], [400 | 404 | 405]), "{bytes}: {found:?}");
    }
    scrape(&exporter.program);
}

#[test]
fn malformed_requests_are_refused() {
    let (_api, exporter) = exporter();
    let cases: [&[u8]; 9] = [
        b"\0\0\0\0\r\n\r\n",
        b"\x16\x03\x01\x00\x05hello\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /metrics\r\n\r\n",
        b"GET /metrics HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\n: x\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nX\xff: x\r\n\r\n",
        b"G\x80T /metrics HTTP/1.1\r\n\r\n",
    ];
    for bytes in cases {
        let found = statuses(&exporter, bytes);
        assert!(
            matches!(found[..], [] | [400 | 505]),
            "{bytes:?}: {found:?}"
        );
    }
    scrape(&exporter.program);
}

/// RFC 9112, section 3.2.
#[test]
fn a_request_names_one_host() {
    let (_api, exporter) = exporter();
    let cases = [
        ("HTTP/1.1\r\nHost: x\r\n", 200),
        ("HTTP/1.1\r\nHost: [2001:db8::7]:80\r\n", 200),
        ("HTTP/1.1\r\nHost:\r\n", 200),
        ("HTTP/1.0\r\n", 200),
        ("HTTP/1.1\r\n", 400),
        ("HTTP/1.1\r\nHost: x\r\nHost: x\r\n", 400),
        ("HTTP/1.0\r\nHost: x\r\nHost: y\r\n", 400),
        ("HTTP/1.1\r\nHost: x y\r\n", 400),
        ("HTTP/1.1\r\nHost: x/y\r\n", 400),
        ("HTTP/1.1\r\nHost: user@x\r\n", 400),
        ("HTTP/1.1\r\nHost: x, y\r\n", 400),
    ];
    for (rest, expected) in cases {
        for path in ["/metrics", "/-/healthy", "http://elsewhere.test/metrics"] {
            let request = format!("GET {path} {rest}Connection: close\r\n\r\n");
            let found = statuses(&exporter, request.as_bytes());
            assert_eq!(found, [expected], "{path} {rest:?}");
        }
    }
    // The connection ends, so that nothing of the request is taken for another.
    let two = format!("GET /-/ready HTTP/1.1\r\n\r\n{HIDDEN}");
    assert_eq!(statuses(&exporter, two.as_bytes()), [400]);
    scrape(&exporter.program);
}

#[test]
fn heads_are_bounded_in_size_and_number() {
    let (_api, exporter) = exporter();
    let before = memory(&exporter.program);
    let large = format!("X: {}\r\n", "x".repeat(64 << 20));
    let many = "X: x\r\n".repeat(200);
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(1 << 20));
    for head in [large, many] {
        let request = format!("GET /metrics HTTP/1.1\r\nHost: x\r\n{head}\r\n");
        let found = statuses(&exporter, request.as_bytes());
        // The connection may be reset while the request is still being sent, and the
        // answer be lost.
        assert!(matches!(found[..], [] | [431]), "{found:?}");
    }
    let found = statuses(&exporter, long.as_bytes());
    assert!(matches!(found[..], [] | [414 | 431]), "{found:?}");
    let grown = memory(&exporter.program).saturating_sub(before);
    assert!(grown < 16, "{grown} MiB");
    let fits = format!(
        "GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: {}\r\n\r\n",
        "x".repeat(16 << 10)
    );
    assert_eq!(statuses(&exporter, fits.as_bytes()), [200]);
    scrape(&exporter.program);
}
