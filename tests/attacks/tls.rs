//! Clients that are admitted by TLS, and certificates that are renewed.

use std::time::Duration;

use rustls::version::{TLS12, TLS13};
use test_support::certificates::{Authority, Pair};
use test_support::eventually::eventually;
use test_support::raw_http::RawHttp;

use crate::secured_exporter::{PASSWORD, SecuredExporter, TLS, users};
use crate::tls_client::TlsClient;

/// The exporter looks at its files every second.
const FOLLOWED: Duration = Duration::from_secs(20);

fn status(secured: &SecuredExporter, client: &TlsClient) -> Result<u16, String> {
    let answer = client.get(secured.program.address(), "/metrics", None);
    answer.map(|(status, _)| status)
}

#[test]
fn only_the_allowed_tls_versions_are_spoken() {
    let cases = [
        ("", true, true),
        ("  min_version: TLS13\n", false, true),
        ("  max_version: TLS12\n", true, false),
    ];
    for (more, old, new) in cases {
        let secured = SecuredExporter::start(&format!("{TLS}{more}"));
        for (version, expected) in [(&TLS12, old), (&TLS13, new)] {
            let client = TlsClient::speaking(&secured.authority, None, &[version]);
            let answer = status(&secured, &client);
            assert_eq!(answer.is_ok(), expected, "{more:?}: {answer:?}");
        }
    }
}

#[test]
fn clients_are_admitted_by_the_required_certificate() {
    let stranger = Authority::new();
    let required = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n";
    let names = "  client_allowed_sans: [scraper.test, 192.0.2.7]\n";
    // The clients have: no certificate, one of another authority, one of ours with the
    // wrong name, one with the right name, and one with the right address.
    let cases: [(String, [bool; 5]); 6] = [
        (String::new(), [true; 5]),
        (
            "  client_auth_type: RequestClientCert\n".to_owned(),
            [true; 5],
        ),
        (
            "  client_auth_type: RequireAnyClientCert\n".to_owned(),
            [false, true, true, true, true],
        ),
        (
            "  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.pem\n".to_owned(),
            [true, false, true, true, true],
        ),
        (required.to_owned(), [false, false, true, true, true]),
        (
            format!("{required}{names}"),
            [false, false, false, true, true],
        ),
    ];
    for (more, expected) in cases {
        let secured = SecuredExporter::start(&format!("{TLS}{more}"));
        let shown: [Option<Pair>; 5] = [
            None,
            Some(stranger.issue(&["scraper.test"])),
            Some(
                secured
                    .authority
                    .issue(&["*.test", "other.test", "192.0.2.8"]),
            ),
            Some(secured.authority.issue(&["scraper.test"])),
            Some(secured.authority.issue(&["192.0.2.7"])),
        ];
        for version in [&TLS12, &TLS13] {
            for (shown, expected) in shown.iter().zip(expected) {
                let client = TlsClient::speaking(&secured.authority, shown.as_ref(), &[version]);
                let answer = status(&secured, &client);
                assert_eq!(answer.is_ok(), expected, "{more}: {answer:?}");
            }
        }
    }
}

#[test]
fn a_renewed_certificate_needs_no_restart() {
    let secured = SecuredExporter::start(TLS);
    let client = TlsClient::new(&secured.authority, None);
    assert_eq!(status(&secured, &client), Ok(200));
    let next = Authority::new();
    let renewed = next.issue(&["localhost"]);
    // The new certificate is there before its key. The exporter serves with the old
    // pair meanwhile, and in the end its log has no line about it.
    secured.replace("server.pem", &renewed.certificate);
    assert_eq!(status(&secured, &client), Ok(200));
    secured.replace("server.key", &renewed.key);
    let client = TlsClient::new(&next, None);
    eventually("a renewed certificate", FOLLOWED, || {
        status(&secured, &client)
    });
}

#[test]
fn a_broken_file_changes_nothing_and_is_named_once() {
    let secured = SecuredExporter::start(&format!("{TLS}{}", users(4)));
    let client = TlsClient::new(&secured.authority, None);
    let address = secured.program.address();
    let ask = |password| {
        let answer = client.get(address, "/-/ready", Some(password));
        answer.map(|(status, _)| status)
    };
    assert_ne!(ask(PASSWORD), Ok(401));
    secured.replace(
        "web.yml",
        &format!("{TLS}basic_auth_users:\n  alice: hunter2\n"),
    );
    let line = secured.program.wait_for_line("cannot be used");
    assert!(line.contains(":5: `alice` is not a bcrypt hash"), "{line}");
    assert!(!line.contains("hunter2"), "{line}");
    for _ in 0..5 {
        assert_ne!(ask(PASSWORD), Ok(401));
        assert_eq!(ask("hunter2"), Ok(401));
    }
    // TLS cannot be turned off while the exporter runs, since clients rely on it.
    secured.replace("web.yml", &users(4));
    secured
        .program
        .wait_for_line("was added or removed; restart the exporter for that");
    assert_ne!(ask(PASSWORD), Ok(401));
    let hash = bcrypt::hash("other", 4).expect("a hash");
    secured.replace(
        "web.yml",
        &format!("{TLS}basic_auth_users:\n  alice: {hash}\n"),
    );
    secured.program.wait_for_line("was read again");
    assert_eq!(ask(PASSWORD), Ok(401));
    assert_ne!(ask("other"), Ok(401));
    let lines = secured.program.lines();
    let told = lines.iter().filter(|line| line.contains("cannot be used"));
    assert_eq!(told.count(), 2, "{}", secured.program.log());
}

#[test]
fn a_plain_http_request_gets_an_explanation() {
    let secured = SecuredExporter::start(TLS);
    let mut http = RawHttp::connect(secured.program.address());
    http.send("GET", "/metrics");
    let answer = http.read_to_end();
    assert_eq!(
        answer,
        "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
    );
}

#[test]
fn broken_handshakes_end_and_affect_no_other_client() {
    let secured = SecuredExporter::start(TLS);
    let client = TlsClient::new(&secured.authority, None);
    let address = secured.program.address();
    let old_hello = [
        &[0x16, 3, 1, 0, 45, 1, 0, 0, 41, 3, 1][..],
        &[7; 32],
        &[0, 0, 2, 0, 0x2f, 1, 0],
    ]
    .concat();
    let long = vec![0x16; 70_000];
    let cases: [&[u8]; 6] = [
        b"\0\0\0\0\0\0\0\0",
        b"\x80\x2e\x01\x00\x02",
        b"\x16\x03\x01\xff\xff",
        &long,
        &[0xff; 5000],
        &old_hello,
    ];
    for bytes in cases {
        let mut raw = RawHttp::connect(address);
        raw.send_bytes(bytes);
        raw.finish();
        let answer = raw.read_to_end();
        assert!(!answer.contains("HTTP/1"), "{answer}");
        assert_eq!(status(&secured, &client), Ok(200));
    }
    // A handshake that stops in the middle is cut off, and delays no other client.
    let mut halves: Vec<_> = (0..100)
        .map(|_| {
            let mut raw = RawHttp::connect(address);
            raw.send_bytes(&old_hello[..20]);
            raw
        })
        .collect();
    assert_eq!(status(&secured, &client), Ok(200));
    assert!(halves.iter_mut().all(RawHttp::is_at_its_end));
}
