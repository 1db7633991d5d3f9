//! The dependencies of the program, as cargo knows them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use serde_json::Value;
use test_support::repository;

use super::output_of;

/// The only part that is not Rust: TLS needs cryptography that is proven in C and
/// assembly. A new row needs a reason of that weight.
const NATIVE: [&str; 1] = ["ring"];

/// The crates with which a build script compiles, generates or looks up native code.
const NATIVE_BUILDERS: [&str; 7] = [
    "autotools",
    "bindgen",
    "cc",
    "cmake",
    "nasm-rs",
    "pkg-config",
    "vcpkg",
];

fn metadata() -> Value {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version=1", "--locked"]);
    cargo.args(["--filter-platform", "x86_64-unknown-linux-gnu"]);
    let text = output_of(cargo.current_dir(repository("")));
    serde_json::from_str(&text).expect("JSON")
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Returns what a package is built with, without what only its tests need.
fn needed(node: &Value) -> impl Iterator<Item = &str> {
    let not_for_tests =
        |dependency: &&Value| array(&dependency["dep_kinds"]).any(|kind| kind["kind"] != "dev");
    let dependencies = array(&node["deps"]).filter(not_for_tests);
    dependencies.filter_map(|dependency| dependency["pkg"].as_str())
}

#[test]
fn nothing_but_cryptography_is_native_code() {
    let metadata = metadata();
    let by_id = |values| array(values).map(|value| (value["id"].as_str(), value));
    let nodes: BTreeMap<_, _> = by_id(&metadata["resolve"]["nodes"]).collect();
    let packages: BTreeMap<_, _> = by_id(&metadata["packages"]).collect();
    let name = |id: &str| packages[&Some(id)]["name"].as_str().unwrap_or_default();

    let mut built_in = BTreeSet::new();
    let mut native = BTreeSet::new();
    let mut waiting: Vec<_> = metadata["resolve"]["root"].as_str().into_iter().collect();
    while let Some(id) = waiting.pop() {
        let (package, node) = (packages[&Some(id)], nodes[&Some(id)]);
        let compiles = needed(node).any(|other| NATIVE_BUILDERS.contains(&name(other)));
        if compiles || !package["links"].is_null() {
            native.insert(name(id));
        }
        waiting.extend(needed(node).filter(|other| built_in.insert(*other)));
    }
    assert!(built_in.len() > 100, "{built_in:?}");
    assert_eq!(native, BTreeSet::from(NATIVE));
}

#[test]
fn unsafe_code_is_forbidden() {
    let manifest = fs::read_to_string(repository("Cargo.toml")).expect("the manifest");
    let (_, lints) = manifest
        .split_once("\n[workspace.lints.rust]\n")
        .expect("lints");
    let lints = lints.split("\n[").next().unwrap_or_default();
    // A lint that is forbidden cannot be allowed again further down.
    let forbids = |line: &str| line == "unsafe_code = \"forbid\"";
    assert!(lints.lines().any(forbids), "{lints}");
    let crates = fs::read_dir(repository("crates")).expect("the crates");
    let crates = crates.map(|entry| entry.expect("a crate").path().join("Cargo.toml"));
    for path in crates.chain([repository("Cargo.toml")]) {
        let manifest = fs::read_to_string(&path).expect("a manifest");
        let takes_them = manifest.contains("\n[lints]\nworkspace = true\n");
        assert!(
            takes_them,
            "{} does not take the lints of the workspace",
            path.display()
        );
    }
}
