//! A unix socket in place of a port.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use test_support::certificates::Authority;
use test_support::eventually::eventually;
use test_support::process::Process;
use test_support::program::command;

use crate::setup::{END, Setup, outcome, text};

/// The time from the start to the first counts.
const SHOWN: Duration = Duration::from_secs(20);

fn end(exporter: &mut Process) {
    exporter.signal("TERM");
    let status = exporter.wait_for_end(END);
    assert_eq!(status.code(), Some(0), "{}", exporter.log());
}

#[test]
fn clients_ask_over_a_unix_socket_that_goes_with_the_exporter() {
    let setup = Setup::new();
    let mut exporter = setup.start(&[]);
    let mode = fs::metadata(setup.socket()).expect("a socket");
    assert_eq!(mode.permissions().mode() & 0o777, 0o660);
    let ask = |arguments: &[&str]| setup.curl(arguments).map(text);
    eventually("counts", SHOWN, || {
        let page = ask(&["http://localhost/metrics"]).unwrap_or("events_total 2".to_owned());
        page.contains("events_total").then_some(()).ok_or(page)
    });
    if let Some(page) = ask(&["http://localhost/"]) {
        let hint = "# Prometheus cannot ask the unix socket";
        assert!(page.contains(hint), "{page}");
    }
    let proxied = [
        "-HX-Forwarded-Host: audit.example",
        "-HX-Forwarded-Proto: https",
        "http://x/",
    ];
    if let Some(page) = ask(&proxied) {
        assert!(
            page.contains("targets: [&quot;audit.example&quot;]"),
            "{page}"
        );
    }
    end(&mut exporter);
    assert!(!setup.socket().exists());
}

#[test]
fn the_socket_of_an_exporter_that_was_killed_is_taken_over() {
    let setup = Setup::new();
    setup.start(&[]).kill();
    assert!(setup.socket().exists());
    let listen = format!("--web.listen-address={}", setup.address());
    let checked = outcome(&mut setup.command("check-config", "state", &[&listen]));
    assert_eq!(checked.0, Some(0), "{}", checked.1);
    assert!(setup.socket().exists());
    let _exporter = setup.start(&[]);
    UnixStream::connect(setup.socket()).expect("a connection");
}

#[test]
fn a_socket_that_is_in_use_is_refused_and_a_trial_leaves_nothing() {
    let setup = Setup::new();
    let listen = format!("--web.listen-address={}", setup.address());
    let check = |state| outcome(&mut setup.command("check-config", state, &[&listen]));
    assert_eq!(check("state").0, Some(0));
    assert!(!setup.socket().exists());
    let _exporter = setup.start(&[]);
    let in_use = "another process uses that socket: end the process";
    let (status, said) = outcome(&mut setup.command("serve", "other", &[&listen]));
    assert_eq!(status, Some(1), "{said}");
    assert!(
        said.contains(in_use) && said.contains(&setup.address()),
        "{said}"
    );
    let (status, said) = check("other");
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains(in_use), "{said}");
    // The exporter that listens has the state as well.
    let (status, said) = check("state");
    assert_eq!(status, Some(0), "{said}");
    UnixStream::connect(setup.socket()).expect("a connection");
}

#[test]
fn an_address_that_cannot_be_is_told_with_what_to_do() {
    let setup = Setup::new();
    fs::write(setup.path("notes"), "").expect("a file");
    let folder = setup.folder.path().display();
    let long = "x".repeat(100);
    for (address, told) in [
        ("unix:metrics.sock".to_owned(), "does not name a whole path"),
        (format!("unix:{folder}/{long}"), "of more than 107 bytes"),
        (format!("unix:{folder}/no/x.sock"), "the folder must exist"),
        (format!("unix:{folder}/notes"), "is no socket"),
    ] {
        let listen = format!("--web.listen-address={address}");
        let (status, said) = outcome(&mut setup.command("check-config", "state", &[&listen]));
        assert_eq!(status, Some(2), "{said}");
        assert!(said.contains(told), "{said}");
    }
    assert!(setup.path("notes").exists());
}

#[test]
fn tls_and_passwords_apply_to_a_unix_socket_and_its_health_check_passes() {
    let setup = Setup::new();
    let authority = Authority::new();
    let files = setup.folder.path();
    fs::write(setup.path("ca.pem"), authority.pem()).expect("a file");
    authority.issue(&["exporter.test"]).write(files, "server");
    authority.issue(&["client.test"]).write(files, "client");
    let hash = bcrypt::hash("right", 4).expect("a hash");
    let web = setup.web_config(&format!(
        "tls_server_config: {{cert_file: server.pem, key_file: server.key, client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.pem}}\nbasic_auth_users: {{alice: {hash}}}\nrate_limit: {{interval: 100ms, burst: 20}}\n"
    ));
    let _exporter = setup.start(&[&web]);
    let (authority, certificate, key) = ("ca.pem", "client.pem", "client.key");
    let paths = [authority, certificate, key].map(|name| setup.path(name).display().to_string());
    let ask = |more: &[&str]| {
        let mut arguments = vec![
            "--cacert", &paths[0], "--cert", &paths[1], "--key", &paths[2],
        ];
        arguments.extend(["-o", "/dev/null", "-w", "%{http_code}"]);
        arguments.extend(more);
        setup.curl(&arguments).map(text)
    };
    let url = "https://exporter.test/metrics";
    for (password, status) in [("alice:right", "200"), ("alice:wrong", "401")] {
        if let Some(found) = ask(&["--user", password, url]) {
            assert_eq!(found, status, "{password}");
        }
    }
    if let Some(output) = setup.curl(&["--cacert", &paths[0], url]) {
        assert!(!output.status.success(), "no certificate was asked for");
    }
    if let Some(output) = setup.curl(&["http://exporter.test/"]) {
        let told = "Client sent an HTTP request to an HTTPS server.";
        assert!(text(output).contains(told));
    }
    assert_eq!(health(&setup), (Some(0), String::new()));
}

fn health(setup: &Setup) -> (Option<i32>, String) {
    let mut check = command();
    check.env("NEXMO_AUDIT_WEB_LISTEN_ADDRESS", setup.address());
    outcome(check.arg("healthcheck"))
}

#[test]
fn the_health_check_asks_over_the_unix_socket() {
    let setup = Setup::new();
    let (status, said) = health(&setup);
    assert_eq!(status, Some(1));
    assert!(said.contains(&setup.address()), "{said}");
    let _exporter = setup.start(&[]);
    assert_eq!(health(&setup), (Some(0), String::new()));
}
