//! A disk of the state that hangs is named, delays no scrape, and costs no event.

use test_support::exporter::is;

use crate::crowd::{Crowd, scrape};
use crate::hanging_calls::HangingCalls;

const FAILURES: &str = "nexmo_audit_storage_failures_total";

#[test]
fn a_disk_of_the_state_that_hangs_is_named_and_delays_no_scrape() {
    const ACCOUNTS: usize = 100;
    let crowd = Crowd::new();
    let calls = HangingCalls::in_folder(&crowd.path(""));
    crowd.configure(&crowd.accounts(ACCOUNTS));
    crowd.record();
    let log = format!("--events.log={}", crowd.path("events.jsonl").display());
    let exporter = crowd.start_by(&mut calls.command(), &[&log]);
    crowd.wait_until_counted(&exporter, ACCOUNTS);
    calls.hang("HANG_DISK");
    crowd.record();
    let line = exporter
        .program
        .wait_for_line("the disk of the state does not answer");
    assert!(line.contains("state.redb"), "{line}");
    let page = exporter.page("/");
    let named = "The disk of the state has not answered for";
    assert!(page.contains(named), "{page}");
    let labels = [("account", "account-7")];
    exporter.wait_for(FAILURES, &labels, |failures| failures >= 1.0);
    exporter.wait_for("nexmo_audit_up", &labels, is(0.0));
    scrape(&exporter);
    calls.release("HANG_DISK");
    crowd.wait_until_counted(&exporter, ACCOUNTS);
    exporter.wait_for("nexmo_audit_up", &labels, is(1.0));
    exporter
        .program
        .wait_for_line("the disk of the state answers again");
}
