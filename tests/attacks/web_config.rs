//! Web configuration files as users of the official exporters write them: a file that
//! those accept is accepted, and the problems of another are named in full.

use std::fs;
use std::path::Path;
use std::process::Command;

use test_support::certificates::Authority;
use test_support::program::command;
use test_support::raw_http::RawHttp;

use crate::secured_exporter::{PASSWORD, SecuredExporter, TLS, users, write_certificates};
use crate::tls_client::TlsClient;

const NO_CERTIFICATE: &str =
    "cert_file holds no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----";
const NO_KEY: &str =
    "key_file holds no private key in PEM (PKCS #8, PKCS #1 or SEC 1, not encrypted)";

/// Returns the message about this file, without its path. The program must end with
/// status 2.
fn refused(folder: &Path, web_config: &str) -> Vec<String> {
    let path = folder.join("web.yml");
    fs::write(&path, web_config).expect("a file");
    let mut program: Command = command();
    program.arg(format!("--web.config.file={}", path.display()));
    program.args([
        "--web.listen-address=127.0.0.1:0",
        "--api.base-url=http://127.0.0.1:1/",
    ]);
    let output = program
        .current_dir(folder)
        .output()
        .expect("the program ends");
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(2), "{said}");
    let path = path.display();
    let (of_file, of_line) = (
        format!("  --web.config.file {path}: "),
        format!("  {path}:"),
    );
    let lines = said.lines().filter_map(|line| {
        let of_file = line.strip_prefix(&of_file);
        of_file.or_else(|| line.strip_prefix(&of_line))
    });
    lines
        .map(|line| line.replace(&format!("{}/", folder.display()), ""))
        .collect()
}

#[test]
fn an_invalid_file_is_reported_and_nothing_starts() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let authority = Authority::new();
    write_certificates(folder, &authority);
    authority.issue(&["other.test"]).write(folder, "other");
    fs::write(folder.join("empty.pem"), "").expect("a file");
    fs::write(
        folder.join("locked.key"),
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n",
    )
    .expect("a file");
    fs::write(
        folder.join("broken.pem"),
        "-----BEGIN CERTIFICATE-----\nhunter2!\n-----END CERTIFICATE-----\n",
    )
    .expect("a file");
    let pair = |certificate: &str, key: &str| {
        format!("tls_server_config:\n  cert_file: {certificate}\n  key_file: {key}\n")
    };
    let authorities = |file: &str| {
        format!("{TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: {file}\n")
    };
    let cases: [(String, &[&str]); 12] = [
        (
            pair("no.pem", "no.key"),
            &[
                "cert_file no.pem cannot be read: No such file or directory (os error 2)",
                "key_file no.key cannot be read: No such file or directory (os error 2)",
            ],
        ),
        (pair("empty.pem", "server.key"), &[NO_CERTIFICATE]),
        (pair("broken.pem", "server.key"), &[NO_CERTIFICATE]),
        (pair("server.key", "server.key"), &[NO_CERTIFICATE]),
        (pair("server.pem", "server.pem"), &[NO_KEY]),
        (pair("server.pem", "locked.key"), &[NO_KEY]),
        (
            pair("server.pem", "other.key"),
            &[
                "cert_file and key_file do not belong together: keys may not be consistent: KeyMismatch",
            ],
        ),
        (
            authorities("empty.pem"),
            &[
                "client_ca_file holds no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----",
            ],
        ),
        (
            authorities("no.pem"),
            &["client_ca_file no.pem cannot be read: No such file or directory (os error 2)"],
        ),
        (
            format!("{TLS}  min_version: TLS10\nbasic_auth_users: {{a: hunter2}}\n"),
            &[
                "4: `min_version` is below TLS12: TLS 1.0 and 1.1 are broken and not supported; write TLS12 or TLS13",
                "5: `a` is not a bcrypt hash; make one with `htpasswd -nBC 10 \"\" | tr -d ':\\n'`",
            ],
        ),
        (
            "basic_auth_users:\n  a: 'hunter2\n".to_owned(),
            &[
                "2: this is not YAML: while scanning a quoted scalar, found unexpected end of stream",
            ],
        ),
        (
            " ".repeat((1 << 20) + 1),
            &["cannot be read: it is longer than 1048576 bytes"],
        ),
    ];
    for (text, expected) in cases {
        let said = refused(folder, &text);
        let shown: String = text.chars().take(300).collect();
        assert_eq!(said, expected, "{shown}");
        assert!(!said.concat().contains("hunter2"), "{said:?}");
    }
}

#[test]
fn flags_and_file_are_checked_together() {
    let mut program = command();
    program.args(["--web.config.file=/no/web.yml", "--web.max-requests=many"]);
    let output = program.output().expect("the program ends");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    let expected = "--web.max-requests \"many\" is not a whole number; 0 means no limit";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn inline_pem_is_as_good_as_files() {
    let authority = Authority::new();
    let pair = authority.issue(&["localhost"]);
    let indented = |pem: &str| pem.replace('\n', "\n    ");
    let secured = SecuredExporter::start(&format!(
        "tls_server_config:\n  cert: |\n    {}\n  key: |\n    {}\n{}",
        indented(&pair.certificate),
        indented(&pair.key),
        users(4)
    ));
    let client = TlsClient::new(&authority, None);
    let status = |password| {
        let answer = client.get(secured.program.address(), "/metrics", password);
        answer.map(|(status, _)| status)
    };
    assert_eq!(status(None), Ok(401));
    assert_eq!(status(Some(PASSWORD)), Ok(200));
    assert!(!secured.program.lines().concat().contains("PRIVATE KEY"));
}

#[test]
fn an_empty_file_is_plain_http_for_everybody() {
    let secured = SecuredExporter::start("# Nothing yet.\n");
    let (head, _) = RawHttp::connect(secured.program.address()).get("/metrics");
    assert_eq!(head.status, 200);
}
