//! Everything that is found beside the flags. The API key and the API secret of an account come from
//! the environment or from a file, and never from a flag.

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
};

use secrecy::SecretString;

use super::{AccountEntry, ConfigFile, EntrySecret, FileSetting};

/// The greatest length of a secret's file, in bytes: a secret is one line.
const MAX_SECRET_BYTES: u64 = 4096;
/// The file in which Linux gives the name of this machine, or of the container.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";
/// The characters with which editors and Kubernetes end the file of a secret. They are
/// not part of the secret.
const LINE_END: [char; 2] = ['\r', '\n'];

/// Everything that is found beside the flags: in the environment, in files, on this machine.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// The credentials of the one account of the environment.
    pub credentials: EnvironmentCredentials,
    /// The accounts of the config file, if it has any.
    pub accounts: Option<Vec<AccountWithSecret>>,
    /// The settings that come from the config file.
    pub origins: SettingOrigins,
    /// The name of this machine.
    pub host_name: Option<String>,
}

/// The API key and the API secret of the environment's account, if they are set.
#[derive(Debug, Clone, Default)]
pub struct EnvironmentCredentials {
    /// The value of `NEXMO_API_KEY` or `VONAGE_API_KEY`.
    pub key: Option<String>,
    /// The text of the file of `--api.secret-file`, or the value of `NEXMO_API_SECRET` or
    /// `VONAGE_API_SECRET`.
    pub secret: Option<Result<SecretString, SecretFileError>>,
}

/// An account of the config file, with its secret.
#[derive(Debug, Clone)]
pub struct AccountWithSecret {
    /// The account as the config file has it.
    pub entry: AccountEntry,
    /// The secret, from the config file or from a file of its own.
    pub secret: Result<SecretString, SecretFileError>,
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

/// The reason why the file of an API secret cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretFileError {
    /// The file cannot be read.
    #[error("{} cannot be used: {problem}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        problem: String,
    },
    /// The file is longer than any secret.
    #[error("{} cannot be used: it is longer than {MAX_SECRET_BYTES} bytes", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// The file holds nothing but the end of a line.
    #[error("{} cannot be used: it is empty", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

impl Environment {
    /// Reads the environment and the files of secrets. `file` is the config file; without
    /// one it is empty.
    pub(crate) fn read(file: ConfigFile, secret_file: Option<&Path>) -> Self {
        let accounts: Option<Vec<_>> = file
            .accounts
            .map(|entries| entries.into_iter().map(with_secret).collect());
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

fn with_secret(entry: AccountEntry) -> AccountWithSecret {
    let secret = match &entry.secret {
        EntrySecret::Text(secret) => Ok(secret.clone()),
        EntrySecret::File(path) => file_secret(path),
    };
    AccountWithSecret { entry, secret }
}

fn environment_credentials(secret_file: Option<&Path>) -> EnvironmentCredentials {
    let secret = secret_file.map(file_secret);
    EnvironmentCredentials {
        key: variable(["NEXMO_API_KEY", "VONAGE_API_KEY"]),
        secret: secret.or_else(|| {
            variable(["NEXMO_API_SECRET", "VONAGE_API_SECRET"]).map(|text| Ok(text.into()))
        }),
    }
}

/// Returns the first of the variables that is not empty.
fn variable(names: [&str; 2]) -> Option<String> {
    names
        .into_iter()
        .filter_map(|name| env::var(name).ok())
        .map(|value| value.trim_end_matches(LINE_END).to_owned())
        .find(|value| !value.is_empty())
}

fn file_secret(path: &Path) -> Result<SecretString, SecretFileError> {
    let unreadable = |error: io::Error| SecretFileError::Unreadable {
        path: path.to_owned(),
        problem: error.to_string(),
    };
    let size = fs::metadata(path).map_err(unreadable)?.len();
    if size > MAX_SECRET_BYTES {
        let path = path.to_owned();
        return Err(SecretFileError::TooLong { path });
    }
    let text = fs::read_to_string(path).map_err(unreadable)?;
    let secret = text.trim_end_matches(LINE_END);
    if secret.is_empty() {
        let path = path.to_owned();
        return Err(SecretFileError::Empty { path });
    }
    Ok(secret.into())
}
