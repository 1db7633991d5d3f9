//! Invalid settings and invalid answers: the message is clear, and no event is lost.

use std::net::TcpListener;
use std::time::Duration;

use serde_json::json;
use test_support::audit_event::{assert_shows_nothing_private, events};
use test_support::exporter::{Exporter, is};
use test_support::process::Process;
use test_support::program::{API_SECRET, command};
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{ScriptedApi, healthy, listing};

const UP: &str = "nexmo_audit_up";

/// An invalid answer to a list request, and how it must be reported.
struct BadAnswer {
    answer: Answer,
    reason: &'static str,
    /// The words of the log line, which says what is wrong and what to do.
    says: &'static [&'static str],
}

fn bad(answer: Answer, reason: &'static str, says: &'static [&'static str]) -> BadAnswer {
    BadAnswer {
        answer,
        reason,
        says,
    }
}

/// Fails a poll with the answer, repairs the API, and expects every event once.
fn costs_nothing(bad: BadAnswer) {
    let answer = bad.answer;
    let api = ScriptedApi::start(listing(move |_| answer.clone()));
    let exporter = Exporter::polling(&api);
    fails(&exporter, bad.reason, bad.says);
    let recorded = events(2, "USER_STATUS");
    api.follow(healthy(recorded));
    exporter.wait_until_up();
    exporter.wait_for_polls(2);
    assert!(is(2.0)(exporter.counted()), "{}", exporter.page("/metrics"));
    shows_nothing_private(&exporter);
}

fn fails(exporter: &Exporter, reason: &str, says: &[&str]) {
    let failures = "nexmo_audit_poll_failures_total";
    exporter.wait_for(failures, &[("reason", reason)], |failed| failed >= 1.0);
    assert!(is(0.0)(exporter.value(UP, &[])));
    let line = exporter.program.wait_for_line("polls fail");
    for words in says {
        assert!(line.contains(words), "{words:?} is not said: {line}");
    }
    exporter.wait_for_text("/", "Polls of the Audit API: failing for ");
}

fn shows_nothing_private(exporter: &Exporter) {
    assert_shows_nothing_private("/metrics", &exporter.page("/metrics"));
    assert_shows_nothing_private("the landing page", &exporter.page("/"));
    assert_shows_nothing_private("the log", &exporter.program.lines().join("\n"));
}

/// The vendor may quote what it was sent or asked about, in any spelling.
#[test]
fn a_message_in_disguise_shows_neither_data_nor_the_secret() {
    let secret = API_SECRET.to_uppercase();
    let private = [
        "203.0.113.77",
        "2001:db8::7",
        "7700900123",
        "eve%40example.com",
        "mallory",
        &secret,
    ];
    for message in [
        "no 203.0.113.77/32".to_owned(),
        "no ip:203.0.113.77, ip:2001:db8::7/64".to_owned(),
        "no +447700900123".to_owned(),
        "no eve%40example.com".to_owned(),
        "no mallory\u{ff20}example.com".to_owned(),
        format!("no {secret}"),
    ] {
        let answer = Answer::error(500, &message);
        let api = ScriptedApi::start(listing(move |_| answer.clone()));
        let exporter = Exporter::polling(&api);
        fails(&exporter, "status", &["500", "no "]);
        let shown = exporter.page("/") + &exporter.program.lines().join("\n");
        let found = private.iter().find(|text| shown.contains(**text));
        assert_eq!(found, None, "{message}");
    }
}

/// Makes a test for each answer, so that one failure hides no other.
macro_rules! bad_answers {
    ($($name:ident: $answer:expr => $reason:literal [$($says:literal),*];)*) => {
        $(
            #[test]
            fn $name() {
                costs_nothing(bad($answer, $reason, &[$($says),*]));
            }
        )*
    };
}

bad_answers! {
    a_base_url_that_answers_404:
        Answer::error(404, "No such path")
        => "status" ["404", "No such path", "check --api.base-url"];
    a_base_url_that_answers_html:
        Answer::new(200, "<!doctype html><title>Sign in</title>").header("Content-Type", "text/html")
        => "body" ["not JSON", "check that --api.base-url is an Audit API"];
    a_base_url_that_answers_other_json:
        Answer::json(200, &json!({"data": []}))
        => "body" ["not a list of audit events", "check that --api.base-url is an Audit API"];
    a_base_url_that_answers_nothing_at_all:
        Answer::new(200, "")
        => "body" ["empty", "check that --api.base-url is an Audit API"];
    a_base_url_that_redirects:
        Answer::new(302, "").header("Location", "http://127.0.0.1:9/")
        => "status" ["302", "redirect", "check --api.base-url"];
    an_outage_of_the_vendor:
        Answer::error(500, "Internal error")
        => "status" ["500", "Internal error", "asked again"];
    an_answer_cut_in_the_middle:
        Answer::list(&events(50, "USER_STATUS")).cut()
        => "transport" ["connection failed", "network"];
    an_answer_cut_in_the_middle_of_its_json:
        Answer::new(200, r#"{"_embedded": {"events": [{"id": "#)
        => "body" ["not JSON"];
    a_compressed_answer_cut_in_the_middle:
        Answer::list(&events(50, "USER_STATUS")).gzip().cut()
        => "transport" ["connection failed", "network"];
    an_answer_that_is_not_the_gzip_it_claims_to_be:
        Answer::list(&[]).header("Content-Encoding", "gzip")
        => "body" ["could not be decompressed"];
    an_answer_of_100_mib:
        Answer::new(200, vec![b' '; 1 << 20]).repeated(100)
        => "body" ["larger than 16 MiB"];
    a_small_answer_that_swells_to_32_mib:
        Answer::new(200, vec![b' '; 32 << 20]).gzip()
        => "body" ["larger than 16 MiB"];
    an_answer_of_deep_nesting:
        Answer::new(200, "[".repeat(1 << 20))
        => "body" ["check that --api.base-url is an Audit API"];
    a_list_of_deep_nesting_that_never_ends:
        Answer::new(200, format!(r#"{{"_embedded": {{"events": [{}"#, "[".repeat(1 << 20)))
        => "body" ["not JSON"];
    an_answer_of_invalid_utf_8:
        Answer::new(200, vec![0xff; 1000])
        => "body" ["not JSON"];
    an_answer_that_stalls:
        Answer::list(&events(50, "USER_STATUS")).stalled()
        => "timeout" ["in time", "--api.timeout"];
    an_answer_that_trickles:
        Answer::list(&events(50, "USER_STATUS")).trickled()
        => "timeout" ["in time", "--api.timeout"];
    an_api_that_is_silent:
        Answer::silence()
        => "timeout" ["in time", "--api.timeout"];
    a_connection_that_is_reset:
        Answer::reset()
        => "transport" ["connection failed", "network"];
}

/// The vendor may quote the secret that it was sent.
#[test]
fn a_wrong_secret() {
    let quoted = format!("{API_SECRET} is wrong");
    let api = ScriptedApi::start(move |_| Answer::error(401, &quoted));
    let exporter = Exporter::polling(&api);
    let says = ["401", "[secret] is wrong", "NEXMO_API_SECRET"];
    fails(&exporter, "auth", &says);
    exporter.wait_until_ready();
    shows_nothing_private(&exporter);
}

#[test]
fn a_header_that_the_vendor_quotes() {
    let api = ScriptedApi::start(|request| {
        let header = request.header("Authorization").unwrap_or_default();
        Answer::error(401, &format!("cannot use {header}"))
    });
    let exporter = Exporter::polling(&api);
    fails(&exporter, "auth", &["cannot use Basic [secret]"]);
    shows_nothing_private(&exporter);
}

#[test]
fn an_unknown_host() {
    let url = "http://no-such-host.invalid/beta/audit";
    let exporter = Exporter::started_by(&mut command(), url, &["--api.allow-http"]);
    fails(&exporter, "transport", &["connection failed", "DNS"]);
    shows_nothing_private(&exporter);
}

/// Starts the program, and expects it to end by itself.
fn ends_with(status: i32, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let mut command = command();
    command.args(arguments).envs(variables.iter().copied());
    let mut process = Process::start("nexmo-audit-exporter", &mut command);
    let ended = process.wait_for_end(Duration::from_secs(20));
    process.wait_for_line("message", Duration::from_secs(20), |line| {
        line.contains("nexmo-audit-exporter:").then_some(())
    });
    assert_eq!(ended.code(), Some(status), "{}", process.log());
    process.log()
}

#[test]
fn a_key_without_a_secret() {
    let message = ends_with(2, &["serve"], &[("NEXMO_API_SECRET", "")]);
    assert!(
        message.contains("NEXMO_API_SECRET must be set"),
        "{message}"
    );
    assert!(!message.contains("NEXMO_API_KEY must"), "{message}");
}

#[test]
fn a_base_url_of_plain_http() {
    let message = ends_with(2, &["--api.base-url=http://api.nexmo.com/beta/audit"], &[]);
    assert!(message.contains("plain http to api.nexmo.com"), "{message}");
    assert!(message.contains("use https"), "{message}");
}

#[test]
fn all_problems_are_reported_at_once() {
    let arguments = [
        "--api.base-url=http://ada:swordfish@api.nexmo.com",
        "--poll.interval=soon",
        "--poll.start=yesterday",
        "--log.level=loud",
        "--web.listen-address=nowhere",
        "--metrics.max-series=-1",
    ];
    let message = ends_with(2, &arguments, &[("NEXMO_API_SECRET", "")]);
    let settings = arguments.map(|argument| argument.split('=').next().expect("a flag"));
    for setting in settings.iter().chain(&["NEXMO_API_SECRET"]) {
        assert!(message.contains(setting), "{setting}: {message}");
    }
    assert!(!message.contains("swordfish"), "{message}");
}

#[test]
fn a_port_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let message = ends_with(1, &[&format!("--web.listen-address={address}")], &[]);
    for words in [&*address, "cannot listen", "choose another"] {
        assert!(message.contains(words), "{words}: {message}");
    }
}
