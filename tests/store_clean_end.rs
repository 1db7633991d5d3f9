//! The state after SIGTERM: the file is closed, so that damage to it is found.

use std::{fs, path::Path, time::Duration};

use audit_core::gate::SavedGate;
use fastrand::Rng;
use jiff::Timestamp;
use nexmo_audit_exporter::store::{Store, StoreError};
use test_support::{
    audit_event::{PERSONAL, events},
    exporter::{Exporter, is},
    program::API_KEY,
    scripted_api::{ScriptedApi, healthy},
    store::{State, directory, file_in, say, told},
};

/// Returns the bytes of the state of an exporter that has polled several times and was
/// ended by SIGTERM.
fn state_after_a_signal(more: &[&str]) -> Vec<u8> {
    let folder = directory();
    let recorded = events(40, "USER_STATUS");
    let api = ScriptedApi::start(healthy(recorded[..30].to_vec()));
    let storage = format!("--storage.path={}", folder.path().display());
    let settings: Vec<_> = more.iter().copied().chain([&*storage]).collect();
    let mut exporter = Exporter::polling_with(&api, &settings);
    exporter.wait_until_up();
    exporter.wait_for_polls(3);
    api.follow(healthy(recorded));
    exporter.wait_for_polls(3);
    exporter.program.signal("TERM");
    let status = exporter.program.wait_for_end(Duration::from_secs(20));
    assert!(status.success(), "{status}");
    fs::read(file_in(folder.path())).expect("the file")
}

/// Returns everything that the state holds, or the error of the store.
fn content(directory: &Path, bytes: &[u8]) -> Result<(Option<State>, SavedGate), StoreError> {
    fs::write(file_in(directory), bytes).expect("a file");
    let mut store = Store::open(directory)?;
    let gate = store.load_gate(Timestamp::UNIX_EPOCH)?;
    Ok((State::load(&mut store, API_KEY), gate))
}

#[test]
fn no_wrong_bit_makes_a_state_that_was_closed_one_commit_older() {
    let seed = told("STORE_SEED").unwrap_or_else(|| fastrand::u64(..));
    let flips = told("STORE_FLIPS").unwrap_or(100);
    say(&format!("STORE_SEED={seed} STORE_FLIPS={flips}"));
    let mut random = Rng::with_seed(seed);
    for settings in [&[][..], &["--web.shutdown-timeout=0"]] {
        let whole = state_after_a_signal(settings);
        let folder = directory();
        let expected = content(folder.path(), &whole).expect("a state");
        let mut refused = 0;
        for _ in 0..flips {
            let mut wrong = whole.clone();
            let place = match random.u8(..2) {
                // The header is small and matters most.
                0 => random.usize(..320),
                _ => random.usize(..wrong.len()),
            };
            wrong[place] ^= 1 << random.u8(..8);
            match content(folder.path(), &wrong) {
                Ok(found) => assert_eq!(found, expected, "the bit in byte {place}"),
                Err(StoreError::Damaged { .. }) => refused += 1,
                Err(error) => panic!("{place}: {error}"),
            }
        }
        say(&format!("{settings:?}: {refused} refused"));
    }
}

#[test]
fn lines_of_the_event_log_that_were_written_leave_no_personal_data_in_the_state() {
    let folder = directory();
    let log = folder.path().join("events.jsonl");
    let storage = format!("--storage.path={}", folder.path().display());
    let event_log = format!("--events.log={}", log.display());
    let settings = [&*storage, &*event_log, "--events.log-personal-data"];
    let recorded = events(300, "USER_STATUS");
    let api = ScriptedApi::start(healthy(recorded[..200].to_vec()));
    let mut exporter = Exporter::polling_with(&api, &settings);
    exporter.wait_until_up();
    exporter.wait_for_polls(3);
    api.follow(healthy(recorded));
    exporter.wait_for_polls(3);
    exporter.wait_for("nexmo_audit_event_log_pending_lines", &[], is(0.0));
    exporter.wait_for_polls(2);
    exporter.program.signal("TERM");
    let status = exporter.program.wait_for_end(Duration::from_secs(20));
    assert!(status.success(), "{status}");
    let written = fs::read_to_string(&log).expect("the log");
    assert_eq!(written.matches(PERSONAL[0]).count(), 300);
    let state = fs::read(file_in(folder.path())).expect("the file");
    let address = PERSONAL[0].as_bytes();
    let left = state
        .windows(address.len())
        .filter(|bytes| *bytes == address);
    assert_eq!(left.count(), 0);
    let mut store = Store::open(folder.path()).expect("a state");
    assert!(State::load(&mut store, API_KEY).is_some());
}
