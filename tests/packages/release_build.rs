//! The scripts that build the released program, run with a cargo that says what it would
//! build and builds nothing.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use test_support::repository;

use super::output_of;

/// Writes what cargo would build to `units.json` and how to `flags`, and makes an empty program.
const CARGO: &str = r#"#!/usr/bin/env bash
set -euo pipefail
here=$(dirname "$0")
if [[ $1 == build ]]; then
    echo "$RUSTFLAGS" >"$here/flags"
    env --unset=RUSTFLAGS RUSTC_BOOTSTRAP=1 "$REAL_CARGO" "$@" --offline -Z unstable-options --unit-graph >"$here/units.json"
    program=$CARGO_TARGET_DIR/$(rustc --print host-tuple)/release/nexmo-audit-exporter
    mkdir -p "$(dirname "$program")"
    touch "$program"
else
    exec "$REAL_CARGO" "$@"
fi
"#;

/// A compiler of a machine that is not this one.
const RUSTC: &str = r#"#!/usr/bin/env bash
if [[ $* == "--print host-tuple" ]]; then
    echo aarch64-unknown-linux-gnu
else
    exec "$REAL_RUSTC" "$@"
fi
"#;

/// The compiler of Debian 12, as far as it is asked.
const OLD_RUSTC: &str = r#"#!/usr/bin/env bash
[[ $* == --version ]] && echo "rustc 1.63.0 (Debian 1.63.0)"
"#;

/// A folder of stand-ins for programs, which comes first in the path.
struct StandIns {
    folder: tempfile::TempDir,
}

impl StandIns {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let stand_ins = Self { folder };
        stand_ins.put("cargo", CARGO);
        stand_ins
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, name: &str, script: &str) {
        let path = self.path(name);
        fs::write(&path, script).expect("a script");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a script");
    }

    fn run(&self, script: &mut Command) {
        script
            .env("REAL_CARGO", env!("CARGO"))
            .env("REAL_RUSTC", real_rustc())
            .env("CARGO_TARGET_DIR", self.path("target"));
        output_of(self.first_in_path(script));
    }

    fn first_in_path<'c>(&self, script: &'c mut Command) -> &'c mut Command {
        let path = env::var("PATH").expect("a path");
        let folder = self.folder.path().display();
        script.env("PATH", format!("{folder}:{path}"))
    }

    /// Returns what cargo would build of packages from the registry, with profile and features.
    fn dependencies(&self) -> BTreeSet<String> {
        let text = fs::read_to_string(self.path("units.json")).expect("units");
        let graph: Value = serde_json::from_str(&text).expect("JSON");
        let units = graph["units"].as_array().expect("units").iter();
        let of_others = units.filter(|unit| unit["pkg_id"].to_string().contains("registry+"));
        of_others
            .map(|unit| {
                let of_unit = [
                    "pkg_id", "target", "profile", "platform", "mode", "features",
                ];
                of_unit.map(|key| unit[key].to_string()).join(" ")
            })
            .collect()
    }
}

fn real_rustc() -> PathBuf {
    let sysroot = output_of(Command::new("rustc").args(["--print", "sysroot"]));
    Path::new(sysroot.trim()).join("bin/rustc")
}

/// Returns what the Dockerfile copies before it builds dependencies.
fn copied_for_dependencies() -> BTreeSet<String> {
    let dockerfile = fs::read_to_string(repository("Dockerfile")).expect("the Dockerfile");
    let step = "\nRUN packaging/build-dependencies.sh\n";
    let (before, _) = dockerfile
        .split_once(step)
        .expect("a layer of dependencies");
    let copies = before.lines().filter_map(|line| line.strip_prefix("COPY "));
    let sources = copies.flat_map(|copy| {
        let paths: Vec<_> = copy.split(' ').collect();
        paths[..paths.len() - 1].to_vec()
    });
    sources.map(str::to_owned).collect()
}

#[test]
fn the_layer_of_dependencies_has_all_that_the_program_is_built_with() {
    let copied = copied_for_dependencies();
    let crates = fs::read_dir(repository("crates")).expect("the crates");
    let names = crates.map(|entry| entry.expect("a crate").file_name().into_string());
    let expected = names.map(|name| format!("crates/{}/Cargo.toml", name.expect("UTF-8")));
    let others = [
        "Cargo.lock",
        "Cargo.toml",
        "packaging/build-dependencies.sh",
        "packaging/build.sh",
    ];
    let expected: BTreeSet<_> = expected.chain(others.map(str::to_owned)).collect();
    // What else is copied would have the dependencies built again when it changes.
    assert_eq!(copied, expected);

    let image = tempfile::tempdir().expect("a folder");
    let mut copy = Command::new("cp");
    copy.arg("--parents").args(&copied).arg(image.path());
    output_of(copy.current_dir(repository("")));
    let stand_ins = StandIns::new();
    let script = image.path().join("packaging/build-dependencies.sh");
    stand_ins.run(&mut Command::new(script));
    assert!(!image.path().join("src/main.rs").exists());
    let in_the_layer = stand_ins.dependencies();

    let program = image.path().join("program");
    let mut build = Command::new(repository("packaging/build.sh"));
    build.arg(program);
    stand_ins.run(&mut build);
    let of_the_program = stand_ins.dependencies();
    assert!(of_the_program.len() > 100, "{of_the_program:?}");
    assert_eq!(in_the_layer, of_the_program);
}

#[test]
fn dependencies_are_not_built_over_sources() {
    let script = repository("packaging/build-dependencies.sh");
    let output = Command::new(script).output().expect("the script");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("has sources"), "{said}");
}

/// rustc brings a linker of its own for `x86_64` only: elsewhere the linker of the system must
/// know every flag. The one of this machine stands for that of an arm64 machine.
#[test]
fn the_program_is_linked_on_arm64_by_the_linker_of_the_system() {
    let stand_ins = StandIns::new();
    stand_ins.put("rustc", RUSTC);
    stand_ins.run(Command::new(repository("packaging/build.sh")).arg(stand_ins.path("program")));
    let flags = fs::read_to_string(stand_ins.path("flags")).expect("flags");
    assert!(flags.contains("-C target-feature=+crt-static"), "{flags}");

    let source = stand_ins.path("main.rs");
    fs::write(&source, "fn main() {}").expect("a source");
    let mut rustc = Command::new(real_rustc());
    rustc
        .args(flags.split_whitespace())
        .arg("-Clinker-features=-lld");
    rustc.arg("-o").arg(stand_ins.path("linked")).arg(&source);
    output_of(&mut rustc);
    output_of(&mut Command::new(stand_ins.path("linked")));
}

#[test]
fn an_old_rust_builds_no_release_and_is_told_what_is_wanted() {
    let stand_ins = StandIns::new();
    stand_ins.put("rustc", OLD_RUSTC);
    let mut script = Command::new(repository("packaging/build.sh"));
    script.arg(stand_ins.path("program"));
    let output = stand_ins.first_in_path(&mut script).output();
    let output = output.expect("the script");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let wanted = env!("CARGO_PKG_RUST_VERSION");
    let expected = format!(
        "Rust {wanted} or newer is needed, and rustc is 1.63.0: install it by https://rustup.rs\n"
    );
    assert_eq!(said, expected);
}
