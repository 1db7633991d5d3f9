//! The settings of `serve`.

use std::{path::PathBuf, time::Duration};

use audit_core::{account::PollStart, gate::ScrapeInterval};
use exporter_web::ListenAddress;
use jiff::SignedDuration;

use super::{
    AccountSettings, ApiProxy, Environment, EventsOptions, LogSettings, Options, PollOptions,
    Problems, SettingsCheck,
};

/// Everything that `serve` needs, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The addresses to listen on; never empty.
    pub listen: Vec<ListenAddress>,
    /// The path of the metrics; begins with `/`.
    pub telemetry_path: String,
    /// `true` if a client may ask for a reload.
    pub enable_lifecycle: bool,
    /// The file with TLS and passwords.
    pub web_config: Option<PathBuf>,
    /// The highest number of answers in flight at once; 0 for no limit.
    pub max_requests: usize,
    /// The longest time that a shutdown waits for the servers that scrape; zero for no wait.
    pub shutdown_timeout: Duration,
    /// The accounts that are polled; a shard may have none.
    pub accounts: Vec<AccountSettings>,
    /// The proxy on the way to the API; `None` for none.
    pub proxy: Option<ApiProxy>,
    /// The settings by which accounts are polled.
    pub poll: PollSettings,
    /// The directory of the durable state.
    pub storage_path: PathBuf,
    /// The scrape interval of the servers.
    pub scrape_interval: ScrapeInterval,
    /// The highest number of label combinations of `nexmo_audit_events_total`.
    pub max_series: usize,
    /// `true` if the `OpenMetrics` format shows when each counter was 0.
    pub created_timestamps: bool,
    /// The event log; `None` if counted events are not logged.
    pub event_log: Option<EventLogSettings>,
    /// The level and the format of the log.
    pub log: LogSettings,
    /// What can be used, and is probably not what was meant.
    pub warnings: Vec<String>,
}

/// The places that an exporter would use. A setting that has a problem names none.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// The addresses to listen on.
    pub(crate) listen: Vec<ListenAddress>,
    /// The directory of the durable state.
    pub(crate) storage_path: PathBuf,
    /// The file of the event log.
    pub(crate) event_log: Option<PathBuf>,
}

/// The destination of the event log, and the fields that it contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventLogSettings {
    /// The file; `None` for standard output.
    pub path: Option<PathBuf>,
    /// `true` if fields that concern persons are written too.
    pub personal_data: bool,
}

/// The settings by which an account is polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollSettings {
    /// The time from one poll to the next; above 0, and at most the lookback.
    pub interval: Duration,
    /// How far behind the watermark every poll reads again.
    pub lookback: SignedDuration,
    /// The time from one deep poll to the next; zero for none.
    pub reconcile_interval: Duration,
    /// How far back a deep poll reads; at least the lookback.
    pub reconcile_lookback: SignedDuration,
    /// The moment from which the first start counts.
    pub start: PollStart,
}

impl Places {
    /// Returns the places that are written in a form that can be used.
    pub(crate) fn of(options: &Options) -> Self {
        let listen = options.web.listen_address.iter();
        let event_log = event_log(&options.events).and_then(|event_log| event_log.path);
        Self {
            listen: listen.filter_map(|text| text.parse().ok()).collect(),
            storage_path: options.storage.path.clone(),
            event_log: event_log.filter(|path| !path.as_os_str().is_empty()),
        }
    }
}

impl Settings {
    /// Checks everything that a user wrote.
    ///
    /// # Errors
    /// All [`Problems`] together, each with the name of its setting.
    pub fn check(options: &Options, environment: impl Into<Environment>) -> Result<Self, Problems> {
        SettingsCheck::run(environment.into(), |check, environment| {
            check.settings(options, environment)
        })
    }

    /// Returns the flags whose values differ in `other` and cannot be changed while the
    /// exporter runs.
    #[must_use]
    pub fn need_restart(&self, other: &Self) -> Vec<&'static str> {
        let differ = [
            ("--web.listen-address", self.listen != other.listen),
            (
                "--web.telemetry-path",
                self.telemetry_path != other.telemetry_path,
            ),
            (
                "--web.enable-lifecycle",
                self.enable_lifecycle != other.enable_lifecycle,
            ),
            ("--web.config.file", self.web_config != other.web_config),
            (
                "--web.max-requests",
                self.max_requests != other.max_requests,
            ),
            (
                "--web.shutdown-timeout",
                self.shutdown_timeout != other.shutdown_timeout,
            ),
            ("--storage.path", self.storage_path != other.storage_path),
            (
                "--metrics.scrape-interval",
                self.scrape_interval != other.scrape_interval,
            ),
            (
                "--metrics.created-timestamps",
                self.created_timestamps != other.created_timestamps,
            ),
            ("--events.log", self.event_log != other.event_log),
            ("--log.level and --log.format", self.log != other.log),
        ];
        let differ = differ.into_iter().filter(|(_, differs)| *differs);
        differ.map(|(name, _)| name).collect()
    }
}

impl SettingsCheck {
    /// Checks every setting, and returns `None` where one of them has a problem.
    fn settings(&mut self, options: &Options, mut environment: Environment) -> Option<Settings> {
        let proxy = std::mem::take(&mut environment.proxy);
        let certificates = std::mem::take(&mut environment.certificates);
        let listen = self.listen(&options.web.listen_address);
        let telemetry_path = self.telemetry_path(&options.web.telemetry_path);
        let max_requests = self.whole("--web.max-requests", &options.web.max_requests);
        let shutdown_timeout =
            self.duration("--web.shutdown-timeout", &options.web.shutdown_timeout);
        let accounts = self.accounts(&options.account, &options.shard, environment);
        let checked = accounts.as_deref().unwrap_or_default();
        let proxy = self.proxy(proxy, checked);
        self.certificates(&certificates, checked);
        let poll = self.poll(&options.poll);
        let scrape_interval = self.scrape_interval(&options.metrics.scrape_interval);
        let max_series = self.above_zero("--metrics.max-series", &options.metrics.max_series);
        let event_log = self.that(
            "--events.log",
            !options.events.log.is_empty(),
            "is empty; write none, stdout or a path",
            event_log(&options.events),
        );
        let log = self.log(&options.log);
        Some(Settings {
            listen: listen?,
            telemetry_path: telemetry_path?,
            enable_lifecycle: options.web.enable_lifecycle,
            web_config: options.web.config_file.clone(),
            max_requests: max_requests?,
            shutdown_timeout: shutdown_timeout?.unsigned_abs(),
            accounts: accounts?,
            proxy,
            poll: poll?,
            storage_path: options.storage.path.clone(),
            scrape_interval: scrape_interval?,
            max_series: max_series?,
            created_timestamps: options.metrics.created_timestamps,
            event_log: event_log?,
            log: log?,
            warnings: std::mem::take(&mut self.warnings),
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
        let problem = format!(
            "{path:?} is not a path; write it like /metrics (paths under /-/ are reserved)"
        );
        self.that("--web.telemetry-path", usable, &problem, path.to_owned())
    }

    fn scrape_interval(&mut self, text: &str) -> Option<ScrapeInterval> {
        if text.eq_ignore_ascii_case("auto") {
            return Some(ScrapeInterval::Learned);
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
        let start = self.poll_start(&options.start);
        let (interval, lookback) = (interval?, lookback?);
        let (reconcile_interval, reconcile_lookback) = (reconcile_interval?, deep?.max(lookback));
        let interval = self.within(
            ("--poll.interval", &options.interval, interval),
            ("--poll.lookback", &options.lookback, lookback),
        );
        let reconcile_interval = self.within(
            (
                "--poll.reconcile-interval",
                &options.reconcile_interval,
                reconcile_interval.unsigned_abs(),
            ),
            (
                "--poll.reconcile-lookback",
                &options.reconcile_lookback,
                reconcile_lookback,
            ),
        );
        Some(PollSettings {
            interval: interval?,
            lookback,
            reconcile_interval: reconcile_interval?,
            reconcile_lookback,
            start: start?,
        })
    }

    /// Checks that an interval is no longer than what is read each time. What was added to
    /// the list between the two would be lost.
    fn within(
        &mut self,
        (setting, text, interval): (&str, &str, Duration),
        (lookback_setting, lookback_text, lookback): (&str, &str, SignedDuration),
    ) -> Option<Duration> {
        let problem = format!(
            "is {text}, and must not be longer than {lookback_setting}, which is {lookback_text}; poll more often, or look back as far"
        );
        self.that(
            setting,
            interval <= lookback.unsigned_abs(),
            &problem,
            interval,
        )
    }
}

fn event_log(options: &EventsOptions) -> Option<EventLogSettings> {
    let path = match &*options.log {
        none if none.eq_ignore_ascii_case("none") => return None,
        stdout if stdout.eq_ignore_ascii_case("stdout") => None,
        path => Some(path.into()),
    };
    Some(EventLogSettings {
        path,
        personal_data: options.log_personal_data,
    })
}
