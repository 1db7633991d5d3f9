//! The section `basic_auth_users`.

use std::{collections::BTreeMap, fmt, str::FromStr};

use bcrypt::HashParts;
use yaml_tree::YamlEntry;

use super::WebConfigCheck;

/// The lowest cost that bcrypt has.
const MIN_COST: u32 = 4;
/// The highest cost that is taken. A password of this cost keeps a processor busy for
/// a quarter of a minute.
const MAX_COST: u32 = 18;

/// The hash of a password as bcrypt writes it. Nothing shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    text: String,
    cost: u32,
}

/// The reason why a text cannot be used as a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordHashError {
    /// The text is not in the format of bcrypt.
    #[error("is not a bcrypt hash; make one with `htpasswd -nBC 10 \"\" | tr -d ':\\n'`")]
    NotBcrypt,
    /// The cost is too low or too high.
    #[error("has a bcrypt cost of {0}; it must be from {MIN_COST} to {MAX_COST}, and 10 is usual")]
    Cost(u32),
}

impl PasswordHash {
    /// Returns the text of the hash, which is a secret.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the cost: the number of rounds as a power of two, from 4 to 18.
    #[must_use]
    pub fn cost(&self) -> u32 {
        self.cost
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PasswordHash(cost {})", self.cost)
    }
}

impl FromStr for PasswordHash {
    type Err = PasswordHashError;

    fn from_str(text: &str) -> Result<Self, PasswordHashError> {
        let parts = HashParts::from_str(text).map_err(|_| PasswordHashError::NotBcrypt)?;
        let cost = parts.get_cost();
        if !(MIN_COST..=MAX_COST).contains(&cost) {
            return Err(PasswordHashError::Cost(cost));
        }
        Ok(Self {
            text: text.to_owned(),
            cost,
        })
    }
}

impl WebConfigCheck {
    pub(super) fn users(&mut self, section: &YamlEntry) -> Option<BTreeMap<String, PasswordHash>> {
        let mut users = BTreeMap::new();
        for entry in self.ok(section.map())? {
            if entry.key.contains(':') {
                self.report(entry, "has a colon, which ends a user name (RFC 7617)");
                continue;
            }
            match self.ok(entry.text()).map(PasswordHash::from_str) {
                Some(Ok(hash)) => {
                    users.insert(entry.key.clone(), hash);
                }
                Some(Err(problem)) => self.report(entry, problem),
                None => {}
            }
        }
        Some(users)
    }
}
