//! The files of the certificate authorities that are trusted, where variables name them.
//!
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` take the place of the system's certificates, as in
//! OpenSSL. The TLS library reads them by itself and passes over what it cannot read, so that
//! an unreadable file would show as a server that is not trusted.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use exporter_web::{FileError, read_file, within_time_limit};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

use super::{AccountSettings, SettingsCheck};

const FILE_VARIABLE: &str = "SSL_CERT_FILE";
const FOLDERS_VARIABLE: &str = "SSL_CERT_DIR";
/// The largest file that is read, in bytes: a system's certificates are a quarter of a
/// mebibyte.
const MAX_BYTES: u64 = 16 << 20;

/// The places of certificates that variables name.
#[derive(Debug, Clone, Default)]
pub struct CertificateVariables {
    /// The value of `SSL_CERT_FILE`.
    file: Option<PathBuf>,
    /// The folders of `SSL_CERT_DIR`, without empty ones.
    folders: Vec<PathBuf>,
}

/// The reason why no certificate comes from a file.
#[derive(Debug, thiserror::Error)]
enum CertificateFileError {
    #[error("is empty; remove the variable, or let it name a file with certificates in PEM")]
    NoPath,
    #[error("{} cannot be used: {problem}", path.display())]
    Unreadable { path: PathBuf, problem: FileError },
    #[error(
        "{} cannot be used: it has no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----",
        path.display()
    )]
    NoCertificate { path: PathBuf },
}

impl CertificateVariables {
    /// Reads the variables of the environment.
    pub(super) fn read() -> Self {
        let folders = env::var_os(FOLDERS_VARIABLE).unwrap_or_default();
        let folders = env::split_paths(&folders);
        Self {
            file: env::var_os(FILE_VARIABLE).map(PathBuf::from),
            folders: folders
                .filter(|path| !path.as_os_str().is_empty())
                .collect(),
        }
    }
}

impl SettingsCheck {
    /// Checks that certificates can be read from the places that variables name. Where no
    /// request is sent by `https`, no certificate is needed.
    pub(super) fn certificates(
        &mut self,
        variables: &CertificateVariables,
        accounts: &[AccountSettings],
    ) {
        let needs = |account: &AccountSettings| account.base_url.scheme() == "https";
        if !accounts.iter().any(needs) {
            return;
        }
        if let Some(file) = &variables.file {
            self.ok(FILE_VARIABLE, check_file(file));
        }
        let mut found = variables.file.is_some();
        let mut problems = Vec::new();
        for folder in &variables.folders {
            match check_folder(folder) {
                Ok(()) => found = true,
                Err(problem) => problems.push(problem),
            }
        }
        // OpenSSL passes over a folder as long as there are certificates elsewhere.
        for problem in problems {
            if found {
                self.warnings.push(format!("{FOLDERS_VARIABLE} {problem}"));
            } else {
                self.report(FOLDERS_VARIABLE, problem);
            }
        }
    }
}

fn check_file(path: &Path) -> Result<(), CertificateFileError> {
    if path.as_os_str().is_empty() {
        return Err(CertificateFileError::NoPath);
    }
    let path = || path.to_owned();
    match has_certificate(&path()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(CertificateFileError::NoCertificate { path: path() }),
        Err(problem) => Err(CertificateFileError::Unreadable {
            path: path(),
            problem,
        }),
    }
}

/// Returns an error if the folder cannot be read, or if no file in it has a certificate.
fn check_folder(folder: &Path) -> Result<(), CertificateFileError> {
    let path = || folder.to_owned();
    let unreadable = |problem| CertificateFileError::Unreadable {
        path: path(),
        problem,
    };
    let files = files_in(folder).map_err(unreadable)?;
    if files
        .iter()
        .any(|file| has_certificate(file).unwrap_or(false))
    {
        Ok(())
    } else {
        Err(CertificateFileError::NoCertificate { path: path() })
    }
}

fn files_in(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let listed = within_time_limit(folder, |folder| -> io::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(folder)?;
        Ok(entries.flatten().map(|entry| entry.path()).collect())
    });
    Ok(listed???)
}

/// Returns `true` if the file has a certificate that the TLS library can use.
fn has_certificate(path: &Path) -> Result<bool, FileError> {
    let text = read_file(path, MAX_BYTES)?.bytes;
    let mut usable = RootCertStore::empty();
    // A certificate that cannot be used may stand before one that can.
    for certificate in CertificateDer::pem_slice_iter(&text).flatten() {
        let _ = usable.add(certificate);
    }
    Ok(!usable.is_empty())
}
