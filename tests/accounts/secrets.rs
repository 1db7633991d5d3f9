//! The secret of an account is rotated: its file is followed while the exporter runs.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use test_support::exporter::{Exporter, is};
use test_support::program::command;

use crate::vendor::{UP, Vendor, account, wait_for_counted};

const OLD: &str = "one-secret";
const NEW: &str = "rotated";
const TAKEN: &str = "the API secret was read again from its file";
const UNUSABLE: &str = "the file of the API secret cannot be used";

/// An exporter that polls two accounts, of which `one` has its secret in a file.
struct Rotation {
    vendor: Vendor,
    exporter: Exporter,
}

impl Rotation {
    /// Starts with this file of the secret, and waits until polls succeed.
    fn of(file: &str, write: impl FnOnce(&Vendor)) -> Self {
        let vendor = Vendor::new(&["one", "two"]);
        write(&vendor);
        vendor.configure(&format!(
            "accounts:\n- {{name: one, api_key: one, api_secret_file: {file}}}\n{}",
            account("two", "")
        ));
        vendor.record_many("one", 1);
        let exporter = vendor.start();
        wait_for_counted(&exporter, "one", 1);
        Self { vendor, exporter }
    }

    fn start() -> Self {
        Self::of("one.secret", |vendor| vendor.write("one.secret", OLD))
    }

    fn up(&self, expected: f64) {
        let labels = [("account", "one")];
        self.exporter.wait_for(UP, &labels, is(expected));
    }

    /// Waits until so many more requests of an account have succeeded, of which a poll has one.
    /// A file is looked at once a second, and polls are a tenth of a second apart.
    fn wait_for_polls(&self, account: &str, number: u32) {
        let requests = "nexmo_audit_api_requests_total";
        let labels = [("account", account), ("operation", "list"), ("code", "200")];
        let before = self.exporter.value(requests, &labels);
        let enough = |requests| requests >= before + f64::from(number);
        self.exporter.wait_for(requests, &labels, enough);
    }

    /// Checks that so many polls were lost, and that a new event is counted.
    fn lost(&self, polls: f64) {
        self.vendor.record_many("one", 1);
        wait_for_counted(&self.exporter, "one", 2);
        let labels = [("account", "one"), ("reason", "auth")];
        let failed = self
            .exporter
            .value("nexmo_audit_poll_failures_total", &labels);
        assert!(
            is(polls)(failed),
            "{failed}\n{}",
            self.exporter.program.log()
        );
        self.shows_no_secret();
    }

    fn shows_no_secret(&self) {
        let pages = ["/", "/metrics"].map(|path| self.exporter.page(path));
        let shown = [&pages[..], &self.exporter.program.lines()].concat();
        let leaks = |line: &&String| line.contains(OLD) || line.contains(NEW);
        assert_eq!(shown.iter().find(leaks), None);
    }

    fn lines_with(&self, text: &str) -> usize {
        let lines = self.exporter.program.lines();
        lines.iter().filter(|line| line.contains(text)).count()
    }
}

#[test]
fn a_new_secret_is_used_before_the_old_one_is_revoked() {
    let rotation = Rotation::start();
    rotation.vendor.add_secret("one", NEW);
    rotation.vendor.write("one.secret", "rotated\n");
    rotation.vendor.wait_for_secret("one", NEW);
    rotation.vendor.set_secret("one", NEW);
    rotation.wait_for_polls("one", 3);
    rotation.lost(0.0);
    let line = rotation.exporter.program.wait_for_line(TAKEN);
    let file = rotation.vendor.path("one.secret");
    let path = format!("file={}", file.display());
    assert!(
        line.contains("level=info") && line.contains("account=one") && line.contains(&path),
        "{line}"
    );
    assert_eq!(rotation.lines_with(TAKEN), 1);
}

#[test]
fn a_secret_that_is_rejected_is_read_again_within_the_same_poll() {
    let rotation = Rotation::start();
    // Nothing but the file tells the exporter that the secret has changed.
    rotation.vendor.write("one.secret", NEW);
    rotation.vendor.set_secret("one", NEW);
    rotation.wait_for_polls("one", 3);
    rotation.lost(0.0);
}

#[test]
fn a_secret_that_comes_after_the_old_one_was_revoked_costs_one_poll() {
    let rotation = Rotation::start();
    rotation.vendor.set_secret("one", NEW);
    rotation.up(0.0);
    let path = rotation.vendor.path("one.secret").display().to_string();
    rotation.exporter.wait_for_text("/", &path);
    rotation.vendor.write("one.secret", NEW);
    rotation.up(1.0);
    rotation.lost(1.0);
}

#[test]
fn a_half_written_secret_that_is_rejected_costs_no_further_poll() {
    let rotation = Rotation::start();
    rotation.vendor.write("one.secret", &NEW[..3]);
    rotation.vendor.set_secret("one", NEW);
    rotation.up(0.0);
    rotation.vendor.write("one.secret", NEW);
    rotation.up(1.0);
    rotation.lost(1.0);
}

#[test]
fn a_first_start_with_a_wrong_secret_goes_on_once_the_file_is_right() {
    let vendor = Vendor::new(&["one"]);
    vendor.write("one.secret", "wrong");
    vendor.configure("accounts: [{name: one, api_key: one, api_secret_file: one.secret}]");
    vendor.record_many("one", 1);
    let exporter = vendor.start();
    exporter.wait_until_ready();
    vendor.write("one.secret", OLD);
    wait_for_counted(&exporter, "one", 1);
}

#[test]
fn the_secret_of_a_single_account_is_followed() {
    let vendor = Vendor::new(&["abcd1234"]);
    vendor.write("secret", "abcd1234-secret");
    let file = format!("--api.secret-file={}", vendor.path("secret").display());
    let exporter = Exporter::polling_with(&vendor.api, &[&file]);
    exporter.wait_until_up();
    vendor.set_secret("abcd1234", NEW);
    exporter.wait_for(UP, &[], is(0.0));
    vendor.write("secret", NEW);
    exporter.wait_until_up();
}

/// Kubernetes mounts a secret as links to a folder, and replaces the folder.
#[test]
fn a_folder_that_is_swapped_as_kubernetes_does_it_is_followed() {
    let mount = |vendor: &Vendor, version: &str, secret: &str| {
        let folder = vendor.path(&format!("account/..{version}"));
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("api-secret"), secret).expect("a file");
        let (new, data) = (vendor.path("account/..data_tmp"), "account/..data");
        symlink(format!("..{version}"), &new).expect("a link");
        fs::rename(new, vendor.path(data)).expect("a link in place of another");
    };
    let rotation = Rotation::of("account/api-secret", |vendor| {
        mount(vendor, "1", OLD);
        symlink("..data/api-secret", vendor.path("account/api-secret")).expect("a link");
    });
    rotation.vendor.add_secret("one", NEW);
    mount(&rotation.vendor, "2", NEW);
    fs::remove_dir_all(rotation.vendor.path("account/..1")).expect("the old folder");
    rotation.vendor.wait_for_secret("one", NEW);
    rotation.vendor.set_secret("one", NEW);
    rotation.wait_for_polls("one", 3);
    rotation.lost(0.0);
    assert_eq!(rotation.lines_with(UNUSABLE), 0);
}

/// Checks that the old secret stays in use while the file is unusable, that one warning says
/// so, and that the next usable file is read.
fn an_unusable_file_keeps_the_secret(problem: &str, spoil: impl FnOnce(&Vendor)) {
    let rotation = Rotation::start();
    spoil(&rotation.vendor);
    let line = rotation.exporter.program.wait_for_line(UNUSABLE);
    assert!(
        line.contains("level=warn") && line.contains("account=one") && line.contains(problem),
        "{line}"
    );
    rotation.wait_for_polls("one", 30);
    assert_eq!(rotation.lines_with(UNUSABLE), 1);
    rotation.vendor.add_secret("one", NEW);
    let file = rotation.vendor.path("one.secret");
    let _ = fs::remove_file(&file);
    rotation.vendor.write("one.secret", NEW);
    rotation.vendor.wait_for_secret("one", NEW);
    rotation.vendor.set_secret("one", NEW);
    rotation.wait_for_polls("one", 3);
    rotation.lost(0.0);
}

#[test]
fn an_empty_file_does_not_replace_the_secret() {
    an_unusable_file_keeps_the_secret("it is empty", |vendor| vendor.write("one.secret", "\n"));
}

#[test]
fn a_removed_file_does_not_replace_the_secret() {
    an_unusable_file_keeps_the_secret("No such file", |vendor| {
        fs::remove_file(vendor.path("one.secret")).expect("the file");
    });
}

#[test]
fn a_file_that_is_too_long_does_not_replace_the_secret() {
    let long = "x".repeat(4097);
    an_unusable_file_keeps_the_secret("longer than 4096 bytes", |vendor| {
        vendor.write("one.secret", &long);
    });
}

#[test]
fn a_file_with_a_second_line_does_not_replace_the_secret() {
    an_unusable_file_keeps_the_secret("has a line end", |vendor| {
        vendor.write("one.secret", "two\nlines\n");
    });
}

#[test]
fn a_pipe_in_place_of_the_file_blocks_no_poll() {
    an_unusable_file_keeps_the_secret(
        "it is a pipe; name a regular file, or a link to one",
        |vendor| {
            let file = vendor.path("one.secret");
            fs::remove_file(&file).expect("the file");
            let made = Command::new("mkfifo").arg(&file).status();
            assert!(made.expect("mkfifo").success());
        },
    );
}

#[test]
fn a_removed_file_and_a_rejected_secret_end_with_a_new_file() {
    let rotation = Rotation::start();
    fs::remove_file(rotation.vendor.path("one.secret")).expect("the file");
    rotation.vendor.set_secret("one", NEW);
    rotation.up(0.0);
    rotation.exporter.program.wait_for_line(UNUSABLE);
    rotation.vendor.write("one.secret", NEW);
    rotation.up(1.0);
    rotation.lost(1.0);
}

#[test]
fn a_wrong_secret_is_not_tried_again_because_its_file_was_written_again() {
    let rotation = Rotation::start();
    rotation.vendor.set_secret("one", NEW);
    rotation.up(0.0);
    let before = rotation.vendor.requests_with("one", OLD).len();
    rotation.vendor.write("one.secret", OLD);
    // Looks at the file are a second apart, and these polls take three.
    rotation.wait_for_polls("two", 30);
    let requests = rotation.vendor.requests_with("one", OLD).len();
    assert_eq!(requests, before);
}

#[test]
fn the_error_names_the_places_of_key_and_secret() {
    let vendor = Vendor::new(&[]);
    vendor.write("one.secret", OLD);
    vendor.configure(&format!(
        "accounts:\n- {{name: one, api_key: one, api_secret_file: one.secret}}\n{}",
        account("two", "")
    ));
    let exporter = vendor.start();
    let (config, file) = (vendor.path("config.yml"), vendor.path("one.secret"));
    let (config, file) = (config.display(), file.display());
    for expected in [
        format!("check the API key ({config}:2) and the API secret ({file})"),
        format!("check the API key ({config}:3) and the API secret ({config}:3)"),
    ] {
        exporter.program.wait_for_line(&expected);
    }
    for (names, expected) in [
        (
            ["NEXMO_API_KEY", "NEXMO_API_SECRET"],
            "check the API key (NEXMO_API_KEY) and the API secret (NEXMO_API_SECRET)",
        ),
        (
            ["VONAGE_API_KEY", "VONAGE_API_SECRET"],
            "check the API key (VONAGE_API_KEY) and the API secret (VONAGE_API_SECRET)",
        ),
    ] {
        let mut command = command();
        command.env_remove("NEXMO_API_KEY");
        command.env_remove("NEXMO_API_SECRET");
        command.envs(names.map(|name| (name, "unknown")));
        let exporter = Exporter::started_by(&mut command, &vendor.api.base_url(), &[]);
        exporter.program.wait_for_line(expected);
    }
}
