//! Checks which module of `src` imports which other module, and that pure code stays pure.
//!
//! The compiler checks what one crate uses of another. It does not check the modules of one
//! crate, so this test does.

mod source;

use std::collections::{BTreeMap, BTreeSet};

use source::{Source, sources};

/// Each module of `src`, with the modules that it imports. A module comes after all modules
/// that it imports, so no two modules import each other.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("metrics", &[]),
    ("config", &[]),
    ("gate", &[]),
    ("api", &["config", "metrics"]),
    ("exposition", &["gate", "metrics"]),
    ("poller", &["api", "exposition", "gate", "metrics"]),
    ("store", &["metrics", "poller"]),
    ("state", &["config", "store"]),
    (
        "server",
        &["exposition", "gate", "metrics", "poller", "store"],
    ),
    ("query", &["api", "config", "exposition", "metrics"]),
    (
        "exporter",
        &[
            "api",
            "config",
            "exposition",
            "gate",
            "metrics",
            "poller",
            "server",
            "store",
        ],
    ),
    (
        "cli",
        &[
            "api", "config", "exporter", "metrics", "query", "server", "state",
        ],
    ),
];

/// The paths below `src` of pure code, which uses no clock, network, file or environment.
const PURE: &[&str] = &[
    "exposition",
    "query/backfill/grid.rs",
    "query/backfill/openmetrics.rs",
    "query/listing",
];

/// Crates, modules and names that pure code may not name.
const IMPURE: &[&str] = &[
    "tokio",
    "reqwest",
    "hyper",
    "hyper_util",
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant",
    "Timestamp::now",
    "Zoned::now",
];

#[test]
fn a_folder_imports_what_the_table_says_and_nothing_else() {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources() {
        let Some(folder) = source.folder() else {
            continue;
        };
        let imports = found.entry(folder.to_owned()).or_default();
        imports.extend(
            source
                .imports()
                .into_iter()
                .filter(|import| import != folder),
        );
    }
    let expected: BTreeMap<String, BTreeSet<String>> = MAY_IMPORT
        .iter()
        .map(|(folder, may)| {
            let may = may.iter().map(|import| (*import).to_owned());
            ((*folder).to_owned(), may.collect())
        })
        .collect();
    assert_eq!(
        found,
        expected,
        "left: the imports of each folder; right: MAY_IMPORT in {}. If an import is not in \
         the table, move the code to a folder that may import the other one, or pass the \
         value as an argument. If the table allows an import that is not there, remove it \
         from the table.",
        file!()
    );
}

#[test]
fn no_two_folders_import_each_other() {
    let mut before = BTreeSet::new();
    for (folder, may) in MAY_IMPORT {
        let later: Vec<_> = may
            .iter()
            .filter(|import| !before.contains(*import))
            .collect();
        assert!(
            later.is_empty(),
            "{folder} imports folders that come after it: {later:?}"
        );
        before.insert(folder);
    }
}

#[test]
fn pure_code_names_no_clock_network_file_or_environment() {
    let is_pure = |source: &Source, path: &str| source.file.starts_with(path);
    let all = sources();
    for path in PURE {
        let pure: Vec<_> = all.iter().filter(|source| is_pure(source, path)).collect();
        assert!(
            !pure.is_empty(),
            "{path}, which PURE in {} lists, does not exist",
            file!()
        );
        for source in pure {
            let named: Vec<_> = IMPURE.iter().filter(|name| source.names(name)).collect();
            assert!(
                named.is_empty(),
                "{} is pure code and names {named:?}: take the value as an argument",
                source.file.display()
            );
        }
    }
}
