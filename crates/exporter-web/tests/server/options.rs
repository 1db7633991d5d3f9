//! The table in `README.md` and the options that are taken are the same.

use std::{collections::BTreeSet, path::Path};

use exporter_web::settings::WebSettings;

const README: &str = include_str!("../../README.md");

/// A hash of no known password.
const HASH: &str = "$2y$04$4Y7pW1eBfxKHPwxdvkUD9OwAPdRWpyRrj1RkZOSV7NQk5HFBL.H3S";

/// For each option of the table, a file that uses it.
const EXAMPLES: &[(&str, &str)] = &[
    (
        "tls_server_config.cert",
        "tls_server_config: {cert: PEM, key_file: k}",
    ),
    (
        "tls_server_config.key",
        "tls_server_config: {cert_file: c, key: PEM}",
    ),
    (
        "tls_server_config.client_ca",
        "tls_server_config: {cert_file: c, key_file: k, client_auth_type: RequireAndVerifyClientCert, client_ca: PEM}",
    ),
    (
        "tls_server_config.cert_file",
        "tls_server_config: {cert_file: c, key_file: k}",
    ),
    (
        "tls_server_config.key_file",
        "tls_server_config: {cert_file: c, key_file: k}",
    ),
    (
        "tls_server_config.client_auth_type: NoClientCert",
        "tls_server_config: {cert_file: c, key_file: k, client_auth_type: NoClientCert}",
    ),
    (
        "tls_server_config.client_auth_type: RequestClientCert",
        "tls_server_config: {cert_file: c, key_file: k, client_auth_type: RequestClientCert}",
    ),
    (
        "tls_server_config.client_auth_type: RequireAnyClientCert",
        "tls_server_config: {cert_file: c, key_file: k, client_auth_type: RequireAnyClientCert}",
    ),
    (
        "tls_server_config.client_auth_type: VerifyClientCertIfGiven",
        "tls_server_config: {cert_file: c, key_file: k, client_auth_type: VerifyClientCertIfGiven, client_ca_file: a}",
    ),
    (
        "tls_server_config.client_auth_type: RequireAndVerifyClientCert",
        "tls_server_config: {cert_file: c, key_file: k, client_auth_type: RequireAndVerifyClientCert, client_ca_file: a}",
    ),
    (
        "tls_server_config.client_ca_file",
        "tls_server_config: {cert_file: c, key_file: k, client_auth_type: RequireAndVerifyClientCert, client_ca_file: a}",
    ),
    (
        "tls_server_config.client_allowed_sans: DNS name, IP address or URI",
        "tls_server_config: {cert_file: c, key_file: k, client_auth_type: RequireAndVerifyClientCert, client_ca_file: a, client_allowed_sans: [scraper.test, 192.0.2.1, 'spiffe://a/b']}",
    ),
    (
        "tls_server_config.client_allowed_sans: e-mail address",
        "tls_server_config: {cert_file: c, key_file: k, client_auth_type: RequireAndVerifyClientCert, client_ca_file: a, client_allowed_sans: [a@b.test]}",
    ),
    (
        "tls_server_config.min_version: TLS12 or TLS13",
        "tls_server_config: {cert_file: c, key_file: k, min_version: TLS13}",
    ),
    (
        "tls_server_config.min_version: TLS10 or TLS11",
        "tls_server_config: {cert_file: c, key_file: k, min_version: TLS11}",
    ),
    (
        "tls_server_config.max_version: TLS12 or TLS13",
        "tls_server_config: {cert_file: c, key_file: k, max_version: TLS12}",
    ),
    (
        "tls_server_config.max_version: TLS10 or TLS11",
        "tls_server_config: {cert_file: c, key_file: k, max_version: TLS10}",
    ),
    (
        "tls_server_config.cipher_suites: ECDHE with AES-GCM or ChaCha20",
        "tls_server_config: {cert_file: c, key_file: k, cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]}",
    ),
    (
        "tls_server_config.cipher_suites: CBC, RC4 or RSA key exchange",
        "tls_server_config: {cert_file: c, key_file: k, cipher_suites: [TLS_RSA_WITH_AES_128_GCM_SHA256]}",
    ),
    (
        "tls_server_config.prefer_server_cipher_suites",
        "tls_server_config: {cert_file: c, key_file: k, prefer_server_cipher_suites: false}",
    ),
    (
        "tls_server_config.curve_preferences: X25519, CurveP256 or CurveP384",
        "tls_server_config: {cert_file: c, key_file: k, curve_preferences: [CurveP384, CurveP256, X25519]}",
    ),
    (
        "tls_server_config.curve_preferences: CurveP521",
        "tls_server_config: {cert_file: c, key_file: k, curve_preferences: [CurveP521]}",
    ),
    (
        "http_server_config.http2",
        "http_server_config: {http2: true}",
    ),
    (
        "http_server_config.headers.Content-Security-Policy",
        "http_server_config: {headers: {Content-Security-Policy: default-src 'self'}}",
    ),
    (
        "http_server_config.headers.X-Frame-Options",
        "http_server_config: {headers: {X-Frame-Options: sameorigin}}",
    ),
    (
        "http_server_config.headers.X-Content-Type-Options",
        "http_server_config: {headers: {X-Content-Type-Options: nosniff}}",
    ),
    (
        "http_server_config.headers.X-XSS-Protection",
        "http_server_config: {headers: {X-XSS-Protection: 1}}",
    ),
    (
        "http_server_config.headers.Strict-Transport-Security",
        "http_server_config: {headers: {Strict-Transport-Security: max-age=1}}",
    ),
    (
        "basic_auth_users.<user>: cost from 4 to 18",
        "basic_auth_users: {alice: HASH}",
    ),
    (
        "basic_auth_users.<user>: cost above 18",
        "basic_auth_users: {alice: COSTLY}",
    ),
    (
        "rate_limit.interval",
        "rate_limit: {interval: 1s, burst: 1}",
    ),
    ("rate_limit.burst", "rate_limit: {interval: 1s, burst: 1}"),
];

/// For each option without effect, a file that means the same.
const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("http_server_config.http2", "http_server_config: {}"),
    (
        "tls_server_config.client_auth_type: RequestClientCert",
        "tls_server_config: {cert_file: c, key_file: k}",
    ),
];

/// Reads the options of the table, each with its second column.
fn table() -> Vec<(&'static str, &'static str)> {
    let rows = README.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows = rows.map(|row| {
        let (option, rest) = row.split_once("` | ").expect("an option");
        let (said, _) = rest.split_once(" | ").expect("a remark");
        (option, said)
    });
    rows.collect()
}

fn parse(file: &str) -> Result<WebSettings, Vec<String>> {
    let file = file
        .replace("HASH", HASH)
        .replace("COSTLY", &HASH.replace("$04$", "$19$"));
    WebSettings::parse(&file, Path::new(""))
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

#[test]
fn each_option_is_taken_or_refused_as_the_table_says() {
    let table = table();
    let named: Vec<_> = table.iter().map(|(option, _)| *option).collect();
    let examples: Vec<_> = EXAMPLES.iter().map(|(option, _)| *option).collect();
    assert_eq!(named, examples, "left: the table; right: EXAMPLES");
    for ((option, said), (_, file)) in table.into_iter().zip(EXAMPLES) {
        let settings = parse(file);
        match said {
            "taken" => {
                let settings = settings.unwrap_or_else(|problems| panic!("{option}: {problems:?}"));
                let nothing = format!("{:?}", WebSettings::default());
                assert_ne!(format!("{settings:?}"), nothing, "{option}");
            }
            "no effect" => {
                let settings = settings.unwrap_or_else(|problems| panic!("{option}: {problems:?}"));
                let without = WITHOUT_EFFECT.iter().find(|(name, _)| *name == option);
                let without = parse(without.expect(option).1).expect("settings");
                assert_eq!(format!("{settings:?}"), format!("{without:?}"), "{option}");
            }
            "refused" => {
                let problems = settings.expect_err(option);
                let path = option.split(": ").next().expect("a name");
                let name = path.rsplit('.').next().expect("a name");
                let name = name.replace("<user>", "alice");
                let [problem] = &problems[..] else {
                    panic!("{option}: {problems:?}");
                };
                let start = format!("line 1: `{name}` ");
                assert!(problem.starts_with(&start), "{problem}");
            }
            other => panic!("{option} is said to be {other}"),
        }
    }
}

/// The options that an error offers in place of one that is unknown.
fn offered(file: &str, after: &str) -> BTreeSet<String> {
    let problems = parse(file).expect_err(file);
    let problem = problems.iter().find_map(|problem| {
        let (_, names) = problem.split_once(after)?;
        Some(names.replace(" and ", ", "))
    });
    let problem = problem.unwrap_or_else(|| panic!("{problems:?}"));
    problem.split(", ").map(str::to_owned).collect()
}

/// The names that follow `start` in the table.
fn in_table(start: &str) -> BTreeSet<String> {
    let table = table().into_iter();
    let rest = table.filter_map(|(option, _)| option.strip_prefix(start));
    rest.filter_map(|rest| rest.split(['.', ':']).next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_option_that_is_taken_is_in_the_table() {
    let settings = "is unknown; the options are ";
    for (start, file, after) in [
        ("", "unknown: 1", settings),
        (
            "tls_server_config.",
            "tls_server_config: {unknown: 1}",
            settings,
        ),
        (
            "http_server_config.",
            "http_server_config: {unknown: 1}",
            settings,
        ),
        (
            "http_server_config.headers.",
            "http_server_config: {headers: {unknown: 1}}",
            "cannot be set; the headers are ",
        ),
        ("rate_limit.", "rate_limit: {unknown: 1}", settings),
    ] {
        assert_eq!(offered(file, after), in_table(start), "{start}");
    }
}
