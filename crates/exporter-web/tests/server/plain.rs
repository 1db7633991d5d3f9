//! Plain HTTP: what is served, its headers, and a file that is read again.

use tokio::io::AsyncReadExt;

use crate::running::{Running, ask, read_head, send};

#[tokio::test]
async fn the_site_answers_on_connections_that_are_kept() {
    let server = Running::start("").await;
    let mut stream = server.connect().await;
    for path in ["/metrics", "/", "/metrics"] {
        send(&mut stream, path, "").await.expect("a request");
        let head = read_head(&mut stream).await;
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        let mut body = vec![0; path.len()];
        stream.read_exact(&mut body).await.expect("a body");
        assert_eq!(String::from_utf8(body).expect("text"), path);
    }
}

#[tokio::test]
async fn headers_are_on_every_response() {
    let server = Running::start(
        "http_server_config:\n  headers:\n    X-Frame-Options: deny\n    Strict-Transport-Security: max-age=1\nrate_limit: {interval: 1h, burst: 1}\n",
    )
    .await;
    for status in [200, 429] {
        let answer = ask(server.connect().await, "/", "")
            .await
            .expect("an answer");
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("x-frame-options"), ["deny"]);
        assert_eq!(answer.header("strict-transport-security"), ["max-age=1"]);
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_used_changes_nothing() {
    let headers = |value| format!("http_server_config: {{headers: {{X-XSS-Protection: {value}}}}}");
    let server = Running::start(&headers(1)).await;
    let shown = async || {
        let answer = ask(server.connect().await, "/", "").await;
        let answer = answer.expect("an answer");
        answer.header("x-xss-protection").concat()
    };
    assert_eq!(shown().await, "1");
    server.replace_web_config(&headers(2));
    server.web_config.reload().expect("settings");
    assert_eq!(shown().await, "2");
    server.replace_web_config("nonsense: 1");
    let error = server.web_config.reload().expect_err("an error");
    let problems: Vec<_> = error.problems().collect();
    let path = server.path();
    let expected = format!(
        "{}:1: `nonsense` is unknown; the options are tls_server_config, http_server_config, basic_auth_users and rate_limit",
        path.display()
    );
    assert_eq!(problems, [expected]);
    assert_eq!(shown().await, "2");
}
