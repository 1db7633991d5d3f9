//! From what a user wrote to settings that can be trusted. Every problem is
//! reported at once. Reads no environment and no file: the raw values come from
//! outside.

mod asking;
mod asking_options;
mod backfill;
mod base_url;
mod duration;
mod listen;
mod log;
mod moment;
mod options;
mod web_config;

pub use asking::{AskSettings, GetSettings, Here, ListSettings, Output, Span, TypesSettings};
pub use asking_options::{
    BackfillOptions, FilterOptions, GetOptions, ListOptions, OutputOptions, TypesOptions,
};
pub use backfill::{BackfillOutput, BackfillSettings};
pub use base_url::BaseUrlError;
pub use listen::ListenAddress;
pub use log::{LogFormat, LogLevel, LogSettings};
pub use options::{
    AccountOptions, EventsOptions, LogOptions, MetricsOptions, Options, PollOptions, WebOptions,
};

pub use web_config::{
    AllowedName, ClientCertificates, PasswordHash, Pem, RateLimit, TlsSettings, WebSettings,
};

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// Everything `serve` needs, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen; never empty.
    pub listen: Vec<ListenAddress>,
    /// Where metrics are served; begins with `/`.
    pub telemetry_path: String,
    /// The file with TLS and passwords.
    pub web_config: Option<PathBuf>,
    /// Answers in flight at once; 0 for no bound.
    pub max_requests: usize,
    /// The account that is polled.
    pub account: AccountSettings,
    /// How it is polled.
    pub poll: PollSettings,
    /// The directory of the durable state.
    pub storage_path: PathBuf,
    /// How often servers scrape.
    pub scrape_interval: ScrapeInterval,
    /// Label combinations of `nexmo_audit_events_total`.
    pub max_series: usize,
    /// Whether `OpenMetrics` tells when each counter was 0.
    pub created_timestamps: bool,
    /// Where counted events are logged.
    pub event_log: Option<EventLogSettings>,
    /// What is logged.
    pub log: LogSettings,
}

/// Where counted events are logged, and what of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventLogSettings {
    /// `None` for standard output.
    pub path: Option<PathBuf>,
    /// Also what is known of persons.
    pub personal_data: bool,
}

/// One account and where its API is.
#[derive(Debug, Clone)]
pub struct AccountSettings {
    /// `https`, or `http` where that was allowed.
    pub base_url: Url,
    /// For one request, body included; above 0.
    pub timeout: Duration,
    /// Above 0.
    pub max_requests_per_second: f64,
    /// The API key.
    pub key: String,
    /// The API secret; not empty.
    pub secret: SecretString,
}

/// How an account is polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollSettings {
    /// Above 0.
    pub interval: Duration,
    /// How far behind the watermark every poll reads again.
    pub lookback: SignedDuration,
    /// From one deep poll to the next; zero for none.
    pub reconcile_interval: Duration,
    /// How far back a deep poll reads; at least the lookback.
    pub reconcile_lookback: SignedDuration,
    /// What the first start counts from.
    pub start: Start,
}

/// How often servers scrape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScrapeInterval {
    /// Learned from their scrapes.
    Auto,
    /// At least this often.
    Fixed(Duration),
    /// Every count is shown at once.
    Off,
}

/// What the first start ever counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// From when the exporter started.
    Now,
    /// From so long before that.
    Age(SignedDuration),
    /// From this moment on.
    At(Timestamp),
}

/// The key and the secret as they were found, if they were.
#[derive(Debug, Clone, Default)]
pub struct FoundCredentials {
    /// From `NEXMO_API_KEY` or `VONAGE_API_KEY`.
    pub key: Option<String>,
    /// From the file of `--api.secret-file`, or from `NEXMO_API_SECRET` or
    /// `VONAGE_API_SECRET`; or why the file could not be read.
    pub secret: Option<Result<SecretString, String>>,
}

/// Everything that is wrong with what a user wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(Vec<String>);

impl Problems {
    /// These, in this order; at least one.
    #[must_use]
    pub fn new(problems: Vec<String>) -> Self {
        Self(problems)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the configuration cannot be used:")?;
        self.0
            .iter()
            .try_for_each(|problem| write!(formatter, "\n  {problem}"))
    }
}

impl std::error::Error for Problems {}

impl Settings {
    /// Checks everything that a user wrote.
    ///
    /// # Errors
    /// All [`Problems`] together, each with the name of its setting.
    pub fn check(options: &Options, found: FoundCredentials) -> Result<Self, Problems> {
        let mut check = Check::default();
        let settings = check.settings(options, found);
        settings.ok_or(Problems(check.problems))
    }
}

impl LogSettings {
    /// Checks what a user wrote of the log alone, for commands that need no more.
    ///
    /// # Errors
    /// All [`Problems`] together.
    pub fn check(options: &LogOptions) -> Result<Self, Problems> {
        let mut check = Check::default();
        check.log(options).ok_or(Problems(check.problems))
    }
}

/// Collects problems. What has one is `None`.
#[derive(Default)]
struct Check {
    problems: Vec<String>,
}

impl Check {
    /// Everything is looked at before the first problem ends it.
    fn settings(&mut self, options: &Options, found: FoundCredentials) -> Option<Settings> {
        let listen = self.listen(&options.web.listen_address);
        let telemetry_path = self.telemetry_path(&options.web.telemetry_path);
        let max_requests = self.whole("--web.max-requests", &options.web.max_requests);
        let account = self.account(&options.account, found);
        let poll = self.poll(&options.poll);
        let scrape_interval = self.scrape_interval(&options.metrics.scrape_interval);
        let max_series = self.above_zero("--metrics.max-series", &options.metrics.max_series);
        let event_log = self.ok("--events.log", event_log(&options.events));
        let log = self.log(&options.log);
        Some(Settings {
            listen: listen?,
            telemetry_path: telemetry_path?,
            web_config: options.web.config_file.clone(),
            max_requests: max_requests?,
            account: account?,
            poll: poll?,
            storage_path: options.storage.path.clone(),
            scrape_interval: scrape_interval?,
            max_series: max_series?,
            created_timestamps: options.metrics.created_timestamps,
            event_log: event_log?,
            log: log?,
        })
    }

    fn report(&mut self, setting: &str, problem: impl fmt::Display) {
        self.problems.push(format!("{setting} {problem}"));
    }

    fn ok<T>(&mut self, setting: &str, result: Result<T, impl fmt::Display>) -> Option<T> {
        result.map_err(|problem| self.report(setting, problem)).ok()
    }

    fn that<T>(&mut self, setting: &str, holds: bool, problem: &str, value: T) -> Option<T> {
        self.ok(setting, if holds { Ok(value) } else { Err(problem) })
    }

    fn duration(&mut self, setting: &str, text: &str) -> Option<SignedDuration> {
        self.ok(setting, duration::parse_duration(text))
    }

    fn positive_duration(&mut self, setting: &str, text: &str) -> Option<Duration> {
        let duration = self.duration(setting, text)?;
        self.that(
            setting,
            duration.is_positive(),
            "must be above 0",
            duration.unsigned_abs(),
        )
    }

    fn above_zero<N: FromStr + PartialOrd + Default>(
        &mut self,
        setting: &str,
        text: &str,
    ) -> Option<N> {
        let number = text.parse().ok().filter(|number| *number > N::default());
        let problem = || format!("{text:?} is no number above 0");
        self.ok(setting, number.ok_or_else(problem))
    }

    fn whole(&mut self, setting: &str, text: &str) -> Option<usize> {
        let problem = |_| format!("{text:?} is no whole number; 0 is for no limit");
        self.ok(setting, text.parse().map_err(problem))
    }

    fn log(&mut self, options: &LogOptions) -> Option<LogSettings> {
        let level = self.ok("--log.level", options.level.parse());
        let format = self.ok("--log.format", options.format.parse());
        Some(LogSettings {
            level: level?,
            format: format?,
        })
    }

    fn listen(&mut self, texts: &[String]) -> Option<Vec<ListenAddress>> {
        let parsed = texts
            .iter()
            .map(|text| self.ok("--web.listen-address", text.parse()));
        // Collected first, so that each wrong address is reported.
        parsed.collect::<Vec<_>>().into_iter().collect()
    }

    fn telemetry_path(&mut self, path: &str) -> Option<String> {
        let usable =
            path.starts_with('/') && !path.starts_with("/-/") && !path.contains(['?', '#', ' ']);
        let problem = format!("{path:?} is no path; write it like /metrics (/-/ is taken)");
        self.that("--web.telemetry-path", usable, &problem, path.to_owned())
    }

    fn account(
        &mut self,
        options: &AccountOptions,
        found: FoundCredentials,
    ) -> Option<AccountSettings> {
        let base_url = base_url::parse_base_url(&options.base_url, options.allow_http);
        let base_url = self.ok("--api.base-url", base_url);
        let timeout = self.positive_duration("--api.timeout", &options.timeout);
        let rate = "--api.max-requests-per-second";
        let rate = self.above_zero(rate, &options.max_requests_per_second);
        let key = self.key(found.key);
        let secret = self.secret(found.secret);
        Some(AccountSettings {
            base_url: base_url?,
            timeout: timeout?,
            max_requests_per_second: rate?,
            key: key?,
            secret: secret?,
        })
    }

    fn key(&mut self, found: Option<String>) -> Option<String> {
        let key = found.unwrap_or_default();
        // A colon would end the user name of HTTP Basic authentication (RFC 7617).
        let usable = !key.is_empty() && !key.contains(':') && !key.contains(char::is_control);
        self.that(
            "NEXMO_API_KEY",
            usable,
            "must be set to the API key of the account",
            key,
        )
    }

    fn secret(&mut self, found: Option<Result<SecretString, String>>) -> Option<SecretString> {
        match found {
            Some(Ok(secret)) if !secret.expose_secret().is_empty() => Some(secret),
            Some(Err(problem)) => {
                self.report("--api.secret-file", problem);
                None
            }
            _ => {
                let problem = "must be set to the API secret of the account, or --api.secret-file to a file that holds it";
                self.report("NEXMO_API_SECRET", problem);
                None
            }
        }
    }

    fn scrape_interval(&mut self, text: &str) -> Option<ScrapeInterval> {
        if text == "auto" {
            return Some(ScrapeInterval::Auto);
        }
        let interval = self.duration("--metrics.scrape-interval", text)?;
        let interval = interval.unsigned_abs();
        Some(if interval.is_zero() {
            ScrapeInterval::Off
        } else {
            ScrapeInterval::Fixed(interval)
        })
    }

    fn poll(&mut self, options: &PollOptions) -> Option<PollSettings> {
        let interval = self.positive_duration("--poll.interval", &options.interval);
        let lookback = self.duration("--poll.lookback", &options.lookback);
        let reconcile_interval =
            self.duration("--poll.reconcile-interval", &options.reconcile_interval);
        let deep = self.duration("--poll.reconcile-lookback", &options.reconcile_lookback);
        let start = self.ok("--poll.start", parse_start(&options.start));
        let lookback = lookback?;
        Some(PollSettings {
            interval: interval?,
            lookback,
            reconcile_interval: reconcile_interval?.unsigned_abs(),
            reconcile_lookback: deep?.max(lookback),
            start: start?,
        })
    }
}

fn event_log(options: &EventsOptions) -> Result<Option<EventLogSettings>, &'static str> {
    let path = match &*options.log {
        "none" => return Ok(None),
        "" => return Err("is empty; write none, stdout or a path"),
        "stdout" => None,
        path => Some(path.into()),
    };
    Ok(Some(EventLogSettings {
        path,
        personal_data: options.log_personal_data,
    }))
}

fn parse_start(text: &str) -> Result<Start, String> {
    if text == "now" {
        return Ok(Start::Now);
    }
    if let Ok(age) = duration::parse_duration(text) {
        return Ok(Start::Age(age));
    }
    text.parse().map(Start::At).map_err(|_| {
        format!(
            "{text:?} is no start; write now, an age like 24h, or a time like 2026-11-23T10:00:00Z"
        )
    })
}

#[cfg(test)]
mod tests;
