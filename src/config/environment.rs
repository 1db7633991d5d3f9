//! Everything that is found beside the flags. The API key and the API secret of an account come from
//! the environment or from a file, and never from a flag.

use std::{collections::BTreeMap, fs, path::Path};

use yaml_tree::YamlError;

use super::{
    AccountEntry, ApiKey, ApiSecret, CertificateVariables, ConfigFile, EntrySecret, FileSetting,
    ProxyVariables, SecretFileError, credential_variables::CredentialVariables,
};

/// The file in which Linux gives the name of this machine, or of the container.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";
/// The highest number of files of secrets that are waited for at once.
const FILES_AT_ONCE: usize = 64;

/// Everything that is found beside the flags: in the environment, in files, on this machine.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// The credentials of the one account of the environment.
    pub credentials: EnvironmentCredentials,
    /// The accounts of the config file, if it has any.
    pub accounts: Option<Vec<AccountWithSecret>>,
    /// The places that settings come from.
    pub origins: SettingOrigins,
    /// What is wrong with variables and with the config file by themselves.
    pub problems: Vec<String>,
    /// What is set without effect.
    pub warnings: Vec<String>,
    /// The variables that say which proxy is used.
    pub proxy: ProxyVariables,
    /// The variables that name files of certificates.
    pub certificates: CertificateVariables,
    /// The name of this machine.
    pub host_name: Option<String>,
}

/// The API key and the API secret of the environment's account, if they are set.
#[derive(Debug, Clone, Default)]
pub struct EnvironmentCredentials {
    /// The value of `NEXMO_API_KEY` or `VONAGE_API_KEY`.
    pub key: Option<ApiKey>,
    /// The text of the file of `--api.secret-file`, or the value of `NEXMO_API_SECRET` or
    /// `VONAGE_API_SECRET`.
    pub secret: Option<Result<ApiSecret, SecretFileError>>,
}

/// An account of the config file, with its secret.
#[derive(Debug, Clone)]
pub struct AccountWithSecret {
    /// The account as the config file has it.
    pub entry: AccountEntry,
    /// The secret, from the config file or from a file of its own; `None` if the config file
    /// has neither.
    pub secret: Option<Result<ApiSecret, SecretFileError>>,
}

/// Everything that was written in other places than the command line.
#[derive(Debug, Default)]
pub struct Sources {
    /// The config file; empty where there is none.
    pub file: ConfigFile,
    /// The variables from which flags have their values, by the long name of the flag.
    pub variables: BTreeMap<String, String>,
    /// What is wrong with variables by themselves.
    pub problems: Vec<String>,
    /// What is set without effect.
    pub warnings: Vec<String>,
}

/// The places that settings come from, so that a problem names its place.
#[derive(Debug, Clone, Default)]
pub struct SettingOrigins {
    /// The path of the config file.
    pub path: String,
    /// The settings of the config file, by the long name of the flag.
    pub settings: BTreeMap<String, FileSetting>,
    /// The variables from which flags have their values, by the long name of the flag.
    pub variables: BTreeMap<String, String>,
}

impl Environment {
    /// Reads the environment and the files of secrets.
    pub(crate) fn read(mut sources: Sources, secret_file: Option<&Path>) -> Self {
        let file = &mut sources.file;
        let accounts = file.accounts.take();
        let accounts = accounts.map(|some| with_secrets(some, &file.path, file.open_to_all));
        let variables = CredentialVariables::read();
        let doubts = variables.doubts(
            accounts.is_some(),
            match &accounts {
                Some(accounts) => secret_file.filter(|file| is_unused(file, accounts)),
                None => secret_file,
            },
        );
        sources.warnings.extend(doubts);
        Self {
            // The accounts of a config file replace the account of the environment.
            credentials: match accounts {
                Some(_) => EnvironmentCredentials::default(),
                None => credentials(variables, secret_file),
            },
            accounts,
            proxy: ProxyVariables::read(),
            certificates: CertificateVariables::read(),
            host_name: fs::read_to_string(HOST_NAME)
                .ok()
                .map(|name| name.trim().to_owned()),
            ..Self::without_accounts(sources)
        }
    }

    /// Returns the places that settings come from, and what is wrong with the config file.
    pub(super) fn without_accounts(sources: Sources) -> Self {
        let Sources {
            file,
            variables,
            mut problems,
            mut warnings,
        } = sources;
        let origins = SettingOrigins {
            path: file.path,
            settings: file.settings,
            variables,
        };
        let text = |error: &YamlError| format!("{} {}", origins.at(error.line), error.problem);
        warnings.extend(file.warnings.iter().map(text));
        problems.extend(file.problems.iter().map(text));
        Self {
            origins,
            problems,
            warnings,
            ..Self::default()
        }
    }
}

impl From<EnvironmentCredentials> for Environment {
    fn from(credentials: EnvironmentCredentials) -> Self {
        Self {
            credentials,
            ..Self::default()
        }
    }
}

impl SettingOrigins {
    /// Returns where the value of a flag comes from: the flag itself, a variable, or a line
    /// of the config file.
    pub(super) fn of(&self, flag: &str) -> String {
        let Some(name) = flag.strip_prefix("--") else {
            return flag.to_owned();
        };
        if let Some(variable) = self.variables.get(name) {
            return variable.clone();
        }
        match self.settings.get(name) {
            Some(setting) => format!("{} {}", self.at(setting.line), name.replace('-', "_")),
            None => flag.to_owned(),
        }
    }

    /// Returns the line of the config file that a problem begins with.
    pub(super) fn line_of(&self, problem: &str) -> Option<usize> {
        let place = problem.strip_prefix(&self.path)?.strip_prefix(':')?;
        place.split_once(':')?.0.parse().ok()
    }

    /// Returns the name of a line of the config file, in the form that editors and terminals
    /// know as a link.
    pub(super) fn at(&self, line: usize) -> String {
        format!("{}:{line}:", self.path)
    }
}

/// Returns `true` if the file has a secret that no account of the config file has. A unit of
/// systemd names the file of a single account before it is known whether there is one.
fn is_unused(secret_file: &Path, accounts: &[AccountWithSecret]) -> bool {
    let is_file = |secret: &EntrySecret| match secret {
        EntrySecret::File(file) => file == secret_file,
        EntrySecret::Text(_) => false,
    };
    let mut secrets = accounts.iter().filter_map(|one| one.entry.secret.as_ref());
    !secrets.any(is_file) && ApiSecret::begin(secret_file).wait().is_ok()
}

/// Returns where an account of the config file at `path` is written.
pub(super) fn place_of(entry: &AccountEntry, path: &str) -> String {
    format!("{path}:{}", entry.line)
}

/// Reads the secrets of all accounts. Several files are waited for at once, so that files
/// that do not answer cost little time together.
fn with_secrets(
    entries: Vec<AccountEntry>,
    path: &str,
    mut open_to_all: Option<&'static str>,
) -> Vec<AccountWithSecret> {
    let begin = |entry: &AccountEntry| match &entry.secret {
        Some(EntrySecret::File(file)) => Some(ApiSecret::begin(file)),
        Some(EntrySecret::Text(_)) | None => None,
    };
    let mut accounts = Vec::with_capacity(entries.len());
    let mut entries = entries.into_iter().peekable();
    while entries.peek().is_some() {
        let some: Vec<_> = entries.by_ref().take(FILES_AT_ONCE).collect();
        let files: Vec<_> = some.iter().map(begin).collect();
        for (entry, file) in some.into_iter().zip(files) {
            let secret = match (file, &entry.secret) {
                (Some(file), _) => Some(file.wait()),
                (None, Some(EntrySecret::Text(secret))) => {
                    let mut secret = ApiSecret::new(secret.clone(), place_of(&entry, path));
                    // One warning stands for all secrets of the file.
                    secret.warning = open_to_all.take().map(ApiSecret::in_open_file);
                    Some(Ok(secret))
                }
                (None, _) => None,
            };
            accounts.push(AccountWithSecret { entry, secret });
        }
    }
    accounts
}

fn credentials(
    variables: CredentialVariables,
    secret_file: Option<&Path>,
) -> EnvironmentCredentials {
    let CredentialVariables { key, secret, .. } = variables;
    EnvironmentCredentials {
        key: key.map(|key| ApiKey::new(key.text, key.name)),
        secret: match secret_file {
            Some(path) => Some(ApiSecret::begin(path).wait()),
            None => secret.map(|secret| Ok(ApiSecret::new(secret.text.into(), secret.name))),
        },
    }
}
