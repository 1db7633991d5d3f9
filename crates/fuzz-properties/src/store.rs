//! A damaged state file: the store refuses it and leaves each byte as it is, or loads a
//! state that was committed. A store that opens takes the next commit.

use std::{
    fs,
    path::{Path, PathBuf},
};

use nexmo_audit_exporter::store::{Store, StoreError};
use once_cell::sync::Lazy;
use tempfile::TempDir;
use test_support::store::{KEY, State, file_in, numbered::Numbered};

use crate::Bytes;

const COMMITS: u64 = 20;
const PAGE: usize = 4096;
const MAX_DAMAGES: usize = 8;

/// A state file, and the states that it may hold.
struct Base {
    bytes: Vec<u8>,
    committed: Vec<Option<State>>,
    is_old: bool,
}

impl Base {
    /// Returns `true` if a state may be from an earlier commit. Earlier commits of a
    /// file of an older format are not known.
    fn is_before(&self, state: Option<&State>) -> bool {
        let watermark = |state: Option<&State>| state.and_then(State::watermark);
        let last = self.committed.last().and_then(Option::as_ref);
        self.is_old && watermark(state) <= watermark(last)
    }
}

/// The files: closed in order, left by a crash, and of the older formats.
static BASES: Lazy<[Base; 5]> = Lazy::new(|| {
    let directory = folder();
    let mut store = Store::open(directory.path()).expect("a new state");
    let mut history = Numbered::new();
    let mut committed = Vec::new();
    for _ in 0..COMMITS {
        committed.push(history.state.clone());
        history.commit(&mut store).expect("the commit is stored");
    }
    committed.push(history.state.clone());
    let committed = committed.split_off(committed.len() - 2);
    let crashed = read(directory.path());
    drop(store);
    let closed = Base {
        bytes: read(directory.path()),
        committed: committed.clone(),
        is_old: false,
    };
    let crashed = Base {
        bytes: crashed,
        committed,
        is_old: false,
    };
    let old = |gzip| {
        let bytes = unpacked(gzip);
        Base {
            committed: vec![loaded(&bytes)],
            bytes,
            is_old: true,
        }
    };
    [
        closed,
        crashed,
        old(include_bytes!(
            "../../../tests/fixtures/state-format-1.redb.gz"
        )),
        old(include_bytes!(
            "../../../tests/fixtures/state-format-2.redb.gz"
        )),
        old(include_bytes!(
            "../../../tests/fixtures/state-format-3.redb.gz"
        )),
    ]
});

pub fn holds(data: &[u8]) {
    let mut bytes = Bytes(data);
    let base = &BASES[usize::from(bytes.byte()) % BASES.len()];
    let mut file = base.bytes.clone();
    for _ in 0..MAX_DAMAGES {
        if bytes.is_empty() {
            break;
        }
        damage(&mut file, &mut bytes);
    }
    let directory = folder();
    fs::write(file_in(directory.path()), &file).expect("a file");
    if let Some(mut store) = opened(directory.path(), &file) {
        is_as_committed(&mut store, base);
        goes_on(store, directory.path());
    }
}

/// Returns a folder in memory, if there is one: every input makes a file.
pub(crate) fn folder() -> TempDir {
    let memory = PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() {
        memory
    } else {
        std::env::temp_dir()
    };
    tempfile::tempdir_in(folder).expect("a folder")
}

fn read(directory: &Path) -> Vec<u8> {
    fs::read(file_in(directory)).expect("the file")
}

fn unpacked(gzip: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut gzip = flate2::read::GzDecoder::new(gzip);
    std::io::Read::read_to_end(&mut gzip, &mut bytes).expect("gzip");
    bytes
}

fn loaded(bytes: &[u8]) -> Option<State> {
    let directory = folder();
    fs::write(file_in(directory.path()), bytes).expect("a file");
    let mut store = Store::open(directory.path()).expect("a state");
    State::load(&mut store, KEY)
}

/// Damages a file once, as a disk or a person can.
fn damage(file: &mut Vec<u8>, bytes: &mut Bytes<'_>) {
    let kind = bytes.byte() % 7;
    let length = file.len();
    let place = |bytes: &mut Bytes<'_>| usize::try_from(bytes.number(3)).expect("24 bits");
    match kind {
        0 if length > 0 => file[place(bytes) % length] ^= 1 << (bytes.byte() % 8),
        1 => write(file, place(bytes), bytes),
        // The header is small and matters most.
        2 => write(file, place(bytes) % 320, bytes),
        3 => {
            let (start, filler) = (place(bytes) * PAGE, bytes.byte());
            let end = (start + PAGE).min(length);
            file.get_mut(start.min(end)..end)
                .expect("within")
                .fill(filler);
        }
        4 => {
            let (from, to) = (place(bytes) * PAGE, place(bytes) * PAGE);
            if from + PAGE <= length && to + PAGE <= length {
                file.copy_within(from..from + PAGE, to);
            }
        }
        5 => file.truncate(place(bytes)),
        _ => file.resize(length + place(bytes) % (64 * PAGE), bytes.byte()),
    }
}

fn write(file: &mut [u8], start: usize, bytes: &mut Bytes<'_>) {
    let length = usize::from(bytes.byte() % 16) + 1;
    let new = bytes.take(length);
    let start = start.min(file.len());
    for (old, new) in file[start..].iter_mut().zip(new) {
        *old = new;
    }
}

/// Returns `None` if the store refuses the file, as it must for some damage.
fn opened(directory: &Path, file: &[u8]) -> Option<Store> {
    match Store::open(directory) {
        Ok(store) => Some(store),
        Err(error) => {
            let said = matches!(
                error,
                StoreError::Damaged { .. } | StoreError::NewerFormat { .. }
            );
            assert!(said, "{error}");
            assert!(
                read(directory) == file,
                "the refused file was changed: {error}"
            );
            None
        }
    }
}

fn is_as_committed(store: &mut Store, base: &Base) {
    let state = State::load(store, KEY);
    let is_older = base.is_before(state.as_ref());
    assert!(
        is_older || base.committed.contains(&state),
        "the store holds a state that was never committed"
    );
}

/// The next commit is stored, or is known not to be.
fn goes_on(mut store: Store, directory: &Path) {
    if State::load(&mut store, KEY)
        .and_then(|state| state.watermark())
        .is_none()
    {
        return;
    }
    let mut history = Numbered::resume(&mut store);
    let before = history.state.clone();
    let stored = history.commit(&mut store);
    drop(store);
    match (stored, Store::open(directory)) {
        (Ok(()), Ok(mut store)) => assert!(State::load(&mut store, KEY) == history.state),
        (Ok(()), Err(error)) => panic!("the file is damaged after a commit: {error}"),
        (Err(_), Ok(mut store)) => {
            let now = State::load(&mut store, KEY);
            assert!(now == before || now == history.state, "half a commit");
        }
        (Err(_), Err(_)) => {}
    }
}
