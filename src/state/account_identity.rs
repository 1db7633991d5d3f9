//! How a person knows a stored account: by its name in the config file, or by its API key.

use std::fmt;

use crate::config::{AccountNames, Problems};

/// The number of characters of an API key that are shown. They tell the accounts of one
/// owner apart. The whole key is the user name of the API, and what a command prints goes
/// into tickets and chats.
const SHOWN_CHARS: usize = 4;

/// A stored account, and how it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccountIdentity {
    /// The API key.
    pub(crate) api_key: String,
    /// The name in the config file, if it has the account.
    pub(crate) name: Option<String>,
    /// The beginning of the API key.
    pub(crate) shown_key: String,
}

impl AccountIdentity {
    /// Returns the identities of all stored accounts: those with a name first, in the order
    /// of their names.
    pub(crate) fn all(api_keys: &[String], names: &AccountNames) -> Vec<Self> {
        let identity = |api_key: &String| Self {
            api_key: api_key.clone(),
            name: names.name_of(api_key).map(str::to_owned),
            shown_key: shown_key(api_key, api_keys),
        };
        let mut all: Vec<Self> = api_keys.iter().map(identity).collect();
        all.sort_by_key(|account| (account.name.is_none(), account.name.clone()));
        all
    }

    /// Returns the identity of an account beside which no other needs to be known.
    pub(crate) fn of(api_key: &str, names: &AccountNames) -> Self {
        Self {
            api_key: api_key.to_owned(),
            name: names.name_of(api_key).map(str::to_owned),
            shown_key: shown_key(api_key, &[]),
        }
    }

    /// Returns the name, or the beginning of the API key.
    fn short(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.shown_key)
    }
}

impl fmt::Display for AccountIdentity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name, shown_key, ..
        } = self;
        match name {
            Some(name) => write!(formatter, "account {name} (API key {shown_key})"),
            None => write!(formatter, "the account with the API key {shown_key}"),
        }
    }
}

/// Returns the account that `wanted` names, by its name or its API key. A state with one
/// account needs no name.
///
/// # Errors
/// The accounts of which one must be named.
pub(crate) fn choose<'a>(
    accounts: &'a [AccountIdentity],
    wanted: Option<&str>,
) -> Result<&'a AccountIdentity, Problems> {
    let is_wanted = |account: &&AccountIdentity| match wanted {
        Some(wanted) => account.name.as_deref() == Some(wanted) || account.api_key == wanted,
        None => accounts.len() == 1,
    };
    accounts.iter().find(is_wanted).ok_or_else(|| {
        let stored: Vec<&str> = accounts.iter().map(AccountIdentity::short).collect();
        let problem = if stored.is_empty() {
            "--account cannot name one: the state has no account".to_owned()
        } else {
            format!(
                "--account must be the name or the API key of a stored account: {}",
                stored.join(", ")
            )
        };
        Problems::new(vec![problem])
    })
}

/// Returns the beginning of a key, which no other key has.
fn shown_key(api_key: &str, all: &[String]) -> String {
    let common = |other: &String| {
        let same = api_key.chars().zip(other.chars());
        same.take_while(|(one, other)| one == other).count()
    };
    let others = all.iter().filter(|other| *other != api_key);
    let longest = others.map(common).max().unwrap_or(0);
    let shown: String = api_key.chars().take(SHOWN_CHARS.max(longest + 1)).collect();
    if shown == api_key {
        shown
    } else {
        format!("{shown}…")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(keys: &[&str]) -> Vec<String> {
        keys.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_key_is_shown_as_far_as_it_is_needed() {
        let shown = |all: &[&str]| -> Vec<String> {
            let all = AccountIdentity::all(&keys(all), &AccountNames::default());
            all.into_iter().map(|account| account.shown_key).collect()
        };
        assert_eq!(shown(&["abcd1234"]), ["abcd…"]);
        assert_eq!(shown(&["abcd1234", "efgh5678"]), ["abcd…", "efgh…"]);
        assert_eq!(shown(&["abcd1234", "abcd1299"]), ["abcd123…", "abcd129…"]);
        assert_eq!(shown(&["abcd", "abcd1234"]), ["abcd", "abcd1…"]);
        assert_eq!(shown(&["é", "日本語日本語"]), ["é", "日本語日…"]);
    }

    #[test]
    fn an_account_is_found_by_its_name_or_its_key() {
        let names = AccountNames::new([("staging", "efgh5678"), ("x", "other")]);
        let all = AccountIdentity::all(&keys(&["abcd1234", "efgh5678"]), &names);
        let shown: Vec<_> = all.iter().map(ToString::to_string).collect();
        let expected = [
            "account staging (API key efgh…)",
            "the account with the API key abcd…",
        ];
        assert_eq!(shown, expected);
        let found = |wanted| choose(&all, wanted).map(|account| &*account.api_key);
        assert_eq!(found(Some("staging")), Ok("efgh5678"));
        assert_eq!(found(Some("abcd1234")), Ok("abcd1234"));
        for wanted in [None, Some("x"), Some("abcd")] {
            let problem = found(wanted).expect_err("no account").to_string();
            assert!(problem.ends_with(": staging, abcd…"), "{problem}");
        }
        assert!(choose(&all[..1], None).is_ok());
        assert!(choose(&[], None).is_err());
    }
}
