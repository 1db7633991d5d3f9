//! An answer counts as sent once all of its bytes were given to the system.

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    running::{LARGE, Running, read_head, send},
    secured::{TLS, connect, folder, self_signed},
};

/// Asks for `/large`, and reads half of it.
async fn read_half(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    send(stream, "/large", "").await.expect("a request");
    read_head(stream).await;
    let mut half = vec![0; LARGE / 2];
    stream.read_exact(&mut half).await.expect("half a body");
}

async fn read_rest(mut stream: impl AsyncRead + Unpin) {
    let mut rest = vec![0; LARGE / 2];
    stream.read_exact(&mut rest).await.expect("a body");
}

#[tokio::test]
async fn an_answer_is_sent_although_the_client_does_not_read_it() {
    let mut server = Running::start("").await;
    let mut stream = server.connect().await;
    for path in ["/metrics", "/probe"] {
        send(&mut stream, path, "").await.expect("a request");
        assert_eq!(server.sent().await, path);
    }
    assert!(server.has_sent_nothing());
}

#[tokio::test]
async fn an_answer_is_sent_when_its_last_byte_is() {
    let mut server = Running::start("").await;
    let mut stream = server.connect().await;
    read_half(&mut stream).await;
    assert!(server.has_sent_nothing());
    read_rest(stream).await;
    assert_eq!(server.sent().await, "/large");
}

#[tokio::test]
async fn an_answer_is_sent_over_tls_when_its_last_byte_is() {
    let pair = self_signed("localhost");
    let mut server = Running::start_with(folder(&pair), TLS).await;
    let mut stream = connect(&server, &pair, None).await.expect("TLS");
    read_half(&mut stream).await;
    assert!(server.has_sent_nothing());
    read_rest(stream).await;
    assert_eq!(server.sent().await, "/large");
    let mut unread = connect(&server, &pair, None).await.expect("TLS");
    send(&mut unread, "/metrics", "").await.expect("a request");
    assert_eq!(server.sent().await, "/metrics");
    let mut left = connect(&server, &pair, None).await.expect("TLS");
    read_half(&mut left).await;
    drop(left);
    assert_eq!(server.sent_until_the_end().await, [""; 0]);
}

#[tokio::test]
async fn an_answer_is_sent_of_which_the_client_wants_no_other_after_it() {
    let mut server = Running::start("").await;
    let mut stream = server.connect().await;
    let close = "Connection: close\r\n";
    send(&mut stream, "/metrics", close).await.expect("sent");
    assert_eq!(server.sent().await, "/metrics");
}

#[tokio::test]
async fn an_answer_whose_client_leaves_in_the_middle_is_not_sent() {
    let server = Running::start("").await;
    let mut stream = server.connect().await;
    read_half(&mut stream).await;
    drop(stream);
    assert_eq!(server.sent_until_the_end().await, [""; 0]);
}

#[tokio::test]
async fn an_answer_that_is_cut_for_another_client_is_not_sent() {
    let mut server = Running::start_bounded(1).await;
    let mut stream = server.connect().await;
    read_half(&mut stream).await;
    // The client does not read on, and so loses its slot after a second.
    while server.counted() == 0 {
        let mut other = server.connect().await;
        send(&mut other, "/counted", "").await.expect("a request");
        read_head(&mut other).await;
    }
    assert_eq!(server.sent().await, "/counted");
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(rest.len() < LARGE / 2, "{}", rest.len());
    assert_eq!(server.sent_until_the_end().await, [""; 0]);
}

#[tokio::test]
async fn an_answer_over_a_connection_that_was_reset_is_not_sent() {
    let server = Running::start("").await;
    let mut stream = server.connect().await;
    send(&mut stream, "/held", "").await.expect("a request");
    while server.counted() == 0 {
        tokio::task::yield_now().await;
    }
    reset(stream);
    server.let_go();
    assert_eq!(server.sent_until_the_end().await, [""; 0]);
}

#[tokio::test]
async fn no_body_is_sent_in_an_answer_to_head() {
    let server = Running::start("").await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"HEAD /metrics HTTP/1.1\r\nHost: test\r\n\r\n")
        .await
        .expect("a request");
    read_head(&mut stream).await;
    assert_eq!(server.sent_until_the_end().await, [""; 0]);
}

/// Closes a connection so that the other end gets a reset.
fn reset(stream: TcpStream) {
    stream.set_zero_linger().expect("a stream");
    drop(stream);
}
