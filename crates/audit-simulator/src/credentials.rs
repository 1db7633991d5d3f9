//! The credentials of the simulated accounts.

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::settings::SimulatorSettings;

/// The keys and the secret of the simulated accounts.
pub(crate) struct SimulatedCredentials {
    key: String,
    secret: String,
    accounts: u32,
}

impl SimulatedCredentials {
    pub(crate) fn new(settings: &SimulatorSettings) -> Self {
        Self {
            key: settings.api_key.clone(),
            secret: settings.api_secret.clone(),
            accounts: settings.accounts,
        }
    }

    /// Returns `true` if `credentials`, the part of the `Authorization` header after its
    /// scheme, belong to one of the accounts.
    pub(crate) fn admit(&self, credentials: &str) -> bool {
        let decoded = BASE64_STANDARD.decode(credentials.trim()).ok();
        let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        let Some((key, secret)) = text.as_deref().and_then(|text| text.split_once(':')) else {
            return false;
        };
        secret == self.secret && self.has(key)
    }

    fn has(&self, key: &str) -> bool {
        let number = match key.strip_prefix(&*self.key) {
            Some("") => Some(1),
            Some(rest) => rest.strip_prefix('-').and_then(|rest| rest.parse().ok()),
            None => None,
        };
        number.is_some_and(|number| (1..=self.accounts).contains(&number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_account_and_no_other() {
        let credentials = SimulatedCredentials::new(&SimulatorSettings {
            api_key: "key".into(),
            api_secret: "a:b".into(),
            accounts: 3,
            ..SimulatorSettings::default()
        });
        let cases = [
            ("key:a:b", true),
            ("key-2:a:b", true),
            ("key-3:a:b", true),
            ("key-4:a:b", false),
            ("key-0:a:b", false),
            ("key-x:a:b", false),
            ("ke:a:b", false),
            ("key:a", false),
            ("key", false),
        ];
        for (text, expected) in cases {
            assert_eq!(
                credentials.admit(&BASE64_STANDARD.encode(text)),
                expected,
                "{text}"
            );
        }
        assert!(!credentials.admit("no base64!"));
    }
}
