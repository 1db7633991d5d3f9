//! Generated files that are kept in `packaging`, so that users need no tool. Each is
//! compared with what its source makes now; `make generated` renews them.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::Path;

use test_support::repository;

/// Compares a folder of the repository with its generated content, or renews it.
pub(crate) fn holds(folder: &str, expected: &BTreeMap<String, String>) {
    let path = repository(folder);
    if env::var_os("RENEW_GENERATED").is_some() {
        renew(&path, expected);
    }
    let found = files(&path);
    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(expected), "{folder}: {RENEW}");
    for (name, text) in expected {
        let first = text.lines().zip(found[name].lines()).find(|(a, b)| a != b);
        let same = found[name] == *text;
        assert!(same, "{folder}/{name} has changed: {first:?}\n{RENEW}");
    }
}

const RENEW: &str = "run `make generated` and look at the difference";

fn renew(folder: &Path, files_now: &BTreeMap<String, String>) {
    fs::create_dir_all(folder).expect("a folder");
    for name in files(folder).keys() {
        fs::remove_file(folder.join(name)).expect("an old file");
    }
    for (name, text) in files_now {
        fs::write(folder.join(name), text).expect("a file");
    }
}

/// Returns the texts in a folder by their names, without those of the folders in it.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let entries = entries.map(|entry| entry.expect("an entry"));
    let files = entries.filter(|entry| entry.path().is_file());
    let read = |entry: fs::DirEntry| {
        let text = fs::read_to_string(entry.path()).expect("a text");
        (entry.file_name().to_string_lossy().into_owned(), text)
    };
    files.map(read).collect()
}
