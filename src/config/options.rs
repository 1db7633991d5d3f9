//! The options of `serve` and `demo`, as flags and in the environment, before they are checked.
//! Each option is text, so that one wrong number does not hide the next.
//! The help texts are the reference of the settings.

#![expect(
    missing_docs,
    reason = "a group of options needs no words beside its type"
)]

use std::path::PathBuf;

use clap::Args;

/// The options of `serve` and `demo`.
#[derive(Debug, Clone, Args)]
pub struct Options {
    #[command(flatten)]
    pub web: WebOptions,
    #[command(flatten)]
    pub account: AccountOptions,
    #[command(flatten)]
    pub poll: PollOptions,
    #[command(flatten)]
    pub storage: StorageOptions,
    #[command(flatten)]
    pub metrics: MetricsOptions,
    #[command(flatten)]
    pub events: EventsOptions,
    #[command(flatten)]
    pub shard: ShardOptions,
    #[command(flatten)]
    pub config: ConfigOptions,
    #[command(flatten)]
    pub log: LogOptions,
}

/// How the exporter is reached.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Web")]
pub struct WebOptions {
    /// Address to listen on, or unix: and the path of a unix socket; without a host, every IPv4 and IPv6 address; may be repeated; port 0 takes a free port.
    #[arg(
        long = "web.listen-address",
        value_name = "ADDRESS",
        default_value = ":10610",
        value_delimiter = ','
    )]
    pub listen_address: Vec<String>,
    /// Path of the metrics.
    #[arg(
        long = "web.telemetry-path",
        value_name = "PATH",
        default_value = "/metrics"
    )]
    pub telemetry_path: String,
    /// Allow POST /-/reload, which reads the configuration again, as SIGHUP does.
    #[arg(long = "web.enable-lifecycle")]
    pub enable_lifecycle: bool,
    /// File with TLS and basic authentication, in the format of Prometheus' exporter-toolkit; read again when it changes.
    #[arg(long = "web.config.file", value_name = "FILE")]
    pub config_file: Option<PathBuf>,
    /// Highest number of answers in flight at once, 0 for no limit; further requests are answered with 503.
    #[arg(long = "web.max-requests", value_name = "NUMBER", default_value = "40")]
    pub max_requests: String,
    /// Longest time that SIGTERM waits until the servers that scrape have fetched the last counts; 0 for no wait.
    #[arg(
        long = "web.shutdown-timeout",
        value_name = "DURATION",
        default_value = "20s"
    )]
    pub shutdown_timeout: String,
}

/// The API and the account.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "API")]
pub struct AccountOptions {
    /// Base URL of the Audit API; plain http is refused except to this machine.
    #[arg(
        long = "api.base-url",
        value_name = "URL",
        default_value = "https://api.nexmo.com/beta/audit"
    )]
    pub base_url: String,
    /// Allow plain http to other machines: the network then sees the API secret.
    #[arg(long = "api.allow-http")]
    pub allow_http: bool,
    /// Time limit of one request, body included.
    #[arg(long = "api.timeout", value_name = "DURATION", default_value = "30s")]
    pub timeout: String,
    /// Highest number of requests per second, per account.
    #[arg(
        long = "api.max-requests-per-second",
        value_name = "NUMBER",
        default_value = "10"
    )]
    pub max_requests_per_second: String,
    /// File that holds the API secret, in place of `NEXMO_API_SECRET`.
    #[arg(long = "api.secret-file", value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
}

/// When and how far back to poll.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Polling")]
pub struct PollOptions {
    /// Time from one poll to the next; at most --poll.lookback.
    #[arg(long = "poll.interval", value_name = "DURATION", default_value = "30s")]
    pub interval: String,
    /// How far behind the watermark every poll reads again, for events that appear late.
    #[arg(long = "poll.lookback", value_name = "DURATION", default_value = "15m")]
    pub lookback: String,
    /// Time from one deep poll to the next, for events that appear later than the lookback; at most --poll.reconcile-lookback; 0 for none.
    #[arg(
        long = "poll.reconcile-interval",
        value_name = "DURATION",
        default_value = "1h"
    )]
    pub reconcile_interval: String,
    /// How far back a deep poll reads.
    #[arg(
        long = "poll.reconcile-lookback",
        value_name = "DURATION",
        default_value = "24h"
    )]
    pub reconcile_lookback: String,
    /// Time from which the first start counts: now, an age (24h), a date in UTC or an RFC 3339 time; later starts ignore it.
    #[arg(
        long = "poll.start",
        value_name = "TIME",
        default_value = "now",
        allow_hyphen_values = true
    )]
    pub start: String,
}

/// Where counts are kept.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Storage")]
pub struct StorageOptions {
    /// Directory of the durable state; created if it does not exist.
    #[arg(
        long = "storage.path",
        value_name = "DIRECTORY",
        default_value = "data/"
    )]
    pub path: PathBuf,
}

/// The metrics.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Metrics")]
pub struct MetricsOptions {
    /// Longest scrape interval of all servers that scrape; auto learns it; 0 shows every count at once, and a server may miss the first event of a series.
    #[arg(
        long = "metrics.scrape-interval",
        value_name = "INTERVAL",
        default_value = "auto"
    )]
    pub scrape_interval: String,
    /// Highest number of label combinations of `nexmo_audit_events_total`; events beyond it are counted under `other`.
    #[arg(
        long = "metrics.max-series",
        value_name = "NUMBER",
        default_value = "10000"
    )]
    pub max_series: String,
    /// Tell OpenMetrics scrapers when each counter was 0 (`_created`); a server without this feature stores one more series for each counter.
    #[arg(long = "metrics.created-timestamps")]
    pub created_timestamps: bool,
}

/// Where counted events are logged.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Event log")]
pub struct EventsOptions {
    /// Write each counted event as a line of JSON: none, stdout, or the path of a file.
    #[arg(long = "events.log", value_name = "WHERE", default_value = "none")]
    pub log: String,
    /// Write all fields of an event, with the user, the IP address and the context.
    #[arg(long = "events.log-personal-data")]
    pub log_personal_data: bool,
}

/// The share of the accounts that this exporter counts.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Shards")]
pub struct ShardOptions {
    /// Number of this exporter among the exporters that share the accounts, from 0; the default is the number at the end of the machine's name.
    #[arg(long = "shard.index", value_name = "NUMBER")]
    pub index: Option<String>,
    /// Number of exporters that share the accounts of the config file.
    #[arg(long = "shard.count", value_name = "NUMBER")]
    pub count: Option<String>,
}

/// The config file.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Configuration")]
pub struct ConfigOptions {
    /// File with settings and accounts, in YAML; flags and environment variables take precedence.
    #[arg(long = "config.file", value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// The log, which goes to standard error.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Log")]
pub struct LogOptions {
    /// Lowest severity that is logged: error, warn, info, debug or trace.
    #[arg(long = "log.level", value_name = "LEVEL", default_value = "info")]
    pub level: String,
    /// Form of each line: logfmt or json.
    #[arg(long = "log.format", value_name = "FORMAT", default_value = "logfmt")]
    pub format: String,
}
