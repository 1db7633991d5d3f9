//! Finds the key and the secret of each account: from the environment or a file,
//! never from a flag.

use std::{env, fs, path::Path};

use secrecy::SecretString;

use crate::config::{AccountEntry, EntrySecret, Found, FoundAccount, FoundCredentials, Origins};

/// A secret is a line; a file much longer than one is something else.
const MAX_SECRET_BYTES: u64 = 4096;
/// Where Linux says what this machine is called; in a container, the container.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";
/// Editors, and secrets of Kubernetes, end with what is no part of the secret.
const LINE_END: [char; 2] = ['\r', '\n'];

/// Everything that is to be found beside the flags. `accounts` and `origins` are
/// what the config file says, if there is one.
#[must_use]
pub fn find(
    accounts: Option<Vec<AccountEntry>>,
    origins: Origins,
    secret_file: Option<&Path>,
) -> Found {
    let accounts: Option<Vec<_>> =
        accounts.map(|entries| entries.into_iter().map(found_account).collect());
    Found {
        // With accounts of its own, a config file is not about the environment's.
        credentials: match accounts {
            Some(_) => FoundCredentials::default(),
            None => of_environment(secret_file),
        },
        accounts,
        origins,
        host_name: fs::read_to_string(HOST_NAME)
            .ok()
            .map(|name| name.trim().to_owned()),
    }
}

fn found_account(entry: AccountEntry) -> FoundAccount {
    let secret = match &entry.secret {
        EntrySecret::Text(secret) => Ok(secret.clone()),
        EntrySecret::File(path) => from_file(path),
    };
    FoundAccount { entry, secret }
}

fn of_environment(secret_file: Option<&Path>) -> FoundCredentials {
    let secret = secret_file.map(from_file);
    FoundCredentials {
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

fn from_file(path: &Path) -> Result<SecretString, String> {
    let unreadable = |problem: String| format!("{} cannot be used: {problem}", path.display());
    let size = fs::metadata(path)
        .map_err(|error| unreadable(error.to_string()))?
        .len();
    if size > MAX_SECRET_BYTES {
        return Err(unreadable(format!(
            "it is longer than {MAX_SECRET_BYTES} bytes"
        )));
    }
    let text = fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    let secret = text.trim_end_matches(LINE_END);
    if secret.is_empty() {
        return Err(unreadable("it is empty".into()));
    }
    Ok(secret.into())
}
