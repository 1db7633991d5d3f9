//! Who may import whom, and what the pure core may not know of.
//!
//! The tables are the rule; a scan of the sources holds the code to it.

mod scan;
mod scan_tests;
mod source;

use std::collections::BTreeSet;

use source::{Source, sources};

/// May import every module.
const ANY: &[&str] = &["*"];

/// Each module of the crate, and the modules that it may import. A row may wait
/// for its module, and no module may be without a row.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("event", &[]),
    ("window", &["event"]),
    ("ledger", &["event"]),
    ("account", &["event", "window", "ledger", "outbox"]),
    ("outbox", &["listing"]),
    ("event_log", &["outbox", "storage", "store"]),
    ("metrics", &[]),
    (
        "exposition",
        &["account", "ledger", "window", "event", "metrics"],
    ),
    ("store", &["event", "window", "ledger", "account", "outbox"]),
    (
        "storage",
        &[
            "account", "event", "ledger", "outbox", "poller", "store", "window",
        ],
    ),
    ("client", &["event", "metrics"]),
    (
        "poller",
        &[
            "event",
            "account",
            "client",
            "listing",
            "outbox",
            "paging",
            "window",
            "ledger",
            "store",
            "exposition",
            "metrics",
            "status",
        ],
    ),
    ("paging", &["client", "event", "window"]),
    ("listing", &["event"]),
    (
        "history",
        &["client", "event", "listing", "paging", "window"],
    ),
    (
        "events",
        &["client", "config", "event", "history", "listing", "window"],
    ),
    ("backfill", &["config", "event", "history", "metrics"]),
    ("status", &[]),
    ("roster", &["metrics", "status"]),
    ("reload", &[]),
    (
        "server",
        &["exposition", "metrics", "reload", "roster", "status"],
    ),
    ("yaml", &[]),
    ("config", &["event", "yaml"]),
    ("credentials", &["config"]),
    ("simulator", &[]),
    ("cli", &["config", "simulator"]),
    ("logging", &["config"]),
    ("demo", &["app", "config", "simulator"]),
    ("run", ANY),
    ("app", ANY),
    ("lib", ANY),
    ("main", ANY),
];

/// Paths below src/ of what must be pure: a module, or one file of a module.
const PURE: &[&str] = &[
    "event",
    "window",
    "ledger",
    "account",
    "exposition",
    "listing",
    "outbox",
    "yaml",
    "backfill/grid.rs",
    "backfill/openmetrics.rs",
];

/// What pure code may not name: time is an argument, and the world outside
/// belongs to the shells.
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
fn every_module_has_a_row() {
    let without: BTreeSet<String> = sources()
        .into_iter()
        .map(|source| source.top_module().to_owned())
        .filter(|module| row(module).is_none())
        .collect();
    assert!(
        without.is_empty(),
        "modules without a row: {without:?}. Add each to MAY_IMPORT in {} with \
         the modules that it imports, if the design has such arrows; and to PURE \
         if it is to know neither clock nor network.",
        file!()
    );
}

#[test]
fn modules_import_only_what_they_may() {
    let forbidden: Vec<String> = sources().iter().flat_map(forbidden_imports).collect();
    assert!(
        forbidden.is_empty(),
        "imports against the arrows of MAY_IMPORT in {}:\n{}\nMove the code to \
         the side that may know the other, or hand it in as an argument.",
        file!(),
        forbidden.join("\n")
    );
}

#[test]
fn the_pure_core_knows_no_clock_and_no_world_outside() {
    let pure = sources().into_iter().filter(is_pure);
    let impure: Vec<String> = pure.flat_map(|source| impure_paths(&source)).collect();
    assert!(
        impure.is_empty(),
        "pure code names what only shells may:\n{}\nTake it as an argument.",
        impure.join("\n")
    );
}

#[test]
fn the_arrows_make_no_circle() {
    // Where each module comes after all that it imports, there is none. Those
    // that may import any are the end of it, and wait for nothing.
    let of_any = MAY_IMPORT.iter().filter(|(_, may)| *may == ANY);
    let mut placed: BTreeSet<&str> = of_any.map(|(module, _)| *module).collect();
    let mut waiting: Vec<_> = MAY_IMPORT.iter().filter(|(_, may)| *may != ANY).collect();
    while !waiting.is_empty() {
        let before = waiting.len();
        waiting.retain(|(module, may)| {
            let ready = may.iter().all(|import| placed.contains(import));
            if ready {
                placed.insert(module);
            }
            !ready
        });
        assert!(waiting.len() < before, "a circle among {waiting:?}");
    }
}

fn row(module: &str) -> Option<&'static [&'static str]> {
    let row = MAY_IMPORT.iter().find(|(name, _)| *name == module);
    row.map(|(_, may)| *may)
}

fn is_pure(source: &Source) -> bool {
    let listed = |pure: &&str| source.top_module() == *pure || source.file.starts_with(pure);
    PURE.iter().any(listed)
}

fn forbidden_imports(source: &Source) -> Vec<String> {
    let module = source.top_module();
    let may = row(module).unwrap_or_default();
    let allowed = |import: &String| may == ANY || import == module || may.contains(&&**import);
    let imports: BTreeSet<String> = source
        .paths()
        .iter()
        .filter_map(|p| source.import(p))
        .collect();
    imports
        .into_iter()
        .filter(|import| !allowed(import))
        .map(|import| format!("  {}: {module} -> {import}", source.file.display()))
        .collect()
}

fn impure_paths(source: &Source) -> Vec<String> {
    let names = |path: &[String], impure: &str| {
        let parts: Vec<&str> = impure.split("::").collect();
        path.windows(parts.len()).any(|window| window == parts)
    };
    let paths = source.paths();
    IMPURE
        .iter()
        .filter(|impure| paths.iter().any(|path| names(path, impure)))
        .map(|impure| format!("  {}: {impure}", source.file.display()))
        .collect()
}
