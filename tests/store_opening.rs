//! Obstacles that the exporter can find in place of its state when it starts: other files,
//! damaged files, other processes, and missing rights.

use std::{
    fs::{self, Permissions},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::Command,
};

use fastrand::Rng;
use nexmo_audit_exporter::store::{Store, StoreError};
use redb::{Database, TableDefinition};
use tempfile::TempDir;
use test_support::store::{
    child::{self, Process, this_binary},
    complaint, contents, directory, file_in, history_in,
    numbered::Numbered,
    open, say, told, without,
};

/// The process that commits for the tests.
#[test]
fn child() {
    child::main();
}

fn state_of(directory: &Path) -> Vec<u8> {
    history_in(directory, 20);
    fs::read(file_in(directory)).expect("the file")
}

fn write_state(directory: &Path, bytes: &[u8]) {
    fs::write(file_in(directory), bytes).expect("a file");
}

const ABOUT: TableDefinition<'_, &str, &str> = TableDefinition::new("about");

/// Makes a state whose description of itself is changed.
fn state_about(directory: &Path, says: &[(&str, &str)]) {
    state_of(directory);
    let database = Database::open(file_in(directory)).expect("a database");
    let transaction = database.begin_write().expect("a transaction");
    let mut table = transaction.open_table(ABOUT).expect("the table");
    for (key, value) in says {
        table.insert(key, value).expect("it can be written");
    }
    drop(table);
    transaction.commit().expect("it can be committed");
}

struct Case {
    name: &'static str,
    make: fn(&Path),
    says: &'static str,
}

const WHAT_TO_DO: &str =
    "it was left unchanged: put a backup in its place, or move it away to start without a state";

const DAMAGED: &[Case] = &[
    Case {
        name: "an empty file",
        make: |directory| write_state(directory, b""),
        says: "it is empty",
    },
    Case {
        name: "a text",
        make: |directory| write_state(directory, b"accounts: []\n"),
        says: "Not a redb database: magic number mismatch",
    },
    Case {
        name: "one byte",
        make: |directory| write_state(directory, b"r"),
        says: "Not a redb database: magic number mismatch",
    },
    Case {
        name: "random bytes",
        make: |directory| {
            let mut random = Rng::with_seed(1);
            let bytes: Vec<_> = (0..100_000).map(|_| random.u8(..)).collect();
            write_state(directory, &bytes);
        },
        says: "Not a redb database: magic number mismatch",
    },
    Case {
        name: "a database of SQLite",
        make: |directory| {
            let mut bytes = b"SQLite format 3\0".to_vec();
            bytes.resize(8192, 0);
            write_state(directory, &bytes);
        },
        says: "Not a redb database: magic number mismatch",
    },
    Case {
        name: "zeros of the right length",
        make: |directory| {
            let length = state_of(directory).len();
            write_state(directory, &vec![0; length]);
        },
        says: "Not a redb database: magic number mismatch",
    },
    Case {
        name: "the first half",
        make: |directory| {
            let bytes = state_of(directory);
            write_state(directory, &bytes[..bytes.len() / 2]);
        },
        says: "File truncated below stored layout: file_len=71680, layout_len=143360",
    },
    Case {
        name: "the first 100 bytes",
        make: |directory| {
            let bytes = state_of(directory);
            write_state(directory, &bytes[..100]);
        },
        says: "unexpected end of file",
    },
    Case {
        name: "a header and nothing else",
        make: |directory| {
            let bytes = state_of(directory);
            write_state(directory, &bytes[..4096]);
        },
        says: "File truncated below stored layout: file_len=4096, layout_len=143360",
    },
    Case {
        name: "pages of zeros behind the header",
        make: |directory| {
            let mut bytes = state_of(directory);
            bytes[4096..].fill(0);
            write_state(directory, &bytes);
        },
        says: "Primary is corrupted despite 2-phase commit",
    },
    Case {
        name: "a directory",
        make: |directory| fs::create_dir(file_in(directory)).expect("a directory"),
        says: "it is not a regular file",
    },
    Case {
        name: "a redb database without tables",
        make: |directory| drop(Database::create(file_in(directory)).expect("a database")),
        says: "it is a database of another program",
    },
    Case {
        name: "a database of another program",
        make: |directory| state_about(directory, &[("program", "another")]),
        says: "it is a database of another program",
    },
    Case {
        name: "a format that is no number",
        make: |directory| state_about(directory, &[("format", "one")]),
        says: "it is a database of another program",
    },
    Case {
        name: "a format below the first",
        make: |directory| state_about(directory, &[("format", "0")]),
        says: "it is a database of another program",
    },
];

#[test]
fn other_files_are_refused_and_left_as_they_are() {
    for Case { name, make, says } in DAMAGED {
        let directory = directory();
        make(directory.path());
        let before = contents(directory.path());
        let expected = format!(
            "DIR/state.redb is damaged or not a state file of this exporter ({says}); {WHAT_TO_DO}"
        );
        for _ in 0..2 {
            assert_eq!(complaint(directory.path()), expected, "{name}");
        }
        let untouched = before == contents(directory.path());
        assert!(untouched, "{name}: it was changed");
    }
}

#[test]
fn a_newer_format_is_refused_and_left_as_it_is() {
    let directory = directory();
    state_about(
        directory.path(),
        &[("written by", "9.8.7"), ("format", "5")],
    );
    let before = contents(directory.path());
    assert_eq!(
        complaint(directory.path()),
        "DIR/state.redb has format 5, written by version 9.8.7, and this version knows formats \
         up to 4; it was left unchanged: run version 9.8.7 or newer, or put a backup in its place"
    );
    assert!(before == contents(directory.path()), "it was changed");
}

/// The result of opening a state with a wrong bit.
#[derive(Debug, Default)]
struct Outcomes {
    refused: u32,
    whole: u32,
    one_commit_older: u32,
}

/// Opens a state with a wrong bit: the store refuses it and leaves it as it is, or
/// holds what was once committed.
fn with_a_wrong_bit(bytes: &[u8], random: &mut Rng, outcomes: &mut Outcomes) {
    let directory = directory();
    let mut wrong = bytes.to_vec();
    let place = match random.u8(..4) {
        // The header is small and matters most.
        0 => random.usize(..320),
        _ => random.usize(..wrong.len()),
    };
    wrong[place] ^= 1 << random.u8(..8);
    write_state(directory.path(), &wrong);
    let mut store = match Store::open(directory.path()) {
        Ok(store) => store,
        Err(error) => {
            assert!(
                matches!(error, StoreError::Damaged { .. }),
                "{place}: {error}"
            );
            let now = fs::read(file_in(directory.path())).expect("the file");
            assert!(now == wrong, "{place}: it was changed");
            outcomes.refused += 1;
            return;
        }
    };
    let mut expected = Numbered::new();
    while expected.number < 19 {
        expected.advance();
    }
    if expected.is_in(&mut store) {
        assert!(store.has_lost_one(), "{place}: in silence");
        outcomes.one_commit_older += 1;
        return;
    }
    expected.advance();
    assert!(expected.is_in(&mut store), "{place}: neither state");
    outcomes.whole += 1;
}

#[test]
fn a_wrong_bit_is_found_or_does_not_matter() {
    let seed = told("STORE_SEED").unwrap_or_else(|| fastrand::u64(..));
    let flips = told("STORE_FLIPS").unwrap_or(100);
    let mut random = Rng::with_seed(seed);
    let directory = directory();
    let closed = state_of(directory.path());
    let mut outcomes = Outcomes::default();
    for _ in 0..flips {
        with_a_wrong_bit(&closed, &mut random, &mut outcomes);
    }
    say(&format!("seed {seed}, closed: {outcomes:?}"));
    assert_eq!(outcomes.one_commit_older, 0);

    let crashed = TempDir::new().expect("a temporary directory");
    let mut process = Process::start(crashed.path());
    assert_eq!(process.hear().as_deref(), Some("open"));
    for number in 1..=20 {
        assert_eq!(process.commit(), format!("committed {number}"));
    }
    process.kill();
    let crashed = fs::read(file_in(crashed.path())).expect("the file");
    let mut outcomes = Outcomes::default();
    for _ in 0..flips {
        with_a_wrong_bit(&crashed, &mut random, &mut outcomes);
    }
    say(&format!("seed {seed}, killed: {outcomes:?}"));
}

#[test]
fn a_state_in_use_is_refused_with_the_process_that_uses_it() {
    let directory = directory();
    let mut process = Process::start(directory.path());
    assert_eq!(process.hear().as_deref(), Some("open"));
    let expected = format!(
        "DIR/state.redb is in use by another process (pid {}): stop that process, or give each \
         exporter a storage path of its own",
        process.id()
    );
    assert_eq!(complaint(directory.path()), expected);
    assert_eq!(process.commit(), "committed 1");
    process.kill();
    let mut store = open(directory.path());
    assert_eq!(Numbered::resume(&mut store).number, 1);
}

#[test]
fn impossible_paths_are_refused() {
    let directory = directory();
    let directory = directory.path();
    fs::write(directory.join("file"), "").expect("a file");
    let complaint_of = |path: &str| {
        let error = Store::open(&directory.join(path)).expect_err("the state cannot be opened");
        without(directory, &error)
    };
    assert_eq!(
        complaint_of("file"),
        "DIR/file is not a directory: choose another storage path"
    );
    assert_eq!(
        complaint_of("file/data"),
        "DIR/file/data is not a directory: choose another storage path"
    );
    assert_eq!(
        complaint_of("volume/data"),
        "cannot create DIR/volume/data: there is no directory DIR/volume (is a volume not \
         mounted?): create it, or choose another storage path"
    );
    assert_eq!(fs::read_dir(directory).expect("a directory").count(), 1);
}

/// Returns a command that is bound by file rights, which root is not.
fn unprivileged() -> Command {
    let mut command = Command::new(this_binary());
    if is_root() {
        command.uid(65534).gid(65534);
    }
    command
}

fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:\t0\t"))
}

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("rights can be set");
}

/// Returns the error of a process without rights in `directory`, which is below
/// `above`.
fn complaint_of_unprivileged(above: &Path, directory: &Path) -> String {
    let said = Process::start_by(unprivileged(), directory).hear();
    let said = said.expect("the process writes a line");
    said.replace(&above.display().to_string(), "DIR")
}

#[test]
fn missing_rights_are_reported() {
    let above = directory();
    let above = above.path();
    allow(above, 0o755);
    let data = above.join("data");
    history_in(&data, 1);
    let file = file_in(&data);
    let says = |path: &Path| complaint_of_unprivileged(above, path);
    let denied = |doing: &str, path: &str| {
        let user = exporter_web::current_user();
        let user = if user.ends_with("(0)") {
            "nobody (65534)"
        } else {
            &user
        };
        format!(
            "cannot {doing} DIR/{path}: Permission denied (os error 13): the process runs as {user}: let that user write there, or choose another storage path"
        )
    };

    allow(&file, 0o444);
    assert_eq!(
        says(&data),
        denied("open", "data/state.redb"),
        "a read-only file"
    );
    allow(&file, 0o000);
    assert_eq!(
        says(&data),
        denied("open", "data/state.redb"),
        "an unreadable file"
    );
    allow(&data, 0o000);
    assert_eq!(
        says(&data),
        denied("open", "data/state.redb"),
        "a closed directory"
    );
    allow(&data, 0o755);
    fs::remove_file(&file).expect("it can be removed");
    allow(&data, 0o555);
    // The random name that the new file has at first is left out.
    let created = denied("create", "data/state.redb");
    assert_eq!(
        says(&data),
        created.replace("Permission denied (os error 13)", "permission denied"),
        "a read-only directory"
    );
    allow(&data, 0o755);
    allow(above, 0o555);
    let new = above.join("new");
    assert_eq!(
        says(&new),
        denied("create", "new"),
        "a read-only directory above"
    );
    allow(above, 0o755);
}
