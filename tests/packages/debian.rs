//! The Debian package: built, checked by lintian, and installed into a root of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use test_support::repository;
use test_support::tools;

use super::output_of;
use super::static_program::static_program;

const NAME: &str = "nexmo-audit-exporter";

fn build(folder: &Path) -> PathBuf {
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

/// A root in which this package is the only one.
struct Root {
    folder: tempfile::TempDir,
    fakeroot: PathBuf,
}

impl Root {
    fn new() -> Option<Self> {
        let fakeroot = tools::require("fakeroot")?;
        tools::require("deb-systemd-helper")?;
        let folder = tempfile::tempdir().expect("a folder");
        for path in [
            "var/lib/dpkg/info",
            "var/lib/dpkg/updates",
            "etc/systemd/system",
        ] {
            fs::create_dir_all(folder.path().join(path)).expect("a folder");
        }
        for file in ["status", "available"] {
            fs::write(folder.path().join("var/lib/dpkg").join(file), "").expect("a file");
        }
        Some(Self { folder, fakeroot })
    }

    /// Runs dpkg so that its scripts find no running systemd, and leave this machine
    /// alone.
    fn dpkg(&self, arguments: &[&str]) -> String {
        let mut dpkg = Command::new(&self.fakeroot);
        dpkg.args(["dpkg", "--force-script-chrootless", "--force-confold"]);
        dpkg.arg(format!("--root={}", self.folder.path().display()));
        dpkg.arg("--log=/dev/null")
            .env("DEBIAN_FRONTEND", "noninteractive");
        output_of(dpkg.args(arguments))
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }
}

#[test]
fn the_package_is_installed_upgraded_and_removed() {
    let Some(root) = Root::new() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let package = build(folder.path());
    let package = package.to_str().expect("UTF-8");
    let wanted = root.path(&format!(
        "etc/systemd/system/multi-user.target.wants/{NAME}.service"
    ));
    let settings = root.path(&format!("etc/default/{NAME}"));
    let secret = root.path(&format!("etc/{NAME}/api-secret"));

    root.dpkg(&["--install", package]);
    assert!(wanted.is_symlink(), "the service is enabled");
    let program = root.path(&format!("usr/bin/{NAME}"));
    let version = output_of(Command::new(program).arg("-V"));
    assert_eq!(
        version.trim(),
        format!("{NAME} {}", env!("CARGO_PKG_VERSION"))
    );

    fs::write(&settings, "NEXMO_API_KEY=mine\n").expect("settings");
    fs::write(&secret, "mine").expect("a secret");
    fs::remove_file(&wanted).expect("the administrator disables the service");
    root.dpkg(&["--install", package]);
    assert!(!wanted.is_symlink(), "an upgrade leaves it disabled");
    assert_eq!(
        fs::read_to_string(&settings).ok().as_deref(),
        Some("NEXMO_API_KEY=mine\n")
    );

    root.dpkg(&["--remove", NAME]);
    assert!(settings.exists() && secret.exists());
    root.dpkg(&["--purge", NAME]);
    assert!(!settings.exists() && !secret.exists());
}
