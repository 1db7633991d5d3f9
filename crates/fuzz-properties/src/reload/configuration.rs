//! The configuration as a person writes it, from one reload to the next.

use std::{collections::BTreeSet, path::Path};

use nexmo_audit_exporter::config::{
    AccountWithSecret, ConfigFile, EntrySecret, Environment, Problems, Settings,
};

use crate::{Bytes, settings::SERVE};

const NAMES: u8 = 4;
/// The number of API keys that there are.
pub(super) const KEYS: u8 = 4;

/// A configuration, which may be one that is refused.
#[derive(Debug, Clone)]
pub(super) struct Configuration {
    /// The accounts, each with the numbers of its name and of its key.
    accounts: Vec<(u8, u8)>,
    polls: Polls,
    /// `now`, or a moment before all events.
    start: &'static str,
}

/// The settings that a reload can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Polls {
    interval: &'static str,
    lookback: &'static str,
    reconcile_interval: &'static str,
    max_series: &'static str,
}

/// Returns the API key with a number.
pub(super) fn key(number: u8) -> String {
    format!("key{number}")
}

impl Configuration {
    /// Returns a configuration with one account. Counting begins at the process's start if
    /// `counts_from_now`, and before all events otherwise.
    pub(super) fn new(counts_from_now: bool) -> Self {
        Self {
            accounts: vec![(0, 0)],
            polls: Polls {
                interval: "30s",
                lookback: "15m",
                reconcile_interval: "1h",
                max_series: "10000",
            },
            start: if counts_from_now {
                "now"
            } else {
                "2026-11-19T00:00:00Z"
            },
        }
    }

    /// Changes one thing of the configuration.
    pub(super) fn change(&mut self, bytes: &mut Bytes<'_>) {
        let (name, key) = (bytes.byte() % NAMES, bytes.byte() % KEYS);
        let place = usize::from(bytes.byte()).checked_rem(self.accounts.len());
        match (bytes.byte() % 8, place) {
            (0..=1, _) => self.accounts.push((name, key)),
            (2, Some(place)) => drop(self.accounts.remove(place)),
            (3, Some(place)) => self.accounts[place].0 = name,
            (4, Some(place)) => self.accounts[place].1 = key,
            (5, Some(place)) => {
                // Two accounts change their keys with each other.
                let last = self.accounts.len() - 1;
                let other = self.accounts[last].1;
                self.accounts[last].1 = std::mem::replace(&mut self.accounts[place].1, other);
            }
            (6, _) => self.polls.interval = ["10s", "30s", "1m"][usize::from(name % 3)],
            _ => {
                self.polls.lookback = ["1m", "15m"][usize::from(name % 2)];
                self.polls.reconcile_interval = ["0", "2m", "1h"][usize::from(key % 3)];
                self.polls.max_series = ["1", "3", "10000"][usize::from(bytes.byte() % 3)];
            }
        }
    }

    /// Configures an account for each key.
    pub(super) fn take_all_keys(&mut self) {
        self.accounts = (0..KEYS).map(|number| (number, number)).collect();
    }

    /// Returns the accounts, each with its name and its key.
    pub(super) fn accounts(&self) -> impl Iterator<Item = (String, String)> {
        let accounts = self.accounts.iter();
        accounts.map(|(name, key_number)| (format!("name{name}"), key(*key_number)))
    }

    pub(super) fn polls(&self) -> Polls {
        self.polls
    }

    /// Returns `true` if there are accounts, and no two of them have a name or a key in common.
    pub(super) fn is_valid(&self) -> bool {
        let names: BTreeSet<_> = self.accounts.iter().map(|(name, _)| name).collect();
        let keys: BTreeSet<_> = self.accounts.iter().map(|(_, key)| key).collect();
        let number = self.accounts.len();
        number > 0 && names.len() == number && keys.len() == number
    }

    /// Returns the settings that the program makes of the configuration. `scrape_interval` is
    /// one of those that a reload cannot change.
    pub(super) fn settings(
        &self,
        state: &Path,
        scrape_interval: &str,
    ) -> Result<Settings, Problems> {
        let accounts = self.accounts();
        let accounts = accounts
            .map(|(name, key)| format!("{{name: {name}, api_key: {key}, api_secret: secret}}"));
        let accounts: Vec<_> = accounts.collect();
        let file = ConfigFile::parse(&format!("accounts: [{}]\n", accounts.join(", ")));
        let file = file.map_err(|error| Problems::new(vec![error.to_string()]))?;
        let problems = file.problems.iter().map(ToString::to_string).collect();
        let accounts = file.accounts.into_iter().flatten().map(|entry| {
            let secret = entry.secret.as_ref().map(|secret| match secret {
                EntrySecret::Text(secret) => Ok(secret.clone().into()),
                EntrySecret::File(_) => Ok("secret".into()),
            });
            AccountWithSecret { entry, secret }
        });
        let environment = Environment {
            accounts: Some(accounts.collect()),
            problems,
            ..Environment::default()
        };
        let mut options = SERVE.clone();
        state.clone_into(&mut options.storage.path);
        scrape_interval.clone_into(&mut options.metrics.scrape_interval);
        self.polls
            .max_series
            .clone_into(&mut options.metrics.max_series);
        self.polls.interval.clone_into(&mut options.poll.interval);
        self.polls.lookback.clone_into(&mut options.poll.lookback);
        self.polls
            .reconcile_interval
            .clone_into(&mut options.poll.reconcile_interval);
        "1h".clone_into(&mut options.poll.reconcile_lookback);
        self.start.clone_into(&mut options.poll.start);
        Settings::check(&options, environment)
    }
}
