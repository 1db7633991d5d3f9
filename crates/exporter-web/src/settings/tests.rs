use std::{path::Path, time::Duration};

use super::*;

/// A hash of no known password.
const HASH: &str = "$2y$04$4Y7pW1eBfxKHPwxdvkUD9OwAPdRWpyRrj1RkZOSV7NQk5HFBL.H3S";

fn parse(text: &str) -> Result<WebSettings, Vec<String>> {
    WebSettings::parse(text, Path::new("/etc/exporter"))
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

/// Reads a section with a certificate and these lines.
fn tls(more: &str) -> TlsSettings {
    let text = format!("tls_server_config:\n  cert_file: c.pem\n  key_file: /k.pem\n{more}");
    let settings = parse(&text).unwrap_or_else(|problems| panic!("{more}: {problems:?}"));
    settings.tls.expect("TLS")
}

fn versions(tls: &TlsSettings) -> Vec<String> {
    let versions = tls.versions.iter();
    versions
        .map(|version| format!("{:?}", version.version))
        .collect()
}

fn suites(tls: &TlsSettings) -> Vec<String> {
    let suites = tls.cipher_suites.iter();
    suites.map(|suite| format!("{:?}", suite.suite())).collect()
}

fn curves(tls: &TlsSettings) -> Vec<String> {
    let curves = tls.curves.iter();
    curves.map(|curve| format!("{:?}", curve.name())).collect()
}

#[test]
fn an_empty_file_asks_for_nothing() {
    for text in [
        "",
        "---",
        "tls_server_config:\nhttp_server_config:\nbasic_auth_users:\nrate_limit:\n",
        "tls_server_config: {}\nhttp_server_config: {headers: }\nbasic_auth_users: {}\nrate_limit: {}\n",
        "http_server_config:\n  http2: true\n",
        "http_server_config: {http2: off, headers: {X-Frame-Options: '', X-XSS-Protection: }}\n",
        "rate_limit: {interval: 0, burst: 0}\n",
        "rate_limit: {interval: 0s}\n",
    ] {
        let settings = parse(text).unwrap_or_else(|problems| panic!("{text}: {problems:?}"));
        assert!(
            settings.tls.is_none() && settings.headers.is_empty(),
            "{text}"
        );
        assert!(
            settings.users.is_empty() && settings.rate_limit.is_none(),
            "{text}"
        );
        assert!(settings.warnings().is_empty(), "{text}");
    }
}

#[test]
fn tls_has_the_defaults_of_the_format() {
    let tls = tls("");
    assert_eq!(
        format!("{:?}", tls.certificate),
        "File(/etc/exporter/c.pem)"
    );
    assert_eq!(format!("{:?}", tls.key), "File(/k.pem)");
    assert!(matches!(tls.clients, ClientCertificates::None));
    assert_eq!(versions(&tls), ["TLSv1_3", "TLSv1_2"]);
    assert_eq!(tls.cipher_suites.len(), 9);
    assert!(tls.prefer_server_cipher_suites);
    assert_eq!(curves(&tls), ["X25519", "secp256r1", "secp384r1"]);
}

#[test]
fn versions_suites_and_curves_are_taken_in_order() {
    let tls = tls(concat!(
        "  min_version: TLS12\n  max_version: TLS12\n",
        "  prefer_server_cipher_suites: false\n",
        "  cipher_suites:\n",
        "  - TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384\n",
        "  - TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256\n",
        "  curve_preferences: [CurveP384, X25519]\n",
    ));
    assert_eq!(versions(&tls), ["TLSv1_2"]);
    assert!(!tls.prefer_server_cipher_suites);
    assert_eq!(
        suites(&tls)[..2],
        [
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"
        ]
    );
    assert_eq!(curves(&tls), ["secp384r1", "X25519"]);
}

#[test]
fn a_list_of_suites_bounds_the_versions_that_it_names() {
    let old = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
    let tls_1_2_alone = tls(&format!("  cipher_suites: [{old}]\n"));
    assert_eq!(versions(&tls_1_2_alone), ["TLSv1_3", "TLSv1_2"]);
    assert_eq!(suites(&tls_1_2_alone).len(), 4);
    let tls_1_3_alone = tls("  cipher_suites: [TLS_AES_256_GCM_SHA384]\n");
    assert_eq!(versions(&tls_1_3_alone), ["TLSv1_3"]);
    assert_eq!(suites(&tls_1_3_alone), ["TLS13_AES_256_GCM_SHA384"]);
}

#[test]
fn clients_are_asked_for_what_the_type_says() {
    let clients = |text: &str| format!("{:?}", tls(text).clients);
    let names = "  client_allowed_sans: [scraper.example, 192.0.2.1, 'spiffe://a/b@c']\n";
    let authority = "  client_ca_file: ca.pem\n";
    let shown = "[Text(\"scraper.example\"), Address(";
    for none in ["", "NoClientCert", "RequestClientCert"] {
        assert_eq!(clients(&format!("  client_auth_type: {none}\n")), "None");
    }
    for any in ["RequireAnyClientCert", "RequireClientCert"] {
        let text = format!("  client_auth_type: {any}\n");
        assert_eq!(clients(&text), "Any { names: [] }");
        assert!(clients(&format!("{text}{names}")).contains(shown));
    }
    let verified = clients(&format!(
        "  client_auth_type: VerifyClientCertIfGiven\n{authority}"
    ));
    let expected = "Verified { authority: File(/etc/exporter/ca.pem), required: false, names: [] }";
    assert_eq!(verified, expected);
    let required = clients(&format!(
        "  client_auth_type: RequireAndVerifyClientCert\n{authority}{names}"
    ));
    assert!(
        required.contains("required: true, names: [Text"),
        "{required}"
    );
    let inline =
        clients("  client_auth_type: RequireAndVerifyClientCert\n  client_ca: |\n    PEM\n");
    assert!(inline.contains("authority: Inline(..)"), "{inline}");
}

#[test]
fn headers_users_and_rate_are_taken() {
    let settings = parse(&format!(
        "basic_auth_users:\n  alice: {HASH}\n  'bob smith': '{HASH}'\n\
         http_server_config:\n  headers:\n    X-Frame-Options: deny\n    Strict-Transport-Security: max-age=1\n\
         rate_limit: {{interval: 100ms, burst: 20}}\n"
    ))
    .expect("settings");
    assert_eq!(
        settings.users.keys().collect::<Vec<_>>(),
        ["alice", "bob smith"]
    );
    assert_eq!(settings.users["alice"].as_str(), HASH);
    assert_eq!(settings.users["alice"].cost(), 4);
    let headers = [
        ("X-Frame-Options", "deny"),
        ("Strict-Transport-Security", "max-age=1"),
    ];
    assert_eq!(
        settings.headers,
        headers.map(|(name, value)| (name, value.to_owned()))
    );
    let limit = settings.rate_limit.expect("a limit");
    assert_eq!(
        (limit.interval, limit.burst.get()),
        (Duration::from_millis(100), 20)
    );
    assert!(!format!("{settings:?}").contains(&HASH[10..]));
    assert_eq!(settings.warnings().len(), 1);
}

#[test]
fn the_spellings_of_bcrypt_are_taken() {
    for version in ["2a", "2b", "2y"] {
        let hash = HASH.replacen("2y", version, 1);
        assert!(hash.parse::<PasswordHash>().is_ok(), "{version}");
    }
}

/// Each file with all that is said of it.
#[test]
fn what_cannot_be_meant_is_refused_by_name() {
    const PAIR: &str = "tls_server_config:\n  cert_file: c\n  key_file: k\n";
    const BCRYPT: &str =
        "is not a bcrypt hash; make one with `htpasswd -nBC 10 \"\" | tr -d ':\\n'`";
    let pair = |more: &str| format!("{PAIR}{more}");
    let cases: Vec<(String, Vec<String>)> = [
        ("tls_config: {}".to_owned(), vec!["line 1: `tls_config` is unknown; the options are tls_server_config, http_server_config, basic_auth_users and rate_limit".to_owned()]),
        ("a: 1\na: 2".to_owned(), vec!["line 2: `a` is given again, after line 1; keep one".to_owned()]),
        ("tls_server_config: yes".to_owned(), vec!["line 1: `tls_server_config` must be a mapping, `key: value`".to_owned()]),
        // TLS would silently be off.
        ("tls_server_config: {min_version: TLS13}".to_owned(), vec![
            "line 1: `tls_server_config` needs cert_file or cert: there is no TLS without it".to_owned(),
            "line 1: `tls_server_config` needs key_file or key: there is no TLS without it".to_owned(),
        ]),
        ("tls_server_config:\n  cert_file: ''\n  key: |\n    PEM".to_owned(), vec!["line 1: `tls_server_config` needs cert_file or cert: there is no TLS without it".to_owned()]),
        (pair("  key: PEM\n"), vec!["line 4: `key` is given beside the option of the same name with _file; keep one of the two".to_owned()]),
        (pair("  cert: [hunter2]\n"), vec!["line 4: `cert` must be text".to_owned()]),
        (pair("  ca_file: x\n"), vec!["line 4: `ca_file` is unknown; the options are cert, cert_file, key, key_file, client_ca, client_ca_file, client_auth_type, client_allowed_sans, min_version, max_version, cipher_suites, prefer_server_cipher_suites and curve_preferences".to_owned()]),
        (pair("  client_ca_file: ca\n"), vec!["line 4: `client_ca_file` has an effect only with client_auth_type RequireAndVerifyClientCert; set that, or remove this option".to_owned()]),
        (pair("  client_auth_type: RequestClientCert\n  client_ca: x\n"), vec!["line 5: `client_ca` has an effect only with client_auth_type RequireAndVerifyClientCert; set that, or remove this option".to_owned()]),
        (pair("  client_auth_type: RequireAndVerifyClientCert\n"), vec!["line 4: `client_auth_type` needs client_ca_file or client_ca: any public authority could vouch for clients without it".to_owned()]),
        (pair("  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca\n  client_allowed_sans: [a]\n"), vec!["line 6: `client_allowed_sans` has an effect only with client_auth_type RequireAndVerifyClientCert; set that, or remove this option".to_owned()]),
        (pair("  client_auth_type: RequireAnyClientCert\n  client_allowed_sans: []\n"), vec!["line 5: `client_allowed_sans` has no names; name the clients that may connect, or remove it".to_owned()]),
        (pair("  client_auth_type: RequireAnyClientCert\n  client_allowed_sans: [hunter2@example.org]\n"), vec!["line 5: `client_allowed_sans` has an e-mail address, which is not supported; name clients by DNS name, IP address or URI".to_owned()]),
        (pair("  client_auth_type: hunter2\n"), vec!["line 4: `client_auth_type` must be NoClientCert, RequestClientCert, RequireAnyClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert".to_owned()]),
        (pair("  min_version: TLS11\n"), vec!["line 4: `min_version` is below TLS12: TLS 1.0 and 1.1 are broken and not supported; write TLS12 or TLS13".to_owned()]),
        (pair("  max_version: TLS10\n"), vec!["line 4: `max_version` is below TLS12: TLS 1.0 and 1.1 are broken and not supported; write TLS12 or TLS13".to_owned()]),
        (pair("  max_version: SSL30\n"), vec!["line 4: `max_version` must be TLS12 or TLS13".to_owned()]),
        (pair("  min_version: TLS13\n  max_version: TLS12\n"), vec!["line 5: `max_version` is below min_version".to_owned()]),
        (pair("  min_version: TLS12\n  max_version: TLS12\n  cipher_suites: [TLS_AES_128_GCM_SHA256]\n"), vec!["line 1: `tls_server_config` has no cipher suite for the versions that it allows".to_owned()]),
        (pair("  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA]\n"), vec!["line 4: `cipher_suites` has TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, which is not supported: CBC, RC4 and RSA key exchange are weak; remove it".to_owned()]),
        (pair("  cipher_suites: [hunter2]\n"), vec!["line 4: `cipher_suites` has an unknown suite; the suites are TLS_AES_256_GCM_SHA384, TLS_AES_128_GCM_SHA256, TLS_CHACHA20_POLY1305_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256".to_owned()]),
        (pair("  cipher_suites: TLS_AES_128_GCM_SHA256\n"), vec!["line 4: `cipher_suites` must be a list".to_owned()]),
        (pair("  curve_preferences: [CurveP521, hunter2]\n"), vec![
            "line 4: `curve_preferences` has CurveP521, which is not supported; remove it".to_owned(),
            "line 4: `curve_preferences` has an unknown curve; the curves are X25519, CurveP256 and CurveP384".to_owned(),
        ]),
        (pair("  prefer_server_cipher_suites: 'true'\n"), vec!["line 4: `prefer_server_cipher_suites` must be true or false, without quotes".to_owned()]),
        ("http_server_config: {http3: true, http2: maybe}".to_owned(), vec![
            "line 1: `http2` must be true or false, without quotes".to_owned(),
            "line 1: `http3` is unknown; the options are http2 and headers".to_owned(),
        ]),
        ("http_server_config:\n  headers:\n    Server: x\n    x-frame-options: deny\n    X-Frame-Options: hunter2\n    X-Content-Type-Options: hunter2\n    X-XSS-Protection: \"a\\r\\nb: hunter2\"".to_owned(), vec![
            "line 3: `Server` cannot be set; the headers are Content-Security-Policy, Strict-Transport-Security, X-Content-Type-Options, X-Frame-Options and X-XSS-Protection".to_owned(),
            "line 4: `x-frame-options` cannot be set; the headers are Content-Security-Policy, Strict-Transport-Security, X-Content-Type-Options, X-Frame-Options and X-XSS-Protection".to_owned(),
            "line 5: `X-Frame-Options` must be deny or sameorigin".to_owned(),
            "line 6: `X-Content-Type-Options` must be nosniff".to_owned(),
            "line 7: `X-XSS-Protection` must be one line of ASCII".to_owned(),
        ]),
        (format!("basic_auth_users:\n  a: hunter2\n  b:\n  c: [hunter2]\n  d: {}\n  e: {}\n  'f:g': {HASH}", HASH.replace("$04$", "$19$"), HASH.replace("$04$", "$03$")), vec![
            format!("line 2: `a` {BCRYPT}"),
            format!("line 3: `b` {BCRYPT}"),
            "line 4: `c` must be text".to_owned(),
            "line 5: `d` has a bcrypt cost of 19; it must be from 4 to 18, and 10 is usual".to_owned(),
            "line 6: `e` has a bcrypt cost of 3; it must be from 4 to 18, and 10 is usual".to_owned(),
            "line 7: `f:g` has a colon, which ends a user name (RFC 7617)".to_owned(),
        ]),
        ("basic_auth_users: [a]".to_owned(), vec!["line 1: `basic_auth_users` must be a mapping, `key: value`".to_owned()]),
        ("rate_limit: {interval: 1s}".to_owned(), vec!["line 1: `rate_limit` needs a burst, a whole number above 0: without one no request is answered".to_owned()]),
        ("rate_limit: {interval: 1s, burst: 0}".to_owned(), vec!["line 1: `rate_limit` needs a burst, a whole number above 0: without one no request is answered".to_owned()]),
        ("rate_limit: {interval: 20, burst: 1, bucket: 2}".to_owned(), vec![
            "line 1: `bucket` is unknown; the options are interval and burst".to_owned(),
            "line 1: `interval` must be a duration such as 1s or 100ms, or 0".to_owned(),
        ]),
        // Problems of several sections come together.
        ("rate_limit: {bucket: 2}\nbasic_auth_users: {a: b}\nnonsense: 1\nhttp_server_config: x\n".to_owned(), vec![
            "line 1: `bucket` is unknown; the options are interval and burst".to_owned(),
            format!("line 2: `a` {BCRYPT}"),
            "line 3: `nonsense` is unknown; the options are tls_server_config, http_server_config, basic_auth_users and rate_limit".to_owned(),
                "line 4: `http_server_config` must be a mapping, `key: value`".to_owned(),
        ]),
    ]
    .into();
    for (text, expected) in cases {
        let problems = parse(&text).map(drop).expect_err(&text);
        assert_eq!(problems, expected, "{text}");
        assert!(!problems.concat().contains("hunter2"), "{problems:?}");
    }
}
