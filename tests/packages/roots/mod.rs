//! The package in small roots of the Debian releases, each booted by its own systemd: from
//! the installation to the end, and upgraded from the package before.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use test_support::repository;
use test_support::tools;

use super::debian;
use super::output_of;
use super::static_program::static_program;

/// The longest time that a root may run.
const LONGEST: &str = "300";

#[test]
fn the_package_from_its_installation_to_its_end_on_debian_11() {
    run_in("bullseye", "life.sh");
}

#[test]
fn the_package_from_its_installation_to_its_end_on_debian_12() {
    run_in("bookworm", "life.sh");
}

#[test]
fn the_package_from_its_installation_to_its_end_on_debian_13() {
    run_in("trixie", "life.sh");
}

#[test]
fn an_upgrade_loses_nothing_on_debian_11() {
    run_in("bullseye", "upgrade.sh");
}

#[test]
fn an_upgrade_loses_nothing_on_debian_12() {
    run_in("bookworm", "upgrade.sh");
}

#[test]
fn an_upgrade_loses_nothing_on_debian_13() {
    run_in("trixie", "upgrade.sh");
}

#[test]
fn a_restart_refuses_no_scrape_on_debian_11() {
    run_in("bullseye", "socket.sh");
}

#[test]
fn a_restart_refuses_no_scrape_on_debian_13() {
    run_in("trixie", "socket.sh");
}

#[test]
fn an_unusual_upgrade_loses_nothing() {
    run_in("bookworm", "unusual_upgrade.sh");
}

/// Boots a release, has it run a script of this folder, and fails with what the script
/// said. The root itself stays as it is: what is written goes to memory.
fn run_in(release: &str, script: &str) {
    let Some(nspawn) = tools::require("systemd-nspawn") else {
        return;
    };
    if tools::require_root().is_none() {
        return;
    }
    // Made by tests/tools/roots.sh.
    let Some(root) = tools::require_folder(&format!("roots/{release}")) else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    fill(folder.path(), script);
    // The folder's name is that of no other test.
    let machine = folder.path().file_name().and_then(|name| name.to_str());
    let machine = machine.expect("UTF-8").replace('.', "packages-");
    let group = ControlGroup::new(&machine);
    let mut boot = Command::new("timeout");
    boot.args(["--kill-after=10", LONGEST, "bash", "-c"]);
    boot.arg(r#"[[ -z $GROUP ]] || echo $$ >"$GROUP/cgroup.procs"; exec "$@""#);
    boot.arg("bash").arg(nspawn);
    boot.arg("--directory").arg(root);
    boot.args(["--boot", "--volatile=overlay", "--private-network"]);
    boot.args(["--register=no", "--console=pipe", "--quiet"]);
    boot.args(group.arguments());
    let test = folder.path().display();
    boot.arg(format!("--machine={machine}"));
    boot.arg(format!("--bind={test}:/test"));
    for unit in ["test.service", "test.target"] {
        boot.arg(format!(
            "--bind-ro={test}/{unit}:/etc/systemd/system/{unit}"
        ));
    }
    boot.arg("systemd.unit=test.target");
    boot.env("GROUP", group.path());
    boot.env("SYSTEMD_NSPAWN_UNIFIED_HIERARCHY", "1");
    let output = boot.stdin(Stdio::null()).output().expect("systemd-nspawn");
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap_or_default();
    assert!(
        read("status").trim() == "0",
        "{script} in {release}:\n{}\n{}{}",
        read("said"),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Puts what the root sees as /test into the folder.
fn fill(folder: &Path, script: &str) {
    let program = static_program();
    let scripts = repository("tests/packages/roots");
    for name in ["common.sh", "before.sh", script] {
        fs::copy(scripts.join(name), folder.join(name)).expect("a script");
    }
    fs::copy(&program, folder.join("program")).expect("the program");
    fs::rename(debian::build(folder), folder.join("package.deb")).expect("the package");
    let mut before = Command::new(scripts.join("before/build.sh"));
    output_of(before.arg(&program).arg(folder.join("before.deb")));
    let service = format!(
        "[Unit]\nAfter=multi-user.target\n[Service]\nExecStart=/bin/bash -c '\
         bash /test/{script} >/test/said 2>&1; echo $$? >/test/status; \
         systemctl poweroff --force'\n"
    );
    let target = "[Unit]\nRequires=multi-user.target test.service\n";
    fs::write(folder.join("test.service"), service).expect("a unit");
    fs::write(folder.join("test.target"), target).expect("a unit");
}

/// A control group of its own for a root. systemd of this machine makes one, where systemd
/// runs; otherwise several roots would have one group together.
struct ControlGroup(Option<PathBuf>);

impl ControlGroup {
    fn new(machine: &str) -> Self {
        if Path::new("/run/systemd/system").exists() {
            return Self(None);
        }
        let mounts = fs::read_to_string("/proc/self/mounts").expect("mounts");
        let mut mounts = mounts.lines().map(|line| line.split(' '));
        let group = mounts.find_map(|mut mount| {
            let (path, kind) = (mount.nth(1)?, mount.next()?);
            (kind == "cgroup2").then(|| PathBuf::from(path))
        });
        let group = group.expect("cgroup2 is mounted");
        let group = group.join(machine);
        fs::create_dir(&group).expect("a control group");
        Self(Some(group))
    }

    fn path(&self) -> &Path {
        self.0.as_deref().unwrap_or(Path::new(""))
    }

    /// Returns what systemd-nspawn is told of the group.
    fn arguments(&self) -> Option<&str> {
        self.0.as_ref().map(|_| "--keep-unit")
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        if let Some(group) = &self.0 {
            remove_groups(group);
        }
    }
}

/// Removes a control group and those in it, whose files go with them.
fn remove_groups(group: &Path) {
    for inner in fs::read_dir(group).into_iter().flatten().flatten() {
        if inner.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_groups(&inner.path());
        }
    }
    let _ = fs::remove_dir(group);
}
