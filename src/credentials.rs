//! Finds the key and the secret of the account: from the environment or a file,
//! never from a flag.

use std::{env, fs, path::Path};

use secrecy::SecretString;

use crate::config::FoundCredentials;

/// A secret is a line; a file much longer than one is something else.
const MAX_SECRET_BYTES: u64 = 4096;
/// Editors, and secrets of Kubernetes, end with what is no part of the secret.
const LINE_END: [char; 2] = ['\r', '\n'];

/// Looks where the documentation says that credentials are.
#[must_use]
pub fn find(secret_file: Option<&Path>) -> FoundCredentials {
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
