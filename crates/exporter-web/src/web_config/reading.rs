//! Reads a web configuration file and the files that it names.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use hyper::header::{HeaderName, HeaderValue};
use rustls::ServerConfig;
use secrecy::ExposeSecret;

use super::{ActiveRateLimit, WebConfig, WebConfigError, error::WebConfigProblem};
use crate::{
    files::{FileStamps, ReadFile, read_file},
    passwords::{PasswordChecks, Passwords},
    settings::{ClientCertificates, Pem, TlsSettings, WebSettings},
    tls::{self, PemTexts},
};

/// The largest file that is read. Settings and certificates are kilobytes.
const MAX_BYTES: u64 = 1 << 20;
/// The option that names the file of the private key.
const KEY_FILE: &str = "key_file";
/// The highest number of further readings if files change while they are read.
const MAX_READINGS: usize = 3;

/// The paths of all files, and the configuration that they contain.
struct ReadOutcome {
    paths: Vec<PathBuf>,
    config: Result<WebConfig, Vec<WebConfigProblem>>,
}

/// Reads all files. Returns their stamps also if something is wrong with them.
pub(super) fn read(
    path: &Path,
    before: Option<&WebConfig>,
    checks: &Arc<PasswordChecks>,
) -> (FileStamps, Result<WebConfig, WebConfigError>) {
    let mut files = FileStamps::of(vec![path.to_owned()]);
    let mut outcome = read_once(path, before, checks);
    for _ in 0..MAX_READINGS {
        let read = FileStamps::of(outcome.paths.clone());
        // The stamps are those from before the reading: a file that changes during it
        // counts as changed.
        if files == read {
            break;
        }
        files = read;
        outcome = read_once(path, before, checks);
    }
    let config = outcome.config;
    let config = config.map_err(|problems| WebConfigError::new(path, problems));
    (files, config)
}

fn read_once(path: &Path, before: Option<&WebConfig>, checks: &Arc<PasswordChecks>) -> ReadOutcome {
    let mut paths = vec![path.to_owned()];
    let config = settings(path).and_then(|settings| {
        let mut warnings = settings.warnings().into_iter().map(str::to_owned).collect();
        let tls = settings.tls.as_ref();
        let tls = tls.map(|tls| server_config(tls, &mut paths, &mut warnings));
        let tls = tls.transpose()?;
        let config = config(&settings, tls, before, checks);
        let config = config.map_err(|problem| vec![problem])?;
        Ok(WebConfig { warnings, ..config })
    });
    ReadOutcome { paths, config }
}

fn settings(path: &Path) -> Result<WebSettings, Vec<WebConfigProblem>> {
    let text = read_file(path, MAX_BYTES).and_then(ReadFile::text);
    let text = text.map_err(|problem| vec![problem.into()])?;
    let folder = path.parent().unwrap_or(Path::new(""));
    WebSettings::parse(&text, folder)
        .map_err(|problems| problems.into_iter().map(Into::into).collect())
}

fn server_config(
    settings: &TlsSettings,
    paths: &mut Vec<PathBuf>,
    warnings: &mut Vec<String>,
) -> Result<Arc<ServerConfig>, Vec<WebConfigProblem>> {
    let mut problems = Vec::new();
    let mut read = |setting, pem: &Pem| match pem {
        Pem::Inline(text) => text.expose_secret().as_bytes().to_vec(),
        Pem::File(path) => {
            paths.push(path.clone());
            read_file(path, MAX_BYTES).map_or_else(
                |problem| {
                    let path = path.clone();
                    problems.push(WebConfigProblem::NamedFile {
                        setting,
                        path,
                        problem,
                    });
                    Vec::new()
                },
                |file| {
                    let may = file.is_open_to_all().filter(|_| setting == KEY_FILE);
                    warnings.extend(may.map(|may| open_key(path, may)));
                    file.bytes
                },
            )
        }
    };
    let certificate = read("cert_file", &settings.certificate);
    let key = read(KEY_FILE, &settings.key);
    let authority = match &settings.clients {
        ClientCertificates::Verified { authority, .. } => read("client_ca_file", authority),
        _ => Vec::new(),
    };
    if !problems.is_empty() {
        return Err(problems);
    }
    let texts = PemTexts {
        certificate,
        key,
        authority,
    };
    tls::server_config(settings, &texts).map_err(|problem| vec![problem.into()])
}

fn open_key(path: &Path, may: &str) -> String {
    let path = path.display();
    format!(
        "{KEY_FILE} {path} is open to every user of this machine, who may {may} it; take that away with `chmod o-rwx`"
    )
}

fn config(
    settings: &WebSettings,
    tls: Option<Arc<ServerConfig>>,
    before: Option<&WebConfig>,
    checks: &Arc<PasswordChecks>,
) -> Result<WebConfig, WebConfigProblem> {
    if before.is_some_and(|before| before.tls.is_some() != tls.is_some()) {
        return Err(WebConfigProblem::TlsSwitched);
    }
    let rate_limit = settings.rate_limit.and_then(|limit| {
        let same = before.and_then(|before| before.rate_limit.clone());
        same.filter(|active| active.limit == limit)
            .or_else(|| ActiveRateLimit::new(limit))
    });
    let headers = settings.headers.iter();
    let headers = headers.map(|(name, value)| header(name, value));
    let known = before.and_then(|before| before.passwords.as_ref());
    Ok(WebConfig {
        tls,
        headers: headers.collect::<Result<_, _>>()?,
        passwords: Passwords::new(&settings.users, known, checks),
        rate_limit,
        needs_certificate: settings.tls.as_ref().is_some_and(needs_certificate),
        warnings: Vec::new(),
    })
}

fn needs_certificate(tls: &TlsSettings) -> bool {
    match tls.clients {
        ClientCertificates::None => false,
        ClientCertificates::Any { .. } => true,
        ClientCertificates::Verified { required, .. } => required,
    }
}

fn header(name: &'static str, value: &str) -> Result<(HeaderName, HeaderValue), WebConfigProblem> {
    let value = HeaderValue::from_str(value);
    match (HeaderName::try_from(name), value) {
        (Ok(name), Ok(value)) => Ok((name, value)),
        _ => Err(WebConfigProblem::Header(name)),
    }
}
