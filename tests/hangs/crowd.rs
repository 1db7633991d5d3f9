//! Many accounts with the same events, and an exporter that polls them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tempfile::TempDir;
use test_support::audit_event::{event, with, written};
use test_support::eventually::eventually;
use test_support::exporter::Exporter;
use test_support::exposition::samples;
use test_support::program::command;
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{Request, ScriptedApi, listing};

/// The time in which all accounts count an event, on a busy machine.
const COUNTED: Duration = Duration::from_mins(1);
/// The time in which each scrape is answered, on a busy machine. A scrape waits for nothing.
const SCRAPED: Duration = Duration::from_secs(8);

/// An API in which all accounts have the same events, and the folder of an exporter.
pub(crate) struct Crowd {
    api: ScriptedApi,
    /// An API of other accounts, which never answers at first.
    silent_api: ScriptedApi,
    events: Arc<Mutex<Vec<Value>>>,
    /// The time of the first event. The next ones follow a second apart.
    begun: Timestamp,
    folder: TempDir,
}

impl Crowd {
    pub(crate) fn new() -> Self {
        let events: Arc<Mutex<Vec<Value>>> = Arc::default();
        let api = ScriptedApi::start(script(&events));
        Self {
            api,
            silent_api: ScriptedApi::start(|_| Answer::silence()),
            events,
            begun: Timestamp::now() - SignedDuration::from_mins(10),
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    /// Answers the silent accounts too from now on.
    pub(crate) fn answer_all(&self) {
        self.silent_api.follow(script(&self.events));
    }

    /// Adds an event to all accounts.
    pub(crate) fn record(&self) {
        let mut events = lock(&self.events);
        // The API lists the newest event first.
        let id = format!("event-{}", events.len());
        let created_at = self.begun + SignedDuration::from_secs(number(events.len()));
        let created_at = Value::from(written(created_at));
        let recorded = with(event(&id, "USER_STATUS"), "created_at", created_at);
        events.insert(0, recorded);
    }

    pub(crate) fn recorded(&self) -> usize {
        lock(&self.events).len()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes a pipe, which hangs as long as it has no reader.
    pub(crate) fn pipe(&self) -> PathBuf {
        let path = self.path("pipe");
        let made = Command::new("mkfifo").arg(&path).status().expect("mkfifo");
        assert!(made.success());
        path
    }

    /// Returns an entry of the config file for an account.
    pub(crate) fn account(&self, name: &str) -> String {
        account(name, &self.api.base_url())
    }

    /// Returns an entry for an account that is never answered.
    pub(crate) fn silent_account(&self, name: &str) -> String {
        account(name, &self.silent_api.base_url())
    }

    /// Returns an entry for an account whose secret is in the file `name` of this folder.
    pub(crate) fn account_with_file(&self, name: &str) -> String {
        fs::write(self.path(name), "not-a-real-secret").expect("a file");
        let entry = self.account(name);
        entry.replace(
            "api_secret: not-a-real-secret",
            &format!("api_secret_file: {name}"),
        )
    }

    /// Returns an entry for an account whose API has this host name.
    pub(crate) fn account_at(&self, name: &str, host: &str) -> String {
        let port = self.api.address().port();
        account(name, &format!("http://{host}:{port}/beta/audit"))
    }

    /// Returns entries for so many accounts.
    pub(crate) fn accounts(&self, number: usize) -> Vec<String> {
        let names = (0..number).map(|place| format!("account-{place}"));
        names.map(|name| self.account(&name)).collect()
    }

    pub(crate) fn configure(&self, accounts: &[String]) {
        let text = format!("accounts:\n{}", accounts.concat());
        fs::write(self.path("config.yml"), text).expect("a file");
    }

    pub(crate) fn start(&self, more: &[&str]) -> Exporter {
        self.start_by(&mut command(), more)
    }

    pub(crate) fn start_by(&self, command: &mut Command, more: &[&str]) -> Exporter {
        let config = format!("--config.file={}", self.path("config.yml").display());
        let storage = format!("--storage.path={}", self.path("state").display());
        let mut settings = vec![&*config, &*storage, "--log.level=info"];
        if !more.iter().any(|flag| flag.starts_with("--poll.interval")) {
            settings.push("--poll.interval=2s");
        }
        settings.push("--api.allow-http");
        settings.extend(more);
        Exporter::started_by(command, &self.api.base_url(), &settings)
    }

    /// Records an event, and waits until `number` accounts have counted it and all before.
    /// Every scrape meanwhile is quick.
    pub(crate) fn count_one_more(&self, exporter: &Exporter, number: usize) {
        self.record();
        self.wait_until_counted(exporter, number);
    }

    /// Waits until `number` accounts have counted all events. Every scrape meanwhile is
    /// quick.
    pub(crate) fn wait_until_counted(&self, exporter: &Exporter, number: usize) {
        let recorded = self.recorded();
        eventually(&format!("{recorded} in {number}"), COUNTED, || {
            let counted = accounts_with(&scrape(exporter), recorded);
            (counted.len() >= number)
                .then_some(())
                .ok_or_else(|| format!("only {}\n{}", counted.len(), exporter.program.log()))
        });
    }
}

/// Returns `/metrics`, and fails if that takes long.
pub(crate) fn scrape(exporter: &Exporter) -> String {
    let begun = Instant::now();
    let page = exporter.page("/metrics");
    assert!(begun.elapsed() < SCRAPED, "{:?}", begun.elapsed());
    page
}

/// Returns the accounts that show so many events.
fn accounts_with(page: &str, events: usize) -> BTreeSet<String> {
    let expected = f64::from(u32::try_from(number(events)).expect("few events"));
    let samples = samples(page).into_iter();
    let counted = samples.filter(|sample| {
        sample.name == "nexmo_audit_events_by_type_total"
            && sample.labels["event_type"] == "USER_STATUS"
            && (sample.value - expected).abs() < f64::EPSILON
    });
    counted
        .filter_map(|mut sample| sample.labels.remove("account"))
        .collect()
}

/// Returns the account and the id of each line of an event log, in order.
pub(crate) fn lines_of(path: &Path) -> Vec<(String, String)> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = |line: &str| {
        let event: Value = serde_json::from_str(line).expect("a line of JSON");
        let field = |name: &str| event[name].as_str().expect("a text").to_owned();
        (field("account"), field("id"))
    };
    text.lines().map(line).collect()
}

fn number(events: usize) -> i64 {
    i64::try_from(events).expect("few events")
}

fn account(name: &str, base_url: &str) -> String {
    format!(
        "- {{name: {name}, api_key: {name}, api_secret: not-a-real-secret, base_url: \"{base_url}\"}}\n"
    )
}

/// Closes the connection after each answer, so that each request has to connect.
fn script(events: &Arc<Mutex<Vec<Value>>>) -> impl Fn(&Request) -> Answer + Send + Sync + 'static {
    let events = Arc::clone(events);
    let list = listing(move |request| match request.page() {
        1 => Answer::list(&lock(&events)),
        _ => Answer::list(&[]),
    });
    move |request| list(request).then_closed()
}

fn lock(events: &Mutex<Vec<Value>>) -> MutexGuard<'_, Vec<Value>> {
    events.lock().unwrap_or_else(PoisonError::into_inner)
}
