use exporter_web::ClientNeeds;

use super::{account_row::AccountRow, *};
use crate::{
    metrics::CatchUp,
    poller::health::{Failing, PollState},
    server::own_address::OwnAddress,
};

const NOW: i64 = 3_600_060;
const REJECTED: &str = "the API answered with HTTP status 401: \"Unauthorized\"; check the API key and its secret, and that the Audit API is activated for the account";

fn at_second(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

fn ago(seconds: i64) -> Timestamp {
    at_second(NOW - seconds)
}

fn address() -> OwnAddress {
    OwnAddress {
        is_https: false,
        host: "audit.example:10610".to_owned(),
        prefix: String::new(),
        is_proxied: false,
        is_unix_socket: false,
    }
}

fn page<'a>(accounts: &[AccountRow], address: &'a OwnAddress) -> LandingPage<'a> {
    LandingPage {
        example: ScrapeExample {
            address,
            telemetry_path: "/metrics",
            needs: ClientNeeds::default(),
            user: None,
        },
        accounts: AccountTable::choose(accounts, AccountRow::urgency, AccountRow::clone),
        gate: GateState::Holding(Duration::from_secs(40)),
        failed_reload: None,
        state_hangs: None,
        event_log_hangs: None,
        renamed: None,
        now: at_second(NOW),
    }
}

fn html(accounts: &[AccountRow]) -> String {
    page(accounts, &address()).html()
}

fn succeeding() -> AccountRow {
    AccountRow {
        polls: PollState {
            last_success: Some(ago(5)),
            ..PollState::default()
        },
        watermark: Some(ago(6)),
        ..AccountRow::default()
    }
}

fn failing(error: &str) -> AccountRow {
    AccountRow {
        polls: PollState {
            last_success: Some(ago(11_700)),
            failing: Some(Failing {
                since: ago(11_520),
                error: error.into(),
            }),
            limit: None,
        },
        watermark: Some(ago(11_701)),
        ..AccountRow::default()
    }
}

/// Half of 20 hours was read in 10 minutes. Polls failed until the outage ended.
fn catching_up(is_history: bool) -> AccountRow {
    AccountRow {
        catch_up: Some(CatchUp {
            from: ago(72_000),
            began: ago(600),
            is_history,
        }),
        watermark: Some(ago(36_000)),
        ..failing("no")
    }
}

fn named(name: &str, account: AccountRow) -> AccountRow {
    AccountRow {
        name: Some(name.into()),
        ..account
    }
}

fn is_golden(name: &str, html: &str) {
    let html = html.replace(STYLE, "/* landing.css */\n");
    let html = html.replace(env!("CARGO_PKG_VERSION"), "~");
    insta::with_settings!({snapshot_path => "../../../tests/golden", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(name, html);
    });
}

#[test]
fn the_whole_page_of_one_account() {
    let mut account = succeeding();
    account.polls.limit = Some(10_000);
    account.pending = 3;
    is_golden("landing", &html(&[account]));
}

#[test]
fn the_whole_page_of_a_hundred_accounts() {
    let mut accounts: Vec<_> = (1..=95)
        .map(|number| named(&format!("customer-{number:02}"), succeeding()))
        .collect();
    accounts[3].pending = 1_234;
    accounts.push(named("acme-eu", failing(REJECTED)));
    accounts.push(named("acme-us", failing("the API did not answer within 30s; if this goes on, see https://api.support.vonage.com or raise --api.timeout")));
    accounts.push(named("history", catching_up(true)));
    accounts.push(named("outage", catching_up(false)));
    accounts.push(named("newcomer", AccountRow::default()));
    is_golden("landing_accounts", &html(&accounts));
}

#[test]
fn the_whole_page_after_a_failed_reload_behind_tls_and_a_password() {
    let address = OwnAddress {
        is_https: true,
        ..address()
    };
    let accounts = [named("one", succeeding()), named("two", succeeding())];
    let problems = [
        "/etc/nexmo-audit.yml:12: `secret` is unknown; the options are name, api_key and api_secret",
        "/etc/nexmo-audit.yml:20: account \"three\" has no api_key",
    ];
    let mut page = page(&accounts, &address);
    page.example.needs = ClientNeeds {
        tls: true,
        certificate: true,
        password: true,
    };
    page.example.user = Some("prometheus");
    page.failed_reload = Some(Arc::new(FailedReload {
        at: ago(90),
        problems: problems.map(str::to_owned).to_vec(),
        more: 1_980,
    }));
    is_golden("landing_failed_reload", &page.html());
}

#[test]
fn text_from_elsewhere_is_escaped() {
    let accounts = [named(
        "<script>",
        failing("<script>alert('a & b')</script>"),
    )];
    let address = address();
    let mut page = page(&accounts, &address);
    page.example.telemetry_path = "/metrics?\"><script>";
    page.example.needs.password = true;
    page.example.user = Some("<script>");
    page.failed_reload = Some(Arc::new(FailedReload {
        at: ago(90),
        problems: vec!["<script>".to_owned()],
        more: 0,
    }));
    let html = page.html();
    assert!(!html.contains("<script>"), "{html}");
    assert!(html.contains("&lt;script&gt;alert(&#39;a &amp; b&#39;)&lt;/script&gt;."));
}

#[test]
fn each_state_of_an_account_is_said_in_words() {
    let stalled = AccountRow {
        is_stalled: true,
        ..succeeding()
    };
    let began = AccountRow {
        catch_up: Some(CatchUp {
            from: ago(7_200),
            began: ago(3),
            is_history: true,
        }),
        watermark: Some(ago(3_600)),
        ..AccountRow::default()
    };
    let cases = [
        (
            catching_up(false),
            "Polls of the Audit API: catching up. <progress max=\"100\" value=\"50\"",
        ),
        (
            catching_up(false),
            "50% is read. Everything from 1970-02-10T20:01:00Z up to 1970-02-11T06:01:00Z",
        ),
        (
            catching_up(false),
            " is counted, and the events of 10h since then are still to be read, which takes about 10m at this pace.</p>",
        ),
        (
            catching_up(true),
            "nothing of it is shown before its end.</p>",
        ),
        (
            began,
            "the events of 1h since then are still to be read. It is",
        ),
        (
            failing("no."),
            "failing for 3h 12m. Since 1970-02-11T12:49:00Z: no.</p>",
        ),
        (
            stalled,
            "stalled. The poller has stalled, which is a defect",
        ),
        (AccountRow::default(), "not polled yet.</p>"),
        (AccountRow::default(), "<dd>none since the start</dd>"),
        (succeeding(), "Polls of the Audit API: ok.</p>"),
        (succeeding(), ">5s ago</time></dd>"),
    ];
    for (account, expected) in cases {
        let html = html(&[account]);
        assert!(html.contains(expected), "{expected} is not in {html}");
    }
}

#[test]
fn the_gate_is_explained_once_and_as_it_is() {
    let accounts: Vec<_> = (0..50)
        .map(|number| named(&number.to_string(), succeeding()))
        .collect();
    let history = [named("a", catching_up(true))];
    let cases = [
        (
            &accounts[..],
            GateState::Holding(Duration::from_secs(40)),
            "stays at its first value for 40s from its first scrape",
        ),
        (
            &accounts,
            GateState::Off,
            "Every count is shown as soon as it is stored, since --metrics.scrape-interval is 0.",
        ),
        (
            &accounts,
            GateState::NeverScraped,
            "Every count is shown as soon as it is stored, since no server has scraped yet.",
        ),
        (
            &history,
            GateState::NeverScraped,
            "Once the history of an account is read, its counts are shown as soon as they are stored, since no server has scraped yet.",
        ),
    ];
    for (accounts, gate, expected) in cases {
        let address = address();
        let mut page = page(accounts, &address);
        page.gate = gate;
        let html = page.html();
        assert_eq!(html.matches(expected).count(), 1, "{expected}: {html}");
    }
}

#[test]
fn links_lead_on_behind_a_prefix() {
    let html = html(&[succeeding()]);
    for link in ["./metrics", "./-/healthy", "./-/ready", "#documents"] {
        assert!(html.contains(&format!("href=\"{link}\"")), "{html}");
    }
    let proxied = OwnAddress {
        prefix: "/audit".to_owned(),
        is_proxied: true,
        ..address()
    };
    let html = page(&[succeeding()], &proxied).html();
    assert!(html.contains("href=\"/audit/-/ready\""), "{html}");
    assert!(html.contains("metrics_path: &quot;/audit/metrics&quot;"));
}

#[test]
fn documents_have_a_link_where_the_package_has_a_homepage() {
    assert!(!documents("").contains("href"));
    let linked = documents("https://audit.example/");
    assert!(linked.contains("<a href=\"https://audit.example/\">https://audit.example/</a>"));
}

#[test]
fn another_name_is_told_of_once_there_is_one() {
    let (accounts, address) = ([succeeding()], address());
    let mut page = page(&accounts, &address);
    assert!(!page.html().contains("another name"));
    page.renamed = Some(ago(60));
    let expected = "under another name since 1970-02-11T16:00:00Z, 1m ago: ";
    assert!(page.html().contains(expected), "{}", page.html());
}

#[test]
fn accounts_that_fail_come_first_and_then_those_that_catch_up() {
    let accounts = [
        named("fine", succeeding()),
        named("new", AccountRow::default()),
        named("returns", catching_up(false)),
        named("broken", failing("no")),
        named("also fine", succeeding()),
    ];
    let html = html(&accounts);
    let summary =
        "<p class=\"state bad\">5 accounts: 1 failing, 1 catching up, 1 not polled yet, 2 ok.</p>";
    assert!(html.contains(summary), "{html}");
    assert!(html.contains("<title>1 account failing – nexmo-audit-exporter</title>"));
    let names = ["broken", "returns", "new", "fine", "also fine"];
    let places = names.map(|name| html.find(&format!(">{name}</th>")).expect(name));
    assert!(places.is_sorted(), "{html}");
    let catching_up = page(&accounts[..3], &address()).html();
    assert!(catching_up.contains("<p class=\"state wait\">3 accounts:"));
    assert!(!catching_up.contains("failing"), "{catching_up}");
}

#[test]
fn one_reason_of_many_accounts_is_told_once() {
    let rejected = |line: usize| {
        format!("rejected (401: \"no\", X-Nexmo-Trace-Id a{line}); check the key (a.yml:{line})")
    };
    let mut accounts: Vec<_> = (0..99)
        .map(|place| named(&format!("account {place}"), failing(&rejected(place))))
        .collect();
    accounts.insert(50, named("other", failing("refused; check the network")));
    let html = html(&accounts);
    let told = "99 accounts fail for one reason, account 0 since 1970-02-11T12:49:00Z: rejected (401: &quot;no&quot;, X-Nexmo-Trace-Id a0); check the key (a.yml:0).";
    assert!(html.contains(told), "{html}");
    assert_eq!(html.matches("rejected").count(), 1, "{html}");
    assert!(html.contains("Since 1970-02-11T12:49:00Z: refused; check the network."));
    for account in &accounts {
        let name = account.name.as_deref().unwrap_or_default();
        assert!(html.contains(&format!(">{name}</th><td>failing for 3h 12m</td>")));
    }
}

#[test]
fn ten_thousand_accounts_are_one_bounded_page() {
    // The longest error, each of whose characters is escaped.
    let error = "&".repeat(1_000);
    let account = |place: usize| match place {
        0..5_000 => named(&format!("account {place}"), succeeding()),
        _ => named(
            &format!("account {place}"),
            failing(&format!("{place}{error}")),
        ),
    };
    let accounts: Vec<_> = (0..10_000).map(account).collect();
    let html = html(&accounts);
    assert!(html.contains("10,000 accounts: 5,000 failing, 5,000 ok."));
    assert!(html.contains("And 9,900 more, of which 4,900 failing."));
    assert!(html.contains("nexmo_audit_up{account=&quot;NAME&quot;}"));
    assert_eq!(html.matches("<tbody").count(), 100);
    assert!(html.len() < 700_000, "{} bytes", html.len());
    let fine = (0..10_000).map(|place| named(&place.to_string(), succeeding()));
    let html = page(&fine.collect::<Vec<_>>(), &address()).html();
    assert!(html.contains("And 9,900 more. In Prometheus"), "{html}");
    assert!(html.len() < 60_000, "{} bytes", html.len());
}

#[test]
fn a_disk_that_does_not_answer_is_named() {
    let (accounts, address) = ([succeeding()], address());
    let mut page = page(&accounts, &address);
    assert!(!page.html().contains("has not answered"));
    page.state_hangs = Some(Duration::from_millis(61_900));
    page.event_log_hangs = Some(Duration::from_secs(10));
    let html = page.html();
    for expected in [
        "The disk of the state has not answered for 1m 1s.",
        "The event log has not answered for 10s.",
    ] {
        assert!(html.contains(expected), "{html}");
    }
}
