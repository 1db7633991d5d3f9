//! Names of flags, metrics and files in documents.

use std::collections::BTreeSet;

use clap::Command;
use nexmo_audit_exporter::{
    cli,
    metrics::{Family, Kind, catalog},
};

use super::{Repository, markdown::Document};

/// Flags of other programs.
const OTHERS: [&str; 1] = ["storage.tsdb.retention.time"];
/// The metrics of the process that the `prometheus` crate exports.
const OF_THE_PROCESS: [&str; 7] = [
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_threads",
    "process_virtual_memory_bytes",
];
/// The name of the crate begins like a metric.
const CRATE: &str = "nexmo_audit_exporter";
/// Folders of the repository that documents name files of.
const FOLDERS: [&str; 9] = [
    "src/",
    "crates/",
    "tests/",
    "benches/",
    "fuzz/",
    "packaging/",
    "dashboards/",
    "docs/",
    ".ci/",
];

/// Flags with a dot in their name, metrics and files that are not there.
pub(crate) fn unknown(document: &Document, repository: &Repository) -> Vec<String> {
    let flags: Vec<String> = flags(&cli::command());
    let known = |flag: &&str| OTHERS.contains(flag) || flags.iter().any(|known| known == flag);
    let unknown_flags = flags_in(&document.text).filter(|flag| !known(flag));
    let unknown_metrics = metrics_in(&document.text).filter(|metric| !is_exported(metric));
    let unknown_files = document.spans.iter().filter_map(|span| file_in(span));
    let unknown_files = unknown_files.filter(|path| {
        let beside = format!("{}/{path}", document.folder());
        !repository.has(path) && !repository.has(&beside)
    });
    let flags = unknown_flags.map(|flag| format!("there is no flag --{flag}"));
    let metrics = unknown_metrics.map(|metric| format!("there is no metric {metric}"));
    let files = unknown_files.map(|path| format!("there is no file {path}"));
    let problems = flags.chain(metrics).chain(files);
    problems
        .map(|problem| format!("{}: {problem}", document.path))
        .collect()
}

/// Flags of a command that a page should name and does not.
pub(crate) fn flags_left_out(page: &Document, command: &[&str]) -> Vec<String> {
    let mut line = cli::command();
    for name in command {
        line = line.find_subcommand(name).expect("a command").clone();
    }
    let named: BTreeSet<&str> = page.spans.iter().map(String::as_str).collect();
    let long = line.get_arguments().filter_map(|flag| flag.get_long());
    long.filter(|long| *long != "help" && !named.contains(&*format!("--{long}")))
        .map(|long| format!("{}: --{long} of {command:?} is left out", page.path))
        .collect()
}

/// Metrics that a page should name and does not.
pub(crate) fn metrics_left_out(page: &Document) -> Vec<String> {
    let named = |family: &&Family| page.spans.iter().any(|span| span == family.name);
    let left_out = catalog::ALL.iter().filter(|family| !named(family));
    left_out
        .map(|family| format!("{}: {} is left out", page.path, family.name))
        .collect()
}

/// Crates and modules of the exporter that the map should name and does not.
pub(crate) fn modules_left_out(map: &Document, repository: &Repository) -> Vec<String> {
    let paths = repository.paths();
    let modules: BTreeSet<String> = paths
        .filter_map(|path| {
            let (folder, rest) = path.split_once('/')?;
            let name = rest.split('/').next()?;
            match folder {
                "crates" => Some(name.to_owned()),
                "src" if !["lib.rs", "main.rs"].contains(&name) => Some(format!("src/{name}")),
                _ => None,
            }
        })
        .collect();
    let left_out = modules.iter().filter(|module| !map.spans.contains(module));
    left_out
        .map(|module| format!("{}: {module} is left out", map.path))
        .collect()
}

/// The long flags of a command and of all below it.
fn flags(command: &Command) -> Vec<String> {
    let own = command.get_arguments().filter_map(|flag| flag.get_long());
    let below = command.get_subcommands().flat_map(flags);
    own.map(str::to_owned).chain(below).collect()
}

/// The flags with a dot in their name, without their dashes.
fn flags_in(text: &str) -> impl Iterator<Item = &str> {
    let starts = text.match_indices("--").map(|(at, _)| &text[at + 2..]);
    let flags = starts.map(|rest| {
        let ends = |c: char| !(c.is_ascii_lowercase() || c == '-' || c == '.');
        rest.split(ends).next().unwrap_or_default()
    });
    flags
        .map(|flag| flag.trim_end_matches('.'))
        .filter(|flag| flag.contains('.'))
}

/// The names of metrics; one that is cut off by `*` ends with `_`.
fn metrics_in(text: &str) -> impl Iterator<Item = &str> {
    let ends = |c: char| !(c.is_ascii_alphanumeric() || "_:.".contains(c));
    let words = text
        .split(ends)
        .map(|word| word.trim_end_matches([':', '.']));
    let begins = |word: &&str| word.starts_with("nexmo_audit_") || word.starts_with("process_");
    words.filter(move |word| begins(word) && !word.contains([':', '.']) && *word != CRATE)
}

fn is_exported(name: &str) -> bool {
    let families = catalog::ALL.iter();
    let is_named = |family: &Family| {
        let rest = name.strip_prefix(family.name);
        match (rest, family.kind) {
            (Some(""), _) => true,
            (Some(suffix), Kind::Histogram) => ["_bucket", "_sum", "_count"].contains(&suffix),
            _ => name.ends_with('_') && family.name.starts_with(name),
        }
    };
    OF_THE_PROCESS.contains(&name)
        || name == "process_"
        || families.copied().any(|family| is_named(&family))
}

/// The file that a piece of code begins with; none where a part of it is left open.
fn file_in(span: &str) -> Option<&str> {
    let path = span.split(' ').next()?;
    let name = path.rsplit('/').next()?;
    let is_open = path.contains(['*', '<', '…']) || name.chars().all(|c| c.is_ascii_uppercase());
    let is_file = FOLDERS.iter().any(|folder| path.starts_with(folder));
    (is_file && !is_open).then_some(path)
}

#[test]
fn a_name_is_that_of_something() {
    let repository = Repository::of(&[("src/main.rs", ""), ("crates/a/src/lib.rs", "")]);
    let cases = [
        (
            "`--poll.interval=30s`, `--api.*`, --storage.tsdb.retention.time=31d.",
            0,
        ),
        (
            "`nexmo_audit_up`, nexmo_audit_poll_duration_seconds_bucket, `nexmo_audit_config_*`",
            0,
        ),
        (
            "`nexmo_audit_exporter::cli`, `nexmo_audit:watched`, `process_*`",
            0,
        ),
        (
            "`src/main.rs`, `src/lib.rs` `fuzz/regressions/TARGET`, `tests/store*.rs`",
            0,
        ),
        ("`--poll.intervall=30s`", 1),
        ("`nexmo_audit_down`", 1),
        ("`nexmo_audit_up_bucket`", 1),
        ("`process_memory`", 1),
        ("`src/gone.rs start`", 1),
    ];
    for (text, expected) in cases {
        let document = Document::read("crates/a/README.md", text);
        let problems = unknown(&document, &repository);
        assert_eq!(problems.len(), expected, "{text}: {problems:?}");
    }
}

#[test]
fn a_page_names_everything() {
    let page = Document::read("a.md", "`--output` `nexmo_audit_up`");
    let left_out = flags_left_out(&page, &["events", "types"]);
    assert!(
        left_out.contains(&"a.md: --account of [\"events\", \"types\"] is left out".to_owned())
    );
    assert!(!left_out.iter().any(|problem| problem.contains("--output")));
    assert_eq!(metrics_left_out(&page).len(), catalog::ALL.len() - 1);
    let files = [("src/a/b.rs", ""), ("src/c.rs", ""), ("src/lib.rs", "")];
    let repository = Repository::of(&[&files[..], &[("crates/d/src/lib.rs", "")]].concat());
    let map = Document::read("a.md", "`src/a` `d`");
    let expected = ["a.md: src/c.rs is left out"];
    assert_eq!(modules_left_out(&map, &repository), expected);
}
