//! TLS, passwords and client certificates as curl and real Prometheus servers use them,
//! and web configurations as promtool reads them.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use test_support::certificates::Authority;
use test_support::program::Program;
use test_support::tools;

use crate::prometheus_server::Prometheus;

const PASSWORD: &str = "correct horse";
const FIRST_SCRAPE: Duration = Duration::from_secs(30);

const PAIR: &str = "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n";

/// Starts an exporter with a server certificate, a client certificate, their authority,
/// and a web configuration that requires all of them.
fn secured(folder: &Path) -> Program {
    let authority = Authority::new();
    authority
        .issue(&["localhost", "127.0.0.1"])
        .write(folder, "server");
    authority.issue(&["scraper.test"]).write(folder, "client");
    fs::write(folder.join("ca.pem"), authority.pem()).expect("a file");
    let hash = bcrypt::hash(PASSWORD, 4).expect("a hash");
    let path = folder.join("web.yml");
    let web_config = format!(
        "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n  \
         client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n  \
         client_allowed_sans: [scraper.test]\n\
         basic_auth_users:\n  alice: {hash}\n"
    );
    fs::write(&path, web_config).expect("a file");
    let flag = format!("--web.config.file={}", path.display());
    Program::start(&["demo", "--web.listen-address=127.0.0.1:0", &flag])
}

#[test]
fn curl_is_admitted_with_all_that_is_required() {
    let Some(curl) = tools::require("curl") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let program = secured(folder.path());
    let url = format!("https://localhost:{}/metrics", program.address().port());
    let user = format!("alice:{PASSWORD}");
    let client = ["--cert", "client.pem", "--key", "client.key"];
    let cases: [(&[&str], Option<&str>); 7] = [
        (&["--user", &user], Some("200")),
        (&["--user", &user, "--http2"], Some("200")),
        (&["--user", &user, "--tls-max", "1.2"], Some("200")),
        (&["--user", "alice:wrong"], Some("401")),
        (&["--user", &user, "--anyauth"], Some("200")),
        (&[], Some("401")),
        (&["--user", &user, "--tls-max", "1.1"], None),
    ];
    let ask = |arguments: &[&str]| {
        let mut curl = Command::new(&curl);
        curl.current_dir(folder.path())
            .args(["--silent", "--noproxy", "*", "--max-time", "20"]);
        curl.args([
            "--output",
            "body",
            "--write-out",
            "%{http_code}",
            "--cacert",
            "ca.pem",
        ]);
        let output = curl.args(arguments).arg(&url).output().expect("curl ends");
        let status = String::from_utf8_lossy(&output.stdout).into_owned();
        output.status.success().then_some(status)
    };
    for (more, expected) in cases {
        let arguments = [&client[..], more].concat();
        assert_eq!(
            ask(&arguments).as_deref(),
            expected,
            "{more:?}\n{}",
            program.log()
        );
    }
    assert_eq!(ask(&["--user", &user]), None, "without a certificate");
    assert_eq!(
        ask(&[
            "--user",
            &user,
            "--cert",
            "server.pem",
            "--key",
            "server.key"
        ]),
        None
    );
}

fn scrapes(server: &Path) {
    let folder = tempfile::tempdir().expect("a folder");
    let program = secured(folder.path());
    let file = |name: &str| folder.path().join(name).display().to_string();
    let config = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n\
         scrape_configs:\n\
         - job_name: secured\n  \
           scheme: https\n  \
           basic_auth: {{username: alice, password: {PASSWORD}}}\n  \
           tls_config: {{ca_file: '{}', cert_file: '{}', key_file: '{}', server_name: localhost}}\n  \
           static_configs: [{{targets: ['{}']}}]\n",
        file("ca.pem"),
        file("client.pem"),
        file("client.key"),
        program.address()
    );
    let prometheus = Prometheus::start(server, &config);
    prometheus.expect("up", FIRST_SCRAPE, |up| up > 0.0);
}

#[test]
fn release_2_42_scrapes_with_password_and_certificate() {
    if let Some(server) = tools::require("prometheus") {
        scrapes(&server);
    }
}

#[test]
fn release_3_scrapes_with_password_and_certificate() {
    if let Some(server) = tools::optional("prometheus-3") {
        scrapes(&server);
    }
}

/// The exporter starts with what users of the official exporters write, and promtool
/// agrees.
#[test]
fn files_that_promtool_accepts_are_accepted() {
    let Some(promtool) = tools::require("promtool") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let authority = Authority::new();
    authority.issue(&["localhost"]).write(folder, "server");
    fs::write(folder.join("ca.pem"), authority.pem()).expect("a file");
    let hash = bcrypt::hash(PASSWORD, 4).expect("a hash");
    let cases = [
        String::new(),
        "# Comments alone.\n".to_owned(),
        "---\ntls_server_config: {}\nbasic_auth_users: {}\n".to_owned(),
        PAIR.to_owned(),
        format!("{PAIR}  client_auth_type: NoClientCert\n"),
        format!("{PAIR}  client_auth_type: RequestClientCert\n"),
        format!("{PAIR}  client_auth_type: RequireAnyClientCert\n"),
        format!("{PAIR}  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.pem\n"),
        format!("{PAIR}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n"),
        format!(
            "{PAIR}  client_auth_type: \"RequireAndVerifyClientCert\"\n  client_ca_file: \"{}/ca.pem\"\n",
            folder.display()
        ),
        format!("{PAIR}  min_version: TLS12\n  max_version: TLS13\n"),
        format!("{PAIR}  min_version: TLS13\n"),
        format!(
            "{PAIR}  prefer_server_cipher_suites: false\n  cipher_suites:\n  - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\n  - TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384\n  - TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\n  - TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256\n"
        ),
        format!(
            "{PAIR}  cipher_suites: [TLS_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]\n"
        ),
        format!("{PAIR}  curve_preferences: [CurveP256, CurveP384, X25519]\n"),
        format!(
            "{PAIR}http_server_config:\n  http2: false\n  headers:\n    Strict-Transport-Security: max-age=31536000; includeSubDomains\n    X-Frame-Options: sameorigin\n    X-Content-Type-Options: nosniff\n    X-XSS-Protection: 1; mode=block\n    Content-Security-Policy: default-src 'self'\n"
        ),
        format!("{PAIR}http_server_config: {{http2: yes}}\n"),
        format!("basic_auth_users:\n  alice: {hash}\n  \"bob\": '{hash}'\n"),
        format!("{PAIR}basic_auth_users: {{carol: {hash}}}\n"),
    ];
    for text in cases {
        let path = folder.join("web.yml");
        fs::write(&path, &text).expect("a file");
        let checked = Command::new(&promtool)
            .args(["check", "web-config"])
            .arg(&path)
            .output();
        let checked = checked.expect("promtool ends");
        let said = String::from_utf8_lossy(&checked.stderr).into_owned();
        assert!(checked.status.success(), "{text}: {said}");
        let flag = format!("--web.config.file={}", path.display());
        // An exporter that refuses a file ends, and does not listen.
        Program::start(&["demo", "--web.listen-address=127.0.0.1:0", &flag]);
    }
}
