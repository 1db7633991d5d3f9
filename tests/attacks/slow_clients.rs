//! Clients that send slowly, and clients that read slowly.

use std::time::{Duration, Instant};

use test_support::audit_event::events;
use test_support::eventually::eventually;
use test_support::exporter::Exporter;
use test_support::raw_http::RawHttp;
use test_support::scripted_api::{ScriptedApi, healthy};

use crate::resource_use::{AT_ONCE, descriptors, memory, scrape};
use crate::secured_exporter::with_a_large_answer;

/// The time that a client may take to read what was sent at one time.
const WRITE_LIMIT: Duration = Duration::from_secs(30);
const SLOW: usize = 100;
/// The number of answers in flight, unless a flag says otherwise.
const MAX_REQUESTS: usize = 40;
/// The time after which an answer may be cut in favor of another.
const GIVEN_UP: Duration = Duration::from_secs(20);

#[test]
fn a_slowly_sent_head_is_cut_off_and_delays_no_scrape() {
    let api = ScriptedApi::start(healthy(events(2, "A")));
    let exporter = Exporter::polling(&api);
    exporter.wait_until_up();
    let begun = Instant::now();
    let address = exporter.program.address();
    let mut slow: Vec<_> = (0..SLOW).map(|_| RawHttp::connect(address)).collect();
    for letter in "GET /metrics HTTP/1.1\r\nX-Slow: aaaaaaaaa".bytes() {
        for one in &mut slow {
            one.send_bytes(&[letter]);
        }
        scrape(&exporter.program);
    }
    assert!(slow.iter_mut().all(|one| one.read_to_end().is_empty()));
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(10) + AT_ONCE, "{took:?}");
}

/// Starts answers that the client does not read beyond its buffers.
fn unread(exporter: &Exporter, number: usize) -> Vec<RawHttp> {
    let unread = (0..number).map(|_| {
        let mut one = RawHttp::connect_narrow(exporter.program.address());
        one.send("GET", "/metrics");
        one
    });
    unread.collect()
}

#[test]
fn unread_answers_delay_no_scrape() {
    let (_api, exporter) = with_a_large_answer(&[]);
    scrape(&exporter.program);
    let before = memory(&exporter.program);
    let open_before = descriptors(&exporter.program);
    let mut unread = unread(&exporter, SLOW);
    let heads = unread.iter_mut().map(|one| one.read_head().status);
    let answered = heads.filter(|status| *status == 200).count();
    assert!(answered >= MAX_REQUESTS, "{answered}");
    let address = exporter.program.address();
    let ask = || RawHttp::connect(address).get("/metrics").0.status;
    eventually("a scrape", GIVEN_UP, || match ask() {
        200 => Ok(()),
        status => Err(status.to_string()),
    });
    // The slow answers are cut one by one.
    for _ in 0..20 {
        scrape(&exporter.program);
    }
    let grown = memory(&exporter.program).saturating_sub(before);
    assert!(grown < 64, "{grown} MiB");
    // In the end only those connections are left that were told to come again, which
    // they may.
    let idle = SLOW - MAX_REQUESTS;
    eventually(
        "closed connections",
        WRITE_LIMIT + GIVEN_UP,
        || match descriptors(&exporter.program) {
            open if open <= open_before + idle => Ok(()),
            open => Err(open.to_string()),
        },
    );
}

#[test]
fn requests_above_the_limit_are_answered_with_503() {
    let (_api, exporter) = with_a_large_answer(&["--web.max-requests=1"]);
    let address = exporter.program.address();
    let ask = || RawHttp::connect(address).get("/").0;
    let (mut first, busy) = eventually("503", GIVEN_UP, || {
        let mut first = unread(&exporter, 1).remove(0);
        first.read_head();
        let head = ask();
        if head.status == 503 {
            Ok((first, head))
        } else {
            Err(head.status.to_string())
        }
    });
    assert_eq!(busy.header("retry-after"), "1");
    // Once the first client is known not to read, its answer is the one that is cut.
    eventually("an answer", GIVEN_UP, || match ask().status {
        200 => Ok(()),
        status => Err(status.to_string()),
    });
    let rest = first.read_to_end();
    assert!(rest.len() < 8_000_000, "{}", rest.len());
}

#[test]
fn a_request_above_the_limit_has_no_effect_and_probes_are_answered() {
    const RELOADED: &str = "nexmo_audit_config_last_reload_success_timestamp_seconds";
    const HOLD: &str = "nexmo_audit_publish_hold_seconds";
    let limited = ["--web.max-requests=1", "--web.enable-lifecycle"];
    let (_api, exporter) = with_a_large_answer(&limited);
    let address = exporter.program.address();
    let scraper = [("X-Prometheus-Scrape-Timeout-Seconds", "10")];
    let mut has_scraped = false;
    // The exporter notices a moment later that a client has gone.
    let wait_for_slot = || {
        let ask = || RawHttp::connect(address).get("/").0.status;
        eventually("a slot", GIVEN_UP, || match ask() {
            200 => Ok(()),
            status => Err(status.to_string()),
        });
    };
    let before = eventually("503", GIVEN_UP, || {
        wait_for_slot();
        let before = exporter.wait_for(RELOADED, &[], |reloaded| reloaded > 0.0);
        let mut unread = unread(&exporter, 1).remove(0);
        unread.read_head();
        let mut http = RawHttp::connect(address);
        http.send("POST", "/-/reload");
        let reload = http.read_head().status;
        for probe in ["/-/healthy", "/-/ready"] {
            let status = RawHttp::connect(address).get(probe).0.status;
            assert_eq!(status, 200, "{probe}");
        }
        if reload != 503 {
            return Err(reload.to_string());
        }
        let scrape = RawHttp::connect(address).get_as("/metrics", &scraper).0;
        // On a slow machine the unread answer may have been cut meanwhile.
        has_scraped |= scrape.status == 200;
        if scrape.status != 503 {
            return Err(scrape.status.to_string());
        }
        Ok(before)
    });
    wait_for_slot();
    let after = exporter.wait_for(RELOADED, &[], |reloaded| reloaded > 0.0);
    assert!(after <= before, "it reloaded {} s later", after - before);
    let hold = exporter.value(HOLD, &[]);
    assert_eq!(hold > 0.0, has_scraped, "a refused scrape counts: {hold}");
}

#[test]
fn without_a_limit_all_requests_are_answered() {
    let (_api, exporter) = with_a_large_answer(&["--web.max-requests=0"]);
    let mut unread = unread(&exporter, 60);
    let lengths = unread.iter_mut().map(|one| one.read_head().length());
    let lengths: Vec<_> = lengths.collect();
    scrape(&exporter.program);
    // No client has lost anything because of the others.
    let (first, last) = (0, unread.len() - 1);
    for one in [first, last] {
        let body = unread[one].read_body(lengths[one]);
        assert_eq!(body.len(), lengths[one]);
    }
}
