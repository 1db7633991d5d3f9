//! Lists that show less than there is, and other forms of times, pages and ranges.

use audit_simulator::{BeyondLast, ExtraEvent, IncludedBounds, SimulatorSettings, TimeFormat};
use serde_json::{Value, json};

use crate::running_simulator::{Api, settings, time};

fn len(list: &Value) -> usize {
    list["_embedded"]["events"].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn a_total_is_no_higher_than_its_limit_and_nothing_is_shown_beyond() {
    let api = Api::start(SimulatorSettings {
        limit_total: Some(150),
        ..settings()
    })
    .await;
    let list = api.list("size=100&page=2").await;
    assert_eq!(
        (len(&list), &list["page"]["totalElements"]),
        (50, &json!(150))
    );
    api.get("/events?size=100&page=3", 400).await;
}

#[tokio::test]
async fn pages_beyond_the_limit_are_refused_although_they_are_counted() {
    let api = Api::start(SimulatorSettings {
        limit_pages: Some(1),
        ..settings()
    })
    .await;
    let list = api.list("size=100&page=1").await;
    assert_eq!((len(&list), &list["page"]["totalPages"]), (100, &json!(2)));
    api.get("/events?size=100&page=2", 400).await;
}

#[tokio::test]
async fn a_smaller_page_than_was_asked_for_has_a_link_and_no_counts() {
    let api = Api::start(SimulatorSettings {
        clamp_size: Some(30),
        without_page: true,
        ..settings()
    })
    .await;
    let list = api.list("size=100").await;
    assert_eq!((len(&list), list.get("page")), (30, None));
    assert!(list["_links"]["next"]["href"].is_string());
    let end = api.list("size=100&page=7").await;
    assert_eq!((len(&end), end["_links"].get("next")), (20, None));
}

#[tokio::test]
async fn a_list_has_no_link_to_a_next_page_if_none_is_wanted() {
    let api = Api::start(SimulatorSettings {
        without_next: true,
        ..settings()
    })
    .await;
    let list = api.list("size=100").await;
    assert_eq!((len(&list), list["_links"].get("next")), (100, None));
}

#[tokio::test]
async fn a_page_behind_the_last_is_answered_in_each_form() {
    let forms = [
        (None, 200),
        (Some(BeyondLast::Empty), 200),
        (Some(BeyondLast::Object), 200),
        (Some(BeyondLast::BadRequest), 400),
        (Some(BeyondLast::NotFound), 404),
    ];
    for (beyond_last, status) in forms {
        let api = Api::start(SimulatorSettings {
            beyond_last,
            ..settings()
        })
        .await;
        let answer = api.get("/events?size=100&page=3", status).await;
        let is_object = beyond_last == Some(BeyondLast::Object);
        assert_eq!(answer == json!({}), is_object, "{beyond_last:?}: {answer}");
    }
}

#[tokio::test]
async fn a_list_that_shrinks_counts_a_page_that_is_gone() {
    let api = Api::start(SimulatorSettings {
        shrink_share: 1.0,
        ..settings()
    })
    .await;
    let first = api.list("size=100&page=1").await;
    let second = api.list("size=100&page=2").await;
    let pages = |list: &Value| list["page"]["totalPages"].as_u64();
    assert_eq!((pages(&first), pages(&second)), (Some(3), Some(2)));
    assert_eq!(len(&api.list("size=100&page=3").await), 0);
}

#[tokio::test]
async fn a_range_includes_the_bounds_that_are_wanted() {
    use IncludedBounds::{Both, From, None, To};
    for (bounds, expected) in [(Both, 3), (From, 2), (To, 2), (None, 1)] {
        let api = Api::start(SimulatorSettings {
            bounds,
            history: 0,
            ..settings()
        })
        .await;
        for second in 10..13 {
            let _ = api.handle.record(&ExtraEvent {
                created_at: Some(time(&format!("2026-11-23T11:00:{second}Z"))),
                ..ExtraEvent::new("NUMBER_ASSIGN")
            });
        }
        let range = "date_from=2026-11-23T11:00:10Z&date_to=2026-11-23T11:00:12Z";
        assert_eq!(len(&api.list(range).await), expected, "{bounds:?}");
    }
}

#[tokio::test]
async fn times_are_written_in_each_form() {
    let forms = [
        (TimeFormat::Iso, "9999-99-99T99:99:99"),
        (TimeFormat::Utc, "9999-99-99T99:99:99 UTC"),
        (TimeFormat::Rfc1123, "Aaa, 99 Aaa 9999 99:99:99 GMT"),
        (TimeFormat::EpochText, "9999999999"),
        (TimeFormat::EpochMsText, "9999999999999"),
    ];
    for (time_format, form) in forms {
        let api = Api::start(SimulatorSettings {
            time_format,
            ..settings()
        })
        .await;
        let list = api.list("size=1").await;
        let time = list["_embedded"]["events"][0]["created_at"].as_str();
        let time = time.expect("a text");
        assert_eq!(time.len(), form.len(), "{time}");
        let same =
            |(a, b): (char, char)| a == b || b == '9' && a.is_ascii_digit() || b.is_alphabetic();
        assert!(time.chars().zip(form.chars()).all(same), "{time}");
    }
    for (time_format, digits) in [(TimeFormat::Epoch, 10), (TimeFormat::EpochMs, 13)] {
        let api = Api::start(SimulatorSettings {
            time_format,
            ..settings()
        })
        .await;
        let list = api.list("size=1").await;
        let time = &list["_embedded"]["events"][0]["created_at"];
        assert!(time.is_i64() && time.to_string().len() == digits, "{time}");
    }
}
