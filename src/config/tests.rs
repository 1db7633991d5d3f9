use std::{path::PathBuf, time::Duration};

use audit_core::{account::PollStart, gate::ScrapeInterval};
use clap::{Args, FromArgMatches};
use jiff::SignedDuration;

use super::*;

fn options(arguments: &[&str]) -> Options {
    let command = Options::augment_args(clap::Command::new("test").no_binary_name(true));
    let matches = command
        .try_get_matches_from(arguments)
        .expect("known flags");
    Options::from_arg_matches(&matches).expect("options")
}

fn found() -> EnvironmentCredentials {
    EnvironmentCredentials {
        key: Some("abcd1234".into()),
        secret: Some(Ok("hunter2".into())),
    }
}

#[test]
fn defaults_are_those_of_the_documentation() {
    let settings = Settings::check(&options(&[]), found()).expect("settings");
    assert_eq!(settings.listen, [":10610".parse().expect("an address")]);
    assert_eq!(settings.telemetry_path, "/metrics");
    assert_eq!(settings.shutdown_timeout, Duration::from_secs(20));
    assert_eq!(settings.max_series, 10_000);
    assert_eq!(
        settings.accounts[0].base_url.as_str(),
        "https://api.nexmo.com/beta/audit"
    );
    assert_eq!(settings.accounts[0].timeout, Duration::from_secs(30));
    assert!((settings.accounts[0].max_requests_per_second - 10.0).abs() < f64::EPSILON);
    let poll = PollSettings {
        interval: Duration::from_secs(30),
        lookback: SignedDuration::from_mins(15),
        reconcile_interval: Duration::from_hours(1),
        reconcile_lookback: SignedDuration::from_hours(24),
        start: PollStart::Now,
    };
    assert_eq!(settings.storage_path, PathBuf::from("data/"));
    assert_eq!(settings.scrape_interval, ScrapeInterval::Learned);
    assert_eq!(settings.poll, poll);
}

/// Flags, credentials, and the whole text a user then reads.
#[test]
fn every_problem_is_named_and_says_what_to_do() {
    let cases: [(&[&str], EnvironmentCredentials, &[&str]); 7] = [
        (
            &[],
            EnvironmentCredentials::default(),
            &[
                "NEXMO_API_KEY must be set to the API key of the account",
                "NEXMO_API_SECRET must be set to the API secret of the account, or --api.secret-file to a file that holds it",
            ],
        ),
        (
            &[],
            EnvironmentCredentials {
                secret: Some(Ok("".into())),
                ..found()
            },
            &[
                "NEXMO_API_SECRET must be set to the API secret of the account, or --api.secret-file to a file that holds it",
            ],
        ),
        (
            &[],
            EnvironmentCredentials {
                secret: Some(Err(SecretFileError::Unreadable {
                    path: "/x".into(),
                    problem: "no such file".into(),
                })),
                ..found()
            },
            &["--api.secret-file /x cannot be used: no such file"],
        ),
        (
            &["--api.base-url=http://api.nexmo.com/"],
            found(),
            &[
                "--api.base-url is plain http to api.nexmo.com, which would show the API secret to the network; use https, or allow it with --api.allow-http",
            ],
        ),
        (
            &["--web.listen-address=a", "--web.listen-address=b"],
            found(),
            &[
                "--web.listen-address \"a\" is not an address; write it like :10610, 127.0.0.1:10610, [::1]:10610 or unix:/run/exporter/metrics.sock",
                "--web.listen-address \"b\" is not an address; write it like :10610, 127.0.0.1:10610, [::1]:10610 or unix:/run/exporter/metrics.sock",
            ],
        ),
        (
            &["--poll.interval=16m", "--poll.start=later"],
            found(),
            &[
                "--poll.start \"later\" is not a time; write a date (2026-11-23), a time (2026-11-23T10:00:00Z), an age (2h) or now",
                "--poll.interval is 16m, and must not be longer than --poll.lookback, which is 15m; poll more often, or look back as far",
            ],
        ),
        (
            &[
                "--poll.interval=0",
                "--poll.lookback=-1s",
                "--poll.start=later",
                "--api.timeout=x",
                "--api.max-requests-per-second=-1",
                "--metrics.max-series=many",
                "--log.level=loud",
                "--log.format=xml",
                "--web.telemetry-path=metrics",
                "--web.shutdown-timeout=soon",
            ],
            found(),
            &[
                "--web.telemetry-path \"metrics\" is not a path; write it like /metrics (paths under /-/ are reserved)",
                "--web.shutdown-timeout \"soon\" is not a duration; write it like 30s, 15m or 24h",
                "--api.timeout \"x\" is not a duration; write it like 30s, 15m or 24h",
                "--api.max-requests-per-second \"-1\" is not a number above 0",
                "--poll.interval must be above 0",
                "--poll.lookback \"-1s\" is not a duration; write it like 30s, 15m or 24h",
                "--poll.start \"later\" is not a time; write a date (2026-11-23), a time (2026-11-23T10:00:00Z), an age (2h) or now",
                "--metrics.max-series \"many\" is not a number above 0",
                "--log.level \"loud\" is unknown; write error, warn, info, debug or trace",
                "--log.format \"xml\" is unknown; write logfmt or json",
            ],
        ),
    ];
    for (arguments, found, expected) in cases {
        let problems = Settings::check(&options(arguments), found).expect_err("problems");
        assert!(
            problems.iter().eq(expected.iter().copied()),
            "{arguments:?}: {problems}"
        );
    }
}

/// Checks whether an interval is accepted with a lookback. `flags` are the two settings, and
/// each case has their values.
fn check_intervals(flags: [&str; 2], cases: &[(&str, &str, bool)]) {
    for (interval, lookback, expected) in cases {
        let interval = format!("{}={interval}", flags[0]);
        let lookback = format!("{}={lookback}", flags[1]);
        let checked = Settings::check(&options(&[&interval, &lookback]), found());
        assert_eq!(checked.is_ok(), *expected, "{interval} {lookback}");
    }
}

#[test]
fn a_deep_poll_reads_at_least_what_was_added_since_the_last() {
    check_intervals(
        ["--poll.reconcile-interval", "--poll.reconcile-lookback"],
        &[
            ("1h", "24h", true),
            ("24h", "24h", true),
            ("25h", "24h", false),
            ("0", "24h", true),
            // A deep poll reads at least the lookback of 15 minutes.
            ("15m", "1m", true),
            ("16m", "1m", false),
        ],
    );
}

#[test]
fn an_interval_is_at_most_as_long_as_the_lookback() {
    check_intervals(
        ["--poll.interval", "--poll.lookback"],
        &[
            ("30s", "15m", true),
            ("15m", "15m", true),
            ("900s", "15m", true),
            ("15m1s", "15m", false),
            ("1h", "2h", true),
            ("1s", "0", false),
            ("1s", "999ms", false),
        ],
    );
}

#[test]
fn settings_never_print_the_secret() {
    let settings = Settings::check(&options(&[]), found()).expect("settings");
    assert!(!format!("{settings:?}").contains("hunter2"));
}
