//! What a user may write to the commands that ask the API once, before it is
//! checked. The help texts are the reference of the settings.

use clap::Args;

use super::{AccountOptions, ConfigOptions, LogOptions};

/// The options of `events list`.
#[derive(Debug, Clone, Args)]
pub struct ListOptions {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the groups say it themselves")]
    pub filter: FilterOptions,
    /// Show so many events at most, the oldest ones.
    #[arg(long, value_name = "NUMBER")]
    pub limit: Option<String>,
    /// Go on with events as they appear, until Ctrl-C.
    #[arg(long, short)]
    pub follow: bool,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the groups say it themselves")]
    pub output: OutputOptions,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the groups say it themselves")]
    pub account: AccountOptions,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the groups say it themselves")]
    pub choice: AccountChoiceOptions,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the groups say it themselves")]
    pub log: LogOptions,
}

/// Whose events.
#[derive(Debug, Clone, Args)]
pub struct AccountChoiceOptions {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the groups say it themselves")]
    pub config: ConfigOptions,
    /// Name of the account, where the config file has several.
    #[arg(long = "account", value_name = "NAME")]
    pub account: Option<String>,
}

/// Which events.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Which events")]
pub struct FilterOptions {
    /// From this moment on: a date, an RFC 3339 time, or an age.
    #[arg(long, value_name = "TIME", default_value = "24h")]
    pub from: String,
    /// Up to this moment, which is not part of it; a date is, to its end.
    #[arg(long, value_name = "TIME", default_value = "now")]
    pub to: String,
    /// Of this type, such as `APP_CREATE`; may be given more than once.
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',')]
    pub types: Vec<String>,
    /// Of this user: the id, or the e-mail address.
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// From this source, such as CD; may be given more than once.
    #[arg(long = "source", value_name = "SOURCE", value_delimiter = ',')]
    pub sources: Vec<String>,
    /// From this country, such as GB; may be given more than once.
    #[arg(long = "country", value_name = "COUNTRY", value_delimiter = ',')]
    pub countries: Vec<String>,
    /// With this text in them, as the API looks for it: quotes and braces escaped as in JSON.
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,
}

/// How events are shown.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputOptions {
    /// table, json (one event a line, as the API says it) or csv.
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub output: String,
    /// Times in UTC, as the API has them (the default).
    #[arg(long, conflicts_with = "local")]
    pub utc: bool,
    /// Times as they are here (TZ), also those of --from and --to.
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
    #[expect(missing_docs, reason = "the groups say it themselves")]
    pub output: OutputOptions,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the groups say it themselves")]
    pub account: AccountOptions,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the groups say it themselves")]
    pub choice: AccountChoiceOptions,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the groups say it themselves")]
    pub log: LogOptions,
}

/// The options of `events types`.
#[derive(Debug, Clone, Args)]
pub struct TypesOptions {
    /// table, json (one type a line) or csv.
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub output: String,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the groups say it themselves")]
    pub account: AccountOptions,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the groups say it themselves")]
    pub choice: AccountChoiceOptions,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the groups say it themselves")]
    pub log: LogOptions,
}

/// The options of `backfill`.
#[derive(Debug, Clone, Args)]
pub struct BackfillOptions {
    /// Count from this moment on: a date, an RFC 3339 time, or an age. The exporter goes on without a step if its --poll.start is the same.
    #[arg(long, value_name = "TIME")]
    pub from: String,
    /// Up to this moment; not within the last 3 hours, where Prometheus still writes.
    #[arg(long, value_name = "TIME", default_value = "3h")]
    pub to: String,
    /// Allow --to within the last 3 hours: for a server that has not scraped yet.
    #[arg(long)]
    pub allow_recent: bool,
    /// Time from one sample to the next.
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    pub step: String,
    /// File to write, once all is read; DIRECTORY/ for a file of each day, - for standard output.
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    pub output: String,
    /// Label that the server adds when it scrapes, such as job=nexmo-audit; may be given more than once.
    #[arg(long = "label", value_name = "NAME=VALUE")]
    pub labels: Vec<String>,
    /// As the exporter has it: most label combinations of `nexmo_audit_events_total`.
    #[arg(
        long = "metrics.max-series",
        value_name = "NUMBER",
        default_value = "10000"
    )]
    pub max_series: String,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the groups say it themselves")]
    pub account: AccountOptions,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the groups say it themselves")]
    pub choice: AccountChoiceOptions,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the groups say it themselves")]
    pub log: LogOptions,
}
