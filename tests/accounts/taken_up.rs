//! The moment from which an account counts that a reload has taken up.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use test_support::audit_event::{event, with, written};
use test_support::exporter::{Exporter, is};

use crate::vendor::{UP, Vendor, account, secret, wait_for_counted};

const START_NOW: [&str; 1] = ["--poll.start=now"];
const BY_TYPE: &str = "nexmo_audit_events_by_type_total";

/// Records an event that was created now, and waits until the time of the API is some
/// seconds after it.
fn record_and_pass(vendor: &Vendor, exporter: &Exporter, name: &str, clock: &str) {
    let now = Timestamp::now();
    let old = with(
        event("before", "USER_LOGIN"),
        "created_at",
        json!(written(now)),
    );
    vendor.change(name, |known| known.events.push(old));
    let later = now + SignedDuration::from_secs(2);
    let later = later.as_duration().as_secs_f64();
    let watermark = "nexmo_audit_watermark_timestamp_seconds";
    exporter.wait_for(watermark, &[("account", clock)], |at| at > later);
}

fn record_now(vendor: &Vendor, name: &str) {
    let now = json!(written(Timestamp::now()));
    let new = with(event("after", "USER_STATUS"), "created_at", now);
    vendor.change(name, |known| known.events.push(new));
}

fn logins(exporter: &Exporter, name: &str) -> f64 {
    let labels = [("account", name), ("event_type", "USER_LOGIN")];
    exporter.value(BY_TYPE, &labels)
}

#[test]
fn an_account_that_is_added_counts_from_when_it_was_added() {
    let vendor = Vendor::new(&["one", "two"]);
    vendor.configure_accounts(&["one"]);
    let exporter = vendor.start_with("state", &START_NOW);
    exporter.wait_for(UP, &[("account", "one")], is(1.0));
    record_and_pass(&vendor, &exporter, "two", "one");

    vendor.configure_accounts(&["one", "two"]);
    exporter.program.signal("HUP");
    exporter.wait_for(UP, &[("account", "two")], is(1.0));
    record_now(&vendor, "two");
    wait_for_counted(&exporter, "two", 1);
    assert!(is(0.0)(logins(&exporter, "two")));
}

#[test]
fn an_account_whose_key_changes_counts_from_when_it_changed() {
    let vendor = Vendor::new(&["one", "two", "other"]);
    vendor.configure_accounts(&["one", "two"]);
    let exporter = vendor.start_with("state", &START_NOW);
    exporter.wait_for(UP, &[("account", "two")], is(1.0));
    record_and_pass(&vendor, &exporter, "other", "one");

    let key = "- {name: two, api_key: other, api_secret: other-secret}";
    vendor.configure(&format!("accounts:\n{}{key}\n", account("one", "")));
    exporter.program.signal("HUP");
    exporter.program.wait_for_line("configuration loaded");
    record_now(&vendor, "other");
    wait_for_counted(&exporter, "two", 1);
    assert!(is(0.0)(logins(&exporter, "two")));
}

#[test]
fn an_account_that_is_changed_before_it_could_begin_counts_from_when_it_was_added() {
    let vendor = Vendor::new(&["one", "two"]);
    vendor.set_secret("two", "another");
    vendor.configure_accounts(&["one", "two"]);
    let exporter = vendor.start_with("state", &START_NOW);
    exporter.wait_for(UP, &[("account", "one")], is(1.0));
    record_and_pass(&vendor, &exporter, "two", "one");

    vendor.set_secret("two", &secret("two"));
    let changed = account("two", ", exclude_event_types: [OTHER]");
    vendor.configure(&format!("accounts:\n{}{changed}", account("one", "")));
    exporter.program.signal("HUP");
    let line = exporter.program.wait_for_line("configuration loaded");
    assert!(line.contains("added=0 changed=1 removed=0"), "{line}");
    let labels = [("account", "two"), ("event_type", "USER_LOGIN")];
    exporter.wait_for(BY_TYPE, &labels, is(1.0));
}
