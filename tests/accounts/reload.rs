//! The configuration is read again while the exporter runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use test_support::exporter::{Exporter, ONE_POLL, is};
use test_support::exposition;
use test_support::http::HttpClient;
use test_support::raw_http::RawHttp;

use crate::vendor::{UP, Vendor, account, secret, wait_for_counted};

const SUCCESSFUL: &str = "nexmo_audit_config_last_reload_successful";
const REQUESTS: &str = "nexmo_audit_api_requests_total";
const LOADED: &str = "configuration loaded";

fn requests(exporter: &Exporter, account: &str) -> f64 {
    let labels = [("account", account), ("operation", "list"), ("code", "200")];
    exporter.value(REQUESTS, &labels)
}

/// A client that scrapes all the time, and finds an account in each scrape.
struct Watch {
    done: Arc<AtomicBool>,
    scrapes: JoinHandle<u32>,
}

impl Watch {
    /// Each scrape shows at least so many events of the account.
    fn start(exporter: &Exporter, account: &'static str, at_least: f64) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let (ended, url) = (Arc::clone(&done), exporter.program.url("/metrics"));
        let scrapes = thread::spawn(move || {
            let http = HttpClient::new();
            let mut scrapes = 0;
            while !ended.load(Ordering::Relaxed) {
                let page = http.get_body(&url).expect("metrics");
                let labels = [("account", account), ("event_type", "USER_STATUS")];
                let family = "nexmo_audit_events_by_type_total";
                let counted = exposition::value(&page, family, &labels);
                assert!(counted.is_some_and(|counted| counted >= at_least), "{page}");
                scrapes += 1;
            }
            scrapes
        });
        Self { done, scrapes }
    }

    fn end(self) {
        self.done.store(true, Ordering::Relaxed);
        assert!(self.scrapes.join().expect("the account is in every scrape") > 0);
    }
}

#[test]
fn accounts_are_added_and_removed_without_effect_on_the_others() {
    let vendor = Vendor::new(&["stays", "goes", "comes"]);
    for name in ["stays", "goes", "comes"] {
        vendor.record_many(name, 2);
    }
    vendor.configure_accounts(&["stays", "goes"]);
    let exporter = vendor.start();
    wait_for_counted(&exporter, "stays", 2);
    wait_for_counted(&exporter, "goes", 2);
    let before = requests(&exporter, "stays");

    let watch = Watch::start(&exporter, "stays", 2.0);
    vendor.configure_accounts(&["comes", "stays"]);
    exporter.program.signal("HUP");
    let line = exporter.program.wait_for_line(LOADED);
    assert!(line.contains("added=1 changed=0 removed=1"), "{line}");
    wait_for_counted(&exporter, "comes", 2);
    watch.end();

    let page = exporter.page("/metrics");
    assert!(!page.contains("account=\"goes\""), "{page}");
    let labels = [("account", "stays"), ("operation", "list"), ("code", "200")];
    exporter.wait_for(REQUESTS, &labels, |requests| requests > before);
    assert_eq!(exporter.status("/-/ready"), 200);

    // An account that comes back continues where it was.
    vendor.record_many("goes", 1);
    vendor.configure_accounts(&["stays", "goes"]);
    exporter.program.signal("HUP");
    wait_for_counted(&exporter, "goes", 3);
}

#[test]
fn a_secret_in_the_config_file_is_rotated_without_a_lost_event() {
    let vendor = Vendor::new(&["one", "two"]);
    vendor.configure_accounts(&["one", "two"]);
    vendor.record_many("one", 5);
    let exporter = vendor.start();
    wait_for_counted(&exporter, "one", 5);
    let before = requests(&exporter, "one");

    let watch = Watch::start(&exporter, "one", 5.0);
    vendor.set_secret("one", "rotated");
    vendor.record_many("one", 2);
    exporter.wait_for(UP, &[("account", "one")], is(0.0));
    vendor.configure(&format!(
        "accounts:\n- {{name: one, api_key: one, api_secret: rotated}}\n{}",
        account("two", "")
    ));
    exporter.program.signal("HUP");
    let line = exporter.program.wait_for_line(LOADED);
    assert!(line.contains("added=0 changed=1 removed=0"), "{line}");
    wait_for_counted(&exporter, "one", 7);
    exporter.wait_for(UP, &[("account", "one")], is(1.0));
    watch.end();
    assert!(
        requests(&exporter, "one") > before,
        "counters of the account go on"
    );
    let log = exporter.program.lines().join("\n");
    assert!(
        !log.contains("rotated") && !log.contains("one-secret"),
        "{log}"
    );
}

#[test]
fn a_name_moved_to_another_key_takes_no_counts_with_it() {
    let vendor = Vendor::new(&["one", "two"]);
    vendor.record("one", "USER_LOGIN");
    vendor.record_many("one", 5);
    vendor.record_many("two", 2);
    vendor.configure_accounts(&["one"]);
    let exporter = vendor.start();
    wait_for_counted(&exporter, "one", 5);
    vendor.configure("accounts: [{name: one, api_key: two, api_secret: two-secret}]");
    exporter.program.signal("HUP");
    exporter.program.wait_for_line(LOADED);
    wait_for_counted(&exporter, "one", 2);
    let labels = [("account", "one"), ("event_type", "USER_LOGIN")];
    let logins = exporter.value("nexmo_audit_events_by_type_total", &labels);
    assert!(is(0.0)(logins), "{logins}");
}

#[test]
fn the_secret_of_a_single_account_is_rotated() {
    let vendor = Vendor::new(&["abcd1234"]);
    vendor.record_many("abcd1234", 1);
    vendor.write("secret", "abcd1234-secret");
    let file = format!("--api.secret-file={}", vendor.path("secret").display());
    let exporter = Exporter::polling_with(&vendor.api, &[&file]);
    exporter.wait_until_up();
    vendor.set_secret("abcd1234", "rotated");
    exporter.wait_for(UP, &[], is(0.0));
    vendor.write("secret", "rotated");
    vendor.record_many("abcd1234", 1);
    exporter.program.signal("HUP");
    exporter.wait_until_up();
    assert!(is(2.0)(exporter.counted()), "{}", exporter.counted());
}

#[test]
fn an_invalid_file_changes_nothing_and_is_reported() {
    let vendor = Vendor::new(&["one"]);
    vendor.record_many("one", 1);
    vendor.configure_accounts(&["one"]);
    let exporter = vendor.start_with("state", &["--web.enable-lifecycle"]);
    wait_for_counted(&exporter, "one", 1);
    assert!(is(1.0)(exporter.value(SUCCESSFUL, &[])));
    let post = || HttpClient::new().post(&exporter.program.url("/-/reload"));

    for (file, problem) in [
        ("accounts: [{name: one}]", "has no `api_key`"),
        ("poll: {lookback: soon}", "config.yml:1: poll.lookback"),
        (
            "poll: {lookback: 10ms}",
            "must not be longer than --poll.lookback, which is 10ms",
        ),
        ("{", "this is not YAML"),
    ] {
        vendor.configure(file);
        let answer = post().expect("an answer");
        assert_eq!(answer.status, 500, "{}", answer.body);
        assert!(
            answer.body.contains("the log and the landing page say why"),
            "{}",
            answer.body
        );
        let line = exporter.program.wait_for_line(problem);
        assert!(line.contains("level=error"), "{line}");
        exporter.wait_for(SUCCESSFUL, &[], is(0.0));
    }
    vendor.record_many("one", 1);
    wait_for_counted(&exporter, "one", 2);

    vendor.configure_accounts(&["one"]);
    assert_eq!(post().expect("an answer").status, 200);
    exporter.wait_for(SUCCESSFUL, &[], is(1.0));
}

#[test]
fn each_problem_of_a_bad_file_is_a_line_of_the_log() {
    let vendor = Vendor::new(&["one"]);
    vendor.configure_accounts(&["one"]);
    let exporter = vendor.start();
    for (file, problems) in [
        (
            "accounts: [{name: one}]",
            ["has no `api_key`", "has neither `api_secret`"],
        ),
        (
            "poll: {lookback: soon, reconcile_lookback: never}",
            ["poll.lookback", "poll.reconcile_lookback"],
        ),
    ] {
        vendor.configure(file);
        exporter.program.signal("HUP");
        for problem in problems {
            let line = exporter.program.wait_for_line(problem);
            let others = problems.iter().filter(|other| line.contains(*other));
            assert_eq!(others.count(), 1, "{line}");
        }
    }
}

#[test]
fn settings_that_need_a_restart_are_named() {
    let vendor = Vendor::new(&["one"]);
    let accounts = format!("accounts:\n{}", account("one", ""));
    vendor.configure(&accounts);
    let exporter = vendor.start();
    vendor.configure(&format!(
        "web: {{telemetry_path: /other}}\nmetrics: {{scrape_interval: 15s}}\n{accounts}"
    ));
    exporter.program.signal("HUP");
    let line = exporter
        .program
        .wait_for_line("take effect at the next start");
    let names = "--web.telemetry-path, --metrics.scrape-interval";
    assert!(line.contains(names), "{line}");
    assert_eq!(exporter.status("/metrics"), 200);
}

#[test]
fn reloading_over_http_must_be_enabled() {
    let vendor = Vendor::new(&["one"]);
    vendor.configure_accounts(&["one"]);
    let exporter = vendor.start();
    let url = exporter.program.url("/-/reload");
    let answer = HttpClient::new().post(&url).expect("an answer");
    assert_eq!(answer.status, 403);
    assert!(
        answer.body.contains("--web.enable-lifecycle"),
        "{}",
        answer.body
    );
    let answer = HttpClient::new().get(&url).expect("an answer");
    assert_eq!(
        (answer.status, &answer.headers["allow"]),
        (405, &"POST, PUT".parse().expect("a value"))
    );
}

/// A browser sends a page's requests with the network and the passwords of its user.
#[test]
fn no_page_of_another_site_has_the_configuration_loaded() {
    let vendor = Vendor::new(&["one"]);
    vendor.configure_accounts(&["one"]);
    let exporter = vendor.start_with("state", &["--web.enable-lifecycle"]);
    let address = exporter.program.address();
    let own = format!("http://{address}");
    let cases = [
        (("Origin", "https://elsewhere.test"), 403),
        (("Origin", "null"), 403),
        (("Sec-Fetch-Site", "cross-site"), 403),
        (("Sec-Fetch-Site", "same-site"), 403),
        (("Sec-Fetch-Site", "same-origin"), 200),
        (("Origin", &*own), 200),
    ];
    for (header, expected) in cases {
        let host = address.to_string();
        let (name, value) = header;
        let request = format!(
            "POST /-/reload HTTP/1.1\r\nHost: {host}\r\n{name}: {value}\r\nContent-Length: 0\r\n\r\n"
        );
        let mut http = RawHttp::connect(address);
        http.send_bytes(request.as_bytes());
        assert_eq!(http.read_head().status, expected, "{header:?}");
    }
}

/// An account that is rejected beside one that is not, each polled once an hour.
fn rejected_and_fine() -> (Vendor, Exporter) {
    let vendor = Vendor::new(&["one", "two"]);
    vendor.set_secret("one", "another");
    vendor.record_many("one", 1);
    vendor.configure_accounts(&["one", "two"]);
    let settings = [&ONE_POLL[..], &["--web.enable-lifecycle"]].concat();
    let exporter = vendor.start_with("state", &settings);
    exporter.wait_for(UP, &[("account", "two")], is(1.0));
    exporter.wait_until_ready();
    (vendor, exporter)
}

/// Checks that `reload` ends the wait of an account that has never been up, and leaves an
/// account that is up as it is.
fn a_reload_ends_the_wait(reload: impl Fn(&Exporter)) {
    let (vendor, exporter) = rejected_and_fine();
    let of_two = || vendor.requests_with("two", &secret("two")).len();
    let before = of_two();
    vendor.set_secret("one", &secret("one"));
    reload(&exporter);
    wait_for_counted(&exporter, "one", 1);
    assert_eq!(of_two(), before);
}

#[test]
fn a_signal_ends_the_wait_of_an_account_that_fails() {
    a_reload_ends_the_wait(|exporter| exporter.program.signal("HUP"));
}

#[test]
fn a_reload_over_http_ends_the_wait_of_an_account_that_fails() {
    a_reload_ends_the_wait(|exporter| {
        let answer = HttpClient::new().post(&exporter.program.url("/-/reload"));
        assert_eq!(answer.expect("an answer").status, 200);
    });
}

#[test]
fn a_reload_ends_the_wait_of_an_account_that_was_up_before() {
    let vendor = Vendor::new(&["one"]);
    vendor.configure_accounts(&["one"]);
    let exporter = vendor.start();
    let up = [("account", "one")];
    exporter.wait_for(UP, &up, is(1.0));
    vendor.set_secret("one", "another");
    exporter.wait_for(UP, &up, is(0.0));
    vendor.set_secret("one", &secret("one"));
    exporter.program.signal("HUP");
    exporter.wait_for(UP, &up, is(1.0));
    let line = exporter.program.wait_for_line(LOADED);
    assert!(line.contains("changed=0"), "{line}");
}

#[test]
fn the_landing_page_keeps_what_it_showed_of_an_account_that_changes() {
    let vendor = Vendor::new(&["one", "two"]);
    vendor.configure_accounts(&["one", "two"]);
    let exporter = vendor.start();
    exporter.wait_until_ready();
    for name in ["one", "two"] {
        exporter.wait_for(UP, &[("account", name)], is(1.0));
    }
    vendor.set_secret("two", "another");
    exporter.wait_for(UP, &[("account", "two")], is(0.0));
    // No poll ends after the reload.
    for name in ["one", "two"] {
        vendor.change(name, |known| known.silent = true);
    }
    vendor.configure(&format!(
        "accounts:\n{}{}",
        account("one", ", exclude_event_types: [OTHER]"),
        "- {name: two, api_key: two, api_secret: another}\n"
    ));
    exporter.program.signal("HUP");
    let line = exporter.program.wait_for_line(LOADED);
    assert!(line.contains("changed=2"), "{line}");
    let page = exporter.page("/");
    assert!(!page.contains("none "), "{page}");
    assert!(page.contains("401"), "{page}");
}
