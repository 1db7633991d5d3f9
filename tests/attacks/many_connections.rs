//! More connections than the process has file descriptors.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use test_support::audit_event::events;
use test_support::eventually::eventually;
use test_support::exporter::{Exporter, ONE_POLL};
use test_support::program::command_with_descriptors;
use test_support::raw_http::RawHttp;
use test_support::scripted_api::{ScriptedApi, healthy};

use crate::resource_use::{AT_ONCE, descriptors, memory, scrape};

const DESCRIPTORS: usize = 1024;
const CROWD: usize = 2000;
/// The number of connections at one time, so that the test needs no more descriptors of
/// its own than a process usually has.
const HELD: usize = 900;

fn exporter() -> (ScriptedApi, Exporter) {
    let api = ScriptedApi::start(healthy(events(2, "A")));
    let mut command = command_with_descriptors(DESCRIPTORS);
    let exporter = Exporter::started_by(&mut command, &api.base_url(), &ONE_POLL);
    exporter.wait_until_up();
    (api, exporter)
}

/// Opens connections that send `words`, with scrapes at the same time.
fn scrape_beside_many_connections(words: &[u8]) {
    let (_api, exporter) = exporter();
    let program = &exporter.program;
    let before = memory(program);
    let mut scraper = RawHttp::connect(program.address());
    let mut held = std::collections::VecDeque::new();
    for number in 0..CROWD {
        let mut one = TcpStream::connect(program.address()).expect("a server that listens");
        // The exporter may have closed the connection already.
        let _ = one.write_all(words);
        held.push_back(one);
        if held.len() > HELD {
            held.pop_front();
        }
        if number % 100 == 0 {
            scrape(program);
            // A client that keeps and uses its connection does not lose it.
            assert_eq!(scraper.get("/metrics").0.status, 200);
        }
    }
    scrape(program);
    assert!(descriptors(program) < DESCRIPTORS);
    let grown = memory(program).saturating_sub(before);
    assert!(grown < 64, "{grown} MiB");
    exporter
        .program
        .wait_for_line("idle connections were closed to make room");
}

#[test]
fn connections_that_send_nothing() {
    scrape_beside_many_connections(b"");
}

#[test]
fn connections_that_never_finish_a_head() {
    let head = format!("GET /metrics HTTP/1.1\r\nX: {}", "x".repeat(30_000));
    scrape_beside_many_connections(head.as_bytes());
}

#[test]
fn connections_that_stay_after_one_request() {
    scrape_beside_many_connections(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
}

#[test]
fn closed_connections_free_their_descriptors() {
    let (_api, exporter) = exporter();
    let before = descriptors(&exporter.program);
    let crowd: Vec<_> = (0..500)
        .map(|_| TcpStream::connect(exporter.program.address()).expect("a server"))
        .collect();
    scrape(&exporter.program);
    drop(crowd);
    eventually(
        "descriptors given back",
        AT_ONCE + Duration::from_secs(10),
        || match descriptors(&exporter.program) {
            open if open <= before + 8 => Ok(()),
            open => Err(format!("{open}, and {before} before")),
        },
    );
}
