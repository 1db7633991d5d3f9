//! Runs the properties of the fuzzers on every input that was kept: the inputs that
//! reach most of the code, and those that once broke a property. No fuzzer is needed.

use std::{fs, panic::catch_unwind, path::PathBuf};

use test_support::repository;

type Property = fn(&[u8]);

const TARGETS: &[(&str, Property)] = &[
    ("accept", fuzz_properties::accept::holds),
    ("config", fuzz_properties::config::holds),
    ("event", fuzz_properties::event::holds),
    ("import", fuzz_properties::import::holds),
    ("page", fuzz_properties::page::holds),
    ("paging", fuzz_properties::paging::holds),
    ("reload", fuzz_properties::reload::holds),
    ("retry_after", fuzz_properties::retry_after::holds),
    ("settings", fuzz_properties::settings::holds),
    ("state", fuzz_properties::state::holds),
    ("store", fuzz_properties::store::holds),
    ("types", fuzz_properties::types::holds),
    ("vendor_message", fuzz_properties::vendor_message::holds),
    ("web_config", fuzz_properties::web_config::holds),
    ("yaml", fuzz_properties::yaml::holds),
];

/// Returns the names in a folder below `fuzz`, in order.
fn names(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(repository("fuzz").join(folder))
        .into_iter()
        .flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.into_string().expect("a name"))
        .collect();
    names.sort();
    names
}

fn inputs(target: &str) -> Vec<PathBuf> {
    let below = |kind| {
        let folder = format!("{kind}/{target}");
        let names = names(&folder).into_iter();
        names.map(move |name| repository("fuzz").join(&folder).join(name))
    };
    below("corpus").chain(below("regressions")).collect()
}

fn holds_of_all(target: &str) {
    let (_, property) = TARGETS
        .iter()
        .find(|(name, _)| *name == target)
        .expect("a target");
    let inputs = inputs(target);
    assert!(!inputs.is_empty(), "{target} has no corpus");
    let broken: Vec<_> = inputs
        .iter()
        .filter(|input| {
            let bytes = fs::read(input).expect("an input");
            catch_unwind(|| property(&bytes)).is_err()
        })
        .collect();
    assert!(broken.is_empty(), "{target} does not hold of {broken:#?}");
}

#[test]
fn every_target_is_fuzzed_and_tested() {
    let tested: Vec<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let fuzzed = names("targets");
    let fuzzed: Vec<_> = fuzzed
        .iter()
        .map(|file| file.trim_end_matches(".rs").to_owned())
        .collect();
    assert_eq!(fuzzed, tested);
    assert_eq!(names("corpus"), tested);
    let unknown: Vec<_> = names("regressions")
        .into_iter()
        .filter(|name| !tested.contains(name))
        .collect();
    assert_eq!(unknown, [""; 0], "regressions of no target");
}

/// Makes a test for each target, so that one failure hides no other.
macro_rules! corpus {
    ($($target:ident),*) => {
        $(
            #[test]
            fn $target() {
                holds_of_all(stringify!($target));
            }
        )*
    };
}

corpus!(
    accept,
    config,
    event,
    import,
    page,
    paging,
    reload,
    retry_after,
    settings,
    state,
    store,
    types,
    vendor_message,
    web_config,
    yaml
);
