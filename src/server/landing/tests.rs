use super::*;

fn at_second(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

fn failing(error: &str) -> PollState {
    let failing = Failing {
        since: Timestamp::UNIX_EPOCH,
        error: error.into(),
    };
    PollState {
        failing: Some(failing),
        ..PollState::default()
    }
}

fn page<'a>(accounts: &[AccountSection], hold: u64) -> LandingPage<'a> {
    LandingPage {
        telemetry_path: "/metrics",
        host: Some("audit.example:10610"),
        accounts: accounts.to_vec(),
        hold: Duration::from_secs(hold),
        reload_failed: None,
        state_hangs: None,
        event_log_hangs: None,
        renamed: None,
        now: at_second(3660),
    }
}

fn succeeding() -> AccountSection {
    let polls = PollState {
        last_success: Some(at_second(5)),
        ..PollState::default()
    };
    AccountSection {
        polls,
        ..AccountSection::default()
    }
}

fn named(name: &str, account: AccountSection) -> AccountSection {
    AccountSection {
        name: Some(name.into()),
        ..account
    }
}

#[test]
fn the_whole_page() {
    let polls = PollState {
        last_success: Some(at_second(3655)),
        limit: Some(10_000),
        failing: None,
    };
    let account = AccountSection {
        name: None,
        polls,
        catching_up: false,
        watermark: Some(at_second(3654)),
        pending: 3,
    };
    let html = page(&[account], 40).html();
    let html = html.replace(STYLE, "/* landing.css */\n");
    let html = html.replace(env!("CARGO_PKG_VERSION"), "~");
    insta::with_settings!({snapshot_path => "../../../tests/golden", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("landing", html);
    });
}

#[test]
fn text_from_elsewhere_is_escaped() {
    let account = AccountSection {
        polls: failing("<script>alert('a & b')</script>"),
        ..named("<script>", AccountSection::default())
    };
    let html = LandingPage {
        telemetry_path: "/metrics?\"><script>",
        host: Some("\"><script>"),
        ..page(&[account], 0)
    }
    .html();
    assert!(!html.contains("<script>"), "{html}");
    assert!(html.contains(
        "Polls have been failing since 1970-01-01T00:00:00Z (1h 1m): &lt;script&gt;alert(&#39;a &amp; b&#39;)&lt;/script&gt;."
    ));
}

#[test]
fn each_state_of_an_account_is_said_in_words() {
    let succeeded = AccountSection {
        watermark: Some(at_second(0)),
        pending: 1,
        ..succeeding()
    };
    let nothing = AccountSection::default();
    // Polls failed until the outage ended.
    let catching_up = AccountSection {
        polls: failing("no"),
        catching_up: true,
        watermark: Some(at_second(60)),
        ..AccountSection::default()
    };
    let cases = [
        (
            &catching_up,
            0,
            "<p class=\"state wait\">Catching up: everything up to 1970-01-01T00:01:00Z is counted, and the events of 1h since then are still to be read.",
        ),
        (&nothing, 0, "The first poll has not ended yet."),
        (&nothing, 0, "<dd>none yet</dd>"),
        (&nothing, 0, "<dd>0 events. Every count is shown at once:"),
        (&succeeded, 40, "Polls of the Audit API succeed."),
        (&succeeded, 40, "<dd>1970-01-01T00:00:05Z, 1h 55s ago</dd>"),
        (&succeeded, 40, "<dd>1970-01-01T00:00:00Z, 1h 1m ago</dd>"),
        (
            &succeeded,
            40,
            "<dd>1 event. A new series stays at its first value for 40s",
        ),
    ];
    for (account, hold, expected) in cases {
        let html = page(std::slice::from_ref(account), hold).html();
        assert!(html.contains(expected), "{expected} is not in {html}");
    }
}

#[test]
fn the_scrape_configuration_names_the_host_of_the_request() {
    let asked = |host, telemetry_path| LandingPage {
        telemetry_path,
        host,
        ..page(&[AccountSection::default()], 0)
    };
    let cases = [
        (Some("audit.example"), "audit.example"),
        (Some("[::1]:10610"), "[::1]:10610"),
        (None, HOST),
        (Some(""), HOST),
        (Some("a\"]\n  - x"), HOST),
    ];
    for (host, expected) in cases {
        let expected = format!("      - targets: [\"{expected}\"]\n");
        let config = asked(host, "/metrics").scrape_config();
        assert!(config.contains(&expected), "{config}");
        assert!(!config.contains("metrics_path"), "{config}");
    }
    let config = asked(None, "/probe").scrape_config();
    assert!(
        config.contains("    metrics_path: \"/probe\"\n"),
        "{config}"
    );
}

#[test]
fn another_name_is_told_of_once_there_is_one() {
    let renamed = |renamed| {
        let page = LandingPage {
            renamed,
            ..page(&[AccountSection::default()], 0)
        };
        page.html()
    };
    assert!(!renamed(None).contains("another name"));
    let html = renamed(Some(at_second(3600)));
    let expected = "under another name since 1970-01-01T01:00:00Z, 1m ago: ";
    assert!(html.contains(expected), "{html}");
}

#[test]
fn accounts_that_fail_come_first() {
    let failing = AccountSection {
        polls: failing("no"),
        ..AccountSection::default()
    };
    let accounts = [
        named("fine", succeeding()),
        named("new", AccountSection::default()),
        named("broken", failing),
    ];
    let html = page(&accounts, 0).html();
    let summary = "3 accounts. Polls succeed for 1, fail for 1, and have not ended yet for 1.";
    assert!(html.contains(summary), "{html}");
    let place = |name: &str| html.find(&format!(">{name}</h3>")).expect(name);
    assert!(place("broken") < place("new") && place("new") < place("fine"));
    insta::with_settings!({snapshot_path => "../../../tests/golden", prepend_module_to_snapshot => false, omit_expression => true}, {
        let html = html.replace(STYLE, "/* landing.css */\n");
        let html = html.replace(env!("CARGO_PKG_VERSION"), "~");
        insta::assert_snapshot!("landing_accounts", html);
    });
}

#[test]
fn accounts_that_catch_up_do_not_fail() {
    let catching_up = AccountSection {
        polls: failing("no"),
        catching_up: true,
        ..AccountSection::default()
    };
    let accounts = [
        named("fine", succeeding()),
        named("returns", catching_up),
        named("new", AccountSection::default()),
    ];
    let html = page(&accounts, 0).html();
    let summary = "<p class=\"state wait\">3 accounts. Polls succeed for 1, catch up for 1, fail for 0, and have not ended yet for 1.";
    assert!(html.contains(summary), "{html}");
    assert!(!html.contains("have been failing"), "{html}");
    let place = |name: &str| html.find(&format!(">{name}</h3>")).expect(name);
    assert!(place("new") < place("returns") && place("returns") < place("fine"));
}

#[test]
fn ten_thousand_accounts_are_one_page() {
    let account = |place: usize| named(&format!("account {place}"), succeeding());
    let accounts: Vec<_> = (0..10_000).map(account).collect();
    let html = page(&accounts, 0).html();
    assert!(html.contains("10000 accounts."), "{html}");
    assert_eq!(html.matches("<h3").count(), MAX_ACCOUNTS);
}

#[test]
fn a_disk_that_does_not_answer_is_named() {
    let accounts = [succeeding()];
    let mut page = page(&accounts, 0);
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
