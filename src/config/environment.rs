//! Everything that is found beside the flags. The API key and the API secret of an account come from
//! the environment or from a file, and never from a flag.

use std::{collections::BTreeMap, env, fs, path::Path};

use super::{
    AccountEntry, ApiKey, ApiSecret, CertificateVariables, ConfigFile, EntrySecret, FileSetting,
    ProxyVariables, SecretFileError,
    credentials::{KEY_VARIABLE, LINE_END, SECRET_VARIABLE},
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
    /// The settings that come from the config file.
    pub origins: SettingOrigins,
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
    /// The secret, from the config file or from a file of its own.
    pub secret: Result<ApiSecret, SecretFileError>,
}

/// The settings that come from the config file, so that a problem names the file and the
/// line.
#[derive(Debug, Clone, Default)]
pub struct SettingOrigins {
    /// The path of the config file.
    pub path: String,
    /// The settings of the config file, by the long name of the flag.
    pub settings: BTreeMap<String, FileSetting>,
}

impl Environment {
    /// Reads the environment and the files of secrets. `file` is the config file; without
    /// one it is empty.
    pub(crate) fn read(file: ConfigFile, secret_file: Option<&Path>) -> Self {
        let accounts = file
            .accounts
            .map(|entries| with_secrets(entries, &file.path, file.open_to_all));
        Self {
            // The accounts of a config file replace the account of the environment.
            credentials: match accounts {
                Some(_) => EnvironmentCredentials::default(),
                None => environment_credentials(secret_file),
            },
            accounts,
            origins: SettingOrigins {
                path: file.path,
                settings: file.settings,
            },
            proxy: ProxyVariables::read(),
            certificates: CertificateVariables::read(),
            host_name: fs::read_to_string(HOST_NAME)
                .ok()
                .map(|name| name.trim().to_owned()),
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
    /// Returns where the value of a flag comes from: the flag itself, or a line of the
    /// config file.
    pub(super) fn of(&self, flag: &str) -> String {
        let name = flag.strip_prefix("--");
        match name.and_then(|name| Some((name, self.settings.get(name)?))) {
            Some((name, setting)) => {
                format!("{} {}", self.at(setting.line), name.replace('-', "_"))
            }
            None => flag.to_owned(),
        }
    }

    pub(super) fn at(&self, line: usize) -> String {
        format!("{}: line {line}:", self.path)
    }
}

/// Returns where an account of the config file at `path` is written.
pub(super) fn place_of(entry: &AccountEntry, path: &str) -> String {
    format!("{path}: line {}", entry.line)
}

/// Reads the secrets of all accounts. Several files are waited for at once, so that files
/// that do not answer cost little time together.
fn with_secrets(
    entries: Vec<AccountEntry>,
    path: &str,
    mut open_to_all: Option<&'static str>,
) -> Vec<AccountWithSecret> {
    let begin = |entry: &AccountEntry| match &entry.secret {
        EntrySecret::Text(_) => None,
        EntrySecret::File(file) => Some(ApiSecret::begin(file)),
    };
    let mut accounts = Vec::with_capacity(entries.len());
    let mut entries = entries.into_iter().peekable();
    while entries.peek().is_some() {
        let some: Vec<_> = entries.by_ref().take(FILES_AT_ONCE).collect();
        let files: Vec<_> = some.iter().map(begin).collect();
        for (entry, file) in some.into_iter().zip(files) {
            let secret = match (file, &entry.secret) {
                (Some(file), _) => file.wait(),
                (None, EntrySecret::Text(secret)) => {
                    let mut secret = ApiSecret::new(secret.clone(), place_of(&entry, path));
                    // One warning stands for all secrets of the file.
                    secret.warning = open_to_all.take().map(ApiSecret::in_open_file);
                    Ok(secret)
                }
                (None, EntrySecret::File(file)) => ApiSecret::begin(file).wait(),
            };
            accounts.push(AccountWithSecret { entry, secret });
        }
    }
    accounts
}

fn environment_credentials(secret_file: Option<&Path>) -> EnvironmentCredentials {
    let key = variable([KEY_VARIABLE, "VONAGE_API_KEY"]);
    let secret = || variable([SECRET_VARIABLE, "VONAGE_API_SECRET"]);
    EnvironmentCredentials {
        key: key.map(|(name, text)| ApiKey::new(text, name)),
        secret: match secret_file {
            Some(path) => Some(ApiSecret::begin(path).wait()),
            None => secret().map(|(name, text)| Ok(ApiSecret::new(text.into(), name))),
        },
    }
}

/// Returns the first of the variables that is not empty, with its name.
fn variable(names: [&'static str; 2]) -> Option<(&'static str, String)> {
    names
        .into_iter()
        .filter_map(|name| Some((name, env::var(name).ok()?)))
        .map(|(name, value)| (name, value.trim_end_matches(LINE_END).to_owned()))
        .find(|(_, value)| !value.is_empty())
}
