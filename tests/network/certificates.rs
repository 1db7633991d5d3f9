//! The certificate of the API, and the authorities that are trusted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use test_support::audit_event::events;
use test_support::certificates::{Authority, Pair};
use test_support::command_output::CommandOutput;
use test_support::exporter::{Exporter, is};
use test_support::program::{Simulator, command};
use test_support::scripted_api::{ScriptedApi, healthy};
use test_support::tls_front::TlsFront;

const TRUST: &str = "the certificate of the server is not trusted, since no certificate authority known here has issued it); if the server, or a proxy that reads TLS, has its certificate from a private certificate authority, let SSL_CERT_FILE name a file in PEM with the certificate of that authority";

/// Returns the program with these variables and no others that concern the way to the API.
fn with(variables: &[(&str, &Path)]) -> Command {
    let mut command = command();
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(variable);
    }
    command.env_remove("SSL_CERT_FILE");
    command.env_remove("SSL_CERT_DIR");
    command.envs(variables.iter().copied());
    command
}

fn write(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).expect("a file");
    path
}

/// An API with TLS.
struct SecureApi {
    _api: ScriptedApi,
    front: TlsFront,
}

impl SecureApi {
    fn start(pair: &Pair) -> Self {
        let api = ScriptedApi::start(healthy(events(3, "A")));
        let front = TlsFront::start(pair, api.address());
        Self { _api: api, front }
    }

    fn base_url(&self, host: &str) -> String {
        let port = self.front.address().port();
        format!("https://{host}:{port}/beta/audit")
    }
}

#[test]
fn a_private_authority_is_trusted_where_a_variable_names_it() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().expect("a folder"));
    let file = write(&folder, "authority.pem", &authority.pem());
    let api = SecureApi::start(&authority.issue(&["localhost", "127.0.0.1"]));
    for variable in [("SSL_CERT_FILE", &*file), ("SSL_CERT_DIR", folder.path())] {
        for host in ["localhost", "127.0.0.1"] {
            let exporter = Exporter::started_by(&mut with(&[variable]), &api.base_url(host), &[]);
            exporter.wait_until_up();
            assert!(is(3.0)(exporter.counted()));
        }
    }
}

/// Returns the line of the log that says why polls fail.
fn failure(variables: &[(&str, &Path)], base_url: &str) -> String {
    let exporter = Exporter::started_by(&mut with(variables), base_url, &[]);
    exporter.program.wait_for_line("polls fail")
}

#[test]
fn a_certificate_that_is_not_accepted_says_what_to_do() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().expect("a folder"));
    let known = write(&folder, "authority.pem", &authority.pem());
    let other = write(&folder, "other.pem", &Authority::new().pem());
    let clock = "check the clock of this machine, or let the server have another certificate";
    let own = authority.issue(&["localhost"]);
    let expired = authority.issue_for_years(&["localhost"], 2001, 2002);
    let future = authority.issue_for_years(&["localhost"], 3000, 3001);
    let stranger = authority.issue(&["example.com"]);
    let cases = [
        (&own, &other, TRUST.to_owned()),
        (
            &expired,
            &known,
            format!("the certificate of the server has expired at 2002-01-01T00:00:00Z); {clock}"),
        ),
        (
            &future,
            &known,
            format!(
                "the certificate of the server is not valid yet, but from 3000-01-01T00:00:00Z); {clock}"
            ),
        ),
        (
            &stranger,
            &known,
            "the certificate of the server is for another name than localhost); check --api.base-url, DNS and proxy".to_owned(),
        ),
        (
            &authority.pair(),
            &known,
            "the certificate of the server is one of a certificate authority); issue a certificate with CA:FALSE to the server, and let SSL_CERT_FILE name the file of the authority if that is a private one".to_owned(),
        ),
    ];
    for (pair, file, expected) in cases {
        let api = SecureApi::start(pair);
        let base_url = api.base_url("localhost");
        let said = failure(&[("SSL_CERT_FILE", file)], &base_url);
        let expected = format!("the connection failed ({expected}");
        assert!(said.contains(&expected), "{said}");
        // Without a variable, the certificates of the system are trusted.
        let said = failure(&[], &base_url);
        assert!(said.contains("the certificate of the server"), "{said}");
    }
}

/// A certificate does not change while a person waits for a command.
#[test]
fn a_query_does_not_wait_for_another_certificate() {
    let api = SecureApi::start(&Authority::new().issue(&["localhost"]));
    let mut events = with(&[]);
    events.args(["events", "list", "--log.level=debug"]);
    events.arg(format!("--api.base-url={}", api.base_url("localhost")));
    let done = CommandOutput::of(&mut events);
    assert_eq!(done.status, 1, "{}", done.errors);
    assert!(done.errors.contains(TRUST), "{}", done.errors);
    assert!(!done.errors.contains("is sent again"), "{}", done.errors);
}

#[test]
fn the_wrong_scheme_for_a_port_is_named() {
    let plain = Simulator::start(1);
    let said = failure(&[], &plain.base_url().replace("http", "https"));
    let expected = "the connection failed (the server does not speak TLS at this port); check the port of --api.base-url";
    assert!(said.contains(expected), "{said}");
    let api = SecureApi::start(&Authority::new().issue(&["127.0.0.1"]));
    let said = failure(&[], &api.base_url("127.0.0.1").replace("https", "http"));
    let expected = "the connection failed (the answer of the server is no HTTP); check scheme and port of --api.base-url: the port may be one for https";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn a_file_without_certificates_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new();
    let at = |name: &str| folder.path().join(name);
    let empty = write(&folder, "empty.pem", "");
    let der = at("authority.der");
    fs::write(&der, authority.der()).expect("a file");
    let key = write(&folder, "key.pem", &authority.pair().key);
    let torn = authority.pem().replace("MII", "AAA");
    let torn = write(&folder, "torn.pem", &torn);
    let nothing = "cannot be used: it has no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----";
    let missing = "cannot be used: No such file or directory (os error 2)";
    let gone = at("gone.pem");
    let in_place = |path: &Path, problem: &str| format!("{} {problem}", path.display());
    let cases = [
        ("SSL_CERT_FILE", &gone, in_place(&gone, missing)),
        ("SSL_CERT_FILE", &empty, in_place(&empty, nothing)),
        ("SSL_CERT_FILE", &der, in_place(&der, nothing)),
        ("SSL_CERT_FILE", &key, in_place(&key, nothing)),
        ("SSL_CERT_FILE", &torn, in_place(&torn, nothing)),
        (
            "SSL_CERT_FILE",
            &folder.path().to_owned(),
            in_place(
                folder.path(),
                "cannot be used: it is a directory; name a regular file, or a link to one",
            ),
        ),
        (
            "SSL_CERT_FILE",
            &PathBuf::new(),
            "is empty; remove the variable, or let it name a file with certificates in PEM".into(),
        ),
        ("SSL_CERT_DIR", &gone, in_place(&gone, missing)),
        (
            "SSL_CERT_DIR",
            &folder.path().to_owned(),
            in_place(folder.path(), nothing),
        ),
    ];
    for (variable, path, problem) in cases {
        let commands: [&[&str]; 3] = [&["check-config"], &["serve"], &["events", "types"]];
        for arguments in commands {
            let mut command = with(&[(variable, path)]);
            command
                .args(arguments)
                .arg("--api.base-url=https://api.example.com/beta/audit");
            let done = command.output().expect("the program runs");
            let said = String::from_utf8(done.stderr).expect("text");
            let expected = format!(
                "nexmo-audit-exporter: the configuration cannot be used:\n  {variable} {problem}\n"
            );
            assert_eq!(said, expected, "{arguments:?}");
            assert_eq!(done.status.code(), Some(2));
        }
    }
    // No certificate is needed for plain HTTP.
    let mut command = with(&[("SSL_CERT_FILE", &gone)]);
    command.args(["check-config", "--api.base-url=http://127.0.0.1:1/"]);
    assert!(command.status().expect("the program runs").success());
}

#[test]
fn a_folder_beside_a_usable_one_is_passed_over() {
    let folder = tempfile::tempdir().expect("a folder");
    write(&folder, "authority.pem", &Authority::new().pem());
    let both = format!("/no/such/folder:{}:", folder.path().display());
    let mut command = with(&[("SSL_CERT_DIR", Path::new(&both))]);
    command.args([
        "check-config",
        "--api.base-url=https://api.example.com/beta/audit",
    ]);
    let done = command.output().expect("the program runs");
    assert_eq!(
        String::from_utf8(done.stdout).expect("text"),
        "Warning: SSL_CERT_DIR /no/such/folder cannot be used: No such file or directory (os error 2)\nThe configuration can be used: 1 account.\n"
    );
}
