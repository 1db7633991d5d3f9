//! Lists that show less than there is, and other forms of time.

use audit_simulator::{SimulatorSettings, TimeFormat};
use serde_json::{Value, json};

use crate::running_simulator::{Api, settings};

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
