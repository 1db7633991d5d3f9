//! What a user may write, as flags and in the environment, before it is checked.
//! All of it is text, so that one wrong number does not hide the next.
//! The help texts are the reference of the settings.

use std::path::PathBuf;

use clap::Args;

/// The options of `serve` and `demo`.
#[derive(Debug, Clone, Args)]
pub struct Options {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the groups say it themselves")]
    pub web: WebOptions,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the groups say it themselves")]
    pub account: AccountOptions,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the groups say it themselves")]
    pub poll: PollOptions,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the groups say it themselves")]
    pub storage: StorageOptions,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the groups say it themselves")]
    pub metrics: MetricsOptions,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the groups say it themselves")]
    pub events: EventsOptions,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the groups say it themselves")]
    pub shard: ShardOptions,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the groups say it themselves")]
    pub config: ConfigOptions,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the groups say it themselves")]
    pub log: LogOptions,
}

/// How the exporter is reached.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Web")]
pub struct WebOptions {
    /// Address to listen on, IPv4 and IPv6 where no host is given; may be given more than once; port 0 takes a free one.
    #[arg(
        long = "web.listen-address",
        value_name = "ADDRESS",
        default_value = ":10610",
        value_delimiter = ','
    )]
    pub listen_address: Vec<String>,
    /// Path to serve the metrics under.
    #[arg(
        long = "web.telemetry-path",
        value_name = "PATH",
        default_value = "/metrics"
    )]
    pub telemetry_path: String,
    /// Allow POST /-/reload, which reads the configuration anew, as SIGHUP does.
    #[arg(long = "web.enable-lifecycle")]
    pub enable_lifecycle: bool,
}

/// Where the API is and who asks.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "API")]
pub struct AccountOptions {
    /// Base URL of the Audit API; plain http is refused beyond loopback.
    #[arg(
        long = "api.base-url",
        value_name = "URL",
        default_value = "https://api.nexmo.com/beta/audit"
    )]
    pub base_url: String,
    /// Allow plain http beyond loopback: the network then sees the API secret.
    #[arg(long = "api.allow-http")]
    pub allow_http: bool,
    /// Time limit of one request, body included.
    #[arg(long = "api.timeout", value_name = "DURATION", default_value = "30s")]
    pub timeout: String,
    /// Most requests per second, per account.
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
    /// Time from one poll to the next.
    #[arg(long = "poll.interval", value_name = "DURATION", default_value = "30s")]
    pub interval: String,
    /// How far behind the watermark every poll reads again, for events that appear late.
    #[arg(long = "poll.lookback", value_name = "DURATION", default_value = "15m")]
    pub lookback: String,
    /// Time from one deep poll to the next, for events that appear later still; 0 for none.
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
    /// First start only: count from now, an age (24h) or an RFC 3339 time on.
    #[arg(long = "poll.start", value_name = "START", default_value = "now")]
    pub start: String,
}

/// Where counts are kept.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Storage")]
pub struct StorageOptions {
    /// Directory of the durable state; made if missing.
    #[arg(
        long = "storage.path",
        value_name = "DIRECTORY",
        default_value = "data/"
    )]
    pub path: PathBuf,
}

/// What is exposed.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Metrics")]
pub struct MetricsOptions {
    /// Longest scrape interval among the servers that scrape: auto learns it, 0 shows every count at once, even where a server would miss the first event of a series.
    #[arg(
        long = "metrics.scrape-interval",
        value_name = "INTERVAL",
        default_value = "auto"
    )]
    pub scrape_interval: String,
    /// Most label combinations of `nexmo_audit_events_total`; more are counted under `other`.
    #[arg(
        long = "metrics.max-series",
        value_name = "NUMBER",
        default_value = "10000"
    )]
    pub max_series: String,
    /// Tell OpenMetrics scrapers when each counter was 0 (`_created`): a server without the feature stores that as one more series for each.
    #[arg(long = "metrics.created-timestamps")]
    pub created_timestamps: bool,
}

/// What becomes of the events that are counted.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Event log")]
pub struct EventsOptions {
    /// Write each counted event as a line of JSON: none, stdout, or the path of a file.
    #[arg(long = "events.log", value_name = "WHERE", default_value = "none")]
    pub log: String,
    /// Write all of an event: also the user, the IP address and the context.
    #[arg(long = "events.log-personal-data")]
    pub log_personal_data: bool,
}

/// Which of the accounts of the config file are counted here.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Shards")]
pub struct ShardOptions {
    /// Number of this exporter among those that share the accounts, from 0; by default the number at the end of the name of this machine.
    #[arg(long = "shard.index", value_name = "NUMBER")]
    pub index: Option<String>,
    /// How many exporters share the accounts of the config file.
    #[arg(long = "shard.count", value_name = "NUMBER")]
    pub count: Option<String>,
}

/// Where settings are, besides flags and the environment.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Configuration")]
pub struct ConfigOptions {
    /// File with settings and accounts, in YAML; flags and the environment beat it.
    #[arg(long = "config.file", value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// What is logged, to standard error.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Log")]
pub struct LogOptions {
    /// Least severity that is logged: error, warn, info, debug or trace.
    #[arg(long = "log.level", value_name = "LEVEL", default_value = "info")]
    pub level: String,
    /// Form of each line: logfmt or json.
    #[arg(long = "log.format", value_name = "FORMAT", default_value = "logfmt")]
    pub format: String,
}
