//! Faults and outages, as clients see them.

use std::io::ErrorKind;

use audit_simulator::{Outage, SimulatorSettings};
use serde_json::Value;

use crate::running_simulator::{Api, settings, time};

#[tokio::test]
async fn too_many_requests_say_when_to_return_in_turn() {
    let api = Api::start(SimulatorSettings {
        fault_429: 1.0,
        ..settings()
    })
    .await;
    let mut waits = Vec::new();
    for _ in 0..4 {
        let answer = api.request("GET", "/events").await;
        assert_eq!(answer.status(), 429);
        let wait = answer.headers().get("retry-after").cloned();
        waits.push(wait.map(|wait| wait.to_str().expect("text").to_owned()));
        let body: Value =
            serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON");
        assert_eq!(
            (&body["status"], &body["error"]),
            (&429.into(), &"Too Many Requests".into())
        );
    }
    let date = "Mon, 23 Nov 2026 12:00:02 GMT";
    assert_eq!(
        waits,
        [Some("1"), Some(date), None, Some("1")].map(|wait| wait.map(str::to_owned))
    );
}

#[tokio::test]
async fn server_errors_take_each_form() {
    let api = Api::start(SimulatorSettings {
        fault_5xx: 1.0,
        ..settings()
    })
    .await;
    for (status, content_type) in [
        (500, "application/json"),
        (502, "text/html"),
        (503, "application/json"),
        (504, "text/html"),
    ] {
        let answer = api.request("GET", "/events").await;
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers()["content-type"], content_type);
    }
}

#[tokio::test]
async fn a_cut_body_is_shorter_than_announced() {
    let api = Api::start(SimulatorSettings {
        fault_cut: 1.0,
        ..settings()
    })
    .await;
    for headers in ["", "Accept-Encoding: gzip\r\n"] {
        let answer = api.raw("/events?size=100", headers).await;
        assert!(
            answer.head.starts_with("http/1.1 200 ok"),
            "{}",
            answer.head
        );
        let announced = answer
            .head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let announced: usize = announced.expect("a length").parse().expect("a number");
        assert_eq!(answer.body.len(), announced / 2);
    }
    let answer = api.request("GET", "/events").await;
    assert_eq!(answer.status(), 200);
    assert!(answer.bytes().await.is_err());
}

#[tokio::test]
async fn a_reset_connection_gives_no_answer() {
    let api = Api::start(SimulatorSettings {
        fault_reset: 1.0,
        ..settings()
    })
    .await;
    let error = api.exchange("/events", "").await.expect_err("an error");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(api.handle.requests(), 1);
}

#[tokio::test]
async fn faults_have_their_share_of_requests() {
    let api = Api::start(SimulatorSettings {
        fault_5xx: 0.5,
        ..settings()
    })
    .await;
    let mut failed = 0;
    for _ in 0..100 {
        failed += u32::from(
            api.request("GET", "/events?size=1")
                .await
                .status()
                .is_server_error(),
        );
    }
    assert!((30..70).contains(&failed), "{failed}");
    assert_eq!(api.handle.requests(), 100);
}

#[tokio::test]
async fn an_outage_begins_and_ends() {
    let api = Api::start(SimulatorSettings {
        rate: 1.0,
        ..settings()
    })
    .await;
    assert_eq!(api.request("GET", "/events").await.status(), 200);
    api.handle.set_outage(Outage::Unavailable);
    assert_eq!(api.request("GET", "/events").await.status(), 503);

    // The connection that is already open and a new one are both reset.
    api.handle.set_outage(Outage::Unreachable);
    let url = format!("{}/events", api.base_url);
    assert!(api.client.get(&url).send().await.is_err());
    let error = api.exchange("/events", "").await.expect_err("an error");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);

    api.handle.stop_clock(time("2026-11-23T12:05:00Z"));
    api.handle.set_outage(Outage::None);
    assert!(
        api.sweep("size=100").await.len() > 300,
        "events kept happening during the outage"
    );
}

#[tokio::test]
async fn a_stopped_simulator_finishes_what_it_began() {
    let api = Api::start(settings()).await;
    assert_eq!(api.request("GET", "/events").await.status(), 200);
    api.stop.send(()).expect("a running simulator");
    api.run.await.expect("an orderly end");
    assert!(api.client.get(&api.base_url).send().await.is_err());
}

#[tokio::test]
async fn a_slow_client_delays_no_other() {
    let api = Api::start(settings()).await;
    let idle = tokio::net::TcpStream::connect(api.address)
        .await
        .expect("a connection");
    assert_eq!(api.request("GET", "/events").await.status(), 200);
    drop(idle);
}

#[tokio::test(start_paused = true)]
async fn latency_is_waited_for() {
    let latency = std::time::Duration::from_mins(2);
    let api = Api::start(SimulatorSettings {
        latency,
        ..settings()
    })
    .await;
    let asked = tokio::time::Instant::now();
    assert_eq!(api.request("GET", "/events").await.status(), 200);
    assert!(asked.elapsed() >= latency);
}
