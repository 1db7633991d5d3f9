//! The credentials that requests are sent with. The file of a secret is followed: it is
//! read again when it changes, and when the API rejects the secret.
//!
//! The secret that an audit event says was deleted is often the exporter's own. Its new
//! secret may come to the file before or after that moment, in place or by the change of a
//! link, and a file that is being written may be empty or incomplete.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use exporter_web::FileStamps;
use secrecy::SecretString;
use tokio::time::{Instant, sleep, timeout};
use tracing::Span;

use crate::config::{ApiSecret, Credentials, SecretFileError};

/// The time from one look at the file to the next, at least.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// The longest wait for the file, whose file system may hang.
const LONGEST_READING: Duration = Duration::from_secs(5);

/// The credentials that requests are sent with.
#[derive(Debug)]
pub(super) struct CurrentCredentials {
    current: ArcSwap<Credentials>,
    /// The credentials that the API has rejected; `None` once it has admitted others.
    rejected: ArcSwapOption<Credentials>,
    /// The moment from which on the file is looked at again.
    look_due: Mutex<Instant>,
    /// `true` from a reload until the file is read.
    reloaded: AtomicBool,
    file: Arc<tokio::sync::Mutex<FollowedFile>>,
}

/// The file of a secret, as it was last seen.
#[derive(Debug, Default)]
struct FollowedFile {
    /// The stamp at the last look.
    seen: FileStamps,
    /// The stamp of the file that was read last.
    read: FileStamps,
    /// The problem with the file, which the log has named.
    problem: Option<SecretFileError>,
}

/// What a look at the file does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// Reads the file if it has changed.
    IfChanged,
    /// Reads the file in any case: the secret was rejected, or a reload asks for it.
    Always,
}

impl CurrentCredentials {
    pub(super) fn new(credentials: Credentials) -> Arc<Self> {
        Arc::new(Self {
            current: ArcSwap::from_pointee(credentials),
            rejected: ArcSwapOption::empty(),
            look_due: Mutex::new(Instant::now()),
            reloaded: AtomicBool::new(false),
            file: Arc::default(),
        })
    }

    pub(super) fn load(&self) -> Arc<Credentials> {
        self.current.load_full()
    }

    /// Returns the credentials for the next request, and looks at the file before if a look
    /// is due.
    pub(super) async fn for_request(self: &Arc<Self>) -> Arc<Credentials> {
        if self.is_followed() {
            let reloaded = self.reloaded.swap(false, Ordering::Relaxed);
            if self.is_look_due() || reloaded {
                let always = reloaded || self.are_rejected();
                let look = if always {
                    Look::Always
                } else {
                    Look::IfChanged
                };
                self.look(look).await;
            }
        }
        self.load()
    }

    /// Reads the file again after `used` was rejected. Returns `true` if there is another
    /// secret now.
    pub(super) async fn renew(self: &Arc<Self>, used: &Credentials) -> bool {
        // Another request may have read the file meanwhile.
        if self.is_followed() && self.has_secret_of(used) {
            self.look(Look::Always).await;
        }
        !self.has_secret_of(used)
    }

    /// Records that the API has admitted a request.
    pub(super) fn admitted(&self) {
        if self.rejected.load().is_some() {
            self.rejected.store(None);
        }
    }

    /// Records that the API has rejected `used`.
    pub(super) fn rejected(&self, used: Arc<Credentials>) {
        self.rejected.store(Some(used));
    }

    /// Waits until the file holds another secret than the one that was rejected. Waits
    /// without end if none was rejected, or if the secret has no file.
    pub(super) async fn renewed(self: &Arc<Self>) {
        if self.rejected.load().is_none() || !self.is_followed() {
            return std::future::pending().await;
        }
        while self.are_rejected() {
            sleep(LOOK_INTERVAL).await;
            self.look(Look::IfChanged).await;
        }
    }

    /// Takes over the places of key and secret after a reload, and has the file read again
    /// before the next request.
    pub(super) fn reload(&self, credentials: &Credentials) {
        self.current.rcu(|current| {
            let mut reloaded = credentials.clone();
            reloaded.secret.text = current.secret.text.clone();
            reloaded
        });
        self.reloaded.store(true, Ordering::Relaxed);
    }

    fn is_followed(&self) -> bool {
        self.current.load().secret.file.is_some()
    }

    fn has_secret_of(&self, other: &Credentials) -> bool {
        self.current.load().secret.is_same_text(&other.secret.text)
    }

    fn are_rejected(&self) -> bool {
        let rejected = self.rejected.load();
        let mut rejected = rejected.iter();
        rejected.any(|rejected| self.has_secret_of(rejected))
    }

    /// Returns `true` once in each [`LOOK_INTERVAL`].
    fn is_look_due(&self) -> bool {
        let now = Instant::now();
        let mut due = self.look_due.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = *due <= now;
        if is_due {
            *due = now + LOOK_INTERVAL;
        }
        is_due
    }

    /// Looks at the file on a thread that may wait for the disk. At most one thread does so
    /// at a time, and no request waits for longer than [`LONGEST_READING`].
    async fn look(self: &Arc<Self>, look: Look) {
        let (this, span) = (Arc::clone(self), Span::current());
        let looking = async {
            let mut file = match look {
                // Another look is under way.
                Look::IfChanged => Arc::clone(&self.file).try_lock_owned().ok()?,
                Look::Always => Arc::clone(&self.file).lock_owned().await,
            };
            let looked = move || span.in_scope(|| this.look_at(&mut file, look));
            tokio::task::spawn_blocking(looked).await.ok()
        };
        if timeout(LONGEST_READING, looking).await.is_err() {
            let origin = &self.load().secret.origin;
            tracing::warn!(
                file = origin,
                "the file of the API secret does not answer; the secret that was read before stays in use"
            );
        }
    }

    fn look_at(&self, state: &mut FollowedFile, look: Look) {
        let credentials = self.load();
        let Some(path) = &credentials.secret.file else {
            return;
        };
        let stamp = FileStamps::of(vec![path.clone()]);
        if !state.has_to_be_read(&stamp, look) {
            return;
        }
        state.read = stamp;
        let read = ApiSecret::read_again(path);
        let before = std::mem::replace(&mut state.problem, read.as_ref().err().cloned());
        match read {
            Ok(secret) if !credentials.secret.is_same_text(&secret) => self.take(&secret, path),
            Ok(_) if before.is_some() => log_usable(path),
            Err(problem) if before.as_ref() != Some(&problem) => log_unusable(&problem),
            Ok(_) | Err(_) => {}
        }
    }

    fn take(&self, secret: &SecretString, path: &Path) {
        self.current.rcu(|current| {
            let mut credentials = Credentials::clone(current);
            credentials.secret.text = secret.clone();
            credentials
        });
        let file = path.display();
        tracing::info!(%file, "the API secret was read again from its file");
    }
}

impl FollowedFile {
    /// Returns `true` if the file, which now has this stamp, has to be read. A file that has
    /// changed since the last look may be half written, and is left for the next look.
    fn has_to_be_read(&mut self, stamp: &FileStamps, look: Look) -> bool {
        let is_settled = *stamp == self.seen;
        let has_changed = *stamp != self.read;
        self.seen = stamp.clone();
        look == Look::Always || (is_settled && has_changed)
    }
}

fn log_usable(path: &Path) {
    let file = path.display();
    tracing::info!(%file, "the file of the API secret can be used again");
}

fn log_unusable(error: &SecretFileError) {
    tracing::warn!(
        %error,
        "the file of the API secret cannot be used; the secret that was read before stays in use"
    );
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn from_file(path: &Path) -> Arc<CurrentCredentials> {
        let mut secret = ApiSecret::from("old");
        secret.file = Some(path.to_owned());
        let key = "abcd1234".into();
        CurrentCredentials::new(Credentials { key, secret })
    }

    #[test]
    fn a_file_is_read_once_its_change_is_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        let mut file = FollowedFile::default();
        let mut look = |text: &str, look| {
            // A file that is written again has another stamp.
            if !text.is_empty() {
                fs::remove_file(&path).unwrap_or_default();
                fs::write(&path, text).expect("a file");
            }
            let stamp = FileStamps::of(vec![path.clone()]);
            let has_to_be_read = file.has_to_be_read(&stamp, look);
            if has_to_be_read {
                file.read = stamp;
            }
            has_to_be_read
        };
        // What is written before each look, and whether the look reads the file.
        for (place, (text, kind, expected)) in [
            ("old", Look::IfChanged, false),
            ("", Look::IfChanged, true),
            ("", Look::IfChanged, false),
            ("n", Look::IfChanged, false),
            ("ne", Look::IfChanged, false),
            ("new", Look::IfChanged, false),
            ("", Look::IfChanged, true),
            ("", Look::Always, true),
            ("newer", Look::Always, true),
            ("", Look::IfChanged, false),
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(look(text, kind), expected, "look {place}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_does_not_answer_holds_up_no_request_for_long() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        fs::write(&path, "new").expect("a file");
        let credentials = from_file(&path);
        let reading = Arc::clone(&credentials.file).lock_owned().await;
        let begun = Instant::now();
        let used = credentials.for_request().await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
        assert!(!credentials.renew(&used).await);
        assert!(begun.elapsed() < 2 * LONGEST_READING);
        drop(reading);
        assert!(credentials.renew(&used).await);
    }
}
