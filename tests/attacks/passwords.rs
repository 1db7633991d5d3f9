//! Wrong passwords, by the hundred.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Instant;

use test_support::eventually::eventually;
use test_support::raw_http::RawHttp;

use crate::resource_use::{AT_ONCE, memory};
use crate::secured_exporter::{PASSWORD, SecuredExporter, users};
use crate::tls_client::basic;

/// The cost of the hash: tens of milliseconds in an unoptimized build, as cost 10 takes
/// in a release.
const COST: u32 = 6;
const GUESSERS: usize = 20;
const GUESSES: usize = 400;
/// The connections of one address that guess at once, just after a start.
const FLOOD: usize = 40;

fn header(password: &str) -> String {
    let header = basic(password);
    let value = header.trim_end().strip_prefix("Authorization: ");
    value.expect("a header").to_owned()
}

#[test]
fn every_path_asks_for_the_password() {
    let secured = SecuredExporter::start(&users(4));
    let mut http = RawHttp::connect(secured.program.address());
    for path in [
        "/",
        "/metrics",
        "/-/healthy",
        "/-/ready",
        "/nowhere",
        "//metrics",
    ] {
        for headers in [&[][..], &[("Authorization", "Basic !")]] {
            let (head, body) = http.get_as(path, headers);
            assert_eq!(head.status, 401, "{path}");
            assert_eq!(head.header("www-authenticate"), "Basic", "{path}");
            assert!(!String::from_utf8_lossy(&body).contains("nexmo"), "{path}");
        }
        let (head, _) = http.get_as(path, &[("Authorization", &header(PASSWORD))]);
        assert_ne!(head.status, 401, "{path}");
    }
    let log = secured.program.lines().concat();
    assert!(log.contains("the network can read them"), "{log}");
    assert!(!log.contains(PASSWORD), "{log}");
}

#[test]
fn hundreds_of_wrong_passwords_neither_delay_a_right_one_nor_pile_up() {
    let secured = SecuredExporter::start(&users(COST));
    let address = secured.program.address();
    let right = header(PASSWORD);
    let ask = |http: &mut RawHttp| {
        let begun = Instant::now();
        let (head, _) = http.get_as("/metrics", &[("Authorization", &right)]);
        (head.status, begun.elapsed())
    };
    let mut kept = RawHttp::connect(address);
    assert_eq!(ask(&mut kept).0, 200);
    let before = memory(&secured.program);
    let (refused, busy) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let guessing: Vec<_> = (0..GUESSERS)
        .map(|guesser| {
            let (refused, busy) = (Arc::clone(&refused), Arc::clone(&busy));
            thread::spawn(move || {
                let mut http = RawHttp::connect(address);
                for guess in 0..GUESSES / GUESSERS {
                    let wrong = header(&format!("{guesser} {guess}"));
                    let (head, _) = http.get_as("/metrics", &[("Authorization", &wrong)]);
                    match head.status {
                        401 => refused.fetch_add(1, Relaxed),
                        429 => busy.fetch_add(1, Relaxed),
                        status => panic!("{status}"),
                    };
                }
            })
        })
        .collect();
    let mut scrapes = 0;
    while guessing.iter().any(|thread| !thread.is_finished()) || scrapes == 0 {
        let (status, took) = ask(&mut kept);
        assert_eq!(status, 200);
        assert!(took < AT_ONCE, "{took:?}");
        // The same holds for a scrape on a new connection.
        let (status, took) = ask(&mut RawHttp::connect(address));
        assert_eq!(status, 200);
        assert!(took < AT_ONCE, "{took:?}");
        scrapes += 1;
    }
    for thread in guessing {
        thread.join().expect("no other status");
    }
    assert_eq!(refused.load(Relaxed) + busy.load(Relaxed), GUESSES);
    assert!(refused.load(Relaxed) > 0, "{refused:?} {busy:?}");
    let grown = memory(&secured.program).saturating_sub(before);
    assert!(grown < 32, "{grown} MiB");
}

/// After a restart no password is known to be right, so that a scrape has to wait among the
/// guesses. A server goes on waiting for as long as a scrape may take, and so does the
/// exporter.
#[test]
fn a_flood_of_wrong_passwords_just_after_a_start_keeps_no_scrape_out() {
    let secured = SecuredExporter::start(&users(COST));
    let address = secured.program.address();
    let (refused, is_over) = (
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let flooding: Vec<_> = (0..FLOOD)
        .map(|guesser| {
            let (refused, is_over) = (Arc::clone(&refused), Arc::clone(&is_over));
            thread::spawn(move || {
                let mut http = RawHttp::connect(address);
                for guess in 0.. {
                    let wrong = header(&format!("{guesser} {guess}"));
                    http.get_as("/metrics", &[("Authorization", &wrong)]);
                    refused.fetch_add(1, Relaxed);
                    if is_over.load(Relaxed) {
                        return;
                    }
                }
            })
        })
        .collect();
    eventually("a flood", AT_ONCE * 10, || {
        let refused = refused.load(Relaxed);
        (refused > FLOOD).then_some(()).ok_or(refused.to_string())
    });
    let right = header(PASSWORD);
    let headers = [
        ("Authorization", &*right),
        ("X-Prometheus-Scrape-Timeout-Seconds", "30"),
    ];
    let (head, _) = RawHttp::connect(address).get_as("/metrics", &headers);
    is_over.store(true, Relaxed);
    assert_eq!(head.status, 200);
    for thread in flooding {
        thread.join().expect("answers");
    }
}

/// The first 72 bytes of a password are all that bcrypt looks at.
#[test]
fn a_longer_password_than_bcrypt_looks_at_is_wrong() {
    let longest = "x".repeat(72);
    let hash = bcrypt::hash(&longest, 4).expect("a hash");
    let secured = SecuredExporter::start(&format!("basic_auth_users: {{alice: {hash}}}\n"));
    let mut http = RawHttp::connect(secured.program.address());
    for (password, status) in [(format!("{longest}y"), 401), (longest, 200)] {
        let headers = [("Authorization", &*header(&password))];
        assert_eq!(http.get_as("/metrics", &headers).0.status, status);
    }
}

#[test]
fn a_rate_limit_holds_for_all_clients() {
    let secured = SecuredExporter::start("rate_limit: {interval: 1h, burst: 3}\n");
    let mut http = RawHttp::connect(secured.program.address());
    let statuses: Vec<_> = (0..5).map(|_| http.get("/-/healthy").0.status).collect();
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    let (head, _) = RawHttp::connect(secured.program.address()).get("/metrics");
    assert_eq!((head.status, head.header("retry-after")), (429, "1"));
}

#[test]
fn headers_are_on_every_answer() {
    let headers = "http_server_config:\n  http2: true\n  headers:\n    X-Frame-Options: deny\n    Content-Security-Policy: default-src 'self'\n";
    let secured = SecuredExporter::start(&format!("{headers}{}", users(4)));
    let mut http = RawHttp::connect(secured.program.address());
    let password = header(PASSWORD);
    for (path, headers) in [
        ("/", &[][..]),
        ("/", &[("Authorization", &*password)]),
        ("/x", &[("Authorization", &*password)]),
    ] {
        let (head, _) = http.get_as(path, headers);
        assert_eq!(head.header("x-frame-options"), "deny");
        let policies = head
            .headers
            .iter()
            .filter(|(name, _)| name == "content-security-policy");
        let policies: Vec<_> = policies.map(|(_, value)| value.as_str()).collect();
        assert!(policies.contains(&"default-src 'self'"), "{policies:?}");
        // The page keeps its own header, and a browser obeys both.
        assert_eq!(policies.len(), if head.status == 200 { 2 } else { 1 });
    }
}
