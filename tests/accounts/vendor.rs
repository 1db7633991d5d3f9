//! An API with several accounts, and an exporter that has them in its config file.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::audit_event::{base64, event};
use test_support::exporter::{Exporter, is};
use test_support::program::command_without_account;
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{Request, ScriptedApi};

pub(crate) const EVENTS: &str = "nexmo_audit_events_total";
pub(crate) const UP: &str = "nexmo_audit_up";

/// An account as the API knows it.
#[derive(Clone, Default)]
pub(crate) struct Known {
    /// The secrets that the API admits.
    pub(crate) secrets: Vec<String>,
    pub(crate) events: Vec<Value>,
    /// Requests for the account are never answered.
    pub(crate) silent: bool,
}

type Book = Arc<Mutex<BTreeMap<String, Known>>>;

/// An API, and the folder of an exporter that polls it.
pub(crate) struct Vendor {
    pub(crate) api: ScriptedApi,
    book: Book,
    pub(crate) folder: TempDir,
}

impl Vendor {
    /// Starts with these accounts. Each has the secret `NAME-secret` and no event.
    pub(crate) fn new(names: &[&str]) -> Self {
        let book = Book::default();
        let known = Arc::clone(&book);
        let api = ScriptedApi::start(move |request| answer(&lock(&known), request));
        let vendor = Self {
            api,
            book,
            folder: tempfile::tempdir().expect("a folder"),
        };
        for name in names {
            vendor.set_secret(name, &secret(name));
        }
        vendor
    }

    /// Changes what the API knows of an account, whose key is its name.
    pub(crate) fn change(&self, name: &str, change: impl FnOnce(&mut Known)) {
        change(lock(&self.book).entry(name.to_owned()).or_default());
    }

    /// Admits this secret of an account, and no other.
    pub(crate) fn set_secret(&self, name: &str, secret: &str) {
        self.change(name, |known| known.secrets = vec![secret.to_owned()]);
    }

    /// Admits this secret too.
    pub(crate) fn add_secret(&self, name: &str, secret: &str) {
        self.change(name, |known| known.secrets.push(secret.to_owned()));
    }

    /// Returns the requests of an account that showed this secret.
    pub(crate) fn requests_with(&self, name: &str, secret: &str) -> Vec<Request> {
        let shown = basic(name, secret);
        let mut requests = self.api.requests();
        requests.retain(|request| request.header("Authorization") == Some(&shown));
        requests
    }

    /// Waits until a request of an account shows this secret.
    pub(crate) fn wait_for_secret(&self, name: &str, secret: &str) {
        let shown = basic(name, secret);
        self.api
            .wait_for_requests(1, |request| request.header("Authorization") == Some(&shown));
    }

    /// Adds an event of this type.
    pub(crate) fn record(&self, name: &str, event_type: &str) {
        self.change(name, |known| {
            let id = format!("{name}-{}", known.events.len());
            known.events.push(event(&id, event_type));
        });
    }

    pub(crate) fn record_many(&self, name: &str, number: usize) {
        (0..number).for_each(|_| self.record(name, "USER_STATUS"));
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::write(&path, text).expect("a file");
        // A secret that others may read would be warned of.
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("a mode");
    }

    /// Writes the config file.
    pub(crate) fn configure(&self, text: &str) {
        self.write("config.yml", text);
    }

    /// Writes a config file with these accounts only.
    pub(crate) fn configure_accounts(&self, names: &[&str]) {
        let accounts: Vec<String> = names.iter().map(|name| account(name, "")).collect();
        self.configure(&format!("accounts:\n{}", accounts.concat()));
    }

    pub(crate) fn start(&self) -> Exporter {
        self.start_with("state", &[])
    }

    /// Starts an exporter with its state in this folder, and with more settings.
    pub(crate) fn start_with(&self, state: &str, more: &[&str]) -> Exporter {
        let config = format!("--config.file={}", self.path("config.yml").display());
        let storage = format!("--storage.path={}", self.path(state).display());
        let mut settings = vec![&*config, &*storage];
        settings.extend(more);
        // The secret in the environment belongs to no account of the file.
        let mut command = command_without_account();
        command.env("NEXMO_API_SECRET", "of-nobody");
        Exporter::started_by(&mut command, &self.api.base_url(), &settings)
    }
}

pub(crate) fn secret(name: &str) -> String {
    format!("{name}-secret")
}

/// Returns an account as an entry of the config file.
pub(crate) fn account(name: &str, more: &str) -> String {
    let secret = secret(name);
    format!("- {{name: {name}, api_key: {name}, api_secret: {secret}{more}}}\n")
}

/// Waits until the exporter shows so many events of an account.
pub(crate) fn wait_for_counted(exporter: &Exporter, account: &str, number: u32) {
    let labels = [("account", account), ("event_type", "USER_STATUS")];
    let by_type = "nexmo_audit_events_by_type_total";
    exporter.wait_for(by_type, &labels, is(f64::from(number)));
}

fn answer(book: &BTreeMap<String, Known>, request: &Request) -> Answer {
    let authorization = request.header("Authorization").unwrap_or_default();
    let known = book.iter().find(|(name, known)| {
        let mut secrets = known.secrets.iter();
        secrets.any(|secret| authorization == basic(name, secret))
    });
    let Some((_, known)) = known else {
        return Answer::json(401, &json!({"title": "Unauthorized"}));
    };
    if known.silent {
        return Answer::silence();
    }
    if request.is_types() {
        return Answer::types(&["USER_STATUS", "USER_LOGIN"]);
    }
    match request.page() {
        1 => Answer::list(&known.events),
        _ => Answer::page(&[], json!(known.events.len()), json!(1)),
    }
}

fn basic(name: &str, secret: &str) -> String {
    format!("Basic {}", base64(&format!("{name}:{secret}")))
}

fn lock(book: &Book) -> MutexGuard<'_, BTreeMap<String, Known>> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}
