//! The landing page in a real browser: its content security policy permits its own
//! style, and the page requests nothing else.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use test_support::audit_event::event;
use test_support::exporter::Exporter;
use test_support::scripted_answer::Answer;
use test_support::scripted_api::ScriptedApi;
use test_support::tools;

#[test]
fn shows_the_page_without_a_complaint() {
    let Some(chromium) = tools::optional("chromium") else {
        return;
    };
    let api = ScriptedApi::start(|request| {
        if request.is_types() {
            Answer::types(&["USER_LOGIN"])
        } else {
            Answer::list(&[event("one", "USER_LOGIN")])
        }
    });
    let exporter = Exporter::polling(&api);
    exporter.wait_until_up();
    exporter.wait_until_ready();
    let address = exporter.program.address();
    for look in ["--force-dark-mode", "--window-size=320,640"] {
        let (page, complaints) = opened(&chromium, address, look);
        assert!(page.contains("Polls of the Audit API: ok."), "{page}");
        assert!(
            page.contains(&format!("targets: [\"{address}\"]")),
            "{page}"
        );
        assert_eq!(complaints, Vec::<String>::new(), "{look}");
    }
}

/// Returns the page as the browser parsed it, and the messages of its console.
fn opened(chromium: &Path, address: SocketAddr, look: &str) -> (String, Vec<String>) {
    let profile = tempfile::tempdir().expect("a folder");
    let output = Command::new(chromium)
        .args(["--headless", "--no-sandbox", "--disable-gpu"])
        .args(["--disable-background-networking", "--no-first-run"])
        .args(["--enable-logging=stderr", "--log-level=0", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(look)
        .arg(format!("http://{address}/"))
        .output()
        .expect("the browser starts");
    assert!(output.status.success(), "{output:?}");
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    let complaints = log.lines().filter(|line| line.contains(":CONSOLE"));
    (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        complaints.map(str::to_owned).collect(),
    )
}
