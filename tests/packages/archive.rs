//! The release archive, and what a release publishes beside it.

use std::collections::BTreeSet;
use std::env::{self, consts::ARCH};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use pulldown_cmark::{Event, Parser, Tag};
use test_support::repository;
use test_support::tools;

use super::output_of;
use super::static_program::static_program;

/// What the documents link to that only the sources have.
const IN_THE_SOURCES: [&str; 6] = [
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "RELEASING.md",
    "benches/RESULTS.md",
    "crates/",
    "tests/",
];

/// Returns the name of the archive as Prometheus and its exporters name theirs.
fn name() -> String {
    let architecture = match ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let version = env!("CARGO_PKG_VERSION");
    format!("nexmo-audit-exporter-{version}.linux-{architecture}")
}

#[test]
fn the_readme_names_what_is_made() {
    let readme = fs::read_to_string(repository("README.md")).expect("the README");
    let version = env!("CARGO_PKG_VERSION");
    for file in [
        format!("nexmo-audit-exporter-{version}.linux-amd64.tar.gz"),
        format!("nexmo-audit-exporter_{version}-1_amd64.deb"),
        format!("nexmo-audit-exporter:{version}"),
    ] {
        assert!(readme.contains(&file), "{file}");
    }
}

fn pack(program: &Path, folder: &Path, umask: &str) -> PathBuf {
    let mut pack = Command::new("bash");
    pack.args(["-c", r#"umask "$0" && exec "$@""#, umask]);
    pack.arg(repository("packaging/archive.sh"));
    let said = output_of(pack.arg(program).arg(folder));
    PathBuf::from(said.trim())
}

#[test]
fn the_archive_has_the_program_and_all_that_the_documents_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = pack(&static_program(), folder.path(), "022");
    assert_eq!(archive, folder.path().join(format!("{}.tar.gz", name())));
    let mut unpack = Command::new("tar");
    unpack
        .arg("-xzf")
        .arg(&archive)
        .arg("-C")
        .arg(folder.path());
    output_of(&mut unpack);

    let root = folder.path().join(name());
    let version = output_of(Command::new(root.join("nexmo-audit-exporter")).arg("-V"));
    assert_eq!(
        version.trim(),
        concat!("nexmo-audit-exporter ", env!("CARGO_PKG_VERSION"))
    );
    for path in [
        "CHANGELOG.md",
        "LICENSE",
        "LICENSES-OF-CRATES",
        "dashboards/grafana/nexmo-audit-overview.json",
        "dashboards/prometheus/rules/nexmo-audit.events.yml",
        "packaging/completions/nexmo-audit-exporter.fish",
        "packaging/kubernetes/example/kustomization.yaml",
        "packaging/man/nexmo-audit-exporter-serve.1",
        "packaging/systemd/nexmo-audit-exporter.service",
    ] {
        assert!(root.join(path).is_file(), "{path} is missing");
    }
    let licenses = fs::read_to_string(root.join("LICENSES-OF-CRATES")).expect("licenses");
    for of in ["\nring ", "Brian Smith", "Permission is hereby granted"] {
        assert!(licenses.contains(of), "{of}");
    }
    assert_eq!(broken_links(&root), BTreeSet::new());
}

/// Returns the links of all documents to files that neither the archive nor the sources have.
fn broken_links(root: &Path) -> BTreeSet<String> {
    let list = output_of(Command::new("find").arg(root).args(["-name", "*.md"]));
    let mut broken = BTreeSet::new();
    for page in list.lines().map(Path::new) {
        let text = fs::read_to_string(page).expect("a page");
        for event in Parser::new(&text) {
            let Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) = event
            else {
                continue;
            };
            let path = dest_url.split('#').next().unwrap_or_default();
            let target = page.parent().expect("a folder").join(path);
            let in_the_sources = |name: &&str| path.trim_start_matches("../").starts_with(*name);
            if !path.contains("://")
                && !target.exists()
                && !IN_THE_SOURCES.iter().any(in_the_sources)
            {
                broken.insert(format!("{}: {dest_url}", page.display()));
            }
        }
    }
    broken
}

#[test]
fn the_same_input_makes_the_same_archive() {
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let program = Path::new("/bin/true");
    let one = fs::read(pack(program, folders[0].path(), "022")).expect("an archive");
    let other = fs::read(pack(program, folders[1].path(), "077")).expect("an archive");
    assert!(one == other, "{} and {} bytes", one.len(), other.len());
}

/// Stands for the program that lists the parts, which takes minutes to install.
const CYCLONEDX: &str = r#"#!/bin/sh
echo '{"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1}' >nexmo-audit-exporter_bin.cdx.json
"#;

#[test]
fn a_release_is_published_with_checksums() {
    if tools::require("dpkg-deb").is_none() || tools::require("tests-python").is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let tool = folder.path().join("cargo-cyclonedx");
    fs::write(&tool, CYCLONEDX).expect("a script");
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).expect("a script");
    let path = env::var("PATH").expect("a path");

    let release = folder.path().join("dist");
    let mut dist = Command::new(repository("packaging/dist.sh"));
    dist.arg(&release).arg(static_program());
    dist.env("PATH", format!("{}:{path}", folder.path().display()));
    output_of(dist.env("DEB_COMPRESSION_LEVEL", "0"));
    let mut check = Command::new("sha256sum");
    check.args(["--check", "--strict", "SHA256SUMS"]);
    let said = output_of(check.current_dir(&release));
    let checked: BTreeSet<_> = said
        .lines()
        .filter_map(|line| line.strip_suffix(": OK"))
        .collect();

    let files = fs::read_dir(&release).expect("a folder");
    let names = files.map(|file| file.expect("a file").file_name().into_string());
    let mut names: BTreeSet<_> = names.map(|name| name.expect("UTF-8")).collect();
    assert!(names.remove("SHA256SUMS"));
    assert!(checked.iter().copied().eq(&names), "{checked:?}");
    let version = env!("CARGO_PKG_VERSION");
    let architecture = output_of(Command::new("dpkg").arg("--print-architecture"));
    let expected = [
        format!("{}.tar.gz", name()),
        format!("nexmo-audit-exporter-{version}.cdx.json"),
        format!(
            "nexmo-audit-exporter_{version}-1_{}.deb",
            architecture.trim()
        ),
    ];
    assert_eq!(names, BTreeSet::from(expected));
}
