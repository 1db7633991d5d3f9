//! An account that is exported, imported and exported again is the same to the byte.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use audit_core::{
    account::{Account, Stage},
    gate::{Gate, SavedGate, SavedScraper, ScrapeInterval, ScraperId},
    outbox::{Line, Lines},
    window::Clocks,
};
use nexmo_audit_exporter::state::{Export, import};
use nexmo_audit_exporter::store::{Imported, StateReader};
use proptest::{collection::vec, option, prelude::*};
use test_support::store::{KEY, State, at, directory, labels, new_account, open};

use crate::states::count;

/// The id, the interval and the time since the last scrape, in milliseconds.
type KnownScraper = (u64, Option<u64>, u64);

#[derive(Debug, Clone)]
enum Step {
    /// The type, the country, the id and the second of an event.
    Event(u8, u8, u64, i64),
    /// Everything is read so many seconds after the last sweep.
    Sweep(i64),
    /// The account is stored, with its lines up to a number written to the log.
    Commit {
        is_open: bool,
        caught_up: bool,
        line: Option<String>,
        written: u64,
        scrapers: Vec<KnownScraper>,
        wait_time: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let scraper = (any::<u64>(), option::of(0..400_000_u64), 0..2_000_000_u64);
    let commit = (
        any::<bool>(),
        any::<bool>(),
        option::of(".{0,30}"),
        0..9_u64,
        vec(scraper, 0..4),
        0..2_000_u64,
    );
    prop_oneof![
        8 => (0..4_u8, 0..3_u8, 0..200_u64, -50..400_i64).prop_map(|(a, b, c, d)| Step::Event(a, b, c, d)),
        2 => (0..100_i64).prop_map(Step::Sweep),
        3 => commit.prop_map(|(is_open, caught_up, line, written, scrapers, wait_time)| Step::Commit {
            is_open, caught_up, line, written, scrapers, wait_time,
        }),
    ]
}

fn saved_gate(scrapers: &[KnownScraper], wait_time: u64) -> SavedGate {
    let scraper = |(id, interval, unseen): &KnownScraper| SavedScraper {
        id: ScraperId(*id),
        product: id.rotate_left(7),
        target: id % 3,
        interval: interval.map(Duration::from_millis),
        unseen_for: Duration::from_millis(*unseen),
    };
    SavedGate {
        was_scraped: !scrapers.is_empty(),
        scrapers: scrapers.iter().map(scraper).collect(),
        wait_time: Duration::from_secs(wait_time),
        ..SavedGate::default()
    }
}

/// Stores what the steps make of an account.
fn store(directory: &Path, steps: &[Step]) {
    let mut store = open(directory);
    let mut account: Account = new_account();
    let (mut number, mut last_sweep) = (0, 0);
    let end = Step::Commit {
        is_open: false,
        caught_up: true,
        line: None,
        written: 0,
        scrapers: Vec::new(),
        wait_time: 0,
    };
    for step in steps.iter().chain([&end]) {
        match step {
            Step::Event(event_type, country, number, second) => {
                let labels = labels(&format!("TYPE \"{event_type}\""), &country.to_string());
                count(&mut account, *number, &labels, at(*second));
            }
            Step::Sweep(seconds) => {
                last_sweep += seconds;
                let now = at(last_sweep);
                account.window.complete_sweep(Clocks {
                    api: now,
                    local: now,
                });
            }
            Step::Commit {
                is_open,
                caught_up,
                line,
                written,
                scrapers,
                wait_time,
            } => {
                account.stage = Stage {
                    caught_up: *caught_up,
                    ..account.stage
                };
                let setting = if *is_open {
                    ScrapeInterval::Off
                } else {
                    ScrapeInterval::Learned
                };
                let begun = SavedGate {
                    was_scraped: true,
                    ..saved_gate(&[], *wait_time)
                };
                let mut commit = account.prepare(&Gate::new(setting, &begun), Duration::ZERO);
                let line = line.clone().map(|text| {
                    number += 1;
                    Line { number, text }
                });
                commit.lines = Lines {
                    new: line.into_iter().collect(),
                    written: *written,
                };
                let gate = saved_gate(scrapers, *wait_time);
                let written = store.write(&[(KEY, &commit)], Some(&gate), at(1000));
                written.expect("it is written");
                account.confirm(&commit);
            }
        }
    }
}

fn export(directory: &Path) -> Vec<u8> {
    let mut text = Vec::new();
    let state = StateReader::open(directory).expect("a state");
    let export = Export {
        state: &state,
        api_key: KEY,
        now: at(2000),
        is_interrupted: &AtomicBool::new(false),
    };
    export.write_to(&mut text).expect("it is exported");
    text
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(40) })]

    #[test]
    fn an_export_of_an_import_is_the_export(steps in vec(step(), 0..60)) {
        let (old, new) = (directory(), directory());
        store(old.path(), &steps);
        let first = export(old.path());
        let imported = import(new.path(), &*first, "FILE", None).expect("it is imported");
        prop_assert_eq!(imported.outcome, Imported::New);
        let again = import(new.path(), &*first, "FILE", None).expect("it is imported");
        prop_assert_eq!(again.outcome, Imported::Unchanged);
        let second = export(new.path());
        prop_assert_eq!(String::from_utf8_lossy(&first), String::from_utf8_lossy(&second));
        let stored = State::load(&mut open(old.path()), KEY);
        prop_assert_eq!(State::load(&mut open(new.path()), KEY), stored);
    }

    /// An export that has lost or changed a byte is not imported.
    #[test]
    fn a_changed_byte_is_found(steps in vec(step(), 0..20), place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let (old, new) = (directory(), directory());
        store(old.path(), &steps);
        let whole = export(old.path());
        let place = place.index(whole.len() - 1);
        let mut wrong = whole.clone();
        wrong[place] = byte;
        if wrong != whole {
            import(new.path(), &*wrong, "FILE", None).expect_err("a wrong byte");
        }
        import(new.path(), &whole[..place], "FILE", None).expect_err("a part");
    }

    /// A later state of an account can be imported over any earlier one, and never the
    /// other way round, unless both are the same.
    #[test]
    fn states_of_one_account_are_imported_in_their_order(steps in vec(step(), 1..40), cut in any::<prop::sample::Index>()) {
        let (earlier, later, target) = (directory(), directory(), directory());
        store(earlier.path(), &steps[..cut.index(steps.len())]);
        store(later.path(), &steps);
        let (earlier, later) = (export(earlier.path()), export(later.path()));
        import(target.path(), &*earlier, "FILE", None).expect("it is imported");
        let is_behind = import(target.path(), &*later, "FILE", None);
        prop_assert!(is_behind.is_ok(), "{}", is_behind.expect_err("refused"));
        let mut after = open(target.path());
        let now = State::load(&mut after, KEY);
        drop(after);
        // What fell is not there any more.
        if import(target.path(), &*earlier, "FILE", None).is_err() {
            prop_assert_eq!(State::load(&mut open(target.path()), KEY), now);
        }
    }
}
