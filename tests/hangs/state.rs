//! A disk of the state that hangs is named, delays no scrape, and costs no event.

use std::time::Duration;

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

/// A commit that hangs is waited for at the end, and so is the close of the state, but neither
/// without end.
#[test]
fn a_disk_of_the_state_that_hangs_keeps_the_process_from_ending_for_seconds_only() {
    let crowd = Crowd::new();
    let calls = HangingCalls::in_folder(&crowd.path(""));
    crowd.configure(&crowd.accounts(1));
    crowd.record();
    let last_call = "--web.shutdown-timeout=1s";
    let mut exporter = crowd.start_by(&mut calls.command(), &[last_call]);
    crowd.wait_until_counted(&exporter, 1);
    calls.hang("HANG_DISK");
    crowd.record();
    exporter
        .program
        .wait_for_line("the disk of the state does not answer");
    exporter.program.signal("TERM");
    exporter
        .program
        .wait_for_line("the state could not be closed in time, since the disk does not answer");
    let status = exporter.program.wait_for_end(Duration::from_secs(10));
    assert!(status.success(), "{}", exporter.program.log());
    // Nothing is lost by that.
    calls.release("HANG_DISK");
    let exporter = crowd.start(&[]);
    crowd.count_one_more(&exporter, 1);
}
