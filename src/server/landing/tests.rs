use super::*;

fn at_second(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

fn failing(error: &str) -> Progress {
    let failing = Failing {
        since: Timestamp::UNIX_EPOCH,
        error: error.into(),
    };
    Progress {
        failing: Some(failing),
        ..Progress::default()
    }
}

fn page<'a>(progress: &'a Progress, standing: &'a Standing) -> Page<'a> {
    Page {
        telemetry_path: "/metrics",
        host: Some("audit.example:10610"),
        progress,
        standing,
        now: at_second(3660),
    }
}

#[test]
fn the_whole_page() {
    let progress = Progress {
        last_success: Some(at_second(3655)),
        failing: None,
    };
    let standing = Standing {
        watermark: Some(at_second(3654)),
        pending: 3,
        hold: Duration::from_secs(40),
    };
    let html = page(&progress, &standing).html();
    let html = html.replace(STYLE, "/* landing.css */\n");
    let html = html.replace(env!("CARGO_PKG_VERSION"), "~");
    insta::with_settings!({snapshot_path => "../../../tests/golden", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("landing", html);
    });
}

#[test]
fn what_others_say_is_text_and_not_markup() {
    let progress = failing("<script>alert('a & b')</script>");
    let standing = Standing::default();
    let html = Page {
        telemetry_path: "/metrics?\"><script>",
        host: Some("\"><script>"),
        ..page(&progress, &standing)
    }
    .html();
    assert!(!html.contains("<script>"), "{html}");
    assert!(html.contains(
        "failing since 1970-01-01T00:00:00Z (1h 1m): &lt;script&gt;alert(&#39;a &amp; b&#39;)&lt;/script&gt;."
    ));
}

#[test]
fn the_state_in_words() {
    let succeeded = Progress {
        last_success: Some(at_second(5)),
        failing: None,
    };
    let held = Standing {
        watermark: Some(at_second(0)),
        pending: 1,
        hold: Duration::from_secs(40),
    };
    let (nothing, open) = (Progress::default(), Standing::default());
    let cases = [
        (&nothing, &open, "The first poll has not ended yet."),
        (&nothing, &open, "<dd>none yet</dd>"),
        (
            &nothing,
            &open,
            "<dd>0 events; every count is shown at once,",
        ),
        (&succeeded, &held, "Polls of the Audit API succeed."),
        (
            &succeeded,
            &held,
            "<dd>1970-01-01T00:00:05Z, 1h 55s ago</dd>",
        ),
        (
            &succeeded,
            &held,
            "<dd>1970-01-01T00:00:00Z, 1h 1m ago</dd>",
        ),
        (
            &succeeded,
            &held,
            "<dd>1 event; a new series stays at its first value",
        ),
    ];
    for (progress, standing, expected) in cases {
        let html = page(progress, standing).html();
        assert!(html.contains(expected), "{expected} is not in {html}");
    }
}

#[test]
fn the_scrape_configuration_names_the_host_that_was_asked() {
    let (progress, standing) = (Progress::default(), Standing::default());
    let asked = |host, telemetry_path| Page {
        telemetry_path,
        host,
        ..page(&progress, &standing)
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
        assert!(config.ends_with(&expected), "{config}");
        assert!(!config.contains("metrics_path"), "{config}");
    }
    let config = asked(None, "/probe").scrape_config();
    assert!(
        config.contains("    metrics_path: \"/probe\"\n"),
        "{config}"
    );
}
