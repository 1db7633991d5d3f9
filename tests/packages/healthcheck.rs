//! `healthcheck`, the hidden command behind `HEALTHCHECK` of the image.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::thread;

use test_support::certificates::Authority;
use test_support::process::{Process, START};
use test_support::program::{Program, command};
use test_support::tools;

use super::output_of;

/// Returns the exit status of the command and its output.
fn check(listen_address: &str) -> (Option<i32>, String) {
    let mut check = command();
    check.env("NEXMO_AUDIT_WEB_LISTEN_ADDRESS", listen_address);
    // The command asks the loopback address, whatever the proxy is.
    check.env("HTTP_PROXY", "http://127.0.0.1:1");
    let output = check.arg("healthcheck").output().expect("the program");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said)
}

/// Starts a server that gives every request this answer.
fn answers(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let address = listener.local_addr().expect("its address");
    thread::spawn(move || {
        for mut connection in listener.incoming().map_while(Result::ok) {
            // Requests are small: one read takes all of a request.
            let mut request = [0; 4096];
            if connection.read(&mut request).is_ok_and(|read| read > 0) {
                let _ = connection.write_all(answer.as_bytes());
            }
        }
    });
    address
}

#[test]
fn an_exporter_that_runs_is_healthy() {
    let demo = Program::start(&["demo", "--web.listen-address=127.0.0.1:0"]);
    let port = demo.address().port();
    assert_eq!(
        check(&format!("127.0.0.1:{port}")),
        (Some(0), String::new())
    );
    assert_eq!(check(&format!(":{port}")), (Some(0), String::new()));
}

#[test]
fn an_exporter_that_refuses_or_does_not_answer_is_unhealthy() {
    let stalled = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 8\r\n\r\nstalled\n";
    let (status, said) = check(&answers(stalled).to_string());
    assert_eq!(status, Some(1));
    assert!(said.contains("503") && said.contains("stalled"), "{said}");

    // What the exporter with TLS answers to plain HTTP says nothing of how it is.
    let wants_tls = "HTTP/1.0 400 Bad Request\r\n\r\n";
    let (status, said) = check(&answers(wants_tls).to_string());
    assert_eq!(status, Some(1));
    assert!(
        said.contains("https:") && !said.contains("400 Bad Request"),
        "{said}"
    );

    assert_eq!(check("127.0.0.1:1").0, Some(1));
    let (status, said) = check(":0");
    assert_eq!(status, Some(1));
    assert!(said.contains("--web.listen-address"), "{said}");
}

#[test]
fn a_server_that_closes_each_connection_is_unhealthy() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let address = listener.local_addr().expect("its address").to_string();
    thread::spawn(move || listener.incoming().for_each(drop));
    for _ in 0..20 {
        assert_eq!(check(&address).0, Some(1));
    }
}

#[test]
fn an_exporter_behind_a_password_is_healthy_if_it_answers() {
    let asks = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(check(&answers(asks).to_string()).0, Some(0));
}

#[test]
fn an_exporter_with_tls_is_asked_by_https_whatever_its_certificate() {
    let Some(openssl) = tools::require("openssl") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let (key, certificate) = (folder.path().join("key"), folder.path().join("certificate"));
    let mut request = Command::new(&openssl);
    request.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
    ]);
    request.args(["-nodes", "-subj", "/CN=elsewhere.example", "-days", "1"]);
    request
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate);
    output_of(&mut request);

    // The other server answers every path with a page of its own.
    let mut server = Command::new(&openssl);
    server.args(["s_server", "-www", "-accept", "127.0.0.1:0"]);
    server.arg("-key").arg(&key).arg("-cert").arg(&certificate);
    let server = Process::start("openssl", &mut server);
    let address = server.wait_for_line("address", START, |line| {
        line.strip_prefix("ACCEPT ").map(str::to_owned)
    });
    assert_eq!(check(&address), (Some(0), String::new()));
}

#[test]
fn an_exporter_that_asks_for_a_client_certificate_is_healthy_if_it_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new();
    fs::write(folder.path().join("ca.pem"), authority.pem()).expect("a file");
    authority
        .issue(&["exporter.test"])
        .write(folder.path(), "server");
    let web = folder.path().join("web.yml");
    for version in ["TLS12", "TLS13"] {
        let text = format!(
            "tls_server_config: {{cert_file: server.pem, key_file: server.key, max_version: {version}, client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.pem}}\n"
        );
        fs::write(&web, text).expect("a file");
        let config = format!("--web.config.file={}", web.display());
        let demo = Program::start(&["demo", "--web.listen-address=127.0.0.1:0", &config]);
        let address = demo.address().to_string();
        assert_eq!(check(&address), (Some(0), String::new()), "{version}");
    }
}
