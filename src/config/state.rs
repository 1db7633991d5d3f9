//! The settings of the commands that work on the stored state.

use std::{collections::BTreeMap, path::PathBuf, str::FromStr};

use super::{
    ConfigFile, Environment, ExportOptions, ImportOptions, Problems, SettingsCheck, ShowOptions,
    Sources, ValueError, is_api_key,
};

/// The name in place of a file that stands for standard input or standard output.
const STANDARD: &str = "-";

/// The names of the accounts of a config file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AccountNames {
    /// The names, by API key.
    by_key: BTreeMap<String, String>,
}

/// The format of `state show`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShowFormat {
    /// Text, for people.
    Text,
    /// JSON, for programs.
    Json,
}

/// Everything that `state show` needs, checked.
#[derive(Debug, Clone)]
pub(crate) struct ShowSettings {
    /// The directory of the state.
    pub(crate) storage_path: PathBuf,
    /// The accounts of the config file.
    pub(crate) names: AccountNames,
    /// The name or the API key of the account; `None` for all accounts.
    pub(crate) account: Option<String>,
    /// The format of the output.
    pub(crate) format: ShowFormat,
}

/// Everything that `state export` needs, checked.
#[derive(Debug, Clone)]
pub(crate) struct ExportSettings {
    /// The directory of the state.
    pub(crate) storage_path: PathBuf,
    /// The accounts of the config file.
    pub(crate) names: AccountNames,
    /// The name or the API key of the account; `None` for the only account.
    pub(crate) account: Option<String>,
    /// The file to write; `None` for standard output.
    pub(crate) file: Option<PathBuf>,
    /// `true` if a file that exists is replaced.
    pub(crate) replace: bool,
}

/// Everything that `state import` needs, checked.
#[derive(Debug, Clone)]
pub(crate) struct ImportSettings {
    /// The directory of the state.
    pub(crate) storage_path: PathBuf,
    /// The accounts of the config file.
    pub(crate) names: AccountNames,
    /// The file to read; `None` for standard input.
    pub(crate) file: Option<PathBuf>,
    /// The API key to store the account under; `None` for that of the file.
    pub(crate) api_key: Option<String>,
}

impl AccountNames {
    /// Returns the names of these accounts, each with its API key.
    #[cfg(test)]
    pub(crate) fn new<'a>(accounts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let accounts = accounts.into_iter();
        let by_key = accounts.map(|(name, api_key)| (api_key.to_owned(), name.to_owned()));
        Self {
            by_key: by_key.collect(),
        }
    }

    fn of(file: &ConfigFile) -> Self {
        let accounts = file.accounts.iter().flatten();
        let by_key = accounts.map(|account| (account.api_key.clone(), account.name.clone()));
        Self {
            by_key: by_key.collect(),
        }
    }

    /// Returns the name of the account that has this API key.
    pub(crate) fn name_of(&self, api_key: &str) -> Option<&str> {
        self.by_key.get(api_key).map(String::as_str)
    }

    /// Returns the names of the accounts that have none of these API keys, in order.
    pub(crate) fn without(&self, api_keys: &[String]) -> Vec<String> {
        let others = self.by_key.iter();
        let others = others.filter(|(api_key, _)| !api_keys.contains(api_key));
        let mut names: Vec<String> = others.map(|(_, name)| name.clone()).collect();
        names.sort_unstable();
        names
    }
}

impl FromStr for ShowFormat {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match &*text.to_ascii_lowercase() {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(ValueError::keyword(text, "text or json")),
        }
    }
}

impl ShowSettings {
    /// Checks everything that a user wrote.
    ///
    /// # Errors
    /// All [`Problems`] together.
    pub(crate) fn check(options: &ShowOptions, sources: Sources) -> Result<Self, Problems> {
        let names = AccountNames::of(&sources.file);
        check(sources, |check| {
            let has_account = check.account(options.account.as_deref());
            let format = check.ok("--output", options.output.parse());
            has_account?;
            Some(Self {
                storage_path: options.state.storage_path.clone(),
                names,
                account: options.account.clone(),
                format: format?,
            })
        })
    }
}

impl ExportSettings {
    /// Checks everything that a user wrote.
    ///
    /// # Errors
    /// All [`Problems`] together.
    pub(crate) fn check(options: &ExportOptions, sources: Sources) -> Result<Self, Problems> {
        let names = AccountNames::of(&sources.file);
        check(sources, |check| {
            let has_account = check.account(options.account.as_deref());
            let has_file = check.file("--output", &options.output);
            has_account?;
            has_file?;
            Some(Self {
                storage_path: options.state.storage_path.clone(),
                names,
                account: options.account.clone(),
                file: path(&options.output),
                replace: options.force,
            })
        })
    }
}

impl ImportSettings {
    /// Checks everything that a user wrote.
    ///
    /// # Errors
    /// All [`Problems`] together.
    pub(crate) fn check(options: &ImportOptions, sources: Sources) -> Result<Self, Problems> {
        let names = AccountNames::of(&sources.file);
        check(sources, |check| {
            let has_file = check.file("FILE", &options.input);
            let api_key = options.api_key.as_deref();
            let problem = "must be the API key of an account";
            check.that("--as", api_key.is_none_or(is_api_key), problem, ())?;
            has_file?;
            Some(Self {
                storage_path: options.state.storage_path.clone(),
                names,
                file: path(&options.input),
                api_key: options.api_key.clone(),
            })
        })
    }
}

/// Runs a check. The accounts of the config file are not checked: their secrets need not
/// be there.
fn check<T>(
    sources: Sources,
    check: impl FnOnce(&mut SettingsCheck) -> Option<T>,
) -> Result<T, Problems> {
    let environment = Environment::without_accounts(sources);
    SettingsCheck::run(environment, |checked, _| check(checked))
}

/// Returns the path of a file; `None` for standard input or standard output.
fn path(text: &str) -> Option<PathBuf> {
    (text != STANDARD).then(|| text.into())
}

impl SettingsCheck {
    fn account(&mut self, account: Option<&str>) -> Option<()> {
        let is_named = account.is_none_or(|account| !account.is_empty());
        let problem = "must be the name or the API key of an account";
        self.that("--account", is_named, problem, ())
    }

    fn file(&mut self, setting: &str, path: &str) -> Option<()> {
        let problem = "must be the path of a file, or -";
        self.that(setting, !path.is_empty(), problem, ())
    }
}
