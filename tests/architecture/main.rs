//! Which room of `src` may import which, and which code must stay pure.
//!
//! The compiler keeps the crates apart; inside the exporter it does not see the
//! rooms, so this test does.

mod source;

use std::collections::{BTreeMap, BTreeSet};

use source::{Source, sources};

/// Each room of `src`, and the rooms that it imports. A room comes after all that it
/// imports, so that no two of them import each other.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("metrics", &[]),
    ("config", &[]),
    ("gate", &[]),
    ("api", &["metrics"]),
    ("exposition", &["gate", "metrics"]),
    ("poller", &["api", "exposition", "gate", "metrics"]),
    ("store", &["poller"]),
    ("server", &["exposition", "gate", "metrics", "poller"]),
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
        &["api", "config", "exporter", "metrics", "query", "server"],
    ),
];

/// Paths below `src` of pure code: no clock, network, file or environment.
const PURE: &[&str] = &[
    "exposition",
    "query/backfill/grid.rs",
    "query/backfill/openmetrics.rs",
    "query/listing",
];

/// What pure code may not name.
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
fn a_room_imports_what_the_table_says_and_nothing_else() {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources() {
        let Some(room) = source.room() else { continue };
        let imports = found.entry(room.to_owned()).or_default();
        imports.extend(source.imports().into_iter().filter(|import| import != room));
    }
    let told: BTreeMap<String, BTreeSet<String>> = MAY_IMPORT
        .iter()
        .map(|(room, may)| {
            let may = may.iter().map(|import| (*import).to_owned());
            ((*room).to_owned(), may.collect())
        })
        .collect();
    assert_eq!(
        found,
        told,
        "left: the imports of each room; right: MAY_IMPORT in {}. An import too many: move \
         the code to the room that may know the other, or hand it in as an argument. A \
         permission too many: take it out of the table.",
        file!()
    );
}

#[test]
fn no_two_rooms_import_each_other() {
    let mut before = BTreeSet::new();
    for (room, may) in MAY_IMPORT {
        let later: Vec<_> = may
            .iter()
            .filter(|import| !before.contains(*import))
            .collect();
        assert!(
            later.is_empty(),
            "{room} imports rooms that come after it: {later:?}"
        );
        before.insert(room);
    }
}

#[test]
fn pure_code_names_no_clock_and_nothing_of_the_world_outside() {
    let is_pure = |source: &Source, path: &str| source.file.starts_with(path);
    let all = sources();
    for path in PURE {
        let pure: Vec<_> = all.iter().filter(|source| is_pure(source, path)).collect();
        assert!(
            !pure.is_empty(),
            "{path} of PURE in {} is not there",
            file!()
        );
        for source in pure {
            let named: Vec<_> = IMPURE.iter().filter(|name| source.names(name)).collect();
            assert!(
                named.is_empty(),
                "{} is pure and names {named:?}: take it as an argument",
                source.file.display()
            );
        }
    }
}
