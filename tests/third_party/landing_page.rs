//! The scrape configuration of the landing page, copied from the page into Prometheus.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use test_support::certificates::Authority;
use test_support::eventually::eventually;
use test_support::http::HttpClient;
use test_support::process::Process;
use test_support::program::Program;
use test_support::restartable::free_port;
use test_support::tools;

use crate::nginx;
use crate::prometheus_server::Prometheus;

const PASSWORD: &str = "correct horse";
const FIRST_SCRAPE: Duration = Duration::from_secs(30);
/// Scrapes begin at once, and not within a minute.
const GLOBAL: &str = "global: {scrape_interval: 1s, scrape_timeout: 1s}\n";

/// Returns the scrape configuration as a person copies it from the page.
fn example(page: &str) -> String {
    let code = page.split_once("<code>scrape_configs:");
    let (_, code) = code.unwrap_or_else(|| panic!("{page}"));
    let (code, _) = code.split_once("</code>").expect("the end of the code");
    let code = code.replace("&quot;", "\"").replace("&#39;", "'");
    format!("{GLOBAL}scrape_configs:{}", code.replace("&amp;", "&"))
}

/// Writes the files that the configuration names into its folder.
fn put_files(authority: &Authority, folder: &Path) {
    fs::write(folder.join("nexmo-audit-ca.pem"), authority.pem()).expect("a file");
    let client = authority.issue(&["scraper.test"]);
    fs::write(folder.join("nexmo-audit-client.pem"), client.certificate).expect("a file");
    fs::write(folder.join("nexmo-audit-client.key"), client.key).expect("a file");
    fs::write(folder.join("nexmo-audit-password"), format!("{PASSWORD}\n")).expect("a file");
}

/// Checks that promtool accepts the configuration, and that a server that has it scrapes.
fn scrapes(server: &Path, config: &str, put_files: impl Fn(&Path)) {
    let folder = tempfile::tempdir().expect("a folder");
    put_files(folder.path());
    if let Some(promtool) = tools::require("promtool") {
        let path = folder.path().join("checked.yml");
        fs::write(&path, config).expect("a file");
        let mut check = Command::new(promtool);
        let checked = check.args(["check", "config"]).arg(&path).output();
        let checked = checked.expect("promtool ends");
        assert!(checked.status.success(), "{checked:?}\n{config}");
    }
    let prometheus = Prometheus::start_in(server, config, folder);
    let up = "up{job=\"nexmo-audit\",instance=\"nexmo-audit\"}";
    prometheus.expect(up, FIRST_SCRAPE, |up| up > 0.0);
}

/// Starts an exporter that asks for TLS, a client certificate and a password, and gives the
/// example of its page to `server`.
fn a_secured_exporter_is_scraped(server: &Path) {
    let Some(curl) = tools::require("curl") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new();
    authority
        .issue(&["localhost"])
        .write(folder.path(), "server");
    put_files(&authority, folder.path());
    let hash = bcrypt::hash(PASSWORD, 4).expect("a hash");
    let web_config = format!(
        "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n  \
         client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: nexmo-audit-ca.pem\n\
         basic_auth_users:\n  alice: {hash}\n"
    );
    let path = folder.path().join("web.yml");
    fs::write(&path, web_config).expect("a file");
    let web_config = format!("--web.config.file={}", path.display());
    let program = Program::start(&[
        "demo",
        "--web.listen-address=127.0.0.1:0",
        "--web.telemetry-path=/counts",
        &web_config,
    ]);
    let url = format!("https://localhost:{}/", program.address().port());
    let mut curl = Command::new(curl);
    curl.current_dir(folder.path())
        .args(["--silent", "--noproxy", "*", "--max-time", "20"])
        .args(["--cacert", "nexmo-audit-ca.pem"])
        .args(["--cert", "nexmo-audit-client.pem"])
        .args(["--key", "nexmo-audit-client.key"])
        .args(["--user", &format!("alice:{PASSWORD}")]);
    let page = curl.arg(&url).output().expect("curl ends").stdout;
    let page = String::from_utf8(page).expect("text");
    let config = example(&page);
    for line in ["scheme: https", "metrics_path: \"/counts\"", "\"alice\""] {
        assert!(config.contains(line), "{config}");
    }
    assert!(!page.contains(PASSWORD), "{page}");
    scrapes(server, &config, |folder| put_files(&authority, folder));
}

#[test]
fn release_2_42_scrapes_a_secured_exporter_by_the_example_as_it_stands() {
    if let Some(server) = tools::require("prometheus") {
        a_secured_exporter_is_scraped(&server);
    }
}

#[test]
fn release_3_scrapes_a_secured_exporter_by_the_example_as_it_stands() {
    if let Some(server) = tools::optional("prometheus-3") {
        a_secured_exporter_is_scraped(&server);
    }
}

/// The directives are those of `docs/configuration.md`.
#[test]
fn links_and_example_work_behind_a_proxy_with_a_prefix() {
    let (Some(server), Some(nginx)) = (tools::require("prometheus"), tools::require("nginx"))
    else {
        return;
    };
    let program = Program::start(&["demo", "--web.listen-address=127.0.0.1:0"]);
    let (folder, port) = (tempfile::tempdir().expect("a folder"), free_port());
    let document = include_str!("../../docs/configuration.md");
    let mut blocks = document.split("```nginx\n").skip(1);
    let block = blocks.find(|block| block.starts_with("location /audit/"));
    let block = block.expect("an example").split_once("```");
    let block = block.expect("its end").0;
    let block = block.replace("127.0.0.1:10610", &program.address().to_string());
    let directives = format!("server {{\nlisten 127.0.0.1:{port};\n{block}\n}}");
    let mut command = nginx::command(&nginx, folder.path(), &directives);
    let _nginx = Process::start("nginx", &mut command);
    let http = HttpClient::new();
    let base = format!("http://127.0.0.1:{port}");
    let got = |path: &str| {
        let url = format!("{base}{path}");
        eventually(path, FIRST_SCRAPE, || http.get_body(&url))
    };
    let page = got("/audit/");
    for path in ["/audit/metrics", "/audit/-/healthy", "/audit/-/ready"] {
        assert!(page.contains(&format!("href=\"{path}\"")), "{page}");
        got(path);
    }
    let config = example(&page);
    let target = format!("targets: [\"127.0.0.1:{port}\"]");
    assert!(config.contains(&target), "{config}");
    scrapes(&server, &config, |_| {});
}
