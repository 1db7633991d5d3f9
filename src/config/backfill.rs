//! The settings of `backfill`.

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::{BackfillOptions, Environment, Problems, QuerySettings, SettingsCheck};

/// The time before now into which Prometheus still writes. Blocks of that time would
/// overlap with its own.
const RECENT: SignedDuration = SignedDuration::from_hours(3);
/// Labels that the exporter sets itself.
const OWN_LABELS: [&str; 4] = ["event_type", "source", "source_country", ACCOUNT];
/// The label of an account of the config file; its value is the account's name.
const ACCOUNT: &str = "account";

/// The destination of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BackfillOutput {
    /// Standard output.
    Standard,
    /// This file.
    File(PathBuf),
    /// This directory, with a file for each day.
    Directory(PathBuf),
}

/// Everything that `backfill` needs, checked.
#[derive(Debug, Clone)]
pub(crate) struct BackfillSettings {
    /// The account that is read, and the settings of the log.
    pub(crate) query: QuerySettings,
    /// The first moment that is counted; a whole second.
    pub(crate) from: Timestamp,
    /// The first moment that is not counted; a whole second after `from`.
    pub(crate) to: Timestamp,
    /// The time from one sample to the next, in seconds; above 0.
    pub(crate) step: u32,
    /// The destination of the history.
    pub(crate) output: BackfillOutput,
    /// The labels to add, each a name and a value.
    pub(crate) labels: Vec<(String, String)>,
    /// The highest number of label combinations of `nexmo_audit_events_total`.
    pub(crate) max_series: usize,
}

impl BackfillSettings {
    /// Checks everything that a user wrote. `is_terminal` is `true` if standard output is a
    /// terminal.
    ///
    /// # Errors
    /// All [`Problems`] together.
    pub(crate) fn check(
        options: &BackfillOptions,
        environment: impl Into<Environment>,
        now: Timestamp,
        is_terminal: bool,
    ) -> Result<Self, Problems> {
        SettingsCheck::run(environment.into(), |check, environment| {
            let query = check.query(
                (&options.account, &options.choice),
                &options.log,
                environment,
            );
            let range = check.past(options, now);
            let step = check.step(&options.step);
            let mut labels = check.labels(&options.labels);
            let account = query
                .as_ref()
                .and_then(|query| query.account.name.as_deref());
            if let (Some(labels), Some(name)) = (&mut labels, account) {
                labels.push((ACCOUNT.to_owned(), name.to_owned()));
            }
            let max_series = check.above_zero("--metrics.max-series", &options.max_series);
            let problem = "must name a file, since standard output is a terminal, and a history is long; or write | less, or > FILE";
            let readable = options.output != "-" || !is_terminal;
            check.that("--output", readable, problem, ())?;
            let (from, to) = range?;
            let output = match &*options.output {
                "-" => BackfillOutput::Standard,
                path if path.ends_with('/') => BackfillOutput::Directory(path.into()),
                path => BackfillOutput::File(path.into()),
            };
            Some(Self {
                query: query?,
                from,
                to,
                step: step?,
                output,
                labels: labels?,
                max_series: max_series?,
            })
        })
    }
}

impl SettingsCheck {
    /// Returns the range. A date is a day in UTC, as in `--poll.start`.
    fn past(
        &mut self,
        options: &BackfillOptions,
        now: Timestamp,
    ) -> Option<(Timestamp, Timestamp)> {
        let utc = TimeZone::UTC;
        let from = self.time("--from", &options.from, |from| from.begin(now, &utc));
        let to = self.time("--to", &options.to, |to| to.end(now, &utc));
        let (from, to) = (whole_second(from?), whole_second(to?));
        let latest = if options.allow_recent {
            now
        } else {
            now.checked_sub(RECENT).ok()?
        };
        let late = if options.allow_recent {
            "must not be in the future"
        } else {
            "must not be within the last 3 hours, into which Prometheus still writes; --allow-recent allows it, for a server that has not scraped yet"
        };
        self.that("--to", to <= latest, late, ())?;
        let problem = format!(
            "must be before --to, which is 3h unless it is given, and {from} is not before {to}"
        );
        self.that("--from", from < to, &problem, (from, to))
    }

    fn step(&mut self, text: &str) -> Option<u32> {
        let step = self.positive_duration("--step", text)?;
        let seconds = u32::try_from(step.as_secs()).ok();
        let whole = seconds.filter(|seconds| *seconds > 0 && step.subsec_nanos() == 0);
        let problem = || format!("{text:?} is not a whole number of seconds");
        self.ok("--step", whole.ok_or_else(problem))
    }

    fn labels(&mut self, texts: &[String]) -> Option<Vec<(String, String)>> {
        let mut labels: Vec<(String, String)> = Vec::new();
        for text in texts {
            let (name, value) = text.split_once('=').unwrap_or_default();
            let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
            let named = name.starts_with(letter)
                && name.chars().all(|c| letter(c) || c.is_ascii_digit())
                && !name.starts_with("__");
            let problem = format!("{text:?} is not a label; write it like job=nexmo-audit");
            self.that("--label", named, &problem, ())?;
            let taken = OWN_LABELS.contains(&name) || labels.iter().any(|(other, _)| other == name);
            let problem = format!("{name} is a label of the exporter, or is given twice");
            self.that("--label", !taken, &problem, ())?;
            labels.push((name.to_owned(), value.to_owned()));
        }
        Some(labels)
    }
}

/// Returns the time without its part of a second: the API's times are whole seconds, and
/// so are the samples.
fn whole_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}
