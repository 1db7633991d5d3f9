//! Nothing of an account shows in another.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use test_support::eventually::eventually;
use test_support::exporter::{Exporter, is};
use test_support::exposition::samples;
use test_support::raw_http::RawHttp;

use crate::vendor::{EVENTS, UP, Vendor, account, wait_for_counted};

/// The series of the process, and those that are the same for every account.
const OF_THE_PROCESS: [&str; 7] = [
    "nexmo_audit_api_request_duration_seconds",
    "nexmo_audit_ingest_lag_seconds",
    "nexmo_audit_poll_duration_seconds",
    "nexmo_audit_publish_hold_seconds",
    "nexmo_audit_event_type_info",
    "nexmo_audit_exporter_build_info",
    "nexmo_audit_config_",
];

#[test]
fn every_series_of_an_account_bears_its_name() {
    let vendor = Vendor::new(&["one", "two"]);
    vendor.record_many("one", 3);
    vendor.record_many("two", 2);
    vendor.configure_accounts(&["one", "two"]);
    let exporter = vendor.start();
    wait_for_counted(&exporter, "one", 3);
    wait_for_counted(&exporter, "two", 2);
    exporter.wait_until_ready();

    let mut of = [BTreeSet::new(), BTreeSet::new()];
    for sample in samples(&exporter.page("/metrics")) {
        let of_process = OF_THE_PROCESS
            .iter()
            .any(|name| sample.name.starts_with(name));
        match sample.labels.get("account").map(String::as_str) {
            None => assert!(
                of_process || sample.name.starts_with("process_"),
                "{sample:?}"
            ),
            Some("one") => drop(of[0].insert(sample.name)),
            Some("two") => drop(of[1].insert(sample.name)),
            Some(_) => panic!("{sample:?}"),
        }
    }
    assert_eq!(of[0], of[1]);
    assert!(of[0].len() >= 18, "{of:?}");
    let page = exporter.page("/");
    for text in [">one</th>", ">two</th>", "2 accounts: 2 ok."] {
        assert!(page.contains(text), "{page}");
    }
    let line = exporter.program.wait_for_line("first poll succeeded");
    assert!(line.contains("account="), "{line}");
}

#[test]
fn every_log_line_of_a_request_names_its_account() {
    let vendor = Vendor::new(&["one", "two"]);
    vendor.configure_accounts(&["one", "two"]);
    let exporter = vendor.start_with("state", &["--log.level=trace"]);
    exporter.wait_until_ready();
    let log = exporter.program.log();
    let requests = log.lines().filter(|line| line.contains("operation=list"));
    let requests: Vec<&str> = requests.collect();
    assert!(!requests.is_empty(), "{log}");
    for line in requests {
        assert!(line.contains("account="), "{line}");
    }
}

#[test]
fn an_account_that_fails_does_not_affect_the_others() {
    let vendor = Vendor::new(&["fine", "rejected", "silent"]);
    vendor.set_secret("rejected", "another");
    vendor.change("silent", |known| known.silent = true);
    vendor.record_many("fine", 1);
    vendor.configure_accounts(&["rejected", "silent", "fine"]);
    let exporter = vendor.start();
    wait_for_counted(&exporter, "fine", 1);
    exporter.wait_until_ready();
    // The account is polled while the others fail again and again.
    for number in 2..5 {
        vendor.record("fine", "USER_STATUS");
        wait_for_counted(&exporter, "fine", number);
    }
    let is_up = |account| is(1.0)(exporter.value(UP, &[("account", account)]));
    let up = ["fine", "rejected", "silent"].map(is_up);
    assert_eq!(up, [true, false, false]);
    let failures = |account, reason| {
        let labels = [("account", account), ("reason", reason)];
        exporter.value("nexmo_audit_poll_failures_total", &labels)
    };
    assert!(failures("rejected", "auth") >= 1.0);
    assert!(failures("silent", "timeout") >= 1.0);
    assert!(is(0.0)(
        failures("fine", "auth") + failures("fine", "timeout")
    ));
    let page = exporter.page("/");
    let place = |name: &str| page.find(&format!(">{name}</th>")).expect(name);
    assert!(place("rejected") < place("fine") && place("silent") < place("fine"));
    assert_eq!(exporter.status("/-/healthy"), 200);
}

#[test]
fn event_types_outside_of_the_filter_are_not_counted() {
    let vendor = Vendor::new(&["only", "except", "all"]);
    for name in ["only", "except", "all"] {
        vendor.record(name, "USER_STATUS");
        vendor.record(name, "USER_LOGIN");
        vendor.record(name, "NEW_TYPE");
    }
    let only = account("only", ", event_types: [USER_LOGIN]");
    let except = account("except", ", exclude_event_types: [USER_LOGIN, OTHER]");
    vendor.configure(&format!("accounts:\n{only}{except}{}", account("all", "")));
    let exporter = vendor.start();
    for name in ["only", "except", "all"] {
        exporter.wait_for(UP, &[("account", name)], is(1.0));
    }
    for (name, expected) in [
        ("only", [None, Some(1.0), None]),
        ("except", [Some(1.0), None, Some(1.0)]),
        ("all", [Some(1.0); 3]),
    ] {
        assert_eq!(by_type(&exporter, name), expected, "{name}");
    }
    let samples = samples(&exporter.page("/metrics"));
    let only = samples.iter().filter(|sample| {
        sample.name == "nexmo_audit_events_by_type_total" && sample.labels["account"] == "only"
    });
    assert_eq!(only.count(), 1, "a type that is not counted has no 0");
}

/// Returns the counts of `USER_STATUS`, `USER_LOGIN` and `NEW_TYPE`; `None` stands for
/// no series.
fn by_type(exporter: &Exporter, account: &str) -> [Option<f64>; 3] {
    let samples = samples(&exporter.page("/metrics"));
    ["USER_STATUS", "USER_LOGIN", "NEW_TYPE"].map(|event_type| {
        let mut counters = samples.iter().filter(|sample| {
            let label = |name: &str| sample.labels.get(name).map(String::as_str);
            sample.name == "nexmo_audit_events_by_type_total"
                && label("account") == Some(account)
                && label("event_type") == Some(event_type)
        });
        counters.next().map(|sample| sample.value)
    })
}

#[test]
fn an_account_that_gets_a_name_continues_its_counts() {
    let vendor = Vendor::new(&["abcd1234"]);
    vendor.set_secret("abcd1234", test_support::program::API_SECRET);
    vendor.record_many("abcd1234", 3);
    let storage = format!("--storage.path={}", vendor.path("state").display());
    let before = Exporter::polling_with(&vendor.api, &[&storage]);
    before.wait_until_up();
    assert!(is(3.0)(before.counted()));
    drop(before);

    let secret = test_support::program::API_SECRET;
    vendor.configure(&format!(
        "accounts: [{{name: main, api_key: abcd1234, api_secret: {secret}}}]"
    ));
    vendor.record_many("abcd1234", 2);
    // No event is counted again, although a fresh account would count those of a day
    // ago.
    let after = vendor.start_with("state", &["--poll.start=24h"]);
    let labels = [
        ("account", "main"),
        ("event_type", "USER_STATUS"),
        ("source", "CD"),
        ("source_country", "GB"),
    ];
    after.wait_for(EVENTS, &labels, is(5.0));
}

#[test]
fn the_event_log_names_the_account() {
    let vendor = Vendor::new(&["one", "two"]);
    vendor.record_many("one", 2);
    vendor.record_many("two", 1);
    vendor.configure_accounts(&["one", "two"]);
    let log = format!("--events.log={}", vendor.path("events.jsonl").display());
    let exporter = vendor.start_with("state", &[&log]);
    let lines = || fs::read_to_string(vendor.path("events.jsonl")).unwrap_or_default();
    test_support::eventually::eventually("three lines", std::time::Duration::from_secs(20), || {
        let lines = lines();
        let of = |name| lines.matches(&format!("{{\"account\":\"{name}\",")).count();
        if of("one") == 2 && of("two") == 1 {
            Ok(())
        } else {
            Err(lines)
        }
    });
    drop(exporter);
}

#[test]
fn an_account_has_its_own_series_only_where_they_tell_something() {
    let vendor = Vendor::new(&["quiet", "other"]);
    vendor.record_many("quiet", 1);
    vendor.configure_accounts(&["quiet", "other"]);
    let exporter = vendor.start();
    wait_for_counted(&exporter, "quiet", 1);
    exporter.wait_until_ready();
    let page = exporter.page("/metrics");
    let series = |label: &str| page.lines().filter(|line| line.contains(label)).count();
    // The number in docs/metrics.md, and the one series of the event that was counted.
    assert_eq!(series("account=\"quiet\""), 52, "{page}");
    for histogram in ["poll_duration", "ingest_lag", "api_request_duration"] {
        let name = format!("nexmo_audit_{histogram}_seconds_bucket");
        let mut lines = page.lines().filter(|line| line.starts_with(&name));
        assert!(lines.all(|line| !line.contains("account=")), "{page}");
        assert!(page.contains(&name), "{page}");
    }
}

/// More accounts than those whose scrape is rendered at each commit.
#[test]
fn many_accounts_are_scraped_whole_in_each_format() {
    let names: Vec<_> = (10..30).map(|number| format!("account-{number}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let vendor = Vendor::new(&names);
    for name in &names {
        vendor.record_many(name, 1);
    }
    vendor.configure_accounts(&names);
    let exporter = vendor.start();
    for name in &names {
        wait_for_counted(&exporter, name, 1);
    }
    let mut http = RawHttp::connect(exporter.program.address());
    for accept in ["text/plain;version=0.0.4", "application/openmetrics-text"] {
        // A server that is new is shown no events until the state knows it.
        let page = eventually("events", Duration::from_secs(20), || {
            let (head, page) = http.get_as("/metrics", &[("Accept", accept)]);
            assert_eq!(head.status, 200);
            let page = String::from_utf8(page).expect("UTF-8");
            if page.contains("nexmo_audit_events_by_type_total{") {
                return Ok(page);
            }
            Err(page)
        });
        for name in &names {
            let label = format!("account=\"{name}\"");
            let series = page.lines().filter(|line| line.contains(&label)).count();
            assert_eq!(series, 52, "{page}");
        }
        assert_eq!(page.ends_with("# EOF\n"), accept.contains("openmetrics"));
    }
}
