//! The exporter with its state: across restarts, and while its disk is in trouble. What
//! was committed is still served, the trouble is reported, and it ends by itself when
//! the disk is back.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use test_support::audit_event::events;
use test_support::eventually::eventually;
use test_support::exporter::{Exporter, is};
use test_support::program::{Program, command};
use test_support::raw_http::RawHttp;
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{Request, ScriptedApi, healthy};

const UP: &str = "nexmo_audit_up";
const FAILURES: &str = "nexmo_audit_storage_failures_total";

#[test]
fn a_volume_that_goes_away_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (there, away) = (folder.path().join("state"), folder.path().join("away"));
    let recorded = events(5, "USER_STATUS");
    let api = ScriptedApi::start(healthy(recorded[..2].to_vec()));
    let storage = format!("--storage.path={}", there.display());
    let exporter = Exporter::polling_with(&api, &[&storage]);
    exporter.wait_until_up();
    assert!(is(2.0)(exporter.counted()));

    fs::rename(&there, &away).expect("the folder is moved");
    api.follow(healthy(recorded));
    exporter.wait_for(FAILURES, &[], |failures| failures >= 1.0);
    exporter.wait_for(UP, &[], is(0.0));
    let line = exporter.program.wait_for_line("reason=storage");
    assert!(line.contains("is gone"), "{line}");
    exporter.wait_for_text("/", "Polls of the Audit API: failing for ");
    assert!(is(2.0)(exporter.counted()), "only what was committed");

    fs::rename(&away, &there).expect("the folder is moved back");
    exporter.wait_until_up();
    assert!(is(5.0)(exporter.counted()), "{}", exporter.counted());
}

#[test]
fn a_state_that_another_exporter_uses_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let api = ScriptedApi::start(healthy(Vec::new()));
    let storage = format!("--storage.path={}", folder.path().display());
    let exporter = Exporter::polling_with(&api, &[&storage]);
    exporter.wait_until_up();
    let second = command()
        .args(["serve", "--web.listen-address=127.0.0.1:0", &storage])
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(1), "{said}");
    let path = folder.path().join("state.redb");
    let expected = format!("{} is in use by another process", path.display());
    assert!(said.contains(&expected), "{said}");
}

#[test]
fn an_error_of_the_system_is_said_once() {
    let done = command()
        .args([
            "serve",
            "--web.listen-address=127.0.0.1:0",
            "--storage.path=/proc",
        ])
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(said.trim_end().ends_with(": check the disk"), "{said}");
    assert_eq!(said.matches("os error").count(), 1, "{said}");
}

#[test]
fn counts_continue_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let recorded = events(4, "USER_STATUS");
    let api = ScriptedApi::start(healthy(recorded[..3].to_vec()));
    let storage = format!("--storage.path={}", folder.path().display());
    let first = Exporter::polling_with(&api, &[&storage]);
    first.wait_until_up();
    drop(first);
    api.follow(healthy(recorded));
    let second = Exporter::polling_with(&api, &[&storage]);
    second.wait_until_up();
    assert!(is(4.0)(second.counted()), "{}", second.counted());
}

#[test]
fn an_old_state_is_named_at_the_start_and_a_recent_one_is_not() {
    const OLD: &str = "the stored state is old";
    let folder = tempfile::tempdir().expect("a folder");
    let storage = format!("--storage.path={}", folder.path().display());
    let hours_ago = SystemTime::now() - Duration::from_hours(5);
    let list = healthy(Vec::new());
    let then = ScriptedApi::start(move |request: &Request| list(request).dated(hours_ago));
    Exporter::polling_with(&then, &[&storage]).wait_until_up();
    let now = ScriptedApi::start(healthy(Vec::new()));
    let restored = Exporter::polling_with(&now, &[&storage]);
    restored.wait_until_up();
    let line = restored.program.wait_for_line(OLD);
    assert!(line.contains("age_seconds=180"), "{line}");
    drop(restored);
    let restarted = Exporter::polling_with(&now, &[&storage]);
    restarted.wait_until_up();
    let log = restarted.program.log();
    assert!(!log.contains(OLD), "{log}");
}

#[test]
fn stored_counts_are_shown_before_the_first_poll() {
    let folder = tempfile::tempdir().expect("a folder");
    let api = ScriptedApi::start(healthy(events(3, "USER_STATUS")));
    let storage = format!("--storage.path={}", folder.path().display());
    Exporter::polling_with(&api, &[&storage]).wait_until_up();
    drop(api);
    // No API answers at the old address.
    let nobody = "--api.base-url=http://127.0.0.1:9";
    let program = Program::start(&[
        "serve",
        "--web.listen-address=127.0.0.1:0",
        &storage,
        nobody,
    ]);
    let page = test_support::http::HttpClient::new().get_body(&program.url("/metrics"));
    let page = page.expect("metrics");
    let shown = test_support::exposition::samples(&page)
        .into_iter()
        .filter(|sample| sample.name == "nexmo_audit_events_total")
        .map(|sample| sample.value)
        .sum();
    assert!(is(3.0)(shown), "{page}");
}

/// A poll that waits for the API must not keep back what an earlier process was about to
/// show, since each process may be killed before the API answers.
#[test]
fn a_count_that_has_waited_for_two_holds_is_shown_by_a_process_that_the_api_never_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    let storage = format!("--storage.path={}", folder.path().display());
    // The hold is 3 s.
    let settings = ["--metrics.scrape-interval=1s", &*storage];
    let recorded = events(3, "USER_STATUS");
    let api = ScriptedApi::start(healthy(recorded[..1].to_vec()));
    let exporter = Exporter::polling_with(&api, &settings);
    exporter.wait_until_up();
    let scrape = [("X-Prometheus-Scrape-Timeout-Seconds", "1")];
    let scraped = |exporter: &Exporter| {
        RawHttp::connect(exporter.program.address()).get_as("/metrics", &scrape);
        exporter.counted()
    };
    assert!(is(1.0)(scraped(&exporter)));
    api.follow(healthy(recorded[..2].to_vec()));
    eventually("a step", Duration::from_mins(1), || {
        let counted = scraped(&exporter);
        is(2.0)(counted).then_some(()).ok_or(counted.to_string())
    });
    drop(exporter);
    // This process is not scraped, so that the third event waits.
    api.follow(healthy(recorded));
    let exporter = Exporter::polling_with(&api, &settings);
    exporter.wait_for("nexmo_audit_pending_events", &[], is(1.0));
    assert!(is(2.0)(exporter.counted()), "{}", exporter.counted());
    drop(exporter);
    api.follow(|_| Answer::silence());
    eventually("the third event", Duration::from_mins(1), || {
        let killed = Exporter::polling_with(&api, &settings);
        // The process lives for as many requests as a commit takes.
        let is_shown = (0..200).any(|_| is(3.0)(killed.counted()));
        is_shown.then_some(()).ok_or_else(|| killed.program.log())
    });
}

/// A server that is new while a poll waits for the API is stored, and is shown events, without
/// waiting for the API.
#[test]
fn a_new_server_is_shown_events_while_a_poll_waits_for_the_api() {
    let folder = tempfile::tempdir().expect("a folder");
    let storage = format!("--storage.path={}", folder.path().display());
    let api = ScriptedApi::start(healthy(events(3, "USER_STATUS")));
    let exporter = Exporter::polling_with(&api, &[&storage]);
    exporter.wait_until_up();
    api.follow(|_| Answer::silence());
    eventually("a poll that waits", Duration::from_mins(1), || {
        (api.silences() > 0)
            .then_some(())
            .ok_or("no request".to_owned())
    });
    let scrape = [("X-Prometheus-Scrape-Timeout-Seconds", "1")];
    let (_, body) = RawHttp::connect(exporter.program.address()).get_as("/metrics", &scrape);
    let answer = String::from_utf8(body).expect("UTF-8");
    let shown = test_support::exposition::samples(&answer)
        .iter()
        .any(|sample| sample.name == "nexmo_audit_events_total");
    assert!(shown, "{answer}");
}
