//! The settings of `backfill`.

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::{BackfillOptions, Environment, Problems, QuerySettings, SettingsCheck};

/// How far back Prometheus still writes: blocks that reach into it get in its way.
const RECENT: SignedDuration = SignedDuration::from_hours(3);
/// Labels that the exporter gives itself.
const OWN_LABELS: [&str; 4] = ["event_type", "source", "source_country", ACCOUNT];
/// Of an account of the config file, whose series bear its name.
const ACCOUNT: &str = "account";

/// Where a history is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BackfillOutput {
    /// To standard output.
    Standard,
    /// To this file.
    File(PathBuf),
    /// To this directory, a file for each day.
    Directory(PathBuf),
}

/// Everything `backfill` needs, checked.
#[derive(Debug, Clone)]
pub(crate) struct BackfillSettings {
    /// Who asks, and what is logged.
    pub(crate) query: QuerySettings,
    /// A whole second.
    pub(crate) from: Timestamp,
    /// After `from`, and a whole second; nothing from then on is counted.
    pub(crate) to: Timestamp,
    /// In seconds, above 0.
    pub(crate) step: u32,
    /// Where it is written.
    pub(crate) output: BackfillOutput,
    /// Labels to add, by name.
    pub(crate) labels: Vec<(String, String)>,
    /// Label combinations of `nexmo_audit_events_total`.
    pub(crate) max_series: usize,
}

impl BackfillSettings {
    /// Checks everything that a user wrote.
    ///
    /// # Errors
    /// All [`Problems`] together.
    pub(crate) fn check(
        options: &BackfillOptions,
        environment: impl Into<Environment>,
        now: Timestamp,
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
    /// Days are those of UTC, as `--poll.start` reads them.
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
            "must not be in the future: nobody knows what will happen"
        } else {
            "must not be within the last 3 hours, where Prometheus still writes; for a server that has not scraped yet it may, with --allow-recent"
        };
        self.that("--to", to <= latest, late, ())?;
        let problem = format!("must be before --to, and {from} is not before {to}");
        self.that("--from", from < to, &problem, (from, to))
    }

    fn step(&mut self, text: &str) -> Option<u32> {
        let step = self.positive_duration("--step", text)?;
        let seconds = u32::try_from(step.as_secs()).ok();
        let whole = seconds.filter(|seconds| *seconds > 0 && step.subsec_nanos() == 0);
        let problem = || format!("{text:?} is no number of whole seconds");
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
            let problem = format!("{text:?} is no label; write it like job=nexmo-audit");
            self.that("--label", named, &problem, ())?;
            let taken = OWN_LABELS.contains(&name) || labels.iter().any(|(other, _)| other == name);
            let problem = format!("{name} is given by the exporter, or twice");
            self.that("--label", !taken, &problem, ())?;
            labels.push((name.to_owned(), value.to_owned()));
        }
        Some(labels)
    }
}

/// The API's times are whole seconds, and so are the samples.
fn whole_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}
