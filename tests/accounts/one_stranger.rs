//! One stranger hangs and floods while many accounts are counted and a server scrapes as if
//! there were no stranger.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use test_support::audit_event::base64;
use test_support::eventually::eventually;
use test_support::exposition::{Sample, samples};
use test_support::raw_http::RawHttp;

use crate::vendor::{UP, Vendor, secret};

const ACCOUNTS: usize = 100;
/// The connections of the stranger that send wrong passwords, those that never end a head,
/// and those that do not read what they asked for.
const GUESSERS: usize = 20;
const HALF_OPEN: usize = 100;
const UNREAD: usize = 60;
/// The time limits that the server states: of its first request, whose password is not known
/// yet, and of its scrapes, which decide how long the counts are held back.
const FIRST_LIMIT: &str = "60";
const SCRAPE_LIMIT: &str = "1";
/// The time from a start to the counts of all accounts, in an unoptimized build and on a
/// busy machine.
const COUNTED: Duration = Duration::from_mins(1);
/// A time far below that of a scrape, and far above what a scrape takes.
const AT_ONCE: Duration = Duration::from_secs(5);
/// The cost of the hashes: tens of milliseconds in an unoptimized build.
const COST: u32 = 6;

const BY_TYPE: &str = "nexmo_audit_events_by_type_total";

/// The stranger, who goes on until the test has seen enough.
struct Stranger {
    is_over: Arc<AtomicBool>,
    guesses: Arc<AtomicUsize>,
    threads: Vec<JoinHandle<()>>,
}

impl Stranger {
    fn start(address: SocketAddr) -> Self {
        let (is_over, guesses) = (Arc::default(), Arc::default());
        let mut stranger = Self {
            is_over,
            guesses,
            threads: Vec::new(),
        };
        for guesser in 0..GUESSERS {
            let guesses = Arc::clone(&stranger.guesses);
            stranger.repeat(move |guess| {
                let wrong = basic("server", &format!("{guesser} {guess}"));
                if is_answered(address, &wrong) {
                    guesses.fetch_add(1, Relaxed);
                }
            });
        }
        stranger.repeat(move |_| {
            let half: Vec<_> = (0..HALF_OPEN).map(|_| half_open(address)).collect();
            // A second request waits for the end of the first on each connection.
            let guest = basic("guest", GUEST);
            let unread: Vec<_> = (0..UNREAD)
                .map(|_| {
                    let mut http = RawHttp::connect_narrow(address);
                    http.send_with("GET", "/metrics", &[("Authorization", &guest)]);
                    http
                })
                .collect();
            // The exporter gives up on a head that does not end.
            for mut stream in half {
                let _ = stream.read_to_end(&mut Vec::new());
            }
            drop(unread);
        });
        stranger
    }

    /// Does the same again and again on a thread of its own.
    fn repeat(&mut self, mut act: impl FnMut(usize) + Send + 'static) {
        let is_over = Arc::clone(&self.is_over);
        self.threads.push(thread::spawn(move || {
            for number in 0.. {
                act(number);
                if is_over.load(Relaxed) {
                    return;
                }
            }
        }));
    }

    fn end(self) {
        self.is_over.store(true, Relaxed);
        for thread in self.threads {
            thread.join().expect("the stranger goes on");
        }
    }
}

/// The passwords of the server that scrapes, and of a user who may look too.
const SERVER: &str = "correct horse";
const GUEST: &str = "battery staple";

/// Asks on a new connection, which may be closed for another one.
fn is_answered(address: SocketAddr, authorization: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else {
        return false;
    };
    let request =
        format!("GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\n\r\n");
    let sent = stream.write_all(request.as_bytes());
    sent.is_ok() && stream.read_exact(&mut [0]).is_ok()
}

fn half_open(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("a server that listens");
    let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: ");
    stream
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", base64(&format!("{user}:{password}")))
}

/// Asks with the password of the server, and returns the status, the text and the time.
fn ask(http: &mut RawHttp, path: &str, limit: &str) -> (u16, String, Duration) {
    let right = basic("server", SERVER);
    let headers = [
        ("Authorization", &*right),
        ("X-Prometheus-Scrape-Timeout-Seconds", limit),
    ];
    let begun = Instant::now();
    let (head, body) = http.get_as(path, &headers);
    let text = String::from_utf8(body).expect("text");
    (head.status, text, begun.elapsed())
}

/// Returns the number of accounts whose sample of this family has this value.
fn accounts_with(samples: &[Sample], family: &str, value: f64) -> usize {
    let is_so = |sample: &&Sample| {
        let event_type = sample.labels.get("event_type");
        sample.name == family
            && event_type.is_none_or(|name| name == "USER_STATUS")
            && (sample.value - value).abs() < f64::EPSILON
    };
    samples.iter().filter(is_so).count()
}

#[test]
fn one_stranger_delays_no_scrape_and_no_account() {
    let names: Vec<String> = (0..ACCOUNTS).map(|number| format!("n{number}")).collect();
    let accounts: Vec<&str> = names.iter().map(String::as_str).collect();
    let vendor = Vendor::new(&accounts);
    vendor.configure_accounts(&accounts);
    let hash = |password| bcrypt::hash(password, COST).expect("a hash");
    vendor.write(
        "web.yml",
        &format!(
            "basic_auth_users: {{server: {}, guest: {}}}\n",
            hash(SERVER),
            hash(GUEST)
        ),
    );
    let web = format!("--web.config.file={}", vendor.path("web.yml").display());
    let settings = [
        &*web,
        "--poll.interval=2s",
        "--api.timeout=20s",
        "--metrics.scrape-interval=1s",
        "--log.level=info",
    ];
    let exporter = vendor.start_with("state", &settings);
    let address = exporter.program.address();
    let stranger = Stranger::start(address);
    eventually("a flood", COUNTED, || {
        let guesses = stranger.guesses.load(Relaxed);
        (guesses > GUESSERS)
            .then_some(())
            .ok_or(guesses.to_string())
    });
    // The first password is checked among the guesses, and then it is known.
    let mut server = RawHttp::connect(address);
    assert_eq!(ask(&mut server, "/", FIRST_LIMIT).0, 200);
    for round in 1..=3 {
        for name in &names {
            vendor.record_many(name, 1);
        }
        eventually("the counts of all accounts", COUNTED, || {
            // The same on a new connection, which is one of many.
            let (status, _, took) = ask(&mut RawHttp::connect(address), "/", SCRAPE_LIMIT);
            assert!(status == 200 && took < AT_ONCE, "{status} after {took:?}");
            let (status, page, took) = ask(&mut server, "/metrics", SCRAPE_LIMIT);
            assert!(status == 200 && took < AT_ONCE, "{status} after {took:?}");
            let samples = samples(&page);
            let counted = accounts_with(&samples, BY_TYPE, f64::from(round));
            let up = accounts_with(&samples, UP, 1.0);
            ((counted, up) == (ACCOUNTS, ACCOUNTS))
                .then_some(())
                .ok_or(format!("round {round}: {counted} counted, {up} up"))
        });
    }
    stranger.end();
    let secrets = names.iter().map(|name| secret(name));
    let log = exporter.program.lines().concat();
    assert!(
        secrets
            .chain([SERVER.to_owned()])
            .all(|text| !log.contains(&text))
    );
}
