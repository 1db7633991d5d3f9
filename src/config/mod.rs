//! Turns what a user wrote into settings that can be used as they are, or into a report
//! of every problem.
//!
//! Flags arrive as text, in [`Options`] and its siblings; [`Sources`] holds what was
//! written elsewhere, with the [`ConfigFile`], and [`Environment`] adds credentials and names
//! that are found on this machine. The
//! `check` of [`Settings`] and of the settings of each other command takes all three.

mod accounts;
mod backfill;
mod base_url;
mod certificates;
mod columns;
mod credential_variables;
mod credentials;
mod duration;
mod environment;
mod file;
mod log;
mod options;
mod problems;
mod proxy;
mod query;
mod query_options;
mod settings;
mod settings_check;
mod shard;
mod state;
mod state_options;
mod time_expression;
mod value_error;

pub use accounts::AccountSettings;
pub(crate) use accounts::is_api_key;
pub(crate) use backfill::{BackfillOutput, BackfillSettings};
pub use certificates::CertificateVariables;
pub(crate) use columns::EventColumn;
pub use credentials::{ApiKey, ApiSecret, Credentials, SecretFileError};
pub use environment::{
    AccountWithSecret, Environment, EnvironmentCredentials, SettingOrigins, Sources,
};
pub use file::{AccountEntry, ConfigFile, EntrySecret, FileSetting};
pub use log::{LogFormat, LogLevel, LogSettings};
pub use options::{
    AccountOptions, ConfigOptions, EventsOptions, LogOptions, MetricsOptions, Options, PollOptions,
    ShardOptions, WebOptions,
};
pub use problems::Problems;
pub use proxy::{ApiProxy, ProxyVariables};
pub(crate) use query::{GetSettings, OutputFormat, QuerySettings, Share, TypesSettings};
pub use query::{ListSettings, TimeRange};
pub use query_options::{
    AccountChoiceOptions, BackfillOptions, FilterOptions, GetOptions, ListOptions, OutputOptions,
    TypesOptions,
};
pub(crate) use settings::Places;
pub use settings::{EventLogSettings, PollSettings, Settings};
pub(crate) use state::{AccountNames, ExportSettings, ImportSettings, ShowFormat, ShowSettings};
pub use state_options::{ExportOptions, ImportOptions, ShowOptions, StateOptions};
pub use value_error::ValueError;

use settings_check::SettingsCheck;

#[cfg(test)]
mod tests;
