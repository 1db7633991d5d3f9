//! The image: its last stage, made by buildah with a program that is linked as for a
//! release, and the program run in the image. `make image` builds all stages.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use test_support::eventually::eventually;
use test_support::http::HttpClient;
use test_support::process::Process;
use test_support::repository;
use test_support::tools;

use super::output_of;
use super::static_program::static_program;

/// The beginning of the last stage in the Dockerfile.
const LAST_STAGE: &str = "\nFROM scratch\n";

/// The user of the image, which has no name, since the image has no /etc/passwd.
const USER: u32 = 65532;

/// An image in a storage of its own.
struct Image {
    buildah: PathBuf,
    folder: tempfile::TempDir,
}

impl Image {
    fn build() -> Option<Self> {
        let buildah = tools::require("buildah")?;
        tools::require_root()?;
        let folder = tempfile::tempdir().expect("a folder");
        let image = Self { buildah, folder };
        image.commit_first_stage();
        image.build_last_stage();
        Some(image)
    }

    fn run(&self, arguments: &[&str]) -> String {
        let path = |name| self.folder.path().join(name);
        let mut buildah = Command::new(&self.buildah);
        buildah
            .args(["--storage-driver=vfs", "--root"])
            .arg(path("root"));
        buildah.arg("--runroot").arg(path("run"));
        output_of(buildah.args(arguments)).trim().to_owned()
    }

    /// Makes what the first stage leaves to the last.
    fn commit_first_stage(&self) {
        let stage = self.folder.path().join("stage");
        for path in ["out/data", "etc/ssl/certs"] {
            fs::create_dir_all(stage.join(path)).expect("a folder");
        }
        fs::copy(static_program(), stage.join("out/nexmo-audit-exporter")).expect("the program");
        let certificates = stage.join("etc/ssl/certs/ca-certificates.crt");
        fs::write(certificates, "certificates").expect("certificates");
        let container = self.run(&["from", "scratch"]);
        self.run(&[
            "copy",
            "--quiet",
            &container,
            stage.to_str().expect("UTF-8"),
            "/",
        ]);
        self.run(&["commit", "--quiet", &container, "localhost/build"]);
    }

    fn build_last_stage(&self) {
        let dockerfile = fs::read_to_string(repository("Dockerfile")).expect("the Dockerfile");
        let (_, last) = dockerfile.split_once(LAST_STAGE).expect("a last stage");
        let path = self.folder.path().join("Dockerfile");
        let text = format!("FROM localhost/build AS build\n{LAST_STAGE}{last}");
        fs::write(&path, text).expect("a file");
        let [file, context] =
            [&*path, self.folder.path()].map(|path| path.to_str().expect("UTF-8"));
        let how = ["--isolation=chroot", "--pull-never", "--format=docker"];
        let what = ["--tag=localhost/image", "--file", file, context];
        self.run(&[&["bud", "--quiet"][..], &how, &what].concat());
    }

    fn config(&self) -> Value {
        let text = self.run(&["inspect", "--type=image", "localhost/image"]);
        let mut all: Value = serde_json::from_str(&text).expect("JSON");
        all["Docker"]["config"].take()
    }

    /// Mounts the files of the image.
    fn mount(&self) -> PathBuf {
        let container = self.run(&["from", "--pull-never", "localhost/image"]);
        PathBuf::from(self.run(&["mount", &container]))
    }
}

/// Returns a command of the image that runs as its user, on a root that cannot be
/// written except for the volume, and with no variables but those of the image.
fn inside(root: &Path, config: &Value, more: &[&str]) -> Command {
    const RUN: &str = r#"
        root=$1 user=$2; shift 2
        mount --bind "$root" "$root"
        mount --bind "$root/data" "$root/data"
        mount -o remount,bind,ro "$root"
        cd "$root"
        exec chroot --userspec="$user" . "$@"
    "#;
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-euc", RUN, "sh"]);
    command
        .arg(root)
        .arg(config["User"].as_str().expect("a user"));
    command.args(more);
    command
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    for variable in config["Env"].as_array().expect("variables") {
        let variable = variable.as_str().expect("text");
        let (name, value) = variable.split_once('=').expect("a variable");
        command.env(name, value);
    }
    command
}

fn words(value: &Value) -> Vec<&str> {
    let words = value.as_array().into_iter().flatten();
    words.filter_map(Value::as_str).collect()
}

#[test]
fn the_image_is_what_the_dockerfile_says_and_runs() {
    let Some(image) = Image::build() else {
        return;
    };
    let config = image.config();
    assert_eq!(config["User"], format!("{USER}:{USER}"));
    assert_eq!(config["Entrypoint"], json!(["/nexmo-audit-exporter"]));
    assert_eq!(config["ExposedPorts"], json!({"10610/tcp": {}}));
    assert_eq!(config["Volumes"], json!({"/data": {}}));
    let check = words(&config["Healthcheck"]["Test"]);
    assert_eq!(check, ["CMD", "/nexmo-audit-exporter", "healthcheck"]);

    let root = image.mount();
    holds_nothing_else(&root);
    serves(&root, &config, &check[1..]);
}

fn holds_nothing_else(root: &Path) {
    let mut found = BTreeMap::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let of_it = path.metadata().expect("an entry");
            let name = path
                .strip_prefix(root)
                .expect("below")
                .display()
                .to_string();
            let mode = of_it.permissions().mode() & 0o777;
            found.insert(name, (of_it.uid(), of_it.gid(), mode));
            if of_it.is_dir() {
                waiting.push(path);
            }
        }
    }
    let names: Vec<_> = found.keys().map(String::as_str).collect();
    let certificates = "etc/ssl/certs/ca-certificates.crt";
    let expected = [
        "data",
        "etc",
        "etc/ssl",
        "etc/ssl/certs",
        certificates,
        "nexmo-audit-exporter",
    ];
    assert_eq!(names, expected);
    assert_eq!(found["data"], (USER, USER, 0o755));
    assert_eq!(found["nexmo-audit-exporter"], (0, 0, 0o755));
}

fn serves(root: &Path, config: &Value, check: &[&str]) {
    let entrypoint = words(&config["Entrypoint"]);
    let demo = [
        &entrypoint[..],
        &["demo", "--web.listen-address=127.0.0.1:0"],
    ]
    .concat();
    let mut process = Process::start("the image", &mut inside(root, config, &demo));
    // The demo contains a simulator, which listens as well.
    let address = process.wait_for_address(|line| !line.contains("simulator"));
    eventually("readiness", Duration::from_secs(30), || {
        let answer = HttpClient::new().get(&format!("http://{address}/-/ready"));
        let answer = answer?;
        if answer.status == 200 {
            Ok(())
        } else {
            Err(answer.status.to_string())
        }
    });
    let healthy = || {
        let mut check = inside(root, config, check);
        check.env("NEXMO_AUDIT_WEB_LISTEN_ADDRESS", address.to_string());
        let output = check.output().expect("the health check");
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    assert_eq!(healthy(), (Some(0), String::new()));
    process.kill();
    assert_eq!(healthy().0, Some(1));
}

/// The files in .dockerignore are enough to build the image: cargo accepts them as a
/// package, which `fetch` is strict about, and finds every target of the program.
#[test]
fn the_first_stage_is_sent_all_that_cargo_reads() {
    let ignored = fs::read_to_string(repository(".dockerignore")).expect("a list");
    let context = tempfile::tempdir().expect("a folder");
    for path in ignored.lines().filter_map(|line| line.strip_prefix('!')) {
        let mut copy = Command::new("cp");
        copy.args(["--recursive", "--parents", path])
            .arg(context.path());
        output_of(copy.current_dir(repository("")));
    }
    let mut fetch = Command::new(env!("CARGO"));
    fetch.args([
        "fetch",
        "--locked",
        "--offline",
        "--target=x86_64-unknown-linux-gnu",
    ]);
    output_of(fetch.current_dir(context.path()));
    assert_eq!(targets(context.path()), targets(&repository("")));
    assert!(context.path().join("packaging/build.sh").exists());
}

/// Returns what `cargo build` builds, by name and kind.
fn targets(folder: &Path) -> Vec<(String, String)> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version=1", "--no-deps", "--offline"]);
    let text = output_of(cargo.current_dir(folder));
    let metadata: Value = serde_json::from_str(&text).expect("JSON");
    let targets = metadata["packages"][0]["targets"].as_array().cloned();
    let named = targets.unwrap_or_default().into_iter();
    let named = named.map(|target| (target["name"].to_string(), target["kind"].to_string()));
    named
        .filter(|(_, kind)| !kind.contains("test") && !kind.contains("bench"))
        .collect()
}
