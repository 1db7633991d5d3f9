//! Events of another account than the one that is polled.

use serde_json::json;
use test_support::audit_event::{event, with};
use test_support::exporter::{Exporter, is};
use test_support::scripted_api::{ScriptedApi, healthy};

const SAID: &str = "events of an account_id other than the API key";

#[test]
fn they_are_counted_and_the_log_says_so_once() {
    let own = event("own", "A");
    let nobody = with(event("nobody", "A"), "account_id", json!(null));
    let api = ScriptedApi::start(healthy(vec![own.clone(), nobody.clone()]));
    let exporter = Exporter::polling(&api);
    exporter.wait_until_up();
    exporter.wait_for_polls(2);
    let log = exporter.program.log();
    assert!(!log.contains(SAID), "{log}");

    let other = with(event("other", "A"), "account_id", json!("ef567890"));
    api.follow(healthy(vec![own, nobody, other]));
    let line = exporter.program.wait_for_line(SAID);
    assert!(line.contains("level=warn"), "{line}");
    exporter.wait_for_polls(3);
    assert!(is(3.0)(exporter.counted()), "{}", exporter.counted());
    let log = exporter.program.log();
    assert_eq!(log.matches(SAID).count(), 1, "{log}");
    assert!(!log.contains("ef567890"), "{log}");
}
