//! A disk that is full, read-only or gone while the state is in use: the store reports
//! it and loses nothing, and the state is taken up again when the disk is back.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use nexmo_audit_exporter::store::{Store, StoreError};
use test_support::store::{
    child::{self, Process, this_binary},
    complaint, contents, directory, file_in, history_in,
    numbered::Numbered,
    open, without,
};
use test_support::volume::Volume;

/// The process that commits for the tests.
#[test]
fn child() {
    child::main();
}

/// Commits until a commit fails, and returns the line of the process about that.
fn commit_until_error(process: &mut Process) -> String {
    for _ in 0..10_000 {
        let said = process.commit();
        if !said.starts_with("committed ") {
            return said;
        }
    }
    panic!("the disk was never full");
}

fn number_in(said: &str) -> u64 {
    let number = said
        .strip_prefix("committed ")
        .expect("the commit was stored");
    number.parse().expect("a number")
}

/// Limits the length of files, which has the effect of a full disk and needs no
/// privileges.
#[test]
fn a_full_disk_loses_nothing_and_is_recovered_from() {
    let directory = directory();
    history_in(directory.path(), 1);
    let mut shell = Command::new("sh");
    // The limit is in blocks of 512 bytes. The signal that comes with it would kill the
    // process.
    let script = "trap '' XFSZ; ulimit -S -f 200; exec \"$0\" \"$@\"";
    shell.args(["-c", script]).arg(this_binary());
    let mut process = Process::start_by(shell, directory.path());
    assert_eq!(process.hear().as_deref(), Some("open"));
    for _ in 0..3 {
        let said = commit_until_error(&mut process);
        let expected = format!(
            "cannot write {}: File too large (os error 27): make room on the disk",
            file_in(directory.path()).display()
        );
        assert_eq!(said.replace("cannot open ", "cannot write "), expected);
    }
    let freed = Command::new("prlimit")
        .args(["--fsize=unlimited", "--pid", &process.id().to_string()])
        .stderr(Stdio::inherit())
        .status();
    assert!(freed.expect("prlimit of util-linux").success());
    let first = number_in(&process.commit());
    assert_eq!(number_in(&process.commit()), first + 1);
    process.kill();
    holds_exactly(directory.path(), first + 1);
}

/// Checks that the state is that of so many commits, each of which was counted once.
fn holds_exactly(directory: &Path, commits: u64) {
    let mut expected = Numbered::new();
    while expected.number < commits {
        expected.advance();
    }
    assert!(
        expected.is_in(&mut open(directory)),
        "not the state of {commits}"
    );
}

#[test]
fn a_full_volume_loses_nothing_and_is_recovered_from() {
    let directory = directory();
    let Some(volume) = Volume::mount(directory.path(), "size=512k") else {
        return;
    };
    let mut store = open(directory.path());
    let mut history = Numbered::new();
    let filler = directory.path().join("filler");
    for round in 0..3 {
        // The disk fills after a first commit, so that there is something to lose.
        history.commit(&mut store).expect("there is room");
        fs::write(&filler, vec![0; 1 << 20]).expect_err("the volume is smaller than the file");
        let mut failures = 0;
        // Later the file has room inside, from ids that were forgotten.
        for _ in 0..20 {
            let Err(error) = history.commit(&mut store) else {
                continue;
            };
            assert!(error.is_transient(), "{error}");
            let said = without(directory.path(), &error);
            assert_eq!(
                said.replace("cannot open ", "cannot write "),
                "cannot write DIR/state.redb: No space left on device (os error 28): \
                 make room on the disk",
            );
            failures += 1;
        }
        assert!(failures > 0 || round > 0, "the disk was never full");
        fs::remove_file(&filler).expect("it can be removed");
        history
            .commit(&mut store)
            .unwrap_or_else(|error| panic!("round {round}: {error}"));
        assert!(history.is_in(&mut store), "round {round}");
    }
    drop(store);
    holds_exactly(directory.path(), history.number);
    drop(volume);
}

#[test]
fn a_volume_that_becomes_read_only_is_recovered_from() {
    let directory = directory();
    let Some(volume) = Volume::mount(directory.path(), "size=8m") else {
        return;
    };
    history_in(directory.path(), 1);
    volume.remount("ro");
    assert_eq!(
        complaint(directory.path()),
        "cannot open DIR/state.redb: Read-only file system (os error 30): mount the file \
         system for writing, or choose another storage path"
    );
    volume.remount("rw");
    holds_exactly(directory.path(), 1);
}

const GONE: &str = "DIR/state.redb is gone or another file has taken its place: bring it back \
     (is a volume unmounted?), or restart the exporter to go on with what is there";

/// A state of one commit that is moved while it is open, with its old and its new path.
fn moved_away(directory: &Path) -> (Store, Numbered, [PathBuf; 2]) {
    let mut store = open(directory);
    let mut history = Numbered::new();
    history.commit(&mut store).expect("the commit is stored");
    let (file, away) = (file_in(directory), directory.join("away"));
    fs::rename(&file, &away).expect("it can be moved");
    (store, history, [file, away])
}

#[test]
fn a_file_that_is_gone_is_missed_and_taken_up_again() {
    let directory = directory();
    let (mut store, mut history, [file, away]) = moved_away(directory.path());

    let error = history.commit(&mut store).expect_err("the file is gone");
    assert_eq!(without(directory.path(), &error), GONE);
    assert!(error.is_transient());
    let error = history
        .commit(&mut store)
        .expect_err("the file is still gone");
    assert_eq!(
        without(directory.path(), &error),
        "cannot open DIR/state.redb: No such file or directory (os error 2): check the disk"
    );
    assert!(!file.exists(), "no new state is made");

    fs::rename(&away, &file).expect("it can be moved");
    history.commit(&mut store).expect("it is back");
    drop(store);
    holds_exactly(directory.path(), 2);
}

#[test]
fn a_directory_that_is_deleted_is_missed() {
    let above = directory();
    let data = above.path().join("data");
    let mut store = open(&data);
    fs::remove_dir_all(&data).expect("it can be removed");
    let error = Numbered::new()
        .commit(&mut store)
        .expect_err("the file is gone");
    assert_eq!(without(&data, &error), GONE);
}

#[test]
fn a_file_that_another_process_went_on_with_is_not_written_to() {
    let directory = directory();
    let (mut store, mut history, [file, away]) = moved_away(directory.path());
    history.commit(&mut store).expect_err("the file is gone");
    fs::rename(&away, &file).expect("it can be moved");

    let mut process = Process::start(directory.path());
    assert_eq!(process.hear().as_deref(), Some("open"));
    let error = history.commit(&mut store).expect_err("the state is in use");
    assert!(
        matches!(error, StoreError::AlreadyOpen { pid: Some(_), .. }),
        "{error}"
    );
    // The other process makes the commit of the same number that this process would
    // make.
    assert_eq!(process.commit(), "committed 2");
    process.kill();

    let before = contents(directory.path());
    for _ in 0..2 {
        let error = history
            .commit(&mut store)
            .expect_err("another process continued the file");
        assert_eq!(
            without(directory.path(), &error),
            "DIR/state.redb was changed by another process after a disk error had closed it \
             here; what this process has counted since then does not fit it: make sure that only \
             one exporter uses the file, and restart this one"
        );
        assert!(!error.is_transient());
    }
    drop(store);
    assert!(before == contents(directory.path()), "it was changed");
    holds_exactly(directory.path(), 2);
}
