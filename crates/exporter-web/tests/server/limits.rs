//! Bounds: answers in flight, and the time that they may take at the end.

use tokio::io::AsyncReadExt;

use crate::running::{LARGE, Running, ask, read_head, send};

/// A client that does not read loses its slot after a second. A machine that is busy
/// may need longer than that to ask beside such a client.
const ATTEMPTS: usize = 20;

#[tokio::test]
async fn a_request_more_than_is_allowed_is_told_to_come_again_and_has_no_effect() {
    let server = Running::start_bounded(1).await;
    for _ in 0..ATTEMPTS {
        let mut unread = server.connect().await;
        send(&mut unread, "/large", "").await.expect("a request");
        read_head(&mut unread).await;
        let before = server.counted();
        let answer = ask(server.connect().await, "/counted", "")
            .await
            .expect("an answer");
        if answer.status == 503 {
            assert_eq!(answer.header("retry-after"), ["1"]);
            assert!(answer.body.contains("--web.max-requests"), "{answer:?}");
            assert_eq!(server.counted(), before);
            drop(unread);
            return;
        }
        assert_eq!(server.counted(), before + 1);
    }
    panic!("all of {ATTEMPTS} requests were answered beside one in flight");
}

#[tokio::test]
async fn a_probe_is_answered_beside_the_answers_in_flight() {
    let server = Running::start_bounded(1).await;
    let mut unread = server.connect().await;
    send(&mut unread, "/large", "").await.expect("a request");
    read_head(&mut unread).await;
    for _ in 0..10 {
        let answer = ask(server.connect().await, "/probe", "").await;
        assert_eq!(answer.expect("an answer").status, 200);
    }
    // No probe has taken the slot of the client that does not read.
    let mut body = vec![0; LARGE];
    unread.read_exact(&mut body).await.expect("a body");
}

#[tokio::test]
async fn without_a_bound_all_are_answered() {
    let server = Running::start_bounded(0).await;
    let mut unread = Vec::new();
    for _ in 0..4 {
        let mut stream = server.connect().await;
        send(&mut stream, "/large", "").await.expect("a request");
        read_head(&mut stream).await;
        unread.push(stream);
    }
    let answer = ask(server.connect().await, "/", "")
        .await
        .expect("an answer");
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_shutdown_waits_for_responses_in_flight_and_for_nothing_else() {
    let server = Running::start("").await;
    let mut silent = server.connect().await;
    let mut idle = server.connect().await;
    send(&mut idle, "/", "").await.expect("a request");
    read_head(&mut idle).await;
    let mut reading = server.connect().await;
    send(&mut reading, "/large", "").await.expect("a request");
    read_head(&mut reading).await;
    let ended = server.shut_down().await;
    let mut rest = Vec::new();
    // The body of the one that idles, and then its end.
    idle.read_to_end(&mut rest).await.expect("an end");
    assert_eq!(rest, b"/");
    let _ = silent.read_to_end(&mut rest).await;
    assert!(!ended.is_finished());
    let mut body = Vec::new();
    reading.read_to_end(&mut body).await.expect("a body");
    assert_eq!(body.len(), LARGE);
    ended.await.expect("a server that ends");
}

/// A client that has connected to a socket that outlives the server would ask nobody else.
#[tokio::test]
async fn a_client_that_has_just_connected_is_answered_at_shutdown() {
    let server = Running::start("").await;
    let connected = server.connect().await;
    // Connections are accepted in their order, so the first one is by now.
    let other = ask(server.connect().await, "/", "").await;
    other.expect("an answer");
    let ended = server.shut_down().await;
    let answer = ask(connected, "/late", "").await.expect("an answer");
    assert_eq!((answer.status, &*answer.body), (200, "/late"));
    ended.await.expect("a server that ends");
}
