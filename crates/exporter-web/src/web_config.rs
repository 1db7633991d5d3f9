//! The web configuration in force: read from its file and the files that it names,
//! and again when one of them changes.
//!
//! A file that is broken changes nothing: what was good goes on, and the log says so
//! once. The switch between HTTP and HTTPS alone wants a restart.

use std::{
    fmt, fs,
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::{ArcSwap, Guard};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use hyper::header::{HeaderName, HeaderValue};
use rustls::ServerConfig;
use secrecy::ExposeSecret;

use crate::{
    passwords::{Checks, Passwords},
    settings::{ClientCertificates, Pem, RateLimit, TlsSettings, WebSettings},
    tls::{self, PemTexts},
};

/// Settings and certificates are kilobytes.
const LARGEST: u64 = 1 << 20;
/// Of files that change while they are read.
const MOST_READINGS: usize = 3;

/// A web configuration file, and what it says. It may be read again at any time.
#[derive(Debug)]
pub struct WebConfigFile {
    /// `None` where there is no file, and nothing changes.
    path: Option<PathBuf>,
    checks: Arc<Checks>,
    current: ArcSwap<WebConfig>,
    seen: Mutex<Seen>,
}

/// What connections and requests are held to.
#[derive(Debug, Default)]
pub(super) struct WebConfig {
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) passwords: Option<Passwords>,
    pub(super) rate: Option<Rate>,
    warnings: Vec<&'static str>,
}

/// A rate limit as far as it has been used.
#[derive(Debug, Clone)]
pub(super) struct Rate {
    limit: RateLimit,
    pub(super) limiter: Arc<DefaultDirectRateLimiter>,
}

/// The files as they were when they were last read.
#[derive(Debug, Default)]
struct Seen {
    files: Files,
    /// What was wrong with them, until the log has said it.
    unsaid: Option<WebConfigError>,
}

/// Files, and what tells one content from the next.
#[derive(Debug, Default, PartialEq, Eq)]
struct Files(Vec<(PathBuf, Option<Stamp>)>);

/// Device, inode, length, and the times of the last change to content and inode.
type Stamp = (u64, u64, u64, (i64, i64), (i64, i64));

/// Everything that is wrong with a web configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebConfigError(Vec<String>);

impl WebConfigError {
    /// The problems, each with the flag, the path and the line.
    #[must_use]
    pub fn into_problems(self) -> Vec<String> {
        self.0
    }
}

impl fmt::Display for WebConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the configuration cannot be used:")?;
        self.0
            .iter()
            .try_for_each(|problem| write!(formatter, "\n  {problem}"))
    }
}

impl std::error::Error for WebConfigError {}

impl WebConfigFile {
    /// Reads the file and all that it names. Without one it is plain HTTP, for
    /// everybody.
    ///
    /// # Errors
    /// All problems together, each with the flag, the path and the line.
    pub fn read(path: Option<&Path>) -> Result<Self, WebConfigError> {
        let checks = Checks::new()
            .map_err(|_| WebConfigError(vec!["the system has no randomness".to_owned()]))?;
        let (files, config) = match path {
            Some(path) => read(path, None, &checks),
            None => (Files::default(), Ok(WebConfig::default())),
        };
        Ok(Self {
            path: path.map(Path::to_owned),
            checks,
            current: ArcSwap::from_pointee(config?),
            seen: Mutex::new(Seen {
                files,
                unsaid: None,
            }),
        })
    }

    /// Reads everything again, now. Where it is wrong, what was good goes on.
    ///
    /// # Errors
    /// All problems together, as from [`Self::read`].
    pub fn reload(&self) -> Result<(), WebConfigError> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (files, config) = read(path, Some(&self.current.load()), &self.checks);
        *seen = Seen {
            files,
            unsaid: None,
        };
        self.put_in_force(config?);
        Ok(())
    }

    /// What is taken as it is written, and weaker than it may look.
    #[must_use]
    pub fn warnings(&self) -> Vec<&'static str> {
        self.current.load().warnings.clone()
    }

    /// Whether there is a file to follow.
    pub(super) fn is_given(&self) -> bool {
        self.path.is_some()
    }

    pub(super) fn current(&self) -> Guard<Arc<WebConfig>> {
        self.current.load()
    }

    /// Reads everything again if a file has changed. What is wrong is said at the next
    /// look, if it has not been put right by then: a certificate and its key are two
    /// files, and are not replaced at once.
    pub(super) fn look(&self) {
        let Some(path) = &self.path else {
            return;
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.files.are_unchanged() {
            if let Some(problems) = seen.unsaid.take() {
                tracing::error!(%problems, "the web configuration has changed and cannot be used; what was read before goes on");
            }
            return;
        }
        let (files, config) = read(path, Some(&self.current.load()), &self.checks);
        let unsaid = config.map(|config| self.put_in_force(config)).err();
        if unsaid.is_none() {
            tracing::info!("the web configuration has changed and was read again");
        }
        *seen = Seen { files, unsaid };
    }

    fn put_in_force(&self, config: WebConfig) {
        for warning in &config.warnings {
            tracing::warn!("{warning}");
        }
        self.current.store(Arc::new(config));
    }
}

impl Rate {
    fn new(limit: RateLimit) -> Option<Self> {
        let quota = Quota::with_period(limit.interval)?.allow_burst(limit.burst);
        Some(Self {
            limit,
            limiter: Arc::new(RateLimiter::direct(quota)),
        })
    }
}

impl Files {
    fn of(paths: Vec<PathBuf>) -> Self {
        let stamped = paths.into_iter().map(|path| {
            let stamp = stamp(&path);
            (path, stamp)
        });
        Self(stamped.collect())
    }

    fn are_unchanged(&self) -> bool {
        self.0.iter().all(|(path, seen)| stamp(path) == *seen)
    }
}

/// `None` for a file that cannot be reached.
fn stamp(path: &Path) -> Option<Stamp> {
    let file = fs::metadata(path).ok()?;
    Some((
        file.dev(),
        file.ino(),
        file.size(),
        (file.mtime(), file.mtime_nsec()),
        (file.ctime(), file.ctime_nsec()),
    ))
}

/// What the file says, and the files that it depends on, whether it is wrong or not.
fn read(
    path: &Path,
    before: Option<&WebConfig>,
    checks: &Arc<Checks>,
) -> (Files, Result<WebConfig, WebConfigError>) {
    let mut files = Files::of(vec![path.to_owned()]);
    let mut reading = read_once(path, before, checks);
    for _ in 0..MOST_READINGS {
        let read = Files::of(reading.paths.clone());
        // Files are looked at before they are read, or one that changes in between
        // would be taken for the old one.
        if files == read {
            break;
        }
        files = read;
        reading = read_once(path, before, checks);
    }
    let told = |problem| format!("--web.config.file {}: {problem}", path.display());
    let told = |problems: Vec<String>| WebConfigError(problems.into_iter().map(told).collect());
    (files, reading.config.map_err(told))
}

struct Reading {
    paths: Vec<PathBuf>,
    config: Result<WebConfig, Vec<String>>,
}

fn read_once(path: &Path, before: Option<&WebConfig>, checks: &Arc<Checks>) -> Reading {
    let mut paths = vec![path.to_owned()];
    let config = settings(path).and_then(|settings| {
        let tls = settings.tls.as_ref();
        let tls = tls.map(|tls| server_config(tls, &mut paths)).transpose()?;
        config(&settings, tls, before, checks).map_err(|problem| vec![problem])
    });
    Reading { paths, config }
}

fn settings(path: &Path) -> Result<WebSettings, Vec<String>> {
    let text = read_bytes(path)
        .and_then(|bytes| String::from_utf8(bytes).map_err(|_| "is no text in UTF-8".to_owned()));
    let text = text.map_err(|problem| vec![problem])?;
    let folder = path.parent().unwrap_or(Path::new(""));
    WebSettings::parse(&text, folder)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

fn server_config(
    settings: &TlsSettings,
    paths: &mut Vec<PathBuf>,
) -> Result<Arc<ServerConfig>, Vec<String>> {
    let mut problems = Vec::new();
    let mut read = |setting: &str, pem: &Pem| match pem {
        Pem::Inline(text) => text.expose_secret().as_bytes().to_vec(),
        Pem::File(path) => {
            paths.push(path.clone());
            read_bytes(path).unwrap_or_else(|problem| {
                problems.push(format!("{setting} {} {problem}", path.display()));
                Vec::new()
            })
        }
    };
    let certificate = read("cert_file", &settings.certificate);
    let key = read("key_file", &settings.key);
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
    tls::server_config(settings, &texts).map_err(|problem| vec![problem])
}

fn config(
    settings: &WebSettings,
    tls: Option<Arc<ServerConfig>>,
    before: Option<&WebConfig>,
    checks: &Arc<Checks>,
) -> Result<WebConfig, String> {
    if before.is_some_and(|before| before.tls.is_some() != tls.is_some()) {
        return Err("tls_server_config has come or gone; restart the exporter for that".to_owned());
    }
    let rate = settings.rate_limit.and_then(|limit| {
        let same = before.and_then(|before| before.rate.clone());
        same.filter(|rate| rate.limit == limit)
            .or_else(|| Rate::new(limit))
    });
    let headers = settings.headers.iter().map(|(name, value)| {
        let header = (
            HeaderName::try_from(*name).ok(),
            HeaderValue::from_str(value).ok(),
        );
        let (Some(name), Some(value)) = header else {
            return Err(format!("{name} cannot be sent as a header"));
        };
        Ok((name, value))
    });
    let known = before.and_then(|before| before.passwords.as_ref());
    Ok(WebConfig {
        tls,
        headers: headers.collect::<Result<_, _>>()?,
        passwords: Passwords::new(&settings.users, known, checks),
        rate,
        warnings: settings.warnings(),
    })
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, String> {
    let read = || {
        let file = fs::File::open(path)?;
        let mut bytes = Vec::new();
        // One more, to see that there is more.
        file.take(LARGEST + 1).read_to_end(&mut bytes)?;
        io::Result::Ok(bytes)
    };
    match read() {
        Ok(bytes) if bytes.len() as u64 > LARGEST => Err("is larger than 1 MiB".to_owned()),
        Ok(bytes) => Ok(bytes),
        Err(error) => Err(format!("cannot be read: {error}")),
    }
}
