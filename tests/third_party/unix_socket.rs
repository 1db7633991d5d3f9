//! nginx in front of an exporter that listens on a unix socket.

use std::time::Duration;

use test_support::audit_event::events;
use test_support::eventually::eventually;
use test_support::exposition;
use test_support::http::HttpClient;
use test_support::process::{Process, START};
use test_support::program::command;
use test_support::restartable::free_port;
use test_support::scripted_api::{ScriptedApi, healthy};
use test_support::tools;

use crate::nginx;

/// The time from the start to the first counts.
const SHOWN: Duration = Duration::from_secs(20);

#[test]
fn nginx_passes_scrapes_on_to_a_unix_socket() {
    let Some(program) = tools::require("nginx") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("metrics.sock");
    let api = ScriptedApi::start(healthy(events(2, "A")));
    let mut exporter = command();
    exporter.args(["serve", "--poll.start=1h", "--poll.interval=100ms"]);
    exporter.arg("--api.max-requests-per-second=1000");
    exporter.arg(format!("--web.listen-address=unix:{}", socket.display()));
    exporter.arg(format!("--api.base-url={}", api.base_url()));
    let exporter = Process::start("exporter", exporter.current_dir(folder.path()));
    exporter.wait_for_line("listener", START, |line| {
        line.contains("listening").then_some(())
    });
    let port = free_port();
    let directives = format!(
        "server {{\n\
           listen 127.0.0.1:{port};\n\
           location /audit/ {{\n\
             proxy_pass http://unix:{}:/;\n\
             proxy_set_header Host $http_host;\n\
             proxy_set_header X-Forwarded-For $remote_addr;\n\
             proxy_set_header X-Forwarded-Prefix /audit;\n\
           }}\n\
         }}",
        socket.display()
    );
    let _proxy = Process::start(
        "nginx",
        &mut nginx::command(&program, folder.path(), &directives),
    );
    let http = HttpClient::new();
    let url = format!("http://127.0.0.1:{port}/audit");
    eventually("counts through nginx", SHOWN, || {
        let page = http.get_body(&format!("{url}/metrics"))?;
        let counted = exposition::samples(&page).into_iter();
        let counted = counted.filter(|sample| sample.name == "nexmo_audit_events_total");
        let counted: f64 = counted.map(|sample| sample.value).sum();
        (counted >= 2.0).then_some(()).ok_or(page)
    });
    let page = http.get_body(&format!("{url}/")).expect("the landing page");
    let target = format!("targets: [&quot;127.0.0.1:{port}&quot;]");
    assert!(page.contains(&target), "{page}");
    assert!(
        page.contains("metrics_path: &quot;/audit/metrics&quot;"),
        "{page}"
    );
    assert!(!page.contains("unix socket"), "{page}");
}
