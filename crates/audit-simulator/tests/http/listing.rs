//! Lists, single events and types.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use audit_simulator::{
    EventKey, ExtraEvent, ListOrder, Simulator, SimulatorError, SimulatorSettings,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::running_simulator::{Api, settings, time};

#[tokio::test]
async fn paging_covers_every_event_once_in_each_stable_order() {
    for order in [ListOrder::Newest, ListOrder::Oldest, ListOrder::Reshuffled] {
        let api = Api::start(SimulatorSettings {
            order,
            ..settings()
        })
        .await;
        let first = api.sweep("size=7").await;
        assert_eq!(first.len(), 200);
        let ids: BTreeSet<_> = first.iter().map(|event| event["id"].to_string()).collect();
        assert_eq!(ids.len(), 200, "{order:?}");
        let times: Vec<_> = first
            .iter()
            .map(|event| event["created_at"].to_string())
            .collect();
        assert_eq!(times.is_sorted(), order == ListOrder::Oldest);
        assert_eq!(times.iter().rev().is_sorted(), order == ListOrder::Newest);
        let again = api.sweep("size=7").await;
        assert_eq!(first == again, order != ListOrder::Reshuffled);
    }
}

#[tokio::test]
async fn a_shuffled_list_changes_with_each_request() {
    let api = Api::start(SimulatorSettings {
        order: ListOrder::Shuffled,
        ..settings()
    })
    .await;
    let pages = [api.list("size=100").await, api.list("size=100").await];
    assert_ne!(pages[0]["_embedded"], pages[1]["_embedded"]);
    for page in pages {
        let events = page["_embedded"]["events"]
            .as_array()
            .expect("events")
            .clone();
        let ids: BTreeSet<_> = events.iter().map(|event| event["id"].to_string()).collect();
        assert_eq!(ids.len(), 100);
    }
}

#[tokio::test]
async fn a_list_looks_as_the_vendor_writes_it() {
    let api = Api::start(settings()).await;
    let list = api
        .list("size=30&page=2&event_type=USER_LOGIN%2CUSER_LOGOUT")
        .await;
    let total = list["page"]["totalElements"].as_u64().expect("a number");
    assert_eq!(list["page"]["totalPages"], json!(total.div_ceil(30)));
    assert_eq!(
        (&list["page"]["size"], &list["page"]["number"]),
        (&json!(30), &json!(2))
    );
    let link = |page: u64| {
        json!({"href": format!(
            "http://api.nexmo.com/beta/audit/events?page={page}&size=30&event_type=USER_LOGIN%2CUSER_LOGOUT"
        )})
    };
    assert_eq!(list["_links"]["self"], link(2));
    assert_eq!(
        (&list["_links"]["first"], &list["_links"]["prev"]),
        (&link(1), &link(1))
    );
    assert_eq!(list["_links"]["last"], link(total.div_ceil(30)));

    let event = &list["_embedded"]["events"][0];
    let id = event["id"].as_str().expect("an id");
    let href = format!("http://api.nexmo.com/beta/audit/events/{id}");
    assert_eq!(event["_links"]["self"]["href"], json!(href));
    assert_eq!(event["account_id"], json!("abcd1234"));
    assert_eq!(
        (&event["source"], &event["source_description"]),
        (&json!("CD"), &json!("Customer Dashboard"))
    );
    let created = event["created_at"].as_str().expect("a time");
    assert_eq!(created.len(), "2018-08-13T10:15:31".len());
    assert!(event["user_id"].is_u64() && event["context"].is_object());
    assert_eq!(&api.get(&format!("/events/{id}"), 200).await, event);
}

#[tokio::test]
async fn nothing_found_and_beyond_the_end_are_no_errors() {
    let api = Api::start(settings()).await;
    let none = api.list("date_from=2030-01-01").await;
    assert!(none.get("_embedded").is_none());
    assert_eq!(
        none["page"],
        json!({"size": 30, "totalElements": 0, "totalPages": 0, "number": 1})
    );
    let beyond = api.list("page=18446744073709551615&size=100").await;
    assert!(beyond.get("_embedded").is_none());
    assert_eq!(beyond["page"]["totalElements"], json!(200));
    assert!(beyond["_links"].get("next").is_none());
}

#[tokio::test]
async fn filters_find_what_they_name() {
    let api = Api::start(settings()).await;
    let all = api.sweep("size=100").await;
    let logins = api.sweep("event_type=USER_LOGIN&size=100").await;
    let is_login = |event: &&Value| event["event_type"] == "USER_LOGIN";
    assert_eq!(
        logins,
        all.iter().filter(is_login).cloned().collect::<Vec<_>>()
    );

    let middle = all[100]["created_at"].as_str().expect("a time").to_owned();
    let older = api.sweep(&format!("date_to={middle}&size=100")).await;
    let newer = api.sweep(&format!("date_from={middle}&size=100")).await;
    let same = all
        .iter()
        .filter(|event| event["created_at"] == json!(middle))
        .count();
    assert_eq!(older.len() + newer.len(), all.len() + same);

    let email = logins[0]["user_email"].as_str().expect("an address");
    let found = api.sweep(&format!("search_text={email}&size=100")).await;
    let holds = |event: &&Value| event["user_email"] == json!(email);
    assert_eq!(found, all.iter().filter(holds).cloned().collect::<Vec<_>>());
    let both = api
        .sweep(&format!("search_text={email}&event_type=USER_LOGIN"))
        .await;
    assert_eq!(
        both,
        found.iter().filter(is_login).cloned().collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn errors_are_as_documented() {
    let api = Api::start(settings()).await;
    let missing = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab";
    let cases = [
        (
            "/events?size=101",
            400,
            "Bad Request",
            "size: \"101\" is not a number from 1 to 100",
        ),
        (
            "/events?event_type=NOPE",
            400,
            "Bad Request",
            "event_type: \"NOPE\" is not an event type",
        ),
        (
            &format!("/events/{missing}"),
            404,
            "Not Found",
            &format!("Event with provided id: {missing} was not found"),
        ),
        ("/other", 404, "Not Found", "No such resource"),
        ("/eventsx", 404, "Not Found", "No such resource"),
    ];
    for (path, status, error, message) in cases {
        let body = api.get(path, status).await;
        assert_eq!(
            body,
            json!({"status": status, "error": error, "message": message})
        );
    }
}

#[tokio::test]
async fn only_the_account_itself_is_answered() {
    let api = Api::start(settings()).await;
    let url = format!("{}/events", api.base_url);
    let requests = [
        api.client.get(&url),
        api.client.get(&url).basic_auth("abcd1234", Some("wrong")),
        api.client.get(&url).bearer_auth("simulated-secret"),
        api.client.request(reqwest::Method::OPTIONS, &url),
        api.client.get(format!("{}/nowhere", api.base_url)),
    ];
    for request in requests {
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 401);
        assert_eq!(
            answer.headers()["www-authenticate"],
            "Basic realm=\"Audit API\""
        );
        let body: Value =
            serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON");
        assert_eq!(
            (&body["status"], &body["error"]),
            (&json!(401), &json!("Unauthorized"))
        );
    }
}

/// The answer to OPTIONS in the vendor's guide.
#[rustfmt::skip]
const PUBLISHED_TYPES: [(&str, &str); 26] = [
    ("USER_STATUS", "User status updated"),
    ("USER_UPDATE", "User updated"),
    ("USER_BILLING_UPDATE", "User billing updated"),
    ("USER_CREATE", "User created"),
    ("USER_LOGIN", "User login into Customer dashboard"),
    ("USER_LOGOUT", "User logout from Customer dashboard"),
    ("USER_PRODUCT_SEARCH", "User product search"),
    ("USER_API_KEYS_UPDATE", "Sub-accounts for user updated"),
    ("ACCOUNT_SECRET_DELETE", "Account secret deleted"),
    ("ACCOUNT_SECRET_CREATE", "Account secret created"),
    ("ACCOUNT_UPDATE_SETTINGS_API", "Account Settings updated via API"),
    ("NUMBER_ASSIGN", "Number assigned"),
    ("NUMBER_UPDATED", "Number updated"),
    ("NUMBER_USER_CANCELED", "Number canceled by user"),
    ("NUMBER_LINKED", "Number linked to application"),
    ("NUMBER_UNLINKED", "Number unlinked from application"),
    ("APP_CREATE", "Application created"),
    ("APP_UPDATE", "Application updated"),
    ("APP_DELETE", "Application deleted"),
    ("APP_DISABLE", "Application disabled"),
    ("APP_ENABLE", "Application enabled"),
    ("IP_WHITELIST_CREATE", "Whitelist IP added"),
    ("IP_WHITELIST_DELETE", "Whitelist IP deleted"),
    ("AUTORELOAD_ENABLE", "Autoreload enabled"),
    ("AUTORELOAD_UPDATE", "Autoreload settings updated"),
    ("AUTORELOAD_DISABLE", "Autoreload disabled"),
];

#[tokio::test]
async fn only_the_methods_of_the_api_are_answered() {
    let api = Api::start(settings()).await;
    let types = api.request("OPTIONS", "/events").await;
    assert_eq!(types.status(), 200);
    let types: Value = serde_json::from_slice(&types.bytes().await.expect("a body")).expect("JSON");
    let published = PUBLISHED_TYPES.iter();
    let published =
        published.map(|(name, description)| json!({"type": name, "description": description}));
    assert_eq!(types["eventTypes"], published.collect::<Value>());

    let head = api.request("HEAD", "/events?size=1").await;
    assert_eq!(
        (
            head.status().as_u16(),
            &head.headers()["content-type"] == "application/json"
        ),
        (200, true)
    );
    assert!(head.headers()["content-length"].to_str().expect("text") > "0");
    assert!(head.bytes().await.expect("a body").is_empty());

    for (method, path, allowed) in [
        ("POST", "/events", "GET, HEAD, OPTIONS"),
        ("DELETE", "/events", "GET, HEAD, OPTIONS"),
        ("OPTIONS", "/events/x", "GET, HEAD"),
        ("PUT", "/events/x", "GET, HEAD"),
    ] {
        let answer = api.request(method, path).await;
        assert_eq!(answer.status(), 405, "{method} {path}");
        assert_eq!(answer.headers()["allow"], allowed);
    }
}

#[tokio::test]
async fn answers_are_compressed_on_request() {
    let api = Api::start(settings()).await;
    let raw = api
        .raw(
            "/events?size=100",
            "Accept-Encoding: deflate, gzip;q=0.5\r\n",
        )
        .await;
    assert!(raw.head.contains("content-encoding: gzip"), "{}", raw.head);
    let plain = api
        .raw("/events?size=100", "Accept-Encoding: gzip;q=0\r\n")
        .await;
    assert!(!plain.head.contains("content-encoding"));
    assert!(raw.body.len() * 3 < plain.body.len());
}

#[tokio::test]
async fn the_date_and_the_events_follow_the_clock_of_the_api() {
    let offset = SignedDuration::from_hours(-5);
    let api = Api::start(SimulatorSettings {
        clock_offset: offset,
        start: None,
        ..settings()
    })
    .await;
    let answer = api.request("GET", "/events?size=1").await;
    let date = answer.headers()["date"].to_str().expect("text");
    let date = httpdate::parse_http_date(date).expect("a date");
    let behind = std::time::SystemTime::now()
        .duration_since(date)
        .expect("a past date");
    assert!(behind.abs_diff(Duration::from_hours(5)) < Duration::from_mins(1));
    let key = ExtraEvent::new("APP_CREATE");
    let id = api.handle.record(&key);
    let event = api.get(&format!("/events/{id}"), 200).await;
    let created = format!("{}Z", event["created_at"].as_str().expect("a time"));
    let ago = Timestamp::now().duration_since(created.parse().expect("a time"));
    assert!((ago - SignedDuration::from_hours(5)).abs() < SignedDuration::from_secs(60));
}

#[tokio::test]
async fn late_events_appear_late() {
    let api = Api::start(SimulatorSettings {
        history: 0,
        ..settings()
    })
    .await;
    let created = time("2026-11-23T11:00:00Z");
    let mut event = ExtraEvent::new("ACCOUNT_SECRET_DELETE");
    event.created_at = Some(created);
    event.visible_at = Some(time("2026-11-23T12:30:00Z"));
    let id = api.handle.record(&event);
    assert_eq!(api.handle.hidden(), 1);
    assert!(api.sweep("").await.is_empty());
    api.get(&format!("/events/{id}"), 404).await;

    api.handle.stop_clock(time("2026-11-23T12:30:00Z"));
    let all = api.sweep("").await;
    assert_eq!((all.len(), &all[0]["id"]), (1, &json!(id)));
    assert_eq!(all[0]["created_at"], json!("2026-11-23T11:00:00"));
    assert_eq!(api.handle.hidden(), 0);
}

#[tokio::test]
async fn a_restart_shows_the_same_events_again() {
    let live = SimulatorSettings {
        rate: 0.5,
        late_share: 0.2,
        ..settings()
    };
    let first = Api::start(live.clone()).await;
    first.handle.stop_clock(time("2026-11-23T12:10:00Z"));
    let before = first.sweep("size=100").await;
    first.handle.stop_clock(time("2026-11-23T13:00:00Z"));
    let after = first.sweep("size=100").await;
    assert!(after.len() > before.len() && before.len() > 200);

    let second = Api::start(live.clone()).await;
    second.handle.stop_clock(time("2026-11-23T13:00:00Z"));
    assert_eq!(second.sweep("size=100").await, after);
    let other = Api::start(SimulatorSettings { seed: 9, ..live }).await;
    assert_ne!(other.sweep("size=100").await, before);
}

#[tokio::test]
async fn the_ground_truth_is_what_the_list_holds() {
    let api = Api::start(SimulatorSettings {
        rate: 1.0,
        ..settings()
    })
    .await;
    api.handle.stop_clock(time("2026-11-23T12:05:00Z"));
    let mut extra = ExtraEvent::new("SOMETHING_NEW");
    extra.key = EventKey {
        source: "ELSEWHERE".to_owned(),
        country: None,
        ..extra.key
    };
    let _ = api.handle.record(&extra);
    let mut listed = BTreeMap::new();
    for event in api.sweep("size=100").await {
        let text = |name: &str| event[name].as_str().map(str::to_owned);
        let key = EventKey {
            event_type: text("event_type").expect("a type"),
            source: text("source").expect("a source"),
            country: text("source_country"),
        };
        *listed.entry(key).or_insert(0) += 1;
    }
    assert_eq!(api.handle.counts(None), listed);
    let live = api.handle.counts(Some(time("2026-11-23T12:05:00Z")));
    assert_eq!(live.get(&extra.key), Some(&1));
    assert!(live.len() < listed.len());

    api.handle.stop_traffic();
    api.handle.stop_clock(time("2026-11-23T18:00:00Z"));
    assert_eq!(api.handle.counts(None), listed);
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let api = Api::start(settings()).await;
    let listen_address = api.address;
    let bound = Simulator::bind(SimulatorSettings {
        listen_address,
        ..settings()
    })
    .await;
    let error = bound.err().expect("an error");
    assert!(matches!(error, SimulatorError::Listen { .. }));
    assert!(
        error.to_string().contains(&listen_address.to_string()),
        "{error}"
    );

    let bound = Simulator::bind(SimulatorSettings {
        late_share: 2.0,
        ..settings()
    })
    .await;
    let error = bound.err().expect("an error").to_string();
    assert!(
        error.contains("--late-share: 2 is not a share from 0 to 1"),
        "{error}"
    );
}
