//! History that `backfill` and a real promtool make, and the curve of a real server
//! that scrapes the running exporter afterwards.

mod account;
mod server;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use test_support::exporter::is;
use test_support::tools;

use account::Account;
use server::Server;

/// The time from an event to its sample, on a busy machine.
const SEEN: Duration = Duration::from_mins(2);
/// The time from one sample of the history to the next.
const STEP: f64 = 60.0;
const METRICS: [&str; 2] = [
    "nexmo_audit_events_total",
    "nexmo_audit_events_by_type_total",
];

/// The values of the labels that distinguish series.
type Series = Vec<String>;
type Samples = Vec<(f64, f64)>;

fn make_blocks(promtool: &Path, file: &Path, data: &Path) {
    let output = Command::new(promtool)
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .args([file, data])
        .output()
        .expect("promtool starts");
    let text = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&text)
    );
}

/// Returns the number of events that each series has to show. Series that began within
/// `uncertain`, between the end of the history and the first start of the exporter, are
/// left out: see docs/events-and-backfill.md.
fn truth(
    metric: &str,
    events: &[(Series, Timestamp)],
    uncertain: (Timestamp, Timestamp),
) -> BTreeMap<Series, f64> {
    let mut truth: BTreeMap<Series, (f64, Timestamp)> = BTreeMap::new();
    for (labels, at) in events {
        let labels = if metric == METRICS[0] {
            &labels[..]
        } else {
            &labels[..1]
        };
        let (count, first) = truth.entry(labels.to_vec()).or_insert((0.0, *at));
        *count += 1.0;
        *first = (*first).min(*at);
    }
    let within = |first: Timestamp| first >= uncertain.0 && first <= uncertain.1;
    truth.retain(|_, (_, first)| !within(*first));
    truth
        .into_iter()
        .map(|(labels, (count, _))| (labels, count))
        .collect()
}

/// Returns `increase` of samples, without extrapolation beyond the first and the last.
fn increase(samples: &Samples) -> f64 {
    let step = |pair: &[(f64, f64)]| match pair[1].1 - pair[0].1 {
        fallen if fallen < 0.0 => pair[1].1,
        risen => risen,
    };
    samples.windows(2).map(step).sum()
}

fn tools_of(release: &str) -> Option<(PathBuf, PathBuf)> {
    let name = |tool: &str| format!("{tool}{release}");
    let find = if release.is_empty() {
        tools::require
    } else {
        tools::optional
    };
    Some((find(&name("prometheus"))?, find(&name("promtool"))?))
}

/// The history comes first, then the exporter with the same start: one curve, which
/// never falls.
fn one_curve(release: &str) {
    let Some((prometheus, promtool)) = tools_of(release) else {
        return;
    };
    let account = Account::start(Duration::from_secs(12));
    let begun = Timestamp::now() - SignedDuration::from_secs(1);
    let from = (begun - SignedDuration::from_hours(8))
        .round(jiff::Unit::Hour)
        .expect("a time");
    let history = tempfile::tempdir().expect("a folder");
    let days = history.path().join("");
    account.backfill(&[&format!("--from={from}")], &days);
    let exporter = account.exporter(&from.to_string());
    let counting = (begun, Timestamp::now());
    let mut server = Server::new(prometheus, &exporter);
    for day in fs::read_dir(days).expect("a folder") {
        make_blocks(&promtool, &day.expect("a file").path(), &server.data());
    }
    server.start();
    account.wait_until_all_is_shown(&exporter, from);
    let events = account.events(from);
    let number = f64::from(u32::try_from(events.len()).expect("not so many"));
    server.wait_until_all_is_scraped(number);
    let recent = counting.1 - SignedDuration::from_hours(3);
    for metric in METRICS {
        let samples = server.samples(metric);
        for (labels, expected) in truth(metric, &events, counting) {
            let samples = &samples[&labels];
            assert!(
                samples.iter().is_sorted_by(|a, b| a.1 <= b.1),
                "{labels:?} falls"
            );
            assert!(
                is(0.0)(samples[0].1),
                "{labels:?} begins at {}",
                samples[0].1
            );
            assert!(
                is(expected)(increase(samples)),
                "{labels:?}: not {expected}"
            );
            let history = samples
                .iter()
                .filter(|(at, _)| *at < recent.as_duration().as_secs_f64());
            let history: Vec<_> = history.map(|(at, _)| *at).collect();
            let gaps = history.windows(2).map(|pair| pair[1] - pair[0]);
            assert!(
                gaps.into_iter().all(|gap| gap <= STEP),
                "{labels:?} has gaps"
            );
        }
    }
    let total = server
        .value(&format!("sum(increase({}[1d]))", METRICS[0]))
        .expect("a value");
    assert!(
        (total - number).abs() <= number * 0.01 + 2.0,
        "{total} of {number}"
    );
}

/// The exporter has counted for a while, and the history ends where its counting began.
#[test]
fn history_before_a_running_exporter_adds_what_it_did_not_count() {
    let Some((prometheus, promtool)) = tools_of("") else {
        return;
    };
    let account = Account::start(Duration::from_secs(15));
    let exporter = account.exporter("now");
    let line = exporter.wait_for_line("counting begins");
    let (_, start) = line.split_once("from=").expect("a time");
    let start: Timestamp = start
        .split(' ')
        .next()
        .and_then(|text| text.parse().ok())
        .expect(start);
    let mut server = Server::new(prometheus, &exporter);
    server.start();
    account.wait_until_all_is_shown(&exporter, start);
    let counted = account.events(start).len();
    server.wait_until_all_is_scraped(f64::from(u32::try_from(counted).expect("not so many")));
    server.stop();
    let from = start - SignedDuration::from_hours(2);
    let file = tempfile::NamedTempFile::new().expect("a file");
    let range = [format!("--from={from}"), format!("--to={start}")];
    account.backfill(&[&range[0], &range[1], "--allow-recent"], file.path());
    make_blocks(&promtool, file.path(), &server.data());
    server.start();
    let events = account.events(from);
    let nothing = (Timestamp::MAX, Timestamp::MAX);
    for metric in METRICS {
        let samples = server.samples(metric);
        for (labels, expected) in truth(metric, &events, nothing) {
            let counted = increase(&samples[&labels]);
            assert!(is(expected)(counted), "{labels:?}: {counted} of {expected}");
        }
    }
}

#[test]
fn release_2_42_has_one_curve() {
    one_curve("");
}

#[test]
fn release_3_has_one_curve() {
    one_curve("-3");
}
