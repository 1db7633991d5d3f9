//! Basic authentication (RFC 7617) with passwords that are hashed by bcrypt.
//!
//! bcrypt is slow by design: no scrape may wait for it, and clients must not be able to
//! keep the processor busy with it. A password that was right once is recognized by a
//! keyed hash, in a microsecond and without waiting. All other passwords are checked one
//! after the other, on a thread that serves no requests, and networks take turns.
//!
//! The time of an answer does not tell whether a user exists: each wrong password costs as
//! much as the hash of the highest cost.

mod queue;

pub(crate) use queue::PasswordQueue;

use std::{collections::BTreeMap, fmt, ops::Range, str::FromStr, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use hyper::{HeaderMap, header::AUTHORIZATION};
use once_cell::sync::OnceCell;
use ring::{hmac, rand::SystemRandom};

use crate::{PeerAddress, scrape_time_limit::scrape_time_limit, settings::PasswordHash};

/// The time limit of a request that states none or zero: that of a scrape, if nothing else is
/// configured.
const DEFAULT_LIMIT: Duration = Duration::from_secs(10);
/// The longest time limit that counts.
const LONGEST_LIMIT: Duration = Duration::from_mins(1);
/// The longest password, in bytes. bcrypt does not look at what follows.
const MAX_PASSWORD_BYTES: usize = 72;

/// The users of a web configuration.
#[derive(Debug)]
pub(crate) struct Passwords {
    users: BTreeMap<String, Arc<UserPassword>>,
    /// The password that is checked for an unknown user, so that the response takes as
    /// long as for a known user.
    nobody: Arc<UserPassword>,
    checks: Arc<PasswordChecks>,
}

/// The checks of passwords, which a change of the users leaves as they are.
pub(crate) struct PasswordChecks {
    /// The key of [`UserPassword::proven`], which never leaves this process.
    key: hmac::Key,
    /// A keyed hash that no password has. It is compared where nothing is proven.
    of_nobody: hmac::Tag,
    queue: Arc<PasswordQueue>,
}

/// The password of one user.
struct UserPassword {
    hash: PasswordHash,
    /// The costs of further checks of a wrong password. Together with the check of the hash
    /// they take as long as a check at the highest cost.
    padding: Range<u32>,
    /// The keyed hash of the password, once it has been right.
    proven: OnceCell<hmac::Tag>,
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepted,
    Refused,
    /// The password could not be checked in the time that the request has.
    Busy,
}

impl Passwords {
    /// Keeps what is proven of each user whose hash is the same as in `before`. Returns
    /// `None` if there is no user: then no request needs a password.
    pub(crate) fn new(
        users: &BTreeMap<String, PasswordHash>,
        before: Option<&Self>,
        checks: &Arc<PasswordChecks>,
    ) -> Option<Self> {
        let highest = users.values().map(PasswordHash::cost).max()?;
        let known = |name: &String| before.and_then(|before| before.users.get(name));
        let users = users.iter().map(|(name, hash)| {
            let padding = hash.cost()..highest;
            let user = known(name).filter(|user| user.hash == *hash && user.padding == padding);
            let user = user.cloned();
            let user = user.unwrap_or_else(|| {
                let proven = known(name).filter(|user| user.hash == *hash);
                let proven = proven.map(|user| user.proven.clone());
                UserPassword::new(hash.clone(), padding, proven.unwrap_or_default())
            });
            (name.clone(), user)
        });
        let nobody = PasswordHash::from_str(&hash_of_nobody(highest)).ok()?;
        Some(Self {
            users: users.collect(),
            nobody: UserPassword::new(nobody, highest..highest, OnceCell::new()),
            checks: Arc::clone(checks),
        })
    }

    /// Checks the password of a request that came from `network`.
    pub(crate) async fn check(&self, headers: &HeaderMap, network: PeerAddress) -> Verdict {
        let Some((name, password)) = credentials(headers) else {
            return Verdict::Refused;
        };
        let user = self.users.get(&name);
        let is_known = user.is_some();
        let user = user.unwrap_or(&self.nobody);
        if user.has_proven(&self.checks, &password) && is_known {
            return Verdict::Accepted;
        }
        let turn = self.checks.queue.turn(network, wait(headers)).await;
        let Some(turn) = turn else {
            return Verdict::Busy;
        };
        let (user, checks) = (Arc::clone(user), Arc::clone(&self.checks));
        // The turn moves along: bcrypt runs to its end even if the client has gone.
        let work = tokio::task::spawn_blocking(move || {
            let is_right = user.is_right(&checks, &password);
            drop(turn);
            is_right
        });
        match work.await {
            Ok(true) if is_known => Verdict::Accepted,
            _ => Verdict::Refused,
        }
    }
}

impl UserPassword {
    fn new(hash: PasswordHash, padding: Range<u32>, proven: OnceCell<hmac::Tag>) -> Arc<Self> {
        Arc::new(Self {
            hash,
            padding,
            proven,
        })
    }

    /// Compares in constant time, also if nothing is proven.
    fn has_proven(&self, checks: &PasswordChecks, password: &[u8]) -> bool {
        let tag = self.proven.get();
        let compared = tag.unwrap_or(&checks.of_nobody);
        let is_same = hmac::verify(&checks.key, password, compared.as_ref()).is_ok();
        is_same && tag.is_some()
    }

    fn is_right(&self, checks: &PasswordChecks, password: &[u8]) -> bool {
        // Another request may have proven the password while this one waited.
        if self.has_proven(checks, password) {
            return true;
        }
        let is_right = bcrypt::verify(password, self.hash.as_str()).unwrap_or(false);
        if is_right {
            let _ = self.proven.set(hmac::sign(&checks.key, password));
        } else {
            for cost in self.padding.clone() {
                let _ = bcrypt::verify(password, &hash_of_nobody(cost));
            }
        }
        is_right
    }
}

impl PasswordChecks {
    /// Makes checks with an empty queue and a random key.
    ///
    /// # Errors
    /// Returns an error if the system has no randomness.
    pub(crate) fn new() -> Result<Arc<Self>, ring::error::Unspecified> {
        let random = SystemRandom::new();
        let other_key = hmac::Key::generate(hmac::HMAC_SHA256, &random)?;
        Ok(Arc::new(Self {
            key: hmac::Key::generate(hmac::HMAC_SHA256, &random)?,
            of_nobody: hmac::sign(&other_key, b""),
            queue: Arc::default(),
        }))
    }
}

/// Returns a hash of this cost that no password has.
fn hash_of_nobody(cost: u32) -> String {
    format!("$2b${cost:02}${}", ".".repeat(53))
}

/// Returns how long a request waits for the check of its password: nine tenths of the time
/// that a scrape may take.
fn wait(headers: &HeaderMap) -> Duration {
    let stated = scrape_time_limit(headers).filter(|limit| !limit.is_zero());
    stated.unwrap_or(DEFAULT_LIMIT).min(LONGEST_LIMIT) / 10 * 9
}

/// Returns the user that a request names by basic authentication. Where the web
/// configuration asks for passwords, the [`Site`](crate::Site) sees only requests of users
/// whose password was right.
#[must_use]
pub fn basic_auth_user(headers: &HeaderMap) -> Option<String> {
    credentials(headers).map(|(user, _)| user)
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
    let password = decoded[colon + 1..].to_vec();
    // bcrypt would take the first 72 bytes of a longer password for the whole, and
    // repeats a password with a NUL after it.
    let can_be_right = password.len() <= MAX_PASSWORD_BYTES && !password.contains(&0);
    can_be_right.then_some((name, password))
}

impl fmt::Debug for UserPassword {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("UserPassword(..)")
    }
}

impl fmt::Debug for PasswordChecks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PasswordChecks(..)")
    }
}

#[cfg(test)]
mod tests;
