//! Two accounts of a config file, behind passwords: reloads of good and bad files, and
//! visitors with right and wrong passwords.

use std::fs;
use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tempfile::TempDir;
use test_support::audit_event::{base64, events};
use test_support::eventually::eventually;
use test_support::exporter::Exporter;
use test_support::exposition;
use test_support::program::{API_KEY, command};
use test_support::raw_http::RawHttp;
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{Request, ScriptedApi, healthy};

use crate::api_faults::malformed_events;
use crate::output::CollectedOutput;
use crate::private_data::{REJECTED_SECRET, SECRET, VISITOR_PASSWORD, visitor_hash};
use crate::serving::{DEADLINE, folder, pages};

const REJECTED_KEY: &str = "efgh5678";

/// Returns a config file with an admitted account, and this entry of another account.
fn two_accounts(other: &str) -> String {
    format!(
        "accounts:\n\
         - {{name: one, api_key: {API_KEY}, api_secret: '{SECRET}'}}\n\
         - {{name: two, api_key: {REJECTED_KEY}, {other}}}\n"
    )
}

/// The config files that cannot be used, with the message about each.
fn bad_files() -> [(String, &'static str); 4] {
    let file = "api_secret_file: two.secret";
    [
        (
            two_accounts(&format!("{file}, secret: '{REJECTED_SECRET}'")),
            "`secret` is unknown",
        ),
        (
            two_accounts(&format!("api_secret: ['{REJECTED_SECRET}']")),
            "must be text",
        ),
        (
            two_accounts(&format!("{file}, api_secret: '{REJECTED_SECRET}'")),
            "has both",
        ),
        (
            two_accounts(&format!("api_secret: '{REJECTED_SECRET}")),
            "this is not YAML",
        ),
    ]
}

/// Admits one of the two accounts, and quotes to the other all that it sent.
fn api() -> ScriptedApi {
    let one = basic(API_KEY, SECRET);
    let sane = healthy([events(3, "USER_STATUS"), malformed_events()].concat());
    ScriptedApi::start(move |request: &Request| {
        let shown = request.header("Authorization").unwrap_or_default();
        if shown == one {
            return sane(request);
        }
        let sent = shown.strip_prefix("Basic ").unwrap_or_default();
        let sent = String::from_utf8(STANDARD.decode(sent).expect("base64")).expect("text");
        let message = format!("{shown} is wrong, which is {sent}.");
        Answer::error(401, &message).header("WWW-Authenticate", shown)
    })
}

/// An exporter that asks its visitors for a password.
struct Guarded {
    exporter: Exporter,
    /// The folder of the state and of the event log.
    left: TempDir,
    /// The folder of the config files, which hold the secrets that are searched for.
    told: TempDir,
}

impl Guarded {
    fn start(api: &ScriptedApi, form: &str) -> Self {
        let (left, told) = (folder(), folder());
        let web = format!("basic_auth_users:\n  ada: '{}'\n", visitor_hash());
        write(told.path(), "web.yml", &web);
        write(told.path(), "two.secret", REJECTED_SECRET);
        let accounts = two_accounts("api_secret_file: two.secret");
        write(told.path(), "config.yml", &accounts);
        let path = |folder: &TempDir, name: &str| folder.path().join(name).display().to_string();
        let settings = [
            format!("--config.file={}", path(&told, "config.yml")),
            format!("--web.config.file={}", path(&told, "web.yml")),
            format!("--storage.path={}", path(&left, "data")),
            format!("--events.log={}", path(&left, "events.jsonl")),
            format!("--log.format={form}"),
            "--log.level=trace".to_owned(),
            "--web.enable-lifecycle".to_owned(),
        ];
        let settings: Vec<_> = settings.iter().map(String::as_str).collect();
        let exporter = Exporter::started_by(&mut command(), &api.base_url(), &settings);
        Self {
            exporter,
            left,
            told,
        }
    }

    /// Asks as a visitor with this password, and returns the status. The rest of the
    /// answer is kept for the search.
    fn ask(
        &self,
        collected: &mut CollectedOutput,
        method: &str,
        path: &str,
        password: &str,
    ) -> u16 {
        let authorization = basic("ada", password);
        let mut http = RawHttp::connect(self.exporter.program.address());
        http.send_with(method, path, &[("Authorization", &authorization)]);
        let head = http.read_head();
        let body = http.read_body(head.length());
        collected.add(&format!("{method} {path}"), format!("{head:?}\n{body}"));
        head.status
    }

    fn value(&self, name: &str, account: &str) -> Option<f64> {
        let authorization = basic("ada", VISITOR_PASSWORD);
        let mut http = RawHttp::connect(self.exporter.program.address());
        let (_, page) = http.get_as("/metrics", &[("Authorization", &authorization)]);
        let page = String::from_utf8(page).expect("text");
        exposition::value(&page, name, &[("account", account)])
    }

    /// Waits until the API has admitted one account and refused the other.
    fn wait_until_asked(&self) {
        eventually("an answer to each", DEADLINE, || {
            let up = ["one", "two"].map(|account| self.value("nexmo_audit_up", account));
            let asked = up == [Some(1.0), Some(0.0)];
            asked
                .then_some(())
                .ok_or_else(|| self.exporter.program.log())
        });
    }

    /// Replaces the secret file of the account that is refused, and waits until its secret is
    /// sent.
    fn rotate(&self, api: &ScriptedApi) {
        let anew = format!("{REJECTED_SECRET}-of-file");
        write(self.told.path(), "two.secret", &anew);
        self.wait_for_secret(api, &anew);
        self.exporter.program.wait_for_line("was read again");
    }

    /// Waits until the account that is refused shows this secret.
    fn wait_for_secret(&self, api: &ScriptedApi, secret: &str) {
        let sent = basic(REJECTED_KEY, secret);
        eventually("the new secret at the API", DEADLINE, || {
            let requests = api.requests();
            let mut headers = requests
                .iter()
                .map(|request| request.header("Authorization"));
            let came = headers.any(|header| header == Some(&sent));
            came.then_some(())
                .ok_or_else(|| self.exporter.program.log())
        });
    }

    /// Replaces the config file and reloads it, and returns the status of the answer.
    fn reload(&self, collected: &mut CollectedOutput, file: &str) -> u16 {
        write(self.told.path(), "config.yml", file);
        self.ask(collected, "POST", "/-/reload", VISITOR_PASSWORD)
    }
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", base64(&format!("{user}:{password}")))
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).expect("a file");
}

fn visited_and_reloaded(form: &str) -> CollectedOutput {
    let api = api();
    let mut guarded = Guarded::start(&api, form);
    let mut collected = CollectedOutput::default();
    guarded.wait_until_asked();
    guarded.rotate(&api);
    for wrong in [format!("{VISITOR_PASSWORD}x"), visitor_hash()] {
        for (method, path) in [("GET", "/metrics"), ("POST", "/-/reload")] {
            assert_eq!(guarded.ask(&mut collected, method, path, &wrong), 401);
        }
    }
    pages(&guarded.exporter, &mut collected);
    for (file, problem) in bad_files() {
        assert_eq!(guarded.reload(&mut collected, &file), 500, "{problem}");
        guarded.exporter.program.wait_for_line(problem);
        pages(&guarded.exporter, &mut collected);
    }
    let anew = format!("{REJECTED_SECRET}-anew");
    let good = two_accounts(&format!("api_secret: '{anew}'"));
    assert_eq!(guarded.reload(&mut collected, &good), 200);
    let program = &guarded.exporter.program;
    program.wait_for_line("configuration loaded");
    guarded.wait_for_secret(&api, &anew);
    pages(&guarded.exporter, &mut collected);
    collected.add_folder(guarded.left.path());
    let program = &mut guarded.exporter.program;
    program.signal("TERM");
    program.wait_for_end(DEADLINE);
    collected.add("the log", program.lines().join("\n"));
    collected.add_folder(guarded.left.path());
    // The search has something to search.
    collected.shows(&[
        "nexmo_audit_up",
        "USER_STATUS",
        "redb",
        "401",
        "two",
        // The landing page, with what is wrong with a reload.
        "Mend this, and reload",
    ]);
    collected
}

#[test]
fn no_secret_of_accounts_or_visitors_shows_in_logfmt() {
    visited_and_reloaded("logfmt").shows_nothing_private();
}

#[test]
fn no_secret_of_accounts_or_visitors_shows_in_json() {
    visited_and_reloaded("json").shows_nothing_private();
}
