use std::{net::IpAddr, time::Duration};

use hyper::{Request, header::HeaderName};
use proptest::prelude::*;

use super::*;

const SCRAPE_TIMEOUT: &str = "x-prometheus-scrape-timeout-seconds";
const PROMETHEUS: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
const TELEGRAF: &str = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,text/plain;version=0.0.4;q=0.3";
const BROWSER: &str =
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

fn request(uri: &str, headers: &[(&'static str, &str)]) -> request::Parts {
    let mut request = Request::get(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).expect("a request").into_parts().0
}

fn visit(address: &str, headers: &[(&'static str, &str)]) -> Option<Scrape> {
    let address: IpAddr = address.parse().expect("an address");
    let peer = Peer::new(address.into());
    let scrape = Visitor::from(peer).scrape(&request("/metrics", headers));
    scrape.map(|request| request.scrape)
}

fn prometheus(address: &str, more: &[(&'static str, &str)]) -> Scrape {
    let headers = [
        &[(SCRAPE_TIMEOUT, "9.5"), ("user-agent", "Prometheus/3.5.0")],
        more,
    ];
    visit(address, &headers.concat()).expect("a scraper")
}

#[test]
fn a_scraper_states_a_time_limit_or_names_a_format() {
    let agents = [
        ("Prometheus/3.5.0", PROMETHEUS),
        ("Telegraf/1.28.5 Go/1.20.7", TELEGRAF),
        ("Vector/0.41.1", "text/plain"),
        ("Datadog Agent/7.53.0", "text/plain"),
        (
            "Datadog Agent/7.53.0",
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1",
        ),
        ("a script", "application/openmetrics-text"),
        ("a script", "text/plain;version=0.0.4"),
        ("a script", "Text/Plain; q=0.5; VERSION=0.0.4"),
        ("a script", "*/*;q=0.1, text/plain; version=\"0.0.4\""),
        ("a script", "application/vnd.google.protobuf"),
    ];
    for (agent, accept) in agents {
        let scrape = visit("10.0.0.1", &[("user-agent", agent), ("accept", accept)]);
        assert!(scrape.is_some(), "{agent}: {accept}");
        assert_eq!(scrape.map(|scrape| scrape.timeout), Some(Duration::ZERO));
    }
    // Prometheus is one whatever it accepts.
    assert!(visit("10.0.0.1", &[(SCRAPE_TIMEOUT, "10")]).is_some());
}

#[test]
fn a_person_is_no_scraper() {
    let agents = [
        ("Mozilla/5.0 (X11; Linux x86_64)", BROWSER),
        ("curl/8.5.0", "*/*"),
        ("Wget/1.21.4", "*/*"),
        ("curl/8.5.0", "text/plain"),
        ("curl/8.5.0", "text/*;version=0.0.4"),
        ("curl/8.5.0", "application/json"),
        ("curl/8.5.0", "application/openmetrics-text;q=0, */*"),
        ("curl/8.5.0", "nonsense,;;=,\"text/plain;version=0.0.4"),
        ("Vectors/1", "text/plain"),
        ("", ""),
    ];
    for (agent, accept) in agents {
        let scrape = visit("10.0.0.1", &[("user-agent", agent), ("accept", accept)]);
        assert_eq!(scrape, None, "{agent}: {accept}");
    }
    assert_eq!(visit("10.0.0.1", &[]), None);
}

#[test]
fn a_scraper_is_known_by_its_address_its_product_and_the_client_of_a_proxy() {
    let first = prometheus("10.0.0.1", &[]);
    let same = prometheus("::ffff:10.0.0.1", &[]);
    assert_eq!(first.timeout, Duration::from_millis(9500));
    assert_eq!(first.scraper, same.scraper);
    assert_ne!(first.connection, same.connection);
    let other_address = prometheus("10.0.0.2", &[]);
    assert_ne!(first.scraper, other_address.scraper);
    assert_eq!(first.product, other_address.product);
    let forwarded = |client| prometheus("10.0.0.1", &[("x-forwarded-for", client)]);
    let behind = forwarded("192.0.2.1");
    assert_ne!(first.scraper, behind.scraper);
    assert_ne!(behind.scraper, forwarded("192.0.2.2").scraper);
    assert_eq!(behind.scraper, forwarded("192.0.2.1, 10.9.9.9").scraper);
    assert_eq!(
        behind.scraper,
        prometheus("10.0.0.1", &[("forwarded", "for=\"192.0.2.1:4711\"")]).scraper
    );
    // It cannot pass for a scraper with another address.
    let pretender = prometheus("10.0.0.9", &[("x-forwarded-for", "10.0.0.1")]);
    assert_ne!(pretender.scraper, first.scraper);
}

/// All clients of a unix socket have one address, and a proxy tells them apart.
#[test]
fn scrapers_behind_a_unix_socket_are_told_apart_by_product_and_proxy() {
    let scraper = |agent: &str, client: &str| {
        let mut headers = vec![(SCRAPE_TIMEOUT, "9.5"), ("user-agent", agent)];
        headers.extend((!client.is_empty()).then_some(("x-forwarded-for", client)));
        let visitor = Visitor::from(Peer::new(PeerAddress::UnixSocket));
        let request = visitor.scrape(&request("/metrics", &headers));
        request.expect("a scraper").scrape.scraper
    };
    let direct = scraper("Prometheus/3.5.0", "");
    assert_eq!(direct, scraper("Prometheus/3.6.0", ""));
    let others = [
        scraper("vm_promscrape", ""),
        scraper("Prometheus/3.5.0", "192.0.2.1"),
        scraper("Prometheus/3.5.0", "192.0.2.2"),
        prometheus("127.0.0.1", &[]).scraper,
    ];
    for (place, other) in others.iter().enumerate() {
        assert_ne!(direct, *other);
        assert!(!others[..place].contains(other));
    }
}

#[test]
fn an_upgrade_leaves_the_product_as_it_was() {
    let of = |agent: &str| {
        let headers = [(SCRAPE_TIMEOUT, "10"), ("user-agent", agent)];
        visit("10.0.0.1", &headers).expect("a scraper")
    };
    for (before, after) in [
        ("Prometheus/2.42.0+ds", "Prometheus/3.5.0"),
        ("vm_promscrape", "vm_promscrape"),
        ("Telegraf/1.28 Go/1.20", "Telegraf/1.30.2 Go/1.22"),
        ("GrafanaAgent/v0.38.1 (static; linux)", "GrafanaAgent/v0.40"),
        ("Mimir (a build)", "Mimir/2"),
        ("", " "),
    ] {
        let (before, after) = (of(before), of(after));
        assert_eq!(before.scraper, after.scraper);
        assert_eq!(before.product, after.product);
    }
    assert_ne!(of("Prometheus/3.5.0").scraper, of("vm_promscrape").scraper);
    assert_ne!(of("Prometheus/3.5.0").product, of("vm_promscrape").product);
    let long = "p".repeat(MAX_PRODUCT);
    assert_eq!(of(&long).product, of(&format!("{long}p")).product);
}

#[test]
fn the_target_is_the_name_by_which_the_exporter_is_called() {
    let target = |uri: &str, host: Option<&str>| {
        let mut headers = vec![(SCRAPE_TIMEOUT, "10")];
        headers.extend(host.map(|host| ("host", host)));
        let peer = Peer::new(IpAddr::from([10, 0, 0, 1]).into());
        let scrape = Visitor::from(peer).scrape(&request(uri, &headers));
        scrape.expect("a scraper").scrape.target
    };
    let host = |host| target("/metrics", Some(host));
    assert_eq!(target("/metrics", None), 0);
    assert_eq!(host(""), 0);
    assert_eq!(host("audit-0.example:10610"), host("Audit-0.EXAMPLE:10610"));
    assert_ne!(host("audit-0.example:10610"), host("audit-1.example:10610"));
    assert_ne!(host("audit-0.example:10610"), host("audit-0.example:10611"));
    assert_eq!(host("a:1"), target("http://a:1/metrics", None));
    assert_eq!(host("a:1"), target("http://a:1/metrics", Some("b:1")));
}

#[test]
fn a_time_limit_that_cannot_be_read_is_none() {
    for text in ["", "soon", "-1", "NaN", "1e999"] {
        let visit = visit("10.0.0.1", &[(SCRAPE_TIMEOUT, text)]).expect("a scraper");
        assert_eq!(visit.timeout, Duration::ZERO, "{text:?}");
    }
}

proptest! {
    #[test]
    fn no_header_is_too_strange(
        values in prop::collection::vec(prop::collection::vec(0x20_u8..=0xff, 0..300), 6),
    ) {
        let mut parts = request("/metrics", &[]);
        let names = [SCRAPE_TIMEOUT, "accept", "user-agent", "forwarded", "x-forwarded-for", "host"];
        for (name, value) in names.into_iter().zip(values) {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                parts.headers.insert(HeaderName::from_static(name), value);
            }
        }
        let peer = Peer::new(IpAddr::from([10, 0, 0, 1]).into());
        let states_a_limit = parts.headers.contains_key(SCRAPE_TIMEOUT);
        let scrape = Visitor::from(peer).scrape(&parts);
        prop_assert!(scrape.is_some() || !states_a_limit);
    }
}

#[test]
fn the_log_names_the_host_as_far_as_it_is_a_name() {
    let long = "h".repeat(MAX_TARGET + 1);
    let scrape = |uri: &str, host: &str| {
        let headers = [(SCRAPE_TIMEOUT, "10"), ("host", host)];
        let peer = Peer::new(IpAddr::from([10, 0, 0, 1]).into());
        let scrape = Visitor::from(peer).scrape(&request(uri, &headers));
        scrape.expect("a scraper")
    };
    let whole = scrape("http://ada:secret@a:1/metrics", "b:1");
    assert_eq!(whole.host(), "a:1");
    for (host, named) in [
        ("audit-0.example:10610", "audit-0.example:10610"),
        ("", ""),
        (&*long, &long[..MAX_TARGET]),
    ] {
        assert_eq!(scrape("/metrics", host).host(), named);
    }
}
