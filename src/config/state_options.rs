//! The options of the commands that work on the stored state, before they are checked.
//! The help texts are the reference of the settings.

#![expect(
    missing_docs,
    reason = "a group of options needs no words beside its type"
)]

use std::path::PathBuf;

use clap::Args;

use super::ConfigOptions;

/// The options of `state show`.
#[derive(Debug, Clone, Args)]
pub struct ShowOptions {
    /// Name or API key of the account to show; the default is all accounts.
    #[arg(long = "account", value_name = "NAME|KEY")]
    pub account: Option<String>,
    /// text or json.
    #[arg(long, short, value_name = "FORM", default_value = "text")]
    pub output: String,
    #[command(flatten)]
    pub state: StateOptions,
}

/// The options of `state export`.
#[derive(Debug, Clone, Args)]
pub struct ExportOptions {
    /// Name or API key of the account, where the state has several.
    #[arg(long = "account", value_name = "NAME|KEY")]
    pub account: Option<String>,
    /// File to write, which its owner alone can read; - for standard output.
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    pub output: String,
    /// Replace a file that is there already.
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    pub state: StateOptions,
}

/// The options of `state import`.
#[derive(Debug, Clone, Args)]
pub struct ImportOptions {
    /// File that `state export` has written; - for standard input.
    #[arg(value_name = "FILE")]
    pub input: String,
    /// API key to store the account under, in place of the key that it had.
    #[arg(long = "as", value_name = "KEY")]
    pub api_key: Option<String>,
    #[command(flatten)]
    pub state: StateOptions,
}

/// The state that a command works on.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "State")]
pub struct StateOptions {
    /// Directory of the state, as for serve.
    #[arg(
        long = "storage.path",
        value_name = "DIRECTORY",
        default_value = "data/"
    )]
    pub storage_path: PathBuf,
    #[command(flatten)]
    pub config: ConfigOptions,
}
