//! States that tests show, export and import.

use std::path::Path;
use std::time::Duration;

use audit_core::{
    account::{Account, Commit, Stage},
    event::{EventId, Labels},
    gate::{Gate, SavedGate, SavedScraper, Scrape, ScrapeInterval, ScraperId},
    ledger::{Age, Exemplar},
    outbox::{Line, Lines},
    window::Clocks,
};
use jiff::Timestamp;
use test_support::store::{at, id, labels, new_account, open};

/// The key of an account that counts, waits, and has lines of its event log.
pub(crate) const BUSY: &str = "busy1234";
/// The key of an account that reads its history.
pub(crate) const READING: &str = "read5678";

/// Makes a state with two accounts.
pub(crate) fn two_accounts(directory: &Path) {
    let mut store = open(directory);
    let busy = busy();
    let gate = gate();
    let written = store.write(&[(BUSY, &busy)], Some(&gate), at(90));
    written.expect("it is written");
    let reading = reading();
    let written = store.write(&[(READING, &reading)], Some(&gate), at(90));
    written.expect("it is written");
}

fn gate() -> SavedGate {
    let scraper = |id, interval| SavedScraper {
        id: ScraperId(id),
        product: 7,
        target: 0xabc,
        interval,
        unseen_for: Duration::from_secs(10),
    };
    SavedGate {
        was_scraped: true,
        scrapers: vec![
            scraper(0x1a, Some(Duration::from_secs(15))),
            scraper(u64::MAX, None),
        ],
        wait_time: Duration::from_secs(1000),
        ..SavedGate::default()
    }
}

/// Counts an event. Some ids are no UUIDs.
pub(crate) fn count(account: &mut Account, number: u64, labels: &Labels<'_>, time: Timestamp) {
    let text = number.is_multiple_of(2).then(|| number.to_string());
    account.window.admit(id(number), Some(time), time);
    let exemplar = Exemplar::new(id(number), text.as_deref(), time);
    account.ledger.count(labels, Age::News, exemplar);
}

/// Returns an account that has shown a login, and not yet two deleted secrets and another
/// login.
fn busy() -> Commit {
    let mut account = new_account();
    account.ledger.name_types(["USER_LOGIN"]);
    count(&mut account, 1, &labels("USER_LOGIN", "GB"), at(10));
    account.ledger.shown(1);
    // A server has seen the first value of the series that there are so far.
    let mut gate = Gate::new(ScrapeInterval::Off, &SavedGate::default());
    let scrape = Scrape {
        scraper: ScraperId(1),
        product: 7,
        target: 0,
        connection: 1,
        timeout: Duration::from_secs(10),
    };
    gate.record_scrape(scrape, 1, Duration::ZERO);
    gate.record_scrape(scrape, 1, Duration::ZERO);
    let shown = account.prepare(&gate, Duration::ZERO);
    account.confirm(&shown);
    for (number, event_type) in [
        (2, "ACCOUNT_SECRET_DELETE"),
        (3, "ACCOUNT_SECRET_DELETE"),
        (4, "USER_LOGIN"),
    ] {
        count(&mut account, number, &labels(event_type, "GB"), at(60));
    }
    let now = Clocks {
        api: at(90),
        local: at(90),
    };
    account.window.complete_sweep(now);
    account.stage.caught_up = true;
    let closed = SavedGate {
        was_scraped: true,
        wait_time: Duration::from_secs(815),
        ..SavedGate::default()
    };
    let closed = Gate::new(ScrapeInterval::Learned, &closed);
    let mut commit = account.prepare(&closed, Duration::ZERO);
    account.confirm(&commit);
    // One commit stores all.
    commit.changes = account.ledger.all();
    commit.changes.gate_timeouts = 5;
    commit.ids.splice(0..0, shown.ids);
    let line = |number| Line {
        number,
        text: format!(r#"{{"id":"{number}","event_type":"USER_LOGIN"}}"#),
    };
    commit.lines = Lines {
        new: vec![line(3), line(4)],
        written: 2,
    };
    commit
}

fn reading() -> Commit {
    let mut account = new_account();
    account.stage = Stage {
        start: at(-86_400),
        began: at(80),
        caught_up: false,
    };
    let open = Gate::new(ScrapeInterval::Off, &SavedGate::default());
    account.prepare(&open, Duration::ZERO)
}

/// Returns the config file of both accounts, and of one that was never counted.
pub(crate) fn config_file() -> String {
    let account = |name: &str, key: &str| {
        format!("- {{name: {name}, api_key: {key}, api_secret_file: /no/such/file}}\n")
    };
    let accounts = [
        account("production", BUSY),
        account("staging", "stag1234"),
        account("test", READING),
    ];
    format!("accounts:\n{}", accounts.concat())
}

/// Returns the UUID as which an id is stored.
pub(crate) fn uuid(text: &str) -> String {
    EventId::from_text(text).to_string()
}
