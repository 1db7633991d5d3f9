//! The exporter through every fault, at every level of the log.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tempfile::TempDir;
use test_support::audit_event::{PERSONAL, events};
use test_support::eventually::eventually;
use test_support::exporter::Exporter;
use test_support::exposition;
use test_support::program::command;
use test_support::raw_http::RawHttp;
use test_support::restartable::free_port;
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{Request, ScriptedApi, healthy};

use crate::api_faults::{FAULTS, REJECTIONS, Script, malformed_events};
use crate::output::CollectedOutput;
use crate::private_data::{PROXY_PASSWORD, SECRET, VISITOR_PASSWORD};

/// The time from a cause to its effect, on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);
const FAILED: &str = "nexmo_audit_poll_failures_total";

/// Returns the program with a secret that the search recognizes.
pub(crate) fn with_secret() -> Command {
    let mut command = command();
    command.env("NEXMO_API_SECRET", SECRET);
    command
}

pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn failures(exporter: &Exporter) -> f64 {
    let samples = exposition::samples(&exporter.page("/metrics")).into_iter();
    let failed = samples.filter(|sample| sample.name == FAILED);
    failed.map(|sample| sample.value).sum()
}

/// Waits until another poll has failed.
fn fails(exporter: &Exporter, name: &str, before: f64) {
    eventually(name, DEADLINE, || {
        let failed = failures(exporter) > before;
        failed.then_some(()).ok_or_else(|| exporter.program.log())
    });
}

/// Requests every page as every kind of visitor does.
pub(crate) fn pages(exporter: &Exporter, collected: &mut CollectedOutput) {
    let authorization = format!(
        "Basic {}",
        STANDARD.encode(format!("ada:{VISITOR_PASSWORD}"))
    );
    let missing = format!("/missing/{VISITOR_PASSWORD}?user={}", PERSONAL[0]);
    let plain = ("Accept", "text/plain");
    let open = ("Accept", "application/openmetrics-text");
    let signed = ("Authorization", &*authorization);
    for path in ["/", "/metrics", "/-/healthy", "/-/ready", &missing] {
        for accept in [plain, open] {
            let mut http = RawHttp::connect(exporter.program.address());
            let (head, body) = http.get_as(path, &[accept, signed]);
            collected.add(&format!("the head of {path}"), format!("{head:?}"));
            collected.add(path, body);
        }
    }
    let mut http = RawHttp::connect(exporter.program.address());
    http.send_with("POST", &missing, &[signed]);
    let head = http.read_head();
    let body = http.read_body(head.length());
    collected.add("the answer to POST", format!("{head:?}\n{body}"));
}

/// Runs one exporter through these faults, and returns its output.
fn through(faults: &[(&str, Script)], level: &str, form: &str) -> CollectedOutput {
    let folder = folder();
    let sane = || healthy([events(3, "USER_STATUS"), malformed_events()].concat());
    let api = ScriptedApi::start(sane());
    let settings = [
        format!("--storage.path={}", folder.path().join("data").display()),
        format!(
            "--events.log={}",
            folder.path().join("events.jsonl").display()
        ),
        format!("--log.level={level}"),
        format!("--log.format={form}"),
        "--poll.interval=20ms".to_owned(),
        // The address is logged at level info, and not at every level.
        format!("--web.listen-address=127.0.0.1:{}", free_port()),
    ];
    let settings: Vec<_> = settings.iter().map(String::as_str).collect();
    let mut exporter = Exporter::started_by(&mut with_secret(), &api.base_url(), &settings);
    let mut collected = CollectedOutput::default();
    exporter.wait_until_up();
    for &(name, fault) in faults {
        let before = failures(&exporter);
        api.follow(fault);
        fails(&exporter, name, before);
        pages(&exporter, &mut collected);
        api.follow(sane());
        exporter.wait_until_up();
    }
    collected.add_folder(folder.path());
    exporter.program.signal("TERM");
    exporter.program.wait_for_end(DEADLINE);
    collected.add("the log", exporter.program.lines().join("\n"));
    collected.add_folder(folder.path());
    add_state_commands(settings[0], &mut collected);
    // The search has something to search.
    collected.shows(&[
        "nexmo_audit_up",
        "USER_STATUS",
        "redb",
        "sha256",
        "last commit",
    ]);
    collected
}

/// Adds what the commands that read the state of an exporter write.
fn add_state_commands(storage: &str, collected: &mut CollectedOutput) {
    for arguments in [&["show"][..], &["show", "--output=json"], &["export"]] {
        let mut command = with_secret();
        command.arg("state").args(arguments).arg(storage);
        let output = command.output().expect("the program starts");
        assert!(output.status.success(), "{output:?}");
        collected.add(&format!("the output of {arguments:?}"), output.stdout);
        collected.add(&format!("the errors of {arguments:?}"), output.stderr);
    }
}

#[test]
fn no_fault_shows_anything_private_in_logfmt() {
    through(FAULTS, "trace", "logfmt").shows_nothing_private();
}

#[test]
fn no_fault_shows_anything_private_in_json() {
    through(FAULTS, "trace", "json").shows_nothing_private();
}

/// The other levels log less of the same.
#[test]
fn no_log_level_shows_anything_private() {
    for level in ["error", "warn", "info", "debug"] {
        for form in ["logfmt", "json"] {
            through(&FAULTS[..3], level, form).shows_nothing_private();
        }
    }
}

#[test]
fn no_rejection_shows_anything_private() {
    for (name, rejection) in REJECTIONS {
        let api = ScriptedApi::start(rejection);
        let exporter = Exporter::started_by(&mut with_secret(), &api.base_url(), &[]);
        fails(&exporter, name, 0.0);
        let mut collected = CollectedOutput::default();
        pages(&exporter, &mut collected);
        collected.add("the log", exporter.program.lines().join("\n"));
        collected.shows(&["polls fail"]);
        collected.shows_nothing_private();
    }
}

/// The API speaks no TLS, and a proxy quotes what it is shown.
#[test]
fn no_proxy_or_tls_failure_shows_anything_private() {
    let quoting = |request: &Request| {
        let shown = request.header("Proxy-Authorization").unwrap_or_default();
        Answer::error(407, shown).header("Proxy-Authenticate", shown)
    };
    let proxy = ScriptedApi::start(quoting);
    let proxy_url = format!("http://ada:{PROXY_PASSWORD}@{}", proxy.address());
    let base_url = format!("https://{}/beta/audit", proxy.address());
    for variable in ["NO_SUCH_PROXY", "HTTPS_PROXY"] {
        let mut command = with_secret();
        command
            .env_remove("NO_PROXY")
            .env_remove("no_proxy")
            .env(variable, &proxy_url);
        let exporter = Exporter::started_by(&mut command, &base_url, &[]);
        fails(&exporter, variable, 0.0);
        let mut collected = CollectedOutput::default();
        pages(&exporter, &mut collected);
        collected.add("the log", exporter.program.lines().join("\n"));
        collected.shows(&["polls fail"]);
        collected.shows_nothing_private();
    }
    let tunnels = proxy.requests();
    let shown = tunnels
        .iter()
        .find_map(|request| request.header("Proxy-Authorization"));
    assert!(shown.is_some(), "the proxy was not asked: {tunnels:?}");
}

/// Personal data that is asked for is in the event log, and in the state while the log
/// cannot be written. The search would find it elsewhere, too.
#[test]
fn requested_personal_data_is_found() {
    let api = ScriptedApi::start(healthy(events(3, "USER_STATUS")));
    for writable in [true, false] {
        let folder = folder();
        let data = folder.path().join("data");
        let log = folder.path().join("log");
        if writable {
            fs::create_dir(&log).expect("a folder");
        }
        let settings = [
            format!("--storage.path={}", data.display()),
            format!("--events.log={}", log.join("events.jsonl").display()),
            "--events.log-personal-data".to_owned(),
        ];
        let settings: Vec<_> = settings.iter().map(String::as_str).collect();
        let exporter = Exporter::started_by(&mut with_secret(), &api.base_url(), &settings);
        exporter.wait_until_up();
        let place: &Path = if writable { &log } else { &data };
        eventually("personal data", DEADLINE, || {
            let mut collected = CollectedOutput::default();
            collected.add_folder(place);
            let missing = collected.missing(&PERSONAL);
            missing.map_or(Ok(()), |text| Err(format!("no {text}")))
        });
    }
}
