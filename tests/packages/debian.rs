//! The Debian package: built, and checked by lintian.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use test_support::repository;
use test_support::tools;

use super::output_of;
use super::static_program::static_program;

/// Builds the package into the folder, and returns its path.
pub(crate) fn build(folder: &Path) -> PathBuf {
    let mut build = Command::new(repository("packaging/debian/build.sh"));
    build.arg(static_program()).arg(folder);
    // Without optimization the program is three times as large.
    build.env("DEB_COMPRESSION_LEVEL", "0");
    PathBuf::from(output_of(&mut build).trim())
}

#[test]
fn lintian_finds_no_fault_with_the_package() {
    let Some(lintian) = tools::require("lintian") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let mut lintian = Command::new(lintian);
    lintian.args(["--allow-root", "--fail-on=error,warning", "--no-cfg"]);
    let said = output_of(lintian.arg(build(folder.path())));
    assert_eq!(said, "");
}

#[test]
fn the_same_input_makes_the_same_package() {
    if tools::require("dpkg-deb").is_none() {
        return;
    }
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let [one, other] = folders
        .each_ref()
        .map(|folder| fs::read(build(folder.path())).expect("a package"));
    assert!(
        one == other,
        "packages of {} and {} bytes",
        one.len(),
        other.len()
    );
}
