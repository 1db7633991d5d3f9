//! Basic authentication (RFC 7617) with passwords that are hashed by bcrypt.
//!
//! bcrypt is slow by design: no scrape may wait for it, and clients must not be able to
//! keep the processor busy with it. A password that was right once is recognized by a
//! keyed hash, in a microsecond and without waiting. All other passwords are checked one
//! after the other, on a thread that serves no requests; only a few may wait, and fewer
//! from one network.

use std::{
    collections::BTreeMap,
    fmt,
    net::IpAddr,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use hyper::{HeaderMap, header::AUTHORIZATION};
use once_cell::sync::OnceCell;
use ring::{hmac, rand::SystemRandom};
use tokio::sync::Semaphore;

use crate::settings::PasswordHash;

/// The highest number of passwords that wait, including the one that is checked.
const MAX_QUEUED: usize = 16;
/// The highest number of passwords of one network that wait.
const MAX_QUEUED_OF_NETWORK: usize = 4;

/// The users of a web configuration.
#[derive(Debug)]
pub(crate) struct Passwords {
    users: BTreeMap<String, Arc<UserPassword>>,
    /// The password that is checked for an unknown user, so that the response takes as
    /// long as for a known user.
    nobody: Arc<UserPassword>,
    queue: Arc<PasswordQueue>,
}

/// The password of one user.
struct UserPassword {
    hash: PasswordHash,
    /// The keyed hash of the password, once it has been right.
    proven: OnceCell<hmac::Tag>,
}

/// The queue of checks, which a change of the users leaves as it is.
pub(crate) struct PasswordQueue {
    /// The key of [`UserPassword::proven`], which never leaves this process.
    key: hmac::Key,
    one_at_a_time: Arc<Semaphore>,
    /// The network of each password that waits.
    queued: Mutex<Vec<IpAddr>>,
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepted,
    Refused,
    /// Too many passwords wait to be checked.
    Busy,
}

/// The place of one password in the queue. Dropping it gives it back.
struct QueuedCheck {
    queue: Arc<PasswordQueue>,
    network: IpAddr,
}

impl Passwords {
    /// Keeps what is proven of each user whose hash is the same as in `before`. Returns
    /// `None` if there is no user: then no request needs a password.
    pub(crate) fn new(
        users: &BTreeMap<String, PasswordHash>,
        before: Option<&Self>,
        queue: &Arc<PasswordQueue>,
    ) -> Option<Self> {
        let cost = users.values().map(PasswordHash::cost).max()?;
        let known = |name: &String| before.and_then(|before| before.users.get(name));
        let users = users.iter().map(|(name, hash)| {
            let user = known(name).filter(|user| user.hash == *hash);
            let user = user.cloned();
            let user = user.unwrap_or_else(|| UserPassword::new(hash.clone()));
            (name.clone(), user)
        });
        let nobody = format!("$2b${cost:02}${}", ".".repeat(53));
        Some(Self {
            users: users.collect(),
            nobody: UserPassword::new(PasswordHash::from_str(&nobody).ok()?),
            queue: Arc::clone(queue),
        })
    }

    /// Checks the password of a request that came from `network`.
    pub(crate) async fn check(&self, headers: &HeaderMap, network: IpAddr) -> Verdict {
        let Some((name, password)) = credentials(headers) else {
            return Verdict::Refused;
        };
        let user = self.users.get(&name);
        let is_known = user.is_some();
        let user = user.unwrap_or(&self.nobody);
        if is_known && user.has_proven(&self.queue.key, &password) {
            return Verdict::Accepted;
        }
        let Some(queued) = self.queue.enter(network) else {
            return Verdict::Busy;
        };
        let turn = Arc::clone(&self.queue.one_at_a_time);
        let Ok(turn) = turn.acquire_owned().await else {
            return Verdict::Busy;
        };
        let user = Arc::clone(user);
        // The turn and the place move along: bcrypt runs to its end even if the client
        // has gone.
        let work = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let is_right = user.is_right(&queued.queue.key, &password);
            drop(queued);
            is_right
        });
        match work.await {
            Ok(true) if is_known => Verdict::Accepted,
            _ => Verdict::Refused,
        }
    }
}

impl UserPassword {
    fn new(hash: PasswordHash) -> Arc<Self> {
        Arc::new(Self {
            hash,
            proven: OnceCell::new(),
        })
    }

    /// Compares in constant time.
    fn has_proven(&self, key: &hmac::Key, password: &[u8]) -> bool {
        let tag = self.proven.get();
        tag.is_some_and(|tag| hmac::verify(key, password, tag.as_ref()).is_ok())
    }

    fn is_right(&self, key: &hmac::Key, password: &[u8]) -> bool {
        // Another request may have proven the password while this one waited.
        if self.has_proven(key, password) {
            return true;
        }
        let is_right = bcrypt::verify(password, self.hash.as_str()).unwrap_or(false);
        if is_right {
            let _ = self.proven.set(hmac::sign(key, password));
        }
        is_right
    }
}

impl PasswordQueue {
    /// Makes an empty queue, with a random key.
    ///
    /// # Errors
    /// Returns an error if the system has no randomness.
    pub(crate) fn new() -> Result<Arc<Self>, ring::error::Unspecified> {
        Ok(Arc::new(Self {
            key: hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())?,
            one_at_a_time: Arc::new(Semaphore::new(1)),
            queued: Mutex::default(),
        }))
    }

    fn enter(self: &Arc<Self>, network: IpAddr) -> Option<QueuedCheck> {
        let mut queued = self.queued.lock().unwrap_or_else(PoisonError::into_inner);
        let of_network = queued.iter().filter(|other| **other == network).count();
        if queued.len() >= MAX_QUEUED || of_network >= MAX_QUEUED_OF_NETWORK {
            return None;
        }
        queued.push(network);
        Some(QueuedCheck {
            queue: Arc::clone(self),
            network,
        })
    }
}

impl Drop for QueuedCheck {
    fn drop(&mut self) {
        let queued = self.queue.queued.lock();
        let mut queued = queued.unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = queued.iter().position(|network| *network == self.network) {
            queued.swap_remove(own);
        }
    }
}

/// Reads the user and the password of a request that has one of each.
fn credentials(headers: &HeaderMap) -> Option<(String, Vec<u8>)> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (value, None) = (values.next()?, values.next()) else {
        return None;
    };
    let (scheme, encoded) = value.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = STANDARD.decode(encoded.trim()).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let name = String::from_utf8(decoded[..colon].to_vec()).ok()?;
    Some((name, decoded[colon + 1..].to_vec()))
}

impl fmt::Debug for UserPassword {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("UserPassword(..)")
    }
}

impl fmt::Debug for PasswordQueue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PasswordQueue(..)")
    }
}

#[cfg(test)]
mod tests;
