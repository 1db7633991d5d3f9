//! The options of the commands that query the API once, before they are checked.
//! The help texts are the reference of the settings.

#![expect(
    missing_docs,
    reason = "a group of options needs no words beside its type"
)]

use clap::Args;

use super::{AccountOptions, ConfigOptions, LogOptions};

/// The options of `events list`.
#[derive(Debug, Clone, Args)]
pub struct ListOptions {
    #[command(flatten)]
    pub filter: FilterOptions,
    /// Show at most this many events, the oldest of the range.
    #[arg(long, value_name = "NUMBER")]
    pub limit: Option<String>,
    /// Show at most this many events, the newest of the range; 10 without a number.
    #[arg(
        long,
        value_name = "NUMBER",
        num_args = 0..=1,
        default_missing_value = "10",
        conflicts_with = "limit"
    )]
    pub tail: Option<String>,
    /// Show the newest event first.
    #[arg(long, conflicts_with = "follow")]
    pub reverse: bool,
    /// Continue with events as they appear, until Ctrl-C.
    #[arg(long, short)]
    pub follow: bool,
    /// The columns that are shown.
    #[arg(
        long,
        help = "Columns of the table or the CSV, in this order: time, type, source, country, ip, id, user, user_email, user_id, account_id, type_description, source_description, context",
        value_name = "NAMES",
        value_delimiter = ',',
        help_heading = "Output"
    )]
    pub columns: Vec<String>,
    #[command(flatten)]
    pub output: OutputOptions,
    #[command(flatten)]
    pub account: AccountOptions,
    #[command(flatten)]
    pub choice: AccountChoiceOptions,
    #[command(flatten)]
    pub log: LogOptions,
}

/// The account that is read.
#[derive(Debug, Clone, Args)]
pub struct AccountChoiceOptions {
    #[command(flatten)]
    pub config: ConfigOptions,
    /// Name of the account, where the config file has several.
    #[arg(long = "account", value_name = "NAME")]
    pub account: Option<String>,
}

/// The events that are shown.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Filter")]
pub struct FilterOptions {
    /// Show events from this time on: a date, an RFC 3339 time, or an age.
    #[arg(
        long,
        value_name = "TIME",
        default_value = "24h",
        allow_hyphen_values = true
    )]
    pub from: String,
    /// Show events before this time; a date includes the whole day.
    #[arg(
        long,
        value_name = "TIME",
        default_value = "now",
        allow_hyphen_values = true
    )]
    pub to: String,
    /// Show events of this type, such as `APP_CREATE`; may be repeated.
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',')]
    pub types: Vec<String>,
    /// Show events of this user, by id or e-mail address.
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// Show events from this source, such as CD; may be repeated.
    #[arg(long = "source", value_name = "SOURCE", value_delimiter = ',')]
    pub sources: Vec<String>,
    /// Show events from this country, such as GB; may be repeated.
    #[arg(long = "country", value_name = "COUNTRY", value_delimiter = ',')]
    pub countries: Vec<String>,
    /// Show events that contain this text, as the API searches for it: with quotes and braces escaped as in JSON.
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,
}

/// How events are shown.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputOptions {
    /// table, json (one event in each line, as the API returns it) or csv.
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub output: String,
    /// Show times in UTC, as the API has them (the default).
    #[arg(long, conflicts_with = "local")]
    pub utc: bool,
    /// Show times in the local time zone (TZ), and read --from and --to in it.
    #[arg(long)]
    pub local: bool,
}

/// The options of `events get`.
#[derive(Debug, Clone, Args)]
pub struct GetOptions {
    /// Ids of the events.
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<String>,
    #[command(flatten)]
    pub output: OutputOptions,
    #[command(flatten)]
    pub account: AccountOptions,
    #[command(flatten)]
    pub choice: AccountChoiceOptions,
    #[command(flatten)]
    pub log: LogOptions,
}

/// The options of `events types`.
#[derive(Debug, Clone, Args)]
pub struct TypesOptions {
    /// table, json (one type in each line) or csv.
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub output: String,
    #[command(flatten)]
    pub account: AccountOptions,
    #[command(flatten)]
    pub choice: AccountChoiceOptions,
    #[command(flatten)]
    pub log: LogOptions,
}

/// The options of `backfill`.
#[derive(Debug, Clone, Args)]
pub struct BackfillOptions {
    /// Count from this time on: a date, an RFC 3339 time, or an age; an exporter whose --poll.start is the same continues the counters.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub from: String,
    /// Count up to this time; not within the last 3 hours, into which Prometheus still writes.
    #[arg(
        long,
        value_name = "TIME",
        default_value = "3h",
        allow_hyphen_values = true
    )]
    pub to: String,
    /// Allow --to within the last 3 hours, for a server that has not scraped yet.
    #[arg(long)]
    pub allow_recent: bool,
    /// Time from one sample to the next.
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    pub step: String,
    /// File to write after everything is read; DIRECTORY/ for one file per day, - for standard output.
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    pub output: String,
    /// Label that the server adds when it scrapes, such as job=nexmo-audit; may be repeated.
    #[arg(long = "label", value_name = "NAME=VALUE")]
    pub labels: Vec<String>,
    /// Highest number of label combinations of `nexmo_audit_events_total`, as for serve.
    #[arg(
        long = "metrics.max-series",
        value_name = "NUMBER",
        default_value = "10000"
    )]
    pub max_series: String,
    #[command(flatten)]
    pub account: AccountOptions,
    #[command(flatten)]
    pub choice: AccountChoiceOptions,
    #[command(flatten)]
    pub log: LogOptions,
}
