//! Servers that scrape through one proxy, which shares its connections among them.

use std::time::Duration;

use test_support::eventually::eventually;
use test_support::pacing;
use test_support::process::Process;
use test_support::restartable::free_port;
use test_support::tools;

use super::setup::{STEP, Setup, increase, is_seen, scrape_config};
use crate::nginx;
use crate::prometheus_server::Prometheus;

/// The scrape intervals of the two servers, in seconds.
const INTERVALS: [u64; 2] = [1, 4];
/// The time within which both servers are known, and the time between two events.
const WARM_UP: Duration = Duration::from_secs(25);
const BETWEEN: Duration = Duration::from_millis(2700);
/// The time within which scrapes that fit no interval are noticed.
const NOTICED: Duration = Duration::from_mins(1);

/// nginx in front of the exporter, and two servers that scrape through it from two
/// addresses.
struct Proxied {
    servers: Vec<Prometheus>,
    _nginx: Process,
    _folder: tempfile::TempDir,
}

impl Proxied {
    /// `headers` are directives of nginx.
    fn start(setup: &Setup, headers: &str) -> Option<Self> {
        let programs = [tools::require("prometheus")?, super::newest()?];
        let program = tools::require("nginx")?;
        let folder = tempfile::tempdir().expect("a folder");
        let port = free_port();
        let directives = format!(
            "upstream exporter {{ server 127.0.0.1:{}; keepalive 4; }}\n\
             server {{\n\
               listen 127.0.0.1:{port}; listen [::1]:{port};\n\
               location / {{\n\
                 proxy_pass http://exporter; proxy_http_version 1.1;\n\
                 proxy_set_header Connection \"\"; {headers}\n\
               }}\n\
             }}",
            setup.port
        );
        let mut command = nginx::command(&program, folder.path(), &directives);
        let process = Process::start("nginx", &mut command);
        let addresses = ["127.0.0.1", "[::1]"];
        let servers = programs.iter().zip(addresses).zip(INTERVALS);
        let servers = servers.map(|((program, address), seconds)| {
            let target = format!("{address}:{port}");
            Prometheus::start(program, &scrape_config(&target, seconds))
        });
        Some(Self {
            servers: servers.collect(),
            _nginx: process,
            _folder: folder,
        })
    }
}

/// Records events that each begin a series, and fails unless both servers see the increase
/// of each.
fn both_see_every_first_event(setup: &Setup, headers: &str) {
    let Some(proxied) = Proxied::start(setup, headers) else {
        return;
    };
    pacing::wait(WARM_UP);
    let countries = ["GB", "FR", "DE", "ES", "PL", "SE", "IT", "NL"];
    for country in countries {
        setup.record(country);
        pacing::wait(BETWEEN);
    }
    for server in &proxied.servers {
        for country in countries {
            server.expect(&increase(country), STEP, is_seen);
        }
    }
}

#[test]
fn servers_behind_a_proxy_that_names_them_lose_no_first_event() {
    let setup = Setup::start();
    both_see_every_first_event(&setup, "proxy_set_header X-Forwarded-For $remote_addr;");
}

#[test]
fn servers_that_cannot_be_told_apart_lose_no_first_event_if_the_interval_is_set() {
    let setup = Setup::start_with(&["--metrics.scrape-interval=4s"]);
    both_see_every_first_event(&setup, "");
}

#[test]
fn servers_that_cannot_be_told_apart_are_noticed() {
    let setup = Setup::start();
    let Some(_proxied) = Proxied::start(&setup, "") else {
        return;
    };
    eventually("warning that names the setting", NOTICED, || {
        let log = setup.exporter.log();
        let named =
            log.contains("cannot be told apart") && log.contains("--metrics.scrape-interval");
        named.then_some(()).ok_or(log)
    });
}
