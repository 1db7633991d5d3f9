//! What came of a run, for people.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use super::INTERVALS;
use super::comparison::{self, Verdict};
use super::recorded_events::{self, Truth};
use super::run::Run;
use super::series::EVENTS_BY_TYPE;
use super::server::Server;
use super::timeline::now;

/// The alert that nobody wants to miss.
const RARE: &str = "ACCOUNT_SECRET_DELETE";

/// What an alert leaves for an outage, in seconds.
const MINUTE: u64 = 60;

/// More lines would hide the first ones.
const MOST_DIFFERENCES: usize = 40;

/// What came of a run.
pub(super) struct Report {
    pub(super) text: String,
    pub(super) differences: usize,
}

/// Judges a run that has ended.
pub(super) fn of(run: &Run, truth: &Truth) -> Report {
    let hold = comparison::hold(INTERVALS.into_iter().max().unwrap_or_default());
    let mut differences = of_exporter(run);
    let mut verdicts = Vec::new();
    for (index, server) in run.servers.iter().enumerate() {
        let verdict = comparison::of_server((index, server), truth, &run.timeline, hold);
        match verdict {
            Ok(verdict) => {
                let named = |difference| format!("{}: {difference}", server.name);
                differences.extend(verdict.differences.iter().map(named));
                verdicts.push((server, verdict));
            }
            Err(error) => differences.push(format!("{}: {error}", server.name)),
        }
        differences.extend(of_other_metrics(server, run));
    }
    let text = text(run, truth, &verdicts, &differences);
    Report {
        text,
        differences: differences.len(),
    }
}

/// Standard error, past what a test runner keeps to itself.
pub(super) fn print(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
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

/// What went on besides, over all starts of the exporter.
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
    truth: &Truth,
    verdicts: &[(&Server, Verdict)],
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
        "recorded: {events} events in {} series; the exporter was killed {} times",
        truth.len(),
        run.timeline.kills(),
    );
    for (server, verdict) in verdicts {
        let _ = writeln!(text, "{}", line(server, verdict, events));
    }
    for difference in differences.iter().take(MOST_DIFFERENCES) {
        let _ = writeln!(text, "DIFFERENCE {difference}");
    }
    let _ = writeln!(text, "{} differences", differences.len());
    text
}

fn line(server: &Server, verdict: &Verdict, events: u64) -> String {
    let Verdict {
        counted,
        samples,
        steps,
        widest_step,
        window,
        ..
    } = verdict;
    let tenths = counted * 1000 / events.max(1);
    format!(
        "{}: counted {counted} ({}.{} %), {steps} steps in {samples} samples, at most {} s apart; \
         increase() saw each within {} s",
        server.name,
        tenths / 10,
        tenths % 10,
        widest_step.as_secs_f64(),
        (*window + Duration::from_secs(2)).as_secs(),
    )
}
