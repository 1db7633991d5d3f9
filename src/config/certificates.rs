//! The files of the certificate authorities that are trusted, where variables name them.
//!
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` take the place of the system's certificates, as in
//! OpenSSL. The TLS library reads them by itself and passes over what it cannot read, so that
//! an unreadable file would show as a server that is not trusted.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use rustls::{
    RootCertStore,
    pki_types::{
        CertificateDer,
        pem::{self, PemObject},
    },
};

use super::{AccountSettings, SettingsCheck};

const FILE_VARIABLE: &str = "SSL_CERT_FILE";
const FOLDERS_VARIABLE: &str = "SSL_CERT_DIR";

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
    Unreadable { path: PathBuf, problem: io::Error },
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
    let entries = fs::read_dir(folder).map_err(|problem| CertificateFileError::Unreadable {
        path: path(),
        problem,
    })?;
    let mut files = entries.flatten().map(|entry| entry.path());
    if files.any(|file| file.is_file() && has_certificate(&file).unwrap_or(false)) {
        Ok(())
    } else {
        Err(CertificateFileError::NoCertificate { path: path() })
    }
}

/// Returns `true` if the file has a certificate that the TLS library can use.
fn has_certificate(path: &Path) -> io::Result<bool> {
    let certificates = match CertificateDer::pem_file_iter(path) {
        Err(pem::Error::Io(error)) => return Err(error),
        Err(_) => return Ok(false),
        Ok(certificates) => certificates,
    };
    let mut usable = RootCertStore::empty();
    for certificate in certificates {
        match certificate {
            Ok(certificate) => {
                // A certificate that cannot be used may stand before one that can.
                let _ = usable.add(certificate);
            }
            Err(pem::Error::Io(error)) => return Err(error),
            Err(_) => {}
        }
    }
    Ok(!usable.is_empty())
}
