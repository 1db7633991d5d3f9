//! When the list of event types is asked for, and that counting does not need it.

use std::time::Duration;

use test_support::audit_event::events;
use test_support::exporter::is;
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{Request, ScriptedApi, healthy};

use crate::paused_exporter::PausedExporter;

const STEP: Duration = Duration::from_secs(15);
const ZERO: &str = "nexmo_audit_events_by_type_total{event_type=\"NUMBER_ASSIGN\"} 0";

#[tokio::test(start_paused = true)]
async fn types_are_asked_for_at_the_start_and_every_few_hours() {
    let api = ScriptedApi::start_here(healthy(Vec::new())).await;
    let exporter = PausedExporter::polling(api, &["--poll.interval=10m"]).await;
    exporter.pass(STEP, Duration::from_hours(9)).await;
    let asked = exporter.times(Request::is_types);
    let [first, second, third] = asked[..] else {
        panic!("{asked:?}")
    };
    assert!(first < Duration::from_secs(1));
    for (earlier, later) in [(first, second), (second, third)] {
        let wait = later.abs_diff(earlier);
        let expected = Duration::from_hours(4)..Duration::from_mins(4 * 60 + 12);
        assert!(expected.contains(&wait), "{wait:?}");
    }
    assert!(exporter.metrics().await.contains(ZERO));
}

async fn counts_without_types(answer: Answer) {
    let sane = healthy(events(2, "A"));
    let api = ScriptedApi::start_here(move |request| {
        if request.is_types() {
            return answer.clone();
        }
        sane(request)
    })
    .await;
    let exporter = PausedExporter::polling(api, &["--poll.interval=30s", "--poll.start=1h"]).await;
    // This is past the time limit of a request, for the API that never answers.
    exporter.pass(STEP, Duration::from_mins(11)).await;
    assert!(is(2.0)(exporter.counted().await));
    assert!(is(1.0)(exporter.value("nexmo_audit_up").await));
    exporter.api.follow(healthy(events(2, "A")));
    exporter.pass(STEP, Duration::from_mins(16)).await;
    assert!(is(2.0)(exporter.counted().await));
    assert!(exporter.metrics().await.contains(ZERO));
}

macro_rules! answers_to_options {
    ($($name:ident: $answer:expr;)*) => {
        $(
            #[tokio::test(start_paused = true)]
            async fn $name() {
                counts_without_types($answer).await;
            }
        )*
    };
}

answers_to_options! {
    an_api_without_options: Answer::error(404, "No such path");
    an_api_that_refuses_options: Answer::error(405, "No such method");
    a_firewall_that_forbids_options: Answer::new(403, "<html>Forbidden</html>");
    an_api_that_fails_for_options: Answer::error(500, "Down");
    html_in_place_of_types: Answer::new(200, "<html></html>");
    a_reset_in_place_of_types: Answer::reset();
    silence_in_place_of_types: Answer::silence();
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_types_is_an_answer() {
    let sane = healthy(events(2, "A"));
    let api = ScriptedApi::start_here(move |request| {
        if request.is_types() {
            return Answer::new(204, "");
        }
        sane(request)
    })
    .await;
    let exporter = PausedExporter::polling(api, &["--poll.interval=30s", "--poll.start=1h"]).await;
    exporter.pass(STEP, Duration::from_mins(1)).await;
    assert!(is(2.0)(exporter.counted().await));
    assert_eq!(exporter.times(Request::is_types).len(), 1);
}
