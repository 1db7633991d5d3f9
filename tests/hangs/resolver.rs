//! Host names whose look-up hangs delay no account that has another name, or that had an
//! address before.

use crate::crowd::Crowd;
use crate::hanging_calls::HangingCalls;

const HEALTHY: usize = 100;

fn healthy(crowd: &Crowd) -> Vec<String> {
    let names = (0..HEALTHY).map(|place| format!("healthy-{place}"));
    names
        .map(|name| crowd.account_at(&name, "localhost"))
        .collect()
}

#[test]
fn seven_hundred_names_that_hang_delay_no_other_account() {
    const SLOW: usize = 700;
    let crowd = Crowd::new();
    let calls = HangingCalls::in_folder(&crowd.path(""));
    calls.hang("HANG_SLOW_NAMES");
    let names = (0..SLOW).map(|place| format!("slow-{place}"));
    let slow = names.map(|name| crowd.account_at(&name, &format!("{name}.example")));
    let mut accounts: Vec<_> = slow.collect();
    accounts.extend(healthy(&crowd));
    crowd.configure(&accounts);
    crowd.record();
    let exporter = crowd.start_by(&mut calls.command(), &["--api.timeout=25s"]);
    crowd.wait_until_counted(&exporter, HEALTHY);
    for _ in 0..3 {
        crowd.count_one_more(&exporter, HEALTHY);
    }
    calls.release("HANG_SLOW_NAMES");
    crowd.count_one_more(&exporter, HEALTHY);
}

#[test]
fn a_resolver_that_hangs_stops_no_account_that_had_an_address() {
    let crowd = Crowd::new();
    let calls = HangingCalls::in_folder(&crowd.path(""));
    crowd.configure(&healthy(&crowd));
    crowd.record();
    let exporter = crowd.start_by(&mut calls.command(), &["--api.timeout=25s"]);
    crowd.wait_until_counted(&exporter, HEALTHY);
    calls.hang("HANG_ALL_NAMES");
    for _ in 0..3 {
        crowd.count_one_more(&exporter, HEALTHY);
    }
    calls.release("HANG_ALL_NAMES");
    crowd.count_one_more(&exporter, HEALTHY);
}
