//! The landing page: the state of the account in words, and where the metrics are.

use std::{fmt::Write, time::Duration};

use jiff::{SignedDuration, Timestamp};

use crate::{exposition::Standing, status::Progress};

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}\
dt{font-weight:bold}dd{overflow-wrap:anywhere}:root{color-scheme:light dark}";

/// The page as HTML, at `now`.
pub(super) fn page(
    telemetry_path: &str,
    progress: &Progress,
    standing: &Standing,
    now: Timestamp,
) -> String {
    let metrics = escaped(telemetry_path);
    let version = env!("CARGO_PKG_VERSION");
    let state = state(progress, standing, now);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>nexmo-audit-exporter</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <h1>nexmo-audit-exporter</h1>\n\
         <p>Counts the audit events of a Nexmo (Vonage) account for Prometheus. Version {version}.</p>\n\
         <p><a href=\"{metrics}\">Metrics</a></p>\n<h2>Account</h2>\n<dl>\n{state}</dl>\n</body>\n</html>\n"
    )
}

fn state(progress: &Progress, standing: &Standing, now: Timestamp) -> String {
    let mut list = String::new();
    let polls = match (&progress.failing, progress.last_success) {
        (Some(failing), _) => format!("failing since {}: {}", at(failing.since), failing.error),
        (None, Some(_)) => "succeed".into(),
        (None, None) => "the first one has not ended yet".into(),
    };
    item(&mut list, "Polls", &polls);
    if let Some(time) = progress.last_success {
        item(
            &mut list,
            "Last success",
            &format!("{}, {} ago", at(time), span(now.duration_since(time))),
        );
    }
    if let Some(time) = standing.watermark {
        let behind = span(now.duration_since(time));
        item(
            &mut list,
            "Everything counted up to",
            &format!("{}, {behind} ago", at(time)),
        );
    }
    item(&mut list, "Counted and not shown yet", &pending(standing));
    list
}

/// The publish gate in words, so that nobody wonders why a number waits.
fn pending(standing: &Standing) -> String {
    let why = if standing.hold == Duration::ZERO {
        "every count is shown at once, since no server has scraped yet or the gate is off"
    } else {
        "a new series stays at its first value, and every series after a start or a gap between scrapes, until each server has had the time to see it"
    };
    let hold = SignedDuration::try_from(standing.hold).unwrap_or(SignedDuration::MAX);
    match standing.hold {
        Duration::ZERO => format!("{} events; {why}", standing.pending),
        _ => format!(
            "{} events; {why}: {} from when it was first scraped",
            standing.pending,
            span(hold)
        ),
    }
}

fn item(list: &mut String, name: &str, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(list, "<dt>{name}</dt><dd>{}</dd>", escaped(text));
}

fn at(time: Timestamp) -> String {
    format!("{time:.0}")
}

/// Whole seconds, such as `3h 12m 5s`; none below zero, where clocks differ.
fn span(duration: SignedDuration) -> String {
    let whole = SignedDuration::from_secs(duration.as_secs().max(0));
    format!("{whole:#}")
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Failing;

    fn at_second(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn what_the_vendor_says_is_text_and_not_markup() {
        let failing = Failing {
            since: Timestamp::UNIX_EPOCH,
            error: "<script>alert('a & b')</script>".into(),
        };
        let progress = Progress {
            failing: Some(failing),
            ..Progress::default()
        };
        let page = page(
            "/metrics?\"><script>",
            &progress,
            &Standing::default(),
            at_second(0),
        );
        assert!(!page.contains("<script>"));
        assert!(page.contains(
            "failing since 1970-01-01T00:00:00Z: &lt;script&gt;alert(&#39;a &amp; b&#39;)&lt;/script&gt;"
        ));
    }

    #[test]
    fn the_state_in_words() {
        let progress = Progress {
            last_success: Some(at_second(5)),
            failing: None,
        };
        let standing = Standing {
            watermark: Some(at_second(0)),
            pending: 3,
            hold: Duration::from_secs(40),
        };
        let cases = [
            (
                Progress::default(),
                Standing::default(),
                "<dd>the first one has not ended yet</dd>",
            ),
            (
                Progress::default(),
                Standing::default(),
                "<dd>0 events; every count is shown at once,",
            ),
            (
                progress.clone(),
                standing,
                "<dd>1970-01-01T00:00:05Z, 1h 55s ago</dd>",
            ),
            (
                progress.clone(),
                standing,
                "<dd>1970-01-01T00:00:00Z, 1h 1m ago</dd>",
            ),
            (
                progress,
                standing,
                "<dd>3 events; a new series stays at its first value",
            ),
        ];
        for (progress, standing, expected) in cases {
            let page = page("/metrics", &progress, &standing, at_second(3660));
            assert!(page.contains(expected), "{expected} is not in {page}");
        }
    }
}
