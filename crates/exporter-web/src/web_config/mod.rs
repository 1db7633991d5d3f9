//! The web configuration in force: read from its file and the files that it names,
//! and again when one of them changes.
//!
//! A file that is broken changes nothing: what was good goes on, and the log says so
//! once. The switch between HTTP and HTTPS alone wants a restart.

mod error;
mod reading;
mod stamps;

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
    passwords::{PasswordQueue, Passwords},
    settings::RateLimit,
};
use error::WebConfigProblem;
use stamps::FileStamps;

/// A web configuration file, and what it says. It may be read again at any time.
#[derive(Debug)]
pub struct WebConfigFile {
    /// `None` where there is no file, and nothing changes.
    path: Option<PathBuf>,
    queue: Arc<PasswordQueue>,
    current: ArcSwap<WebConfig>,
    last_reading: Mutex<LastReading>,
}

/// What connections and requests are held to.
#[derive(Debug, Default)]
pub(crate) struct WebConfig {
    pub(crate) tls: Option<Arc<ServerConfig>>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) passwords: Option<Passwords>,
    pub(crate) rate_limit: Option<ActiveRateLimit>,
    warnings: Vec<&'static str>,
}

/// A rate limit as far as it has been used.
#[derive(Debug, Clone)]
pub(crate) struct ActiveRateLimit {
    limit: RateLimit,
    pub(crate) limiter: Arc<DefaultDirectRateLimiter>,
}

/// The files as they were when they were last read.
#[derive(Debug, Default)]
struct LastReading {
    files: FileStamps,
    /// What was wrong with them, until the log has said it.
    unsaid: Option<WebConfigError>,
}

impl WebConfigFile {
    /// Reads the file and all that it names. Without one it is plain HTTP, for
    /// everybody.
    ///
    /// # Errors
    /// All problems together, each with the flag, the path and the line.
    pub fn read(path: Option<&Path>) -> Result<Self, WebConfigError> {
        let queue = PasswordQueue::new();
        let queue = queue.map_err(|_| {
            let path = path.unwrap_or(Path::new(""));
            WebConfigError::new(path, vec![WebConfigProblem::NoRandomness])
        })?;
        let (files, config) = match path {
            Some(path) => reading::read(path, None, &queue),
            None => (FileStamps::default(), Ok(WebConfig::default())),
        };
        Ok(Self {
            path: path.map(Path::to_owned),
            queue,
            current: ArcSwap::from_pointee(config?),
            last_reading: Mutex::new(LastReading {
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
        let last_reading = self.last_reading.lock();
        let mut last_reading = last_reading.unwrap_or_else(PoisonError::into_inner);
        let (files, config) = reading::read(path, Some(&self.current.load()), &self.queue);
        *last_reading = LastReading {
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
    pub(crate) fn is_given(&self) -> bool {
        self.path.is_some()
    }

    pub(crate) fn current(&self) -> Guard<Arc<WebConfig>> {
        self.current.load()
    }

    /// Reads everything again if a file has changed. What is wrong is said at the next
    /// look, if it has not been put right by then: a certificate and its key are two
    /// files, and are not replaced at once.
    pub(crate) fn look(&self) {
        let Some(path) = &self.path else {
            return;
        };
        let last_reading = self.last_reading.lock();
        let mut last_reading = last_reading.unwrap_or_else(PoisonError::into_inner);
        if last_reading.files.are_unchanged() {
            if let Some(problems) = last_reading.unsaid.take() {
                tracing::error!(%problems, "the web configuration has changed and cannot be used; what was read before goes on");
            }
            return;
        }
        let (files, config) = reading::read(path, Some(&self.current.load()), &self.queue);
        let unsaid = config.map(|config| self.put_in_force(config)).err();
        if unsaid.is_none() {
            tracing::info!("the web configuration has changed and was read again");
        }
        *last_reading = LastReading { files, unsaid };
    }

    fn put_in_force(&self, config: WebConfig) {
        for warning in &config.warnings {
            tracing::warn!("{warning}");
        }
        self.current.store(Arc::new(config));
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
