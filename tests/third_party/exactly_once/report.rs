//! The report of a run, for people.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use super::INTERVALS;
use super::comparison::{self, Comparison, Expected};
use super::entries::Entries;
use super::recorded_events::{self, RecordedEvents};
use super::run::Run;
use super::series::EVENTS_BY_TYPE;
use super::server::Server;
use super::timeline::now;
use super::waits::{Wait, Waits};

/// The type whose alert must not be missed.
const RARE: &str = "ACCOUNT_SECRET_DELETE";

/// The time beyond the hold that the alert allows for an outage, in seconds.
const MINUTE: u64 = 60;

/// The highest number of lines of a kind; more would hide the first ones.
const MOST_DIFFERENCES: usize = 40;

/// The result of a run.
pub(super) struct Report {
    pub(super) text: String,
    pub(super) differences: usize,
}

/// Compares and reports a run that has ended.
pub(super) fn of(run: &Run, truth: &RecordedEvents) -> Report {
    let entries = run.entries();
    let expected = Expected {
        truth,
        entries: &entries,
        timeline: &run.timeline,
        traffic_from: run.traffic_from(),
        hold: comparison::hold(INTERVALS.into_iter().max().unwrap_or_default()),
    };
    let mut differences = of_exporter(run);
    differences.extend(of_entries(&entries, truth));
    let mut comparisons = Vec::new();
    for server in &run.servers {
        match comparison::of_server(server, &expected) {
            Ok(comparison) => {
                let named = |difference| format!("{}: {difference}", server.name);
                differences.extend(comparison.differences.iter().map(named));
                comparisons.push((server, comparison));
            }
            Err(error) => differences.push(format!("{}: {error}", server.name)),
        }
        differences.extend(of_other_metrics(server, run));
    }
    let text = text(run, truth, &comparisons, &differences);
    Report {
        text,
        differences: differences.len(),
    }
}

/// Writes to standard error, even if the test runner captures output.
pub(super) fn print(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Checks that the undisturbed list had the same events as the list that was read.
fn of_entries(entries: &Entries, truth: &RecordedEvents) -> Option<String> {
    let seen = entries.iter().map(|(series, at)| (series, at.len() as u64));
    let recorded = truth.iter().map(|(series, events)| (series, *events));
    let is_same = seen.eq(recorded);
    (!is_same).then(|| "the undisturbed list has other events".to_owned())
}

fn of_exporter(run: &Run) -> Vec<String> {
    let must_be_zero = [
        "nexmo_audit_pending_events",
        "nexmo_audit_reconcile_missing_events",
    ];
    let problem = |name| match run.exported(name) {
        Ok(0.0) => None,
        Ok(value) => Some(format!("{name} is {value} in the end")),
        Err(error) => Some(error),
    };
    must_be_zero.into_iter().filter_map(problem).collect()
}

/// Checks the other metrics that the server has stored, over all starts of the exporter.
fn of_other_metrics(server: &Server, run: &Run) -> Vec<String> {
    let run_lasted = now().saturating_sub(run.timeline.began()).as_secs();
    let window = comparison::hold(server.interval).as_secs() + MINUTE;
    let alert = format!("sum(increase({EVENTS_BY_TYPE}{{event_type=\"{RARE}\"}}[{window}s]))");
    let largest = |of: &str| format!("max(max_over_time({of}))");
    let expected = [
        (
            "a malformed event",
            largest(&format!(
                "nexmo_audit_malformed_events_total[{run_lasted}s]"
            )) + " == 0",
        ),
        (
            "no late event",
            largest(&format!("nexmo_audit_late_events_total[{run_lasted}s]")) + " > 0",
        ),
        (
            "the rare event raised no alert",
            largest(&format!("({alert})[{run_lasted}s:1s]")) + " > 0",
        ),
    ];
    let problem = |(problem, otherwise): &(&str, String)| {
        let error = server.value(otherwise).err()?;
        Some(format!("{}: {problem} ({error})", server.name))
    };
    expected.iter().filter_map(problem).collect()
}

fn text(
    run: &Run,
    truth: &RecordedEvents,
    comparisons: &[(&Server, Comparison)],
    differences: &[String],
) -> String {
    let settings = run.settings();
    let events = recorded_events::events(truth);
    let mut text = String::new();
    let _ = writeln!(
        text,
        "\nSOAK_SEED={} SOAK_KILLS={} SOAK_DURATION={}s SOAK_RATE={} SOAK_SCRAPE_INTERVAL={}\n{}",
        settings.seed,
        settings.kills,
        settings.duration.as_secs(),
        settings.rate,
        settings.scrape_interval,
        run.timeline,
    );
    let _ = writeln!(
        text,
        "recorded: {events} events in {} series; the exporter was killed {} times, {} of them in \
         {} crash loops, and replaced {} times, in at most {:.1} s; the proxy was ended {} times; \
         {} events were shown by a timeout of the gate",
        truth.len(),
        run.timeline.kills(),
        run.plan.loop_kills,
        run.plan.loops,
        run.plan.replacements,
        run.timeline.longest_replacement().as_secs_f64(),
        run.timeline.proxy_restarts(),
        run.exported("nexmo_audit_gate_timeouts_total")
            .map_or_else(|error| error, |timeouts| timeouts.to_string()),
    );
    for (server, comparison) in comparisons {
        let _ = writeln!(text, "{}", line(server, comparison, events));
        let _ = writeln!(text, "  {}", waits(comparison));
    }
    for difference in differences.iter().take(MOST_DIFFERENCES) {
        let _ = writeln!(text, "DIFFERENCE {difference}");
    }
    let _ = writeln!(text, "{} differences", differences.len());
    text
}

fn line(server: &Server, comparison: &Comparison, events: u64) -> String {
    let Comparison {
        counted,
        samples,
        steps,
        widest_step,
        window,
        ..
    } = comparison;
    let tenths = counted * 1000 / events.max(1);
    format!(
        "{}: counted {counted} ({}.{} %), {steps} steps in {samples} samples, at most {:.1} s apart; \
         increase() saw each within {} s",
        server.name,
        tenths / 10,
        tenths % 10,
        widest_step.as_secs_f64(),
        (*window + Duration::from_secs(2)).as_secs(),
    )
}

fn waits(comparison: &Comparison) -> String {
    let Waits { seen, new } = comparison.waits;
    let text = |wait: Wait| {
        let (whole, without) = (wait.whole, wait.without_outages);
        format!(
            "{:.1} s, and {:.1} s without outages",
            whole.as_secs_f64(),
            without.as_secs_f64()
        )
    };
    format!(
        "{} events were part of a first sample; longest wait of a known series {}; of a new \
         series {}; longest hold {:.1} s",
        comparison.hidden,
        text(seen),
        text(new),
        comparison.longest_hold.as_secs_f64(),
    )
}
