//! When the list of event types is asked for, and that counting does not need it.

use std::time::Duration;

use audit_core::event::KNOWN_TYPES;
use test_support::audit_event::events;
use test_support::exporter::is;
use test_support::exposition::{Sample, samples};
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{Request, ScriptedApi, healthy};

use crate::paused_exporter::PausedExporter;

const STEP: Duration = Duration::from_secs(15);
const ZERO: &str = "nexmo_audit_events_by_type_total{event_type=\"NUMBER_ASSIGN\"} 0";
/// Types that the vendor documents, and that its list of types leaves out.
const NOT_LISTED: [&str; 3] = [
    "ACCOUNT_UPDATE_SETTINGS",
    "ACCOUNT_UPDATE_SPAMMER",
    "NUMBER_RELEASE",
];

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
    let metrics = exporter.metrics().await;
    assert_eq!(zeros(&metrics), KNOWN_TYPES.len());
    assert!(!metrics.contains("\nnexmo_audit_event_type_info{"));
    exporter.api.follow(healthy(events(2, "A")));
    exporter.pass(STEP, Duration::from_mins(16)).await;
    assert!(is(2.0)(exporter.counted().await));
    assert!(exporter.metrics().await.contains(ZERO));
}

/// Returns the number of event types that are shown at 0.
fn zeros(metrics: &str) -> usize {
    let samples = samples(metrics).into_iter();
    let zero = |sample: &Sample| {
        sample.name == "nexmo_audit_events_by_type_total" && is(0.0)(sample.value)
    };
    samples.filter(zero).count()
}

#[tokio::test(start_paused = true)]
async fn a_type_that_the_api_leaves_out_of_its_list_is_0_from_the_start() {
    let api = ScriptedApi::start_here(healthy(Vec::new())).await;
    let exporter = PausedExporter::polling(api, &["--poll.interval=30s"]).await;
    exporter.pass(STEP, STEP).await;
    let metrics = exporter.metrics().await;
    for name in NOT_LISTED {
        let zero = format!("nexmo_audit_events_by_type_total{{event_type=\"{name}\"}} 0");
        assert!(metrics.contains(&zero), "{metrics}");
    }
    assert_eq!(zeros(&metrics), KNOWN_TYPES.len(), "{metrics}");
    // Only the vendor describes types.
    assert_eq!(metrics.matches("\nnexmo_audit_event_type_info{").count(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_series_cap_holds_for_known_types_and_those_that_the_api_names_go_first() {
    let answer = Answer::types(&["ZEBRA", "YAK"]);
    let sane = healthy(Vec::new());
    let api = ScriptedApi::start_here(move |request| {
        if request.is_types() {
            return answer.clone();
        }
        sane(request)
    })
    .await;
    let exporter = PausedExporter::polling(api, &["--metrics.max-series=3"]).await;
    exporter.pass(STEP, STEP).await;
    let metrics = exporter.metrics().await;
    assert_eq!(zeros(&metrics), 3, "{metrics}");
    for name in ["ZEBRA", "YAK"] {
        assert!(metrics.contains(&format!("by_type_total{{event_type=\"{name}\"}} 0")));
    }
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
