//! Files whose file system does not answer, as one on a server that is gone: secrets, the
//! configuration and the web configuration. No account stops, no scrape is delayed, and a
//! reload ends.

use std::fs;
use std::time::Duration;

use test_support::eventually::eventually;
use test_support::exporter::Exporter;

use crate::crowd::{Crowd, scrape};
use crate::hanging_calls::HangingCalls;

const HEALTHY: usize = 100;
/// The time in which a reload ends: no file is waited for longer than 5 seconds.
const RELOADED: Duration = Duration::from_secs(30);

fn with_files(crowd: &Crowd, kind: &str, number: usize) -> Vec<String> {
    let names = (0..number).map(|place| format!("{kind}-{place}"));
    names.map(|name| crowd.account_with_file(&name)).collect()
}

/// More files hang than there are threads that look at files of secrets.
#[test]
fn six_hundred_secrets_that_hang_stop_no_account() {
    const SLOW: usize = 600;
    let crowd = Crowd::new();
    let calls = HangingCalls::in_folder(&crowd.path(""));
    let mut accounts = with_files(&crowd, "slow", SLOW);
    accounts.extend(with_files(&crowd, "healthy", HEALTHY));
    crowd.configure(&accounts);
    crowd.record();
    // On a busy machine the API of the test takes seconds to answer 700 accounts.
    let settings = ["--poll.interval=10s", "--api.timeout=20s"];
    let exporter = crowd.start_by(&mut calls.command(), &settings);
    crowd.wait_until_counted(&exporter, SLOW + HEALTHY);
    calls.hang("HANG_FILES");
    for _ in 0..2 {
        crowd.count_one_more(&exporter, SLOW + HEALTHY);
    }
    let line = exporter
        .program
        .wait_for_line("the file of the API secret does not answer");
    assert!(line.contains("slow-"), "{line}");
    assert_eq!(exporter.status("/-/healthy"), 200);
    calls.release("HANG_FILES");
    crowd.count_one_more(&exporter, SLOW + HEALTHY);
}

/// Asks for a reload, and waits until the log has had `said` for the `place`th time. Every
/// scrape meanwhile is quick.
fn reload(exporter: &Exporter, said: &str, place: usize) {
    exporter.program.signal("HUP");
    eventually(said, RELOADED, || {
        scrape(exporter);
        let lines = exporter.program.lines();
        let found = lines.iter().filter(|line| line.contains(said)).count();
        (found >= place)
            .then_some(())
            .ok_or_else(|| exporter.program.log())
    });
}

#[test]
fn a_configuration_that_hangs_fails_its_reload_and_nothing_else() {
    const FAILED: &str = "the configuration could not be loaded; the previous one stays in use";
    let crowd = Crowd::new();
    let calls = HangingCalls::in_folder(&crowd.path(""));
    let mut accounts = crowd.accounts(HEALTHY);
    crowd.configure(&accounts);
    crowd.record();
    fs::write(crowd.path("slow-web.yml"), "").expect("a file");
    let web = format!("--web.config.file={}", crowd.path("slow-web.yml").display());
    let exporter = crowd.start_by(&mut calls.command(), &[&web]);
    crowd.wait_until_counted(&exporter, HEALTHY);
    calls.hang("HANG_FILES");
    for place in 1..=2 {
        reload(&exporter, FAILED, place);
        crowd.count_one_more(&exporter, HEALTHY);
    }
    let line = exporter.program.wait_for_line(FAILED);
    let expected = "it does not answer within 5 s; check that its file system can be reached";
    assert!(
        line.contains("config.yml") && line.contains(expected),
        "{line}"
    );
    calls.release("HANG_FILES");
    accounts.push(crowd.account("added"));
    crowd.configure(&accounts);
    // A reload fails at once until the call that hung has returned.
    eventually("a reload", RELOADED, || {
        exporter.program.signal("HUP");
        let log = exporter.program.log();
        let is_loaded = log.contains("configuration loaded");
        is_loaded.then_some(()).ok_or(log)
    });
    crowd.count_one_more(&exporter, HEALTHY + 1);
}
