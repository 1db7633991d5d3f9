//! The web configuration in use: read from its file and the files that it names, and
//! again when one of them changes.
//!
//! A change that cannot be used is logged once, and the configuration before it stays
//! in use. Only a change from HTTP to HTTPS or back needs a restart.

mod error;
mod reading;

pub use error::WebConfigError;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::{ArcSwap, Guard};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use hyper::header::{HeaderName, HeaderValue};
use rustls::ServerConfig;

use crate::{
    files::FileStamps,
    passwords::{PasswordChecks, Passwords},
    settings::RateLimit,
};
use error::WebConfigProblem;

/// A web configuration file, and the configuration that was last read from it.
#[derive(Debug)]
pub struct WebConfigFile {
    /// The path of the file; `None` if there is none, so that nothing changes.
    path: Option<PathBuf>,
    checks: Arc<PasswordChecks>,
    current: ArcSwap<WebConfig>,
    last_reading: Mutex<LastReading>,
}

/// The configuration of connections and requests.
#[derive(Debug, Default)]
pub(crate) struct WebConfig {
    pub(crate) tls: Option<Arc<ServerConfig>>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) passwords: Option<Passwords>,
    pub(crate) rate_limit: Option<ActiveRateLimit>,
    /// `true` if a client without a certificate is refused.
    needs_certificate: bool,
    warnings: Vec<String>,
}

/// The means by which a client is let in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClientNeeds {
    /// `true` if the client has to speak TLS.
    pub tls: bool,
    /// `true` if the client has to show a certificate.
    pub certificate: bool,
    /// `true` if the client has to name a user and a password.
    pub password: bool,
}

/// A rate limit, and how far it is used up.
#[derive(Debug, Clone)]
pub(crate) struct ActiveRateLimit {
    limit: RateLimit,
    pub(crate) limiter: Arc<DefaultDirectRateLimiter>,
}

/// The files as they were last read.
#[derive(Debug, Default)]
struct LastReading {
    files: FileStamps,
    /// The problems with the files, until they have been logged.
    unlogged: Option<WebConfigError>,
}

impl WebConfigFile {
    /// Reads the file and the files that it names. `None` is for no file: plain HTTP
    /// without passwords.
    ///
    /// # Errors
    /// Returns all problems at once, each with its path and line.
    pub fn read(path: Option<&Path>) -> Result<Self, WebConfigError> {
        let checks = PasswordChecks::new();
        let checks = checks.map_err(|_| {
            let path = path.unwrap_or(Path::new(""));
            WebConfigError::new(path, vec![WebConfigProblem::NoRandomness])
        })?;
        let (files, config) = match path {
            Some(path) => reading::read(path, None, &checks),
            None => (FileStamps::default(), Ok(WebConfig::default())),
        };
        Ok(Self {
            path: path.map(Path::to_owned),
            checks,
            current: ArcSwap::from_pointee(config?),
            last_reading: Mutex::new(LastReading {
                files,
                unlogged: None,
            }),
        })
    }

    /// Reads all files again. A running server does so by itself when one of them
    /// changes; this is for a program that is told to reload.
    ///
    /// # Errors
    /// Returns all problems at once. The previous configuration stays in use.
    pub fn reload(&self) -> Result<(), WebConfigError> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let last_reading = self.last_reading.lock();
        let mut last_reading = last_reading.unwrap_or_else(PoisonError::into_inner);
        let (files, config) = reading::read(path, Some(&self.current.load()), &self.checks);
        *last_reading = LastReading {
            files,
            unlogged: None,
        };
        self.replace(config?);
        Ok(())
    }

    /// Returns a sentence for each setting that is weaker than it may look.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.current.load().warnings.clone()
    }

    /// Returns what a client needs now to be let in.
    #[must_use]
    pub fn client_needs(&self) -> ClientNeeds {
        let config = self.current.load();
        ClientNeeds {
            tls: config.tls.is_some(),
            certificate: config.needs_certificate,
            password: config.passwords.is_some(),
        }
    }

    pub(crate) fn has_file(&self) -> bool {
        self.path.is_some()
    }

    pub(crate) fn current(&self) -> Guard<Arc<WebConfig>> {
        self.current.load()
    }

    /// Reads all files again if one has changed. A problem is logged at the next call,
    /// if it is still there: a certificate and its key are two files, which are not
    /// replaced at the same moment.
    pub(crate) fn reload_if_changed(&self) {
        let Some(path) = &self.path else {
            return;
        };
        let last_reading = self.last_reading.lock();
        let mut last_reading = last_reading.unwrap_or_else(PoisonError::into_inner);
        if last_reading.files.are_unchanged() {
            if let Some(error) = last_reading.unlogged.take() {
                log(&error);
            }
            return;
        }
        let (files, config) = reading::read(path, Some(&self.current.load()), &self.checks);
        let unlogged = config.map(|config| self.replace(config)).err();
        if unlogged.is_none() {
            tracing::info!("the web configuration has changed and was read again");
        }
        *last_reading = LastReading { files, unlogged };
    }

    fn replace(&self, config: WebConfig) {
        for warning in &config.warnings {
            tracing::warn!("{warning}");
        }
        self.current.store(Arc::new(config));
    }
}

fn log(error: &WebConfigError) {
    for problem in error.problems() {
        tracing::error!(
            problem,
            "the web configuration has changed and cannot be used; the previous one stays in use"
        );
    }
}

impl ActiveRateLimit {
    fn new(limit: RateLimit) -> Option<Self> {
        let quota = Quota::with_period(limit.interval)?.allow_burst(limit.burst);
        Some(Self {
            limit,
            limiter: Arc::new(RateLimiter::direct(quota)),
        })
    }
}
