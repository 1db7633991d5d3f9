//! Lists whose pages do not end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use test_support::audit_event::{event, events, with};
use test_support::eventually::eventually;
use test_support::exporter::{Exporter, is};
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{Request, ScriptedApi, healthy, listing};

const FAILURES: &str = "nexmo_audit_poll_failures_total";
const MISSING: &str = "nexmo_audit_reconcile_missing_events";
const NO_END: &str = "the pages of the list of events have no end";
/// The most requests until a poll of ten minutes has ended, which takes some 600, and was noticed:
/// on a busy machine the next polls have begun by then.
const MOST_REQUESTS: usize = 2000;
const SETTINGS: &[&str] = &[
    "--poll.start=10m",
    "--poll.lookback=10m",
    "--poll.interval=5s",
    "--log.level=info",
];
/// The longest time until a poll has read pages without end.
const ENDED: Duration = Duration::from_mins(3);

/// Returns the times that a request names.
fn asked(request: &Request) -> (Timestamp, Timestamp) {
    let time = |name| {
        let text = request.parameter(name)?;
        format!("{text}Z").parse::<Timestamp>().ok()
    };
    let from = time("date_from").expect("a time");
    (
        from,
        time("date_to").unwrap_or_else(Timestamp::now).max(from),
    )
}

/// Makes a page with a link to a next one, with these claims if there are any.
fn linked(events: &[Value], claims: Option<(u64, u64)>) -> Answer {
    let mut page = json!({"_embedded": {"events": events}});
    page["_links"] = json!({"next": {"href": "http://api.nexmo.com/beta/audit/events?page=7"}});
    if let Some((elements, pages)) = claims {
        page["page"] = json!({"totalElements": elements, "totalPages": pages});
    }
    Answer::json(200, &page)
}

fn created(id: usize, at: Timestamp) -> Value {
    let text = at.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    with(
        event(&format!("new-{id}"), "NEW"),
        "created_at",
        text.into(),
    )
}

/// Returns a list that has 100 further events on each page, created within the range that is
/// asked for, and the number of events that it has shown.
fn endless(
    claims: fn(u64) -> Option<(u64, u64)>,
) -> (impl Fn(&Request) -> Answer + Send + Sync, Arc<AtomicUsize>) {
    let shown = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&shown);
    let script = listing(move |request| {
        let (from, to) = asked(request);
        let span = to.duration_since(from).as_secs();
        let first = count.fetch_add(100, Ordering::SeqCst);
        let new = (0..100).map(|place| {
            let second = i64::try_from(first + place).expect("a number") % (span + 1);
            created(first + place, from + SignedDuration::from_secs(second))
        });
        linked(&new.collect::<Vec<_>>(), claims(request.page()))
    });
    (script, shown)
}

/// Polls until a poll has failed because of pages without end. Returns the number of requests
/// for pages by then.
fn fails(api: &ScriptedApi, exporter: &Exporter) -> usize {
    eventually("a failure", ENDED, || {
        let failures = exporter.value(FAILURES, &[("reason", "body")]);
        (failures >= 1.0)
            .then_some(())
            .ok_or_else(|| exporter.program.log())
    });
    let requests = api
        .requests()
        .iter()
        .filter(|request| request.is_list())
        .count();
    exporter.wait_for("nexmo_audit_up", &[], is(0.0));
    let line = exporter.program.wait_for_line(NO_END);
    assert!(line.contains("--api.base-url"), "{line}");
    exporter.wait_for_text("/", NO_END);
    requests
}

fn assert_is_counted_after_an_end(claims: fn(u64) -> Option<(u64, u64)>) {
    let (script, shown) = endless(claims);
    let api = ScriptedApi::start(script);
    let exporter = Exporter::polling_with(&api, SETTINGS);
    let requests = fails(&api, &exporter);
    assert!(requests < MOST_REQUESTS, "{requests}");
    api.follow(healthy(events(5, "OLD")));
    exporter.wait_until_up();
    let of_type = [("event_type", "OLD")];
    exporter.wait_for("nexmo_audit_events_by_type_total", &of_type, is(5.0));
    // What a poll has read counts, although the poll failed.
    let shown = f64::from(u32::try_from(shown.load(Ordering::SeqCst)).expect("a number"));
    let of_type = [("event_type", "NEW")];
    let counted = exporter.value("nexmo_audit_events_by_type_total", &of_type);
    assert!(
        counted > 0.9 * shown && counted <= shown,
        "{counted} of {shown}"
    );
}

#[test]
fn links_to_a_next_page_without_end_end_the_poll() {
    assert_is_counted_after_an_end(|_| None);
}

#[test]
fn a_number_of_pages_that_grows_without_end_ends_the_poll() {
    assert_is_counted_after_an_end(|page| Some((100 * (page + 1), page + 1)));
}

#[test]
fn a_page_that_is_repeated_without_end_ends_the_poll_at_once() {
    let all = events(100, "SAME");
    let api = ScriptedApi::start(listing(move |_| linked(&all, None)));
    let exporter = Exporter::polling_with(&api, SETTINGS);
    let requests = fails(&api, &exporter);
    assert!(requests < 100, "{requests}");
    api.follow(healthy(events(100, "SAME")));
    exporter.wait_until_up();
    assert!(is(100.0)(exporter.counted()));
}

#[test]
fn a_second_without_end_is_named_and_all_other_seconds_are_counted() {
    let now = Timestamp::now();
    let at = now - SignedDuration::from_secs(300);
    let second = at.as_second();
    let times = (0..60).map(move |place| now - SignedDuration::from_secs(5 + 10 * place));
    let others: Vec<_> = times.enumerate().collect();
    let shown = AtomicUsize::new(1000);
    let api = ScriptedApi::start(listing(move |request| {
        let (from, to) = asked(request);
        let (from, to) = (from.as_second(), to.as_second());
        let is_asked = |time: Timestamp| (from..=to).contains(&time.as_second());
        let first = others
            .iter()
            .filter(|(_, time)| request.page() == 1 && is_asked(*time));
        let mut page: Vec<_> = first.map(|(id, time)| created(*id, *time)).collect();
        if !(from..=to).contains(&second) {
            let events = page.len() as u64;
            return Answer::page(&page, json!(events), json!(1));
        }
        while page.len() < 100 {
            page.push(created(shown.fetch_add(1, Ordering::SeqCst), at));
        }
        linked(&page, None)
    }));
    let exporter = Exporter::polling_with(&api, SETTINGS);
    eventually("the poll", ENDED, || {
        let has_ended = exporter.value("nexmo_audit_poll_duration_seconds_count", &[]) >= 1.0;
        has_ended
            .then_some(())
            .ok_or_else(|| exporter.program.log())
    });
    exporter.wait_until_up();
    assert!(exporter.value(MISSING, &[]) >= 1.0);
    let line = exporter.program.wait_for_line("in one second");
    let named = at.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    assert!(line.contains(&named), "{line}");
    assert!(is(0.0)(exporter.value(FAILURES, &[("reason", "body")])));
    // Each of the other seconds was shown, and so was much of the one without end.
    let counted = exporter.counted();
    assert!(counted > 10_060.0, "{counted}");
}
