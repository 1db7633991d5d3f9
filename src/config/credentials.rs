//! The API key and the API secret of an account, each with the place that it comes from,
//! and the files that hold secrets.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use audit_core::raw_event::is_unprintable;
use exporter_web::{FileError, PendingFile};
use secrecy::{ExposeSecret, SecretString};

/// The greatest length of a secret's file, in bytes: a secret is one line.
const MAX_SECRET_BYTES: u64 = 4096;
/// The characters with which editors and Kubernetes end the file of a secret. They are
/// not part of the secret.
pub(super) const LINE_END: [char; 2] = ['\r', '\n'];
/// The variable of the key and that of the secret, as messages name them.
pub(super) const KEY_VARIABLE: &str = "NEXMO_API_KEY";
pub(super) const SECRET_VARIABLE: &str = "NEXMO_API_SECRET";

/// The folders of the open files of a process.
const OPEN_FILES: [&str; 2] = ["/dev/fd", "/proc/self/fd"];
/// What to do about a file that is open to all.
const CLOSE: &str = "take that away with `chmod o-rwx`";

/// The API key of an account.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// The key, which identifies the account.
    pub text: String,
    /// The place that the key comes from: a variable, or a line of the config file.
    pub origin: String,
}

/// The API secret of an account. The debug output does not show the secret.
#[derive(Debug, Clone)]
pub struct ApiSecret {
    /// The secret.
    pub text: SecretString,
    /// The place that the secret comes from: a variable, a file, or a line of the config
    /// file.
    pub origin: String,
    /// The file that is followed: it is read again when it changes and when the secret is
    /// rejected. `None` for a secret that stays the same until the next reload.
    pub file: Option<PathBuf>,
    /// What is probably not meant with the file of the secret, in words that follow its place.
    pub warning: Option<String>,
}

/// The key and the secret of an account.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The API key.
    pub key: ApiKey,
    /// The API secret.
    pub secret: ApiSecret,
}

/// The file of a secret that is being read.
pub(super) struct PendingSecret {
    path: PathBuf,
    file: PendingFile,
}

/// The reason why a text is probably not the key or the secret of an account. The message
/// follows the name of the setting, and shows no part of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialFlaw {
    /// The text is one that examples have in place of a value.
    #[error("is the placeholder of an example; put the value of the account in its place")]
    Placeholder,
    /// The text has a line end, or another character that cannot be seen.
    #[error("has a line end or another invisible character; write it in a single line")]
    Invisible,
    /// The text begins or ends with a quote.
    #[error("begins or ends with a quote, which is sent as a part of it; remove the quotes")]
    Quote,
    /// The text has a blank.
    #[error("has a blank, which is sent as a part of it; remove the blank")]
    Blank,
}

/// The reason why the file of an API secret cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretFileError {
    /// The file cannot be read.
    #[error("{} cannot be used: {problem}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason, in words of [`FileError`].
        problem: String,
    },
    /// The file holds something that is no secret.
    #[error("{} {flaw}", path.display())]
    Flawed {
        /// The file.
        path: PathBuf,
        /// What is wrong with the content.
        flaw: CredentialFlaw,
    },
    /// The file holds nothing but the end of a line.
    #[error("{} cannot be used: it is empty", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

impl ApiKey {
    pub(super) fn new(text: String, origin: impl Into<String>) -> Self {
        let origin = origin.into();
        Self { text, origin }
    }
}

impl ApiSecret {
    pub(super) fn new(text: SecretString, origin: impl Into<String>) -> Self {
        Self {
            text,
            origin: origin.into(),
            file: None,
            warning: None,
        }
    }

    /// Returns the warning of a secret in a config file that every user of the machine may
    /// read or write, as `may` says.
    pub(super) fn in_open_file(may: &str) -> String {
        format!("is in a file that every user of this machine may {may}; {CLOSE}")
    }

    /// Begins to read the file of a secret.
    pub(super) fn begin(path: &Path) -> PendingSecret {
        PendingSecret {
            path: path.to_owned(),
            file: PendingFile::begin(path, MAX_SECRET_BYTES),
        }
    }

    /// Reads the file of a secret again. May wait for the disk for seconds, but not without
    /// end.
    ///
    /// # Errors
    /// A [`SecretFileError`] if the file cannot be read, or holds no secret.
    pub(crate) fn read_again(path: &Path) -> Result<SecretString, SecretFileError> {
        Ok(Self::begin(path).wait()?.text)
    }

    /// Returns what is probably wrong with the secret.
    pub(super) fn flaw(&self) -> Option<CredentialFlaw> {
        CredentialFlaw::of(self.text.expose_secret())
    }

    /// Returns `true` if both are the same text, wherever it comes from.
    pub(crate) fn is_same_text(&self, other: &SecretString) -> bool {
        self.text.expose_secret() == other.expose_secret()
    }

    /// Returns `true` unless a change from one to the other needs a reload: a file that is
    /// followed stays the same setting, whatever it holds.
    pub(super) fn is_same_setting(&self, other: &Self) -> bool {
        match (&self.file, &other.file) {
            (Some(file), Some(other)) => file == other,
            (None, None) => self.is_same_text(&other.text),
            _ => false,
        }
    }
}

impl CredentialFlaw {
    /// Returns what is wrong with a text that is not empty.
    pub(super) fn of(text: &str) -> Option<Self> {
        const QUOTES: [char; 2] = ['"', '\''];
        const PLACEHOLDER: &str = "REPLACE-";
        if text.starts_with(PLACEHOLDER) || text.starts_with("${") || text.trim().is_empty() {
            Some(Self::Placeholder)
        } else if text.contains(is_unprintable) {
            Some(Self::Invisible)
        } else if text.trim().starts_with(QUOTES) || text.trim().ends_with(QUOTES) {
            Some(Self::Quote)
        } else if text.contains(char::is_whitespace) {
            Some(Self::Blank)
        } else {
            None
        }
    }

    /// Returns `true` if no secret has this flaw. The rules of the vendor leave open whether
    /// a secret may have quotes and blanks.
    pub(super) fn rules_out_a_secret(self) -> bool {
        matches!(self, Self::Placeholder | Self::Invisible)
    }
}

impl<T: Into<String>> From<T> for ApiKey {
    fn from(text: T) -> Self {
        Self::new(text.into(), KEY_VARIABLE)
    }
}

impl<T: Into<SecretString>> From<T> for ApiSecret {
    fn from(text: T) -> Self {
        Self::new(text.into(), SECRET_VARIABLE)
    }
}

/// Writes the places that key and secret come from.
impl fmt::Display for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, secret) = (&self.key.origin, &self.secret.origin);
        write!(
            formatter,
            "the API key ({key}) and the API secret ({secret}"
        )?;
        // A file may have changed since the start.
        if let Some(flaw) = self.secret.flaw() {
            write!(formatter, ", which {flaw}")?;
        }
        formatter.write_str(")")
    }
}

impl PendingSecret {
    /// Waits for the file.
    ///
    /// # Errors
    /// A [`SecretFileError`] if the file cannot be read, or holds no secret.
    pub(super) fn wait(self) -> Result<ApiSecret, SecretFileError> {
        let Self { path, file } = self;
        let unreadable = |error: FileError| SecretFileError::Unreadable {
            path: path.clone(),
            problem: problem(&path, &error),
        };
        let file = file.wait().map_err(unreadable)?;
        let warning = file
            .is_open_to_all()
            .map(|may| format!("is open to every user of this machine, who may {may} it; {CLOSE}"));
        let text = file.text().map_err(unreadable)?;
        let secret = text.trim_end_matches(LINE_END);
        if secret.is_empty() {
            return Err(SecretFileError::Empty { path });
        }
        match CredentialFlaw::of(secret) {
            Some(flaw) if flaw.rules_out_a_secret() => Err(SecretFileError::Flawed { path, flaw }),
            _ => Ok(ApiSecret {
                text: secret.into(),
                origin: path.display().to_string(),
                file: Some(path),
                warning,
            }),
        }
    }
}

/// Returns why the file of a secret cannot be read, and what to do. A shell gives the output
/// of a command as a pipe, whose path is one of the open files of the process.
fn problem(path: &Path, error: &FileError) -> String {
    let mut open_files = OPEN_FILES.iter();
    match error {
        FileError::NotRegular(what) if open_files.any(|folder| path.starts_with(folder)) => {
            format!(
                "it is {what}; name a regular file, or set {SECRET_VARIABLE}=\"$(command)\" in place of `<(command)`"
            )
        }
        _ => error.to_string(),
    }
}
