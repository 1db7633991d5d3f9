use super::*;

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPEN: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

fn content_type(accept: &str) -> &'static str {
    Accepted::choose(accept, "").content_type()
}

#[test]
fn what_real_scrapers_ask_for() {
    let open_escaped = format!("{OPEN}; escaping=allow-utf-8");
    let cases = [
        // Prometheus 2.42
        (
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            OPEN,
        ),
        // Prometheus 2.53
        (
            "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            OPEN,
        ),
        // Prometheus 3.5
        (
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            &open_escaped,
        ),
        // Prometheus that prefers protobuf
        (
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            OPEN,
        ),
        // VictoriaMetrics
        ("text/plain;version=0.0.4;q=1,*/*;q=0.1", TEXT),
        // curl
        ("*/*", TEXT),
        // a browser
        (
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
            TEXT,
        ),
    ];
    for (accept, expected) in cases {
        assert_eq!(content_type(accept), expected, "{accept}");
    }
    let nothing = Accepted::choose("", "");
    assert_eq!(nothing.content_type(), TEXT);
    assert_eq!(nothing.variant.encoding, Encoding::Identity);
}

#[test]
fn the_best_quality_wins_and_the_most_precise_range_decides() {
    let cases = [
        ("", TEXT),
        ("application/openmetrics-text", OPEN),
        ("Application/OpenMetrics-Text; Version=1.0.0", OPEN),
        ("application/openmetrics-text;version=\"1.0.0\"", OPEN),
        ("application/*", OPEN),
        ("application/openmetrics-text;version=2.0.0", TEXT),
        ("application/openmetrics-text;version=0.0.1", TEXT),
        ("text/plain;version=1.0.0", TEXT),
        ("text/plain, application/openmetrics-text", TEXT),
        (
            "text/plain, application/openmetrics-text;version=1.0.0",
            OPEN,
        ),
        ("text/plain;q=0.5, application/openmetrics-text;q=0.6", OPEN),
        ("text/plain;q=0.6, application/openmetrics-text;q=0.5", TEXT),
        (
            "text/plain;q=0.123, application/openmetrics-text;q=0.124",
            OPEN,
        ),
        // A range that says more overrules one that says less, whichever is first.
        ("*/*;q=1, text/plain;q=0", OPEN),
        ("text/plain;q=0, */*;q=0.1", OPEN),
        ("application/openmetrics-text;q=0, */*", TEXT),
        ("text/*;q=0.2, application/*;q=0.3", OPEN),
        // Nothing that there is.
        ("text/plain;q=0, application/openmetrics-text;q=0", TEXT),
        ("image/png", TEXT),
        // A quality that is no number, and an element that is no media type.
        ("application/openmetrics-text;q=2", TEXT),
        ("application/openmetrics-text;q=high", TEXT),
        ("application/openmetrics-text;q=0.1234", TEXT),
        ("nonsense, application/openmetrics-text", OPEN),
        (",,;;=, application/openmetrics-text", OPEN),
    ];
    for (accept, expected) in cases {
        assert_eq!(content_type(accept), expected, "{accept}");
    }
}

#[test]
fn escaping_is_told_where_it_was_understood() {
    for (scheme, told) in [
        ("allow-utf-8", "; escaping=allow-utf-8"),
        ("underscores", "; escaping=underscores"),
        ("dots", "; escaping=dots"),
        ("values", "; escaping=values"),
        ("rot13", ""),
    ] {
        let accept = format!("application/openmetrics-text;escaping={scheme}");
        assert_eq!(content_type(&accept), format!("{OPEN}{told}"));
        let accept = format!("text/plain;version=0.0.4;escaping={scheme}");
        assert_eq!(content_type(&accept), TEXT);
    }
}

#[test]
fn encodings() {
    let cases = [
        ("", Encoding::Identity),
        ("gzip", Encoding::Gzip),
        ("GZIP", Encoding::Gzip),
        ("x-gzip", Encoding::Gzip),
        ("*", Encoding::Gzip),
        ("gzip, deflate, br", Encoding::Gzip),
        ("deflate, br", Encoding::Identity),
        ("identity", Encoding::Identity),
        ("gzip;q=0", Encoding::Identity),
        ("gzip;q=0, *", Encoding::Identity),
        ("*;q=0", Encoding::Identity),
        ("gzip; q=0.001", Encoding::Gzip),
        ("gzip;q=0.5, identity;q=0.5", Encoding::Gzip),
        ("gzip;q=0.5, identity", Encoding::Identity),
        ("gzip;q=nonsense", Encoding::Identity),
        ("notgzip", Encoding::Identity),
    ];
    for (accept, expected) in cases {
        assert_eq!(encoding(accept), expected, "{accept}");
    }
}
