//! A store returns what was committed, whatever was committed and however often.

use std::{fs, path::Path, time::Duration};

use audit_core::{
    account::{Account, Stage},
    gate::{Gate, SavedGate, SavedScraper, Scrape, ScrapeInterval, ScraperId},
    ledger::{Age, Exemplar},
    outbox::{Line, Lines},
    window::Clocks,
};
use nexmo_audit_exporter::store::Store;
use proptest::{collection::vec, option, prelude::*, sample::select};
use test_support::store::{
    KEY, State, at, directory, file_in, id, ids_in_file, labels, load_account, new_account,
    numbered::Numbered, open,
};

const KEYS: [&str; 3] = ["abcd1234", "abcd", "ABCD1234"];

#[derive(Debug, Clone)]
enum Step {
    /// The account, type, country, id, time of creation in milliseconds, and whether it
    /// is history.
    Event(usize, u8, u8, u64, i64, bool),
    Sweep(usize, i64),
    Stage(usize, i64, bool),
    /// The memory of the gate is stored.
    Gate(SavedGate),
    /// An account is committed this number of times.
    Commit(usize, Showing, u8),
    /// The process ends, and loses what it did not commit.
    Restart,
}

/// When a gate lets counts be shown.
#[derive(Debug, Clone, Copy)]
enum Showing {
    Nothing,
    Everything,
    /// At once, and every series counts as seen.
    Seen,
}

fn gate_memory() -> impl Strategy<Value = SavedGate> {
    let scraper = (0..5_u64, option::of(0..4_000_000_u64), 0..2_000_000_u64).prop_map(
        |(id, interval, unseen)| SavedScraper {
            id: ScraperId(id.wrapping_sub(2)),
            product: id,
            target: unseen,
            interval: interval.map(Duration::from_millis),
            unseen_for: Duration::from_millis(unseen),
        },
    );
    let all = (any::<bool>(), vec(scraper, 0..5), 0..u64::MAX / 1_000_000);
    all.prop_map(|(was_scraped, mut scrapers, wait_time)| {
        scrapers.sort_by_key(|scraper| scraper.id);
        scrapers.dedup_by_key(|scraper| scraper.id);
        SavedGate {
            was_scraped,
            scrapers,
            wait_time: Duration::from_millis(wait_time),
            away: Duration::ZERO,
            taken: Duration::ZERO,
        }
    })
}

fn step() -> impl Strategy<Value = Step> {
    let account = 0..KEYS.len();
    let showing = select(vec![Showing::Nothing, Showing::Everything, Showing::Seen]);
    // Times before 1970 are included.
    let created = prop_oneof![
        9 => -50_000..400_000_i64,
        1 => select(vec![-1_795_132_800_500, 250_000_000_000_000]),
    ];
    prop_oneof![
        12 => (account.clone(), 0..4_u8, 0..3_u8, 0..200_u64, created, any::<bool>())
            .prop_map(|(a, b, c, d, e, f)| Step::Event(a, b, c, d, e, f)),
        3 => (account.clone(), 0..500_000_i64).prop_map(|(a, b)| Step::Sweep(a, b)),
        1 => (account.clone(), any::<i32>(), any::<bool>())
            .prop_map(|(a, b, c)| Step::Stage(a, b.into(), c)),
        1 => gate_memory().prop_map(Step::Gate),
        4 => (account, showing, 1..3_u8).prop_map(|(a, b, c)| Step::Commit(a, b, c)),
        1 => Just(Step::Restart),
    ]
}

/// A process, and what its store should hold.
struct Model {
    accounts: [Account; KEYS.len()],
    states: [Option<State>; KEYS.len()],
    gate: SavedGate,
    stored_gate: SavedGate,
}

/// Returns an id as the API writes it. Some ids are no UUIDs.
fn text_of(number: u64) -> Option<String> {
    number.is_multiple_of(2).then(|| number.to_string())
}

/// Returns a time whose seconds have a fraction.
fn moment(milliseconds: i64) -> jiff::Timestamp {
    at(0) + jiff::SignedDuration::from_millis(milliseconds)
}

fn gate_showing(showing: Showing, account: &mut Account) -> Gate {
    let begun = SavedGate {
        was_scraped: true,
        ..SavedGate::default()
    };
    match showing {
        Showing::Nothing => Gate::new(ScrapeInterval::Learned, &begun),
        Showing::Everything => Gate::new(ScrapeInterval::Off, &begun),
        Showing::Seen => {
            let mut gate = Gate::new(ScrapeInterval::Off, &begun);
            account.ledger.shown(1);
            let scrape = Scrape {
                scraper: ScraperId(1),
                product: 1,
                target: 0,
                connection: 1,
                timeout: Duration::from_secs(10),
            };
            gate.record_scrape(scrape, 1, Duration::ZERO);
            gate
        }
    }
}

impl Model {
    fn new() -> Self {
        Self {
            accounts: std::array::from_fn(|_| new_account()),
            states: std::array::from_fn(|_| None),
            gate: SavedGate::default(),
            stored_gate: SavedGate::default(),
        }
    }

    fn take(&mut self, step: &Step, store: &mut Store) {
        match step {
            Step::Event(account, event_type, country, number, created, history) => {
                let account = &mut self.accounts[*account];
                let created = moment(*created);
                account
                    .window
                    .admit(id(*number), Some(created), moment(400_000));
                let labels = labels(&format!("TYPE {event_type}"), &country.to_string());
                let age = if *history { Age::History } else { Age::News };
                let event = Exemplar::new(id(*number), text_of(*number).as_deref(), created);
                account.ledger.count(&labels, age, event);
            }
            Step::Sweep(account, now) => {
                let now = moment(*now);
                let clocks = Clocks {
                    api: now,
                    local: now,
                };
                self.accounts[*account].window.complete_sweep(clocks);
            }
            Step::Stage(account, began, caught_up) => {
                self.accounts[*account].stage = Stage {
                    start: moment(*began - 1),
                    began: moment(*began),
                    caught_up: *caught_up,
                };
            }
            Step::Gate(gate) => self.gate = gate.clone(),
            Step::Commit(account, showing, times) => self.commit(*account, *showing, *times, store),
            Step::Restart => {}
        }
    }

    fn commit(&mut self, place: usize, showing: Showing, times: u8, store: &mut Store) {
        let account = &mut self.accounts[place];
        let gate = gate_showing(showing, account);
        let commit = account.prepare(&gate, Duration::ZERO);
        for _ in 0..times {
            let stored = store.write(&[(KEYS[place], &commit)], Some(&self.gate), at(0));
            stored.expect("the commit is stored");
        }
        account.confirm(&commit);
        self.states[place] = Some(State::after(self.states[place].take(), &commit));
        self.stored_gate = self.gate.clone();
    }

    fn restart(&mut self, store: &mut Store) {
        for (place, key) in KEYS.iter().enumerate() {
            self.accounts[place] = load_account(store, key).unwrap_or_else(new_account);
        }
        self.gate = self.stored_gate.clone();
    }

    fn check(&self, store: &mut Store) -> Result<(), TestCaseError> {
        for (place, key) in KEYS.iter().enumerate() {
            prop_assert_eq!(&State::load(store, key), &self.states[place]);
        }
        prop_assert_eq!(
            &store.load_gate(at(0)).expect("the state can be read"),
            &self.stored_gate
        );
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(40) })]

    #[test]
    fn a_committed_state_comes_back(steps in vec(step(), 0..60)) {
        let directory = directory();
        let mut store = open(directory.path());
        let mut model = Model::new();
        for step in &steps {
            model.take(step, &mut store);
            if matches!(step, Step::Restart) {
                drop(store);
                store = open(directory.path());
                model.check(&mut store)?;
                model.restart(&mut store);
            }
        }
        model.check(&mut store)?;
        drop(store);
        model.check(&mut open(directory.path()))?;
    }
}

#[test]
fn a_store_may_be_handed_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<Store>();
}

#[test]
fn a_new_state_holds_nothing() {
    let directory = directory();
    let path = directory.path().join("data");
    let mut store = open(&path);
    assert_eq!(State::load(&mut store, KEY), None);
    let gate = store.load_gate(at(0)).expect("the state can be read");
    assert_eq!(gate, SavedGate::default());
    let names: Vec<_> = fs::read_dir(&path)
        .expect("the directory was made")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(names, ["state.redb"]);
    let length = fs::metadata(file_in(&path)).expect("the file").len();
    assert!(length <= 128 << 10, "{length} bytes");
}

/// Returns the absence of the scraper, and the time since the state was stored, as they are
/// read at the wall clock's `now`.
fn ages_at(directory: &Path, now: i64) -> (Duration, Duration) {
    let gate = open(directory)
        .load_gate(at(now))
        .expect("the state can be read");
    (gate.scrapers[0].unseen_for, gate.away)
}

#[test]
fn the_absence_of_a_scraper_does_not_go_on_while_the_exporter_is_down() {
    let directory = directory();
    let mut history = Numbered::new();
    let (commit, _, _) = history.prepare();
    let seconds = Duration::from_secs;
    let gate = SavedGate {
        was_scraped: true,
        scrapers: vec![SavedScraper {
            id: ScraperId(u64::MAX),
            product: 1,
            target: 2,
            interval: Some(seconds(15)),
            unseen_for: seconds(20),
        }],
        ..SavedGate::default()
    };
    let stored = open(directory.path()).write(&[(KEY, &commit)], Some(&gate), at(100));
    stored.expect("the commit is stored");
    let ages = [
        (100, (seconds(20), Duration::ZERO)),
        (160, (seconds(20), seconds(60))),
        // The clock was set back.
        (50, (seconds(20), Duration::ZERO)),
    ];
    for (now, expected) in ages {
        assert_eq!(ages_at(directory.path(), now), expected, "{now}");
    }
}

#[test]
fn ids_are_forgotten_on_the_disk_too() {
    let directory = directory();
    let mut store = open(directory.path());
    let mut history = Numbered::new();
    let mut lengths = Vec::new();
    for _ in 0..600 {
        history.commit(&mut store).expect("the commit is stored");
        lengths.push(
            fs::metadata(file_in(directory.path()))
                .expect("the file")
                .len(),
        );
    }
    assert!(history.is_in(&mut store));
    let ids = history.state.as_ref().map_or(0, State::ids);
    assert!((2000..4000).contains(&ids), "{ids} ids of 100 s");
    assert_eq!(
        lengths[299], lengths[599],
        "the file does not grow any more"
    );
}

#[test]
fn many_ids_are_forgotten_at_once_and_leave_the_file_commit_by_commit() {
    let directory = directory();
    let mut account = new_account();
    let open_gate = Gate::new(ScrapeInterval::Off, &SavedGate::default());
    let mut commit = |now: i64, events: u64| {
        let now = at(now);
        for event in 0..events {
            let number = u64::try_from(now.as_second()).expect("a number") * 100_000;
            account.window.admit(id(number + event), Some(now), now);
        }
        let clocks = Clocks {
            api: now,
            local: now,
        };
        account.window.complete_sweep(clocks);
        let commit = account.prepare(&open_gate, Duration::ZERO);
        let mut store = open(directory.path());
        let stored = store.write(&[(KEY, &commit)], None, now);
        stored.expect("the commit is stored");
        account.confirm(&commit);
        let known = State::load(&mut store, KEY).expect("an account").ids();
        drop(store);
        (known, ids_in_file(directory.path()))
    };
    assert_eq!(commit(1, 50_000), (50_000, 50_000));
    assert_eq!(commit(1000, 1), (1, 30_001));
    assert_eq!(commit(1001, 1), (2, 10_002));
    assert_eq!(commit(1002, 1), (3, 3));
}

#[test]
fn ids_before_between_and_after_stored_ones_are_stored() {
    let open_gate = Gate::new(ScrapeInterval::Off, &SavedGate::default());
    let directory = directory();
    let mut store = open(directory.path());
    let [mut one, mut other] = [new_account(), new_account()];
    // They fill several pages of the file.
    for (every, from) in [(7, 1000), (2, 0), (1, 0), (5, 0)] {
        for number in (from..5000).rev().step_by(every) {
            let created_at = Some(at(50 + i64::try_from(number % 40).expect("a number")));
            one.window.admit(id(number), created_at, at(100));
            other.window.admit(id(5000 - number), created_at, at(100));
        }
        let commits = [&one, &other].map(|account| account.prepare(&open_gate, Duration::ZERO));
        let named = [(KEYS[0], &commits[0]), (KEYS[1], &commits[1])];
        store.write(&named, None, at(100)).expect("they are stored");
        one.confirm(&commits[0]);
        other.confirm(&commits[1]);
        for (key, account) in [(KEYS[0], &one), (KEYS[1], &other)] {
            let ids = State::load(&mut store, key).expect("an account").ids();
            assert_eq!(ids, account.window.remembered(), "{key} {every}");
        }
    }
}

#[test]
fn the_ids_may_be_read_in_part() {
    let directory = directory();
    let mut store = open(directory.path());
    Numbered::new()
        .commit(&mut store)
        .expect("the commit is stored");
    // A reader of the ids may stop early.
    let first = store.load_ids(KEY, |ids| ids.next().is_some());
    assert!(first.expect("the state can be read"));
    let again = store.load_ids(KEY, |ids| ids.count());
    assert_eq!(again.expect("the state can be read"), 3);
}

#[test]
fn the_lines_of_an_account_have_a_size_until_they_are_removed() {
    let open_gate = Gate::new(ScrapeInterval::Off, &SavedGate::default());
    let directory = directory();
    let mut store = open(directory.path());
    let mut size_after = |key: &str, new: &[(u64, &str)], written: u64| {
        let mut commit = new_account().prepare(&open_gate, Duration::ZERO);
        let line = |(number, text): &(u64, &str)| Line {
            number: *number,
            text: (*text).to_owned(),
        };
        commit.lines = Lines {
            new: new.iter().map(line).collect(),
            written,
        };
        let written = store.write(&[(key, &commit)], None, at(100));
        written.expect("the commit is stored");
        KEYS.map(|key| store.line_bytes(key).expect("the state can be read"))
    };
    let [one, other, _] = KEYS;
    assert_eq!(size_after(one, &[(1, "four"), (2, "three")], 0), [9, 0, 0]);
    assert_eq!(size_after(other, &[(1, "1")], 0), [9, 1, 0]);
    assert_eq!(size_after(one, &[(3, "")], 1), [5, 1, 0]);
    assert_eq!(size_after(one, &[], 3), [0, 1, 0]);
}
