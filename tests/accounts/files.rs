//! Files that are given to the program: what is no regular file, and what is no secret, is
//! refused at once and with a reason.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use test_support::certificates::Authority;
use test_support::http::HttpClient;
use test_support::process::Process;
use test_support::program::{API_KEY, API_SECRET, command_without_account};

use crate::vendor::{Vendor, secret, wait_for_counted};

/// The time in which a command ends: it waits for no file longer than five seconds.
const IN_TIME: Duration = Duration::from_secs(20);

/// Paths of a test's folder, and what the message calls them.
const NO_FILES: [(&str, &str); 4] = [
    ("pipe", "a pipe"),
    ("folder", "a directory"),
    ("zero", "a device"),
    ("random", "a device"),
];

/// A service that may not read its secret is the commonest mistake of all, and made by the
/// person who reads the message as another user.
#[test]
fn a_file_that_may_not_be_read_names_the_user() {
    let folder = tempfile::tempdir().expect("a folder");
    let allow = |path: &Path, mode| {
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("rights can be set");
    };
    allow(folder.path(), 0o755);
    let secret = folder.path().join("secret");
    fs::write(&secret, API_SECRET).expect("a file");
    allow(&secret, 0o000);
    let mut command = command_without_account();
    command.env("NEXMO_API_KEY", API_KEY).current_dir("/");
    command.args(["check-config", "--web.listen-address=127.0.0.1:0"]);
    command.arg("--storage.path=/tmp");
    command.arg(format!("--api.secret-file={}", secret.display()));
    if rustix::process::geteuid().is_root() {
        command.uid(65534).gid(65534);
    }
    let output = command.output().expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr);
    let expected = "cannot be used: Permission denied (os error 13); the process runs as ";
    assert!(said.contains(expected), "{said}");
    let user = match rustix::process::geteuid() {
        user if user.is_root() => 65534,
        user => user.as_raw(),
    };
    let expected = format!("({user}): let that user read the file, and enter its folders\n");
    assert!(said.contains(&expected), "{said}");
}

fn make_no_files(folder: &Path) {
    make_pipe(&folder.join("pipe"));
    fs::create_dir(folder.join("folder")).expect("a folder");
    for device in ["zero", "random"] {
        symlink(Path::new("/dev").join(device), folder.join(device)).expect("a link");
    }
}

fn make_pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status();
    assert!(made.expect("mkfifo").success());
}

/// Returns the status and the output of `check-config` with these arguments.
fn check(vendor: &Vendor, arguments: &[String]) -> (Option<i32>, String) {
    let mut command = command_without_account();
    command
        .current_dir(vendor.folder.path())
        .arg("check-config");
    command.env("SSL_CERT_FILE", vendor.path("authority.pem"));
    if !arguments.concat().contains("config.file=config") {
        command.env("NEXMO_API_KEY", API_KEY);
    }
    let has_secret = arguments.concat().contains("secret-file");
    if !has_secret && !arguments.concat().contains("--config.file") {
        command.env("NEXMO_API_SECRET", API_SECRET);
    }
    let mut process = Process::start("check-config", command.args(arguments));
    let status = process.wait_for_end(IN_TIME);
    (status.code(), process.all_lines(IN_TIME).join("\n"))
}

#[test]
fn what_is_no_regular_file_is_refused_in_every_place() {
    let vendor = Vendor::new(&[]);
    make_no_files(vendor.folder.path());
    let authority = Authority::new();
    vendor.write("authority.pem", &authority.pem());
    authority
        .issue(&["localhost"])
        .write(vendor.folder.path(), "server");
    for (file, kind) in NO_FILES {
        let refused = |file: &str, places: &str, arguments: &[String]| {
            let (status, said) = check(&vendor, arguments);
            assert_eq!(status, Some(2), "{file}: {said}");
            let expected = format!("it is {kind}; name a regular file, or a link to one");
            assert!(said.contains(&expected) && said.contains(places), "{said}");
        };
        let flag = |name: &str| [format!("--{name}={file}")];
        refused(file, "--api.secret-file", &flag("api.secret-file"));
        refused(file, "--config.file", &flag("config.file"));
        refused(file, "--web.config.file", &flag("web.config.file"));
        let entry = format!("accounts: [{{name: a, api_key: a, api_secret_file: {file}}}]");
        vendor.configure(&entry);
        let config = ["--config.file=config.yml".to_owned()];
        refused(file, "`api_secret_file`", &config);
        for (place, more) in [
            (
                "cert_file",
                format!("cert_file: {file}\n  key_file: server.key"),
            ),
            (
                "key_file",
                format!("cert_file: server.pem\n  key_file: {file}"),
            ),
            (
                "client_ca_file",
                format!(
                    "cert_file: server.pem\n  key_file: server.key\n  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: {file}"
                ),
            ),
        ] {
            vendor.write("web.yml", &format!("tls_server_config:\n  {more}\n"));
            refused(file, place, &["--web.config.file=web.yml".to_owned()]);
        }
        let of_authorities = vendor.path("authority.pem");
        fs::remove_file(&of_authorities).expect("a file");
        symlink(file, &of_authorities).expect("a link");
        let https = "--api.base-url=https://api.example.com/beta/audit".to_owned();
        refused(file, "SSL_CERT_FILE", &[https]);
    }
}

#[test]
fn a_reload_does_not_wait_for_a_pipe() {
    let vendor = Vendor::new(&["one", "two"]);
    vendor.configure_accounts(&["one"]);
    vendor.write("web.yml", "");
    let web = format!("--web.config.file={}", vendor.path("web.yml").display());
    let exporter = vendor.start_with("state", &["--web.enable-lifecycle", &web]);
    vendor.record_many("one", 1);
    wait_for_counted(&exporter, "one", 1);
    let reload = || {
        let answer = HttpClient::new().post(&exporter.program.url("/-/reload"));
        answer.expect("an answer in time").status
    };
    for (number, file) in ["config.yml", "web.yml"].into_iter().enumerate() {
        let text = fs::read_to_string(vendor.path(file)).expect("a file");
        fs::remove_file(vendor.path(file)).expect("a file");
        make_pipe(&vendor.path(file));
        assert_eq!(reload(), 500);
        exporter
            .program
            .wait_for_line("it is a pipe; name a regular file");
        fs::remove_file(vendor.path(file)).expect("a pipe");
        vendor.write(file, &text);
        assert_eq!(reload(), 200);
        vendor.record_many("one", 1);
        let counted = 2 + u32::try_from(number).expect("a small number");
        wait_for_counted(&exporter, "one", counted);
    }
}

/// Editors of Windows begin a file with a byte order mark, and end its line with two
/// characters.
#[test]
fn a_byte_order_mark_is_part_of_no_secret_and_no_configuration() {
    let vendor = Vendor::new(&["one"]);
    vendor.write("secret", &format!("\u{feff}{}\r\n", secret("one")));
    vendor.configure("\u{feff}accounts: [{name: one, api_key: one, api_secret_file: secret}]\r\n");
    vendor.write("web.yml", "\u{feff}# nothing\n");
    vendor.record_many("one", 1);
    let web = format!("--web.config.file={}", vendor.path("web.yml").display());
    let exporter = vendor.start_with("state", &[&web]);
    wait_for_counted(&exporter, "one", 1);
}

#[test]
fn a_file_that_holds_more_than_a_secret_is_refused() {
    let vendor = Vendor::new(&[]);
    vendor.write("authority.pem", &Authority::new().pem());
    vendor.configure("accounts: [{name: a, api_key: a, api_secret_file: secret}]");
    let config = ["--config.file=config.yml".to_owned()];
    let invisible =
        "secret has a line end or another invisible character; write it in a single line";
    let cases: [(&[u8], &str); 6] = [
        (b"hunter2\nhunter3\n", invisible),
        (b"hunter2\0", invisible),
        ("hunter2\u{200b}".as_bytes(), invisible),
        ("hunter\u{202e}2".as_bytes(), invisible),
        (
            b"\xff\xfeh\0",
            "secret cannot be used: it is not text in UTF-8; save it as UTF-8",
        ),
        (
            "\u{feff}\n".as_bytes(),
            "secret cannot be used: it is empty",
        ),
    ];
    for (text, problem) in cases {
        fs::write(vendor.path("secret"), text).expect("a file");
        let (status, said) = check(&vendor, &config);
        assert_eq!(status, Some(2), "{said}");
        assert!(said.contains(problem), "{said}");
        assert!(!said.contains("hunter"), "{said}");
    }
}

#[test]
fn a_config_file_with_secrets_that_everybody_may_read_is_warned_of_once() {
    let vendor = Vendor::new(&[]);
    vendor.write("authority.pem", &Authority::new().pem());
    vendor.configure_accounts(&["one", "two"]);
    let path = vendor.path("config.yml");
    for (mode, expected) in [(0o644, 1), (0o640, 0)] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("a mode");
        let (status, said) = check(&vendor, &["--config.file=config.yml".to_owned()]);
        assert_eq!(status, Some(0), "{said}");
        let warning = "Warning: config.yml:2: `api_secret` is in a file that every user of this machine may read; take that away with `chmod o-rwx`";
        assert_eq!(said.matches(warning).count(), expected, "{said}");
        assert_eq!(said.matches("Warning").count(), expected, "{said}");
    }
}

#[test]
fn the_key_of_a_certificate_that_everybody_may_read_is_warned_of() {
    let vendor = Vendor::new(&[]);
    let authority = Authority::new();
    vendor.write("authority.pem", &authority.pem());
    authority
        .issue(&["localhost"])
        .write(vendor.folder.path(), "server");
    vendor.write(
        "web.yml",
        "tls_server_config: {cert_file: server.pem, key_file: server.key}\n",
    );
    for (mode, expected) in [(0o644, true), (0o600, false)] {
        let set = fs::set_permissions(vendor.path("server.key"), Permissions::from_mode(mode));
        set.expect("a mode");
        let (status, said) = check(&vendor, &["--web.config.file=web.yml".to_owned()]);
        assert_eq!(status, Some(0), "{said}");
        let warning =
            "Warning: key_file server.key is open to every user of this machine, who may read it";
        assert_eq!(said.contains(warning), expected, "{said}");
        assert_eq!(said.contains("Warning"), expected, "{said}");
    }
}

#[test]
fn a_secret_that_everybody_may_read_or_write_is_warned_of() {
    let vendor = Vendor::new(&[]);
    vendor.write("authority.pem", &Authority::new().pem());
    vendor.write("secret", "s3cret");
    vendor.configure("accounts: [{name: a, api_key: a, api_secret_file: secret}]");
    for (mode, what) in [
        (0o666, Some("read and write")),
        (0o644, Some("read")),
        (0o602, Some("write")),
        (0o640, None),
        (0o400, None),
    ] {
        let set = fs::set_permissions(vendor.path("secret"), Permissions::from_mode(mode));
        set.expect("a mode");
        for arguments in [
            ["--config.file=config.yml".to_owned()],
            ["--api.secret-file=secret".to_owned()],
        ] {
            let (status, said) = check(&vendor, &arguments);
            assert_eq!(status, Some(0), "{said}");
            let warning = what.map(|what| {
                format!("secret is open to every user of this machine, who may {what} it; take that away with `chmod o-rwx`")
            });
            assert_eq!(said.contains("Warning: "), warning.is_some(), "{said}");
            assert!(
                warning.is_none_or(|warning| said.contains(&warning)),
                "{said}"
            );
        }
    }
}
