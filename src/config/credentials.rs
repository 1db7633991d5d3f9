//! Finds the key and the secret of each account: from the environment or a file,
//! never from a flag.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use secrecy::SecretString;

use super::{
    AccountEntry, AccountWithSecret, ConfigFile, EntrySecret, Environment, EnvironmentCredentials,
    SettingOrigins,
};

/// A secret is a line; a file much longer than one is something else.
const MAX_SECRET_BYTES: u64 = 4096;
/// Where Linux says what this machine is called; in a container, the container.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";
/// Editors, and secrets of Kubernetes, end with what is no part of the secret.
const LINE_END: [char; 2] = ['\r', '\n'];

/// Why the file of an API secret cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretFileError {
    /// The file cannot be read.
    #[error("{} cannot be used: {problem}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
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
    /// Reads what is found beside the flags. `file` is the config file, and empty where
    /// there is none.
    pub(crate) fn of(file: ConfigFile, secret_file: Option<&Path>) -> Self {
        let accounts = file.accounts;
        let accounts: Option<Vec<_>> =
            accounts.map(|entries| entries.into_iter().map(with_secret).collect());
        Self {
            // With accounts of its own, a config file is not about the environment's.
            credentials: match accounts {
                Some(_) => EnvironmentCredentials::default(),
                None => of_environment(secret_file),
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

fn with_secret(entry: AccountEntry) -> AccountWithSecret {
    let secret = match &entry.secret {
        EntrySecret::Text(secret) => Ok(secret.clone()),
        EntrySecret::File(path) => from_file(path),
    };
    AccountWithSecret { entry, secret }
}

fn of_environment(secret_file: Option<&Path>) -> EnvironmentCredentials {
    let secret = secret_file.map(from_file);
    EnvironmentCredentials {
        key: variable(["NEXMO_API_KEY", "VONAGE_API_KEY"]),
        secret: secret.or_else(|| {
            variable(["NEXMO_API_SECRET", "VONAGE_API_SECRET"]).map(|text| Ok(text.into()))
        }),
    }
}

fn variable(names: [&str; 2]) -> Option<String> {
    names
        .into_iter()
        .filter_map(|name| env::var(name).ok())
        .map(|value| value.trim_end_matches(LINE_END).to_owned())
        .find(|value| !value.is_empty())
}

fn from_file(path: &Path) -> Result<SecretString, SecretFileError> {
    let path = || path.to_owned();
    let unreadable = |error: io::Error| SecretFileError::Unreadable {
        path: path(),
        problem: error.to_string(),
    };
    let size = fs::metadata(path()).map_err(unreadable)?.len();
    if size > MAX_SECRET_BYTES {
        return Err(SecretFileError::TooLong { path: path() });
    }
    let text = fs::read_to_string(path()).map_err(unreadable)?;
    let secret = text.trim_end_matches(LINE_END);
    if secret.is_empty() {
        return Err(SecretFileError::Empty { path: path() });
    }
    Ok(secret.into())
}
