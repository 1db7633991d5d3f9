//! The servers that scrape: which requests are scrapes, and which answers they have seen.

use std::time::Duration;

use serde_json::Value;
use test_support::audit_event::{event, events, many_series};
use test_support::eventually::{eventually, reached};
use test_support::exporter::Exporter;
use test_support::raw_http::RawHttp;
use test_support::scripted_api::{ScriptedApi, healthy};

/// The header that Prometheus sends with every scrape.
const PROMETHEUS: [(&str, &str); 1] = [("X-Prometheus-Scrape-Timeout-Seconds", "1")];
/// The headers of Telegraf 1.28, Vector 0.41, and Datadog Agent 7.53, none of which states
/// a time limit.
const OTHERS: [[(&str, &str); 2]; 3] = [
    [
        ("User-Agent", "Telegraf/1.28.5 Go/1.20.7"),
        (
            "Accept",
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,text/plain;version=0.0.4;q=0.3",
        ),
    ],
    [("User-Agent", "Vector/0.41.1"), ("Accept", "text/plain")],
    [
        ("User-Agent", "Datadog Agent/7.53.0"),
        ("Accept", "text/plain"),
    ],
];
/// The headers of a person.
const PERSON: [(&str, &str); 2] = [("User-Agent", "curl/8.5.0"), ("Accept", "*/*")];
/// The hold of a scrape interval of one second.
const HOLD: Duration = Duration::from_secs(3);
/// A time in which an exporter shows what it is going to show.
const LONG_HOLD: Duration = Duration::from_secs(20);

fn counting(events: Vec<Value>) -> (ScriptedApi, Exporter) {
    let api = ScriptedApi::start(healthy(events));
    let settings = [
        "--metrics.scrape-interval=1s",
        "--poll.interval=500ms",
        "--api.timeout=20s",
    ];
    let exporter = Exporter::polling_with(&api, &settings);
    exporter.wait_until_up();
    (api, exporter)
}

/// Returns the value of the series of `NUMBER_ASSIGN` by source; `None` if there is no such
/// series.
fn assigned(metrics: &str) -> Option<u64> {
    let name = "nexmo_audit_events_total{event_type=\"NUMBER_ASSIGN\"";
    let line = metrics.lines().find(|line| line.starts_with(name))?;
    let (_, value) = line.rsplit_once(' ')?;
    value.parse().ok()
}

/// Scrapes on a connection of its own.
fn scrape(exporter: &Exporter, headers: &[(&str, &str)]) -> Option<u64> {
    let mut scraper = RawHttp::connect(exporter.program.address());
    let (head, body) = scraper.get_as("/metrics", headers);
    assert_eq!(head.status, 200);
    assigned(&String::from_utf8(body).expect("text"))
}

#[test]
fn an_answer_that_is_cut_was_not_seen() {
    let (api, exporter) = counting(many_series());
    let cut = || {
        let mut scraper = RawHttp::connect_narrow(exporter.program.address());
        scraper.send_with("GET", "/metrics", &PROMETHEUS);
        assert_eq!(scraper.read_head().status, 200);
    };
    cut();
    api.follow(healthy(vec![event("new", "NUMBER_ASSIGN")]));
    exporter.wait_for_text("/metrics", "events_total{event_type=\"NUMBER_ASSIGN\"");
    let steps_unseen = reached(HOLD * 3, || {
        cut();
        assigned(&exporter.page("/metrics")) != Some(0)
    });
    assert!(!steps_unseen, "nobody has seen the 0");
    assert_eq!(scrape(&exporter, &PROMETHEUS), Some(0));
    eventually("the event", LONG_HOLD, || {
        match scrape(&exporter, &PROMETHEUS) {
            Some(1) => Ok(()),
            value => Err(format!("{value:?}")),
        }
    });
}

/// Scrapes the exporter under another name.
fn scrape_at(exporter: &Exporter, host: &str) {
    let mut scraper = RawHttp::connect(exporter.program.address());
    let [(name, value)] = PROMETHEUS;
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {host}\r\n{name}: {value}\r\n\r\n");
    scraper.send_bytes(request.as_bytes());
    let head = scraper.read_head();
    assert_eq!(head.status, 200);
    scraper.read_body(head.length());
}

/// Scrapes until the series of a new event is there, and returns its first value.
fn first_value(headers: &[(&str, &str)]) -> u64 {
    let (api, exporter) = counting(events(1, "USER_STATUS"));
    scrape(&exporter, headers);
    api.follow(healthy(vec![event("new", "NUMBER_ASSIGN")]));
    let first = eventually("a new series", LONG_HOLD, || {
        scrape(&exporter, headers).ok_or_else(|| exporter.program.log())
    });
    eventually("the event", LONG_HOLD, || {
        match scrape(&exporter, headers) {
            Some(1) => Ok(()),
            value => Err(format!("{value:?}")),
        }
    });
    first
}

#[test]
fn a_scraper_that_states_no_time_limit_sees_the_0_of_a_new_series_first() {
    for headers in OTHERS {
        assert_eq!(first_value(&headers), 0, "{headers:?}");
    }
    assert_eq!(first_value(&PERSON), 1);
}

/// Scrapes as one of the servers behind a proxy, which states no time limit.
fn scrape_from(exporter: &Exporter, address: &str) {
    let [[product, formats], ..] = OTHERS;
    scrape(exporter, &[product, formats, ("X-Forwarded-For", address)]);
}

#[test]
fn a_server_that_is_back_although_another_took_its_place_is_named() {
    let (_api, exporter) = counting(events(1, "USER_STATUS"));
    for _ in 0..4 {
        scrape_from(&exporter, "10.0.0.1");
    }
    // A scrape is recorded after its answer was sent, and the other server begins after it.
    exporter.wait_for_polls(1);
    let is_named = || {
        scrape_from(&exporter, "10.0.0.2");
        exporter.program.log().contains("was taken for gone")
    };
    assert!(!reached(HOLD * 2, is_named), "no server is back");
    scrape_from(&exporter, "10.0.0.1");
    exporter.program.wait_for_line("was taken for gone");
}

#[test]
fn another_name_of_the_exporter_is_told_of_once() {
    let (_api, exporter) = counting(events(1, "USER_STATUS"));
    let told = || {
        let lines = exporter.program.lines().into_iter();
        let told = lines.filter(|line| line.contains("under another name"));
        told.collect::<Vec<_>>()
    };
    for host in ["audit-0:10610", "AUDIT-0:10610", "audit-0:10610"] {
        scrape_at(&exporter, host);
    }
    assert!(!exporter.page("/").contains("under another name"));
    assert_eq!(told(), [""; 0]);
    for host in [
        "audit-1:10610",
        "audit-1:10610",
        "audit-0:10610",
        "audit-1:10610",
    ] {
        scrape_at(&exporter, host);
    }
    // The log has this line after all lines of the scrapes.
    exporter.wait_for_polls(1);
    let told = told();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("host=audit-1:10610"), "{told:?}");
    assert!(told[0].contains("server=127.0.0.1"), "{told:?}");
    assert!(exporter.page("/").contains("under another name"));
}
