//! The packages that `cargo package` makes, from which `cargo install` builds the program.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use test_support::repository;

use super::output_of;

/// The exporter, and the crates of this repository that it is built with.
const PACKAGES: [&str; 5] = [
    "audit-core",
    "audit-simulator",
    "exporter-web",
    "nexmo-audit-exporter",
    "yaml-tree",
];

/// The largest package, in bytes. A corpus, a picture or a golden file makes one larger.
const LARGEST: u64 = 400 * 1024;

/// What the package of the exporter has beside `src`.
const BESIDE_THE_SOURCES: [&str; 8] = [
    ".cargo_vcs_info.json",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "Cargo.toml.orig",
    "LICENSE",
    "README.md",
    "build.rs",
];

/// Runs `cargo package`, which `make crates` lets build the packages as well.
fn package() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("crates");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["package", "--locked", "--offline", "--no-verify"]);
    cargo.args(["--allow-dirty", "--target-dir"]).arg(&target);
    output_of(cargo.current_dir(repository("")));
    target.join("package")
}

/// Returns the names of the files in a package, without the folder that holds them all.
fn files(package: &Path) -> BTreeSet<String> {
    let list = output_of(Command::new("tar").arg("-tzf").arg(package));
    let files = list.lines().filter_map(|line| line.split_once('/'));
    files.map(|(_, file)| file.to_owned()).collect()
}

#[test]
fn packages_have_what_a_build_needs_and_no_more() {
    let folder = package();
    for name in PACKAGES {
        let version = env!("CARGO_PKG_VERSION");
        let package = folder.join(format!("{name}-{version}.crate"));
        let size = fs::metadata(&package).expect("a package").len();
        assert!(size < LARGEST, "{name} has {size} bytes");
        let files = files(&package);
        for file in ["Cargo.toml", "LICENSE", "src/lib.rs"] {
            assert!(files.contains(file), "{name} lacks {file}");
        }
        if name == "nexmo-audit-exporter" {
            let is_source = |file: &&str| file.starts_with("src/");
            let (sources, others): (BTreeSet<_>, _) =
                files.iter().map(String::as_str).partition(is_source);
            assert_eq!(others, BTreeSet::from(BESIDE_THE_SOURCES));
            assert!(sources.contains("src/main.rs"));
            assert!(sources.contains("src/server/landing/landing.css"));
        }
    }
}

/// `cargo package` makes packages of the default members of the workspace. The exporter cannot
/// be built from its package without the packages of the crates that it needs.
#[test]
fn a_crate_is_packaged_if_the_program_is_built_with_it() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version=1", "--no-deps", "--offline"]);
    let text = output_of(cargo.current_dir(repository("")));
    let metadata: Value = serde_json::from_str(&text).expect("JSON");
    let members = |key: &str| {
        let ids = metadata[key].as_array().expect("members").iter();
        ids.map(|id| package_of(&metadata, id))
    };
    let packaged: BTreeSet<_> = members("workspace_default_members").map(name).collect();
    assert_eq!(packaged, BTreeSet::from(PACKAGES));
    let needed: BTreeSet<_> = members("workspace_default_members")
        .flat_map(|package| package["dependencies"].as_array().expect("dependencies"))
        .filter(|dependency| dependency["kind"].is_null() && !dependency["path"].is_null())
        .map(name)
        .collect();
    assert!(needed.is_subset(&packaged), "{needed:?}");
    for package in members("workspace_members") {
        let is_published = package["publish"].is_null();
        assert_eq!(is_published, packaged.contains(name(package)), "{package}");
    }
}

fn package_of<'m>(metadata: &'m Value, id: &Value) -> &'m Value {
    let mut packages = metadata["packages"].as_array().expect("packages").iter();
    let package = packages.find(|package| package["id"] == *id);
    package.expect("the package of a member")
}

fn name(of: &Value) -> &str {
    of["name"].as_str().expect("a name")
}

/// The build script of the exporter, compiled.
struct BuildScript {
    folder: tempfile::TempDir,
}

impl BuildScript {
    fn compile() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut rustc = Command::new("rustc");
        rustc.args(["--edition=2024", "build.rs", "--out-dir"]);
        rustc.arg(folder.path()).current_dir(repository(""));
        output_of(&mut rustc);
        fs::create_dir(folder.path().join("sources")).expect("a folder");
        Self { folder }
    }

    fn sources(&self) -> PathBuf {
        self.folder.path().join("sources")
    }

    /// Returns the revision that the script tells of a folder.
    fn revision(&self, given: Option<&str>) -> String {
        let mut script = Command::new(self.folder.path().join("build"));
        script.current_dir(self.sources());
        script.env_remove("NEXMO_AUDIT_REVISION");
        script.envs(given.map(|given| ("NEXMO_AUDIT_REVISION", given)));
        let said = output_of(&mut script);
        let mut lines = said.lines();
        let line = lines.find_map(|line| line.strip_prefix("cargo:rustc-env=BUILD_REVISION="));
        line.expect("a revision").to_owned()
    }

    /// Makes a repository of a folder, and returns its revision.
    fn commit(folder: &Path) -> String {
        let git = |arguments: &[&str]| {
            let mut git = Command::new("git");
            git.args(["-c", "user.name=a", "-c", "user.email=a@example.org"]);
            output_of(git.args(arguments).current_dir(folder))
        };
        git(&["init", "--quiet"]);
        git(&["commit", "--quiet", "--allow-empty", "--message=a"]);
        git(&["rev-parse", "--short=12", "HEAD"]).trim().to_owned()
    }
}

#[test]
fn the_revision_is_that_of_the_sources() {
    let script = BuildScript::compile();
    assert_eq!(script.revision(None), "unknown");
    // A home folder in git is no repository of the packages below it.
    BuildScript::commit(script.folder.path());
    assert_eq!(script.revision(None), "unknown");
    let revision = BuildScript::commit(&script.sources());
    assert_eq!(script.revision(None), revision);

    let packaged = |git: &str| {
        let text = format!("{{\n  \"git\": {{\n{git}  }},\n  \"path_in_vcs\": \"\"\n}}");
        let path = script.sources().join(".cargo_vcs_info.json");
        fs::write(path, text).expect("a file");
        script.revision(None)
    };
    let sha1 = "    \"sha1\": \"a2b7775f0b4ad6f1a1fbd5e9ba8f0dd4c43d1a2e\"";
    assert_eq!(packaged(&format!("{sha1}\n")), "a2b7775f0b4a");
    let changed = format!("{sha1},\n    \"dirty\": true\n");
    assert_eq!(packaged(&changed), "a2b7775f0b4a-dirty");
    assert_eq!(script.revision(Some("of the image")), "of the image");
}

/// A compiler that says that it is of the release before the one that is asked for.
const OLD_RUSTC: &str = r#"#!/bin/sh
rustc "$@" | sed '/^rustc 1\.\|^release: 1\./s/1\.[0-9]*/1.94/'
"#;

#[test]
fn an_older_rust_is_told_which_version_is_wanted() {
    let folder = tempfile::tempdir().expect("a folder");
    let rustc = folder.path().join("old-rustc");
    fs::write(&rustc, OLD_RUSTC).expect("a script");
    fs::set_permissions(&rustc, fs::Permissions::from_mode(0o755)).expect("a script");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "check",
        "--locked",
        "--offline",
        "--bin=nexmo-audit-exporter",
    ]);
    cargo.arg("--target-dir").arg(folder.path().join("target"));
    let output = cargo
        .current_dir(repository(""))
        .env("RUSTC", &rustc)
        .output()
        .expect("cargo");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let expected = format!(
        "nexmo-audit-exporter@{} requires rustc {}",
        env!("CARGO_PKG_VERSION"),
        env!("CARGO_PKG_RUST_VERSION")
    );
    assert!(said.contains(&expected), "{said}");
}

/// Each toolchain that builds the program is the one that it asks for.
#[test]
fn one_rust_version_is_asked_for_everywhere() {
    let wanted = env!("CARGO_PKG_RUST_VERSION");
    let has = |file: &str, text: &str| {
        let content = fs::read_to_string(repository(file)).expect("a file");
        assert!(content.contains(text), "{file} lacks {text}");
    };
    has("rust-toolchain.toml", &format!("channel = \"{wanted}.0\""));
    has("Dockerfile", &format!("FROM rust:{wanted}.0-"));
    has("README.md", &format!("Rust {wanted} "));
}
