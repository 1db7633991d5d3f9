//! A start with many ids, most of which a shorter `--poll.reconcile-lookback` no longer needs:
//! scrapes are answered at once, and the ids leave the file while the exporter runs.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use audit_core::{account::Account, ledger::Age, window::WindowSettings};
use jiff::{SignedDuration, Timestamp};
use nexmo_audit_exporter::store::Store;
use test_support::{
    audit_event::events,
    exporter::{Exporter, ONE_POLL, is},
    scripted_api::{ScriptedApi, healthy},
    store::{file_in, id, ids_in_file, labels, say},
    workload::counting,
};

/// The `--poll.reconcile-lookback` that stored the ids, and an hour more.
const STORED: WindowSettings = WindowSettings {
    lookback: SignedDuration::from_mins(15),
    retention: SignedDuration::from_hours(241),
};
/// The age of the newest event in the state, which no poll reads again.
const NEWEST: SignedDuration = SignedDuration::from_mins(30);
/// The number of ids that one commit removes at most.
const AT_ONCE: u32 = 20_000;

/// Makes a state that remembers `ids` events of ten days.
fn store_ids(directory: &Path, ids: u32) {
    let end = Timestamp::now() - NEWEST;
    let start = end - SignedDuration::from_hours(240);
    let mut account = Account::new(STORED, start, start, 10);
    let step = end.duration_since(start) / i32::try_from(ids).expect("not so many");
    let labels = labels("USER_STATUS", "GB");
    for place in 1..=ids {
        let created_at = start + step * i32::try_from(place).expect("not so many");
        account
            .window
            .admit(id(u64::from(place)), Some(created_at), created_at);
        account.ledger.count(&labels, Age::History, None);
    }
    let commit = counting::prepare(&mut account, end);
    let mut store = Store::open(directory).expect("a store");
    counting::store(&mut store, &commit);
    store.close().expect("it is closed");
}

/// Starts with a short lookback. Returns the time until the first answer, which shows the
/// counts of `ids` events.
fn start(api: &ScriptedApi, directory: &Path, ids: u32, more: &[&str]) -> (Exporter, Duration) {
    let storage = format!("--storage.path={}", directory.display());
    let mut settings = vec![
        &*storage,
        "--poll.reconcile-lookback=1h",
        "--log.level=info",
    ];
    settings.extend(more);
    let begun = Instant::now();
    let exporter = Exporter::polling_with(api, &settings);
    assert!(is(f64::from(ids))(exporter.counted()));
    (exporter, begun.elapsed())
}

fn end(mut exporter: Exporter) {
    exporter.program.signal("TERM");
    let status = exporter.program.wait_for_end(Duration::from_secs(20));
    assert!(status.success(), "{}", exporter.program.log());
}

/// What a start with many ids takes.
#[derive(Debug)]
struct Measured {
    first_answer: Duration,
    /// The time until the ids have left the file, with ten polls a second.
    ids_gone: Duration,
    /// The time until the first answer of the next start, which makes the file smaller.
    next_first_answer: Duration,
}

fn measure(ids: u32) -> Measured {
    let folder = tempfile::tempdir().expect("a folder");
    store_ids(folder.path(), ids);
    let full = length(folder.path());
    let api = ScriptedApi::start(healthy(events(0, "USER_STATUS")));
    // The commits of the first poll remove a part of the ids, and there is no other poll.
    let (exporter, first_answer) = start(&api, folder.path(), ids, &ONE_POLL);
    exporter.wait_until_up();
    end(exporter);
    let left = ids_in_file(folder.path());
    assert!(left >= u64::from(ids / 2), "{left} of {ids}");

    let begun = Instant::now();
    let (exporter, _) = start(&api, folder.path(), ids, &[]);
    exporter.wait_for_polls(ids / AT_ONCE + 2);
    let ids_gone = begun.elapsed();
    end(exporter);
    let left = ids_in_file(folder.path());
    assert!(left < u64::from(ids / 100), "{left} of {ids}");

    let (exporter, next_first_answer) = start(&api, folder.path(), ids, &[]);
    end(exporter);
    let emptied = length(folder.path());
    assert!(emptied < full / 4, "{emptied} of {full} bytes");
    Measured {
        first_answer,
        ids_gone,
        next_first_answer,
    }
}

fn length(directory: &Path) -> u64 {
    let file = fs::metadata(file_in(directory));
    file.expect("the file").len()
}

#[test]
fn a_start_with_many_ids_is_answered_before_they_are_gone() {
    let measured = measure(400_000);
    let Measured {
        first_answer,
        next_first_answer,
        ..
    } = measured;
    let longest = first_answer.max(next_first_answer);
    assert!(longest < Duration::from_secs(10), "{measured:?}");
}

#[test]
#[ignore = "takes a minute: make many-ids"]
fn two_million_ids() {
    let Measured {
        first_answer,
        ids_gone,
        next_first_answer,
    } = measure(2_000_000);
    say(&format!(
        "first answer after {first_answer:?}, ids gone after {ids_gone:?} of ten polls a second, first answer of the next start after {next_first_answer:?}"
    ));
    let longest = first_answer.max(next_first_answer);
    assert!(longest < Duration::from_secs(2));
}
