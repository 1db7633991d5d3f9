//! Who is let in by basic authentication (RFC 7617).
//!
//! bcrypt is slow by design, and must be neither what a scrape waits for nor a way to
//! burn the processor. A password that was right once is known again by a keyed hash,
//! in a microsecond and without waiting for anybody. All others are looked at one
//! after the other, on a thread that serves nobody; few may wait for that, and fewer
//! from one place.

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

/// Passwords that wait to be looked at, and the one that is.
const MOST_WAITING: usize = 16;
/// The same from one place.
const MOST_WAITING_FROM_ONE: usize = 4;

/// The users of a web configuration.
#[derive(Debug)]
pub(crate) struct Passwords {
    users: BTreeMap<String, Arc<UserPassword>>,
    /// Whose password is looked at where the user is unknown, so that it takes as
    /// long as a wrong one.
    nobody: Arc<UserPassword>,
    queue: Arc<PasswordQueue>,
}

/// One user.
struct UserPassword {
    hash: PasswordHash,
    /// The keyed hash of the password that was right.
    proven: OnceCell<hmac::Tag>,
}

/// What outlives a change of the users.
pub(crate) struct PasswordQueue {
    /// Of this process alone.
    key: hmac::Key,
    one_at_a_time: Arc<Semaphore>,
    /// Where those come from whose passwords wait.
    waiting: Mutex<Vec<IpAddr>>,
}

/// What a request is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepted,
    Refused,
    /// Too many passwords wait to be looked at.
    Busy,
}

/// A place among those who wait, until it is dropped.
struct QueuedCheck {
    queue: Arc<PasswordQueue>,
    place: IpAddr,
}

impl Passwords {
    /// Users whose hashes are those of `before` need not prove themselves again.
    /// `None` where nobody is to be asked.
    pub(crate) fn new(
        users: &BTreeMap<String, PasswordHash>,
        before: Option<&Self>,
        queue: &Arc<PasswordQueue>,
    ) -> Option<Self> {
        let cost = users.values().map(PasswordHash::cost).max()?;
        let known = |name: &String| before.and_then(|before| before.users.get(name));
        let users = users.iter().map(|(name, hash)| {
            let user = known(name).filter(|user| user.hash == *hash);
            let user = user
                .cloned()
                .unwrap_or_else(|| UserPassword::new(hash.clone()));
            (name.clone(), user)
        });
        let nobody = format!("$2b${cost:02}${}", ".".repeat(53));
        Some(Self {
            users: users.collect(),
            nobody: UserPassword::new(PasswordHash::from_str(&nobody).ok()?),
            queue: Arc::clone(queue),
        })
    }

    /// Judges a request that came from `place`.
    pub(crate) async fn judge(&self, headers: &HeaderMap, place: IpAddr) -> Verdict {
        let Some((name, password)) = credentials(headers) else {
            return Verdict::Refused;
        };
        let user = self.users.get(&name);
        let is_known = user.is_some();
        let user = user.unwrap_or(&self.nobody);
        if is_known && user.has_proven(&self.queue.key, &password) {
            return Verdict::Accepted;
        }
        let Some(waiting) = self.queue.enter(place) else {
            return Verdict::Busy;
        };
        let turn = Arc::clone(&self.queue.one_at_a_time);
        let Ok(turn) = turn.acquire_owned().await else {
            return Verdict::Busy;
        };
        let user = Arc::clone(user);
        // Both go on where the client has gone: the work is done all the same.
        let work = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let is_right = user.is_right(&waiting.queue.key, &password);
            drop(waiting);
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

    /// In constant time.
    fn has_proven(&self, key: &hmac::Key, password: &[u8]) -> bool {
        let tag = self.proven.get();
        tag.is_some_and(|tag| hmac::verify(key, password, tag.as_ref()).is_ok())
    }

    fn is_right(&self, key: &hmac::Key, password: &[u8]) -> bool {
        // Others of the same user may have been first.
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
    /// With a key that nobody knows.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub(crate) fn new() -> Result<Arc<Self>, ring::error::Unspecified> {
        Ok(Arc::new(Self {
            key: hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())?,
            one_at_a_time: Arc::new(Semaphore::new(1)),
            waiting: Mutex::default(),
        }))
    }

    fn enter(self: &Arc<Self>, place: IpAddr) -> Option<QueuedCheck> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let here = waiting.iter().filter(|other| **other == place).count();
        if waiting.len() >= MOST_WAITING || here >= MOST_WAITING_FROM_ONE {
            return None;
        }
        waiting.push(place);
        Some(QueuedCheck {
            queue: Arc::clone(self),
            place,
        })
    }
}

impl Drop for QueuedCheck {
    fn drop(&mut self) {
        let waiting = self.queue.waiting.lock();
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        if let Some(mine) = waiting.iter().position(|place| *place == self.place) {
            waiting.swap_remove(mine);
        }
    }
}

/// The user and the password of a request that has one of each.
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
