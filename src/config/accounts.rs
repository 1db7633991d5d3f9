//! The accounts that are counted: the one account of the environment, or the accounts of
//! the config file.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use audit_core::{event::TypeFilter, raw_event::is_unprintable};
use secrecy::ExposeSecret;
use url::Url;

use super::{
    AccountEntry, AccountOptions, AccountWithSecret, ApiKey, ApiSecret, Credentials, Environment,
    EnvironmentCredentials, SecretFileError, SettingsCheck, ShardOptions, base_url,
    credentials::{CredentialFlaw, SECRET_VARIABLE},
    environment::place_of,
    shard,
    shard::Shard,
};

/// The longest name of an account, in characters: label values are no longer.
const MAX_NAME_CHARS: usize = 64;

/// One account and where its API is.
#[derive(Debug, Clone)]
pub struct AccountSettings {
    /// The value of the label `account`; `None` for the account of the environment.
    pub name: Option<Arc<str>>,
    /// The URL of the Audit API: `https`, or `http` where that is allowed.
    pub base_url: Url,
    /// The time limit of one request, body included; above 0.
    pub timeout: Duration,
    /// The highest number of requests in a second; above 0.
    pub max_requests_per_second: f64,
    /// The API key and the API secret; neither is empty.
    pub credentials: Credentials,
    /// The event types that are counted.
    pub filter: TypeFilter,
}

/// Two settings are the same if a poller with one can go on with the other: the text of a
/// file that is followed, and the lines of the config file, may differ.
impl PartialEq for AccountSettings {
    fn eq(&self, other: &Self) -> bool {
        let (mine, its) = (&self.credentials, &other.credentials);
        self.name == other.name
            && self.base_url == other.base_url
            && self.timeout == other.timeout
            && self.max_requests_per_second.to_bits() == other.max_requests_per_second.to_bits()
            && mine.key.text == its.key.text
            && mine.secret.is_same_setting(&its.secret)
            && self.filter == other.filter
    }
}

impl SettingsCheck {
    /// Returns everything that an account needs besides its name and its credentials.
    fn common(&mut self, options: &AccountOptions) -> Option<AccountSettings> {
        let base_url = base_url::parse_base_url(&options.base_url, options.allow_http);
        let base_url = self.ok("--api.base-url", base_url);
        if let Some(doubt) = base_url.as_ref().and_then(base_url::doubt) {
            self.warn("--api.base-url", doubt);
        }
        let timeout = self.positive_duration("--api.timeout", &options.timeout);
        let rate = "--api.max-requests-per-second";
        let rate = self.above_zero(rate, &options.max_requests_per_second);
        Some(AccountSettings {
            name: None,
            base_url: base_url?,
            timeout: timeout?,
            max_requests_per_second: rate?,
            credentials: Credentials {
                key: String::new().into(),
                secret: String::new().into(),
            },
            filter: TypeFilter::default(),
        })
    }

    /// Returns the accounts that this exporter counts.
    pub(super) fn accounts(
        &mut self,
        options: &AccountOptions,
        shards: &ShardOptions,
        environment: Environment,
    ) -> Option<Vec<AccountSettings>> {
        let shard = self.shard(
            shards,
            environment.host_name.as_deref(),
            environment.accounts.is_some(),
        );
        match environment.accounts {
            None => {
                let account = self.only_account(options, environment.credentials);
                shard?;
                Some(vec![account?])
            }
            Some(accounts) => {
                let mut accounts = self.named_accounts(options, accounts)?;
                let shard = shard?;
                accounts.retain(|account| {
                    let name = account.name.as_deref().unwrap_or_default();
                    shard.counts(name)
                });
                Some(accounts)
            }
        }
    }

    /// Returns the account that a command reads. A command reads the secret once.
    pub(super) fn one_account(
        &mut self,
        options: &AccountOptions,
        name: Option<&str>,
        environment: Environment,
    ) -> Option<AccountSettings> {
        let mut account = self.chosen_account(options, name, environment)?;
        account.credentials.secret.file = None;
        Some(account)
    }

    fn chosen_account(
        &mut self,
        options: &AccountOptions,
        name: Option<&str>,
        environment: Environment,
    ) -> Option<AccountSettings> {
        let Some(accounts) = environment.accounts else {
            let account = self.only_account(options, environment.credentials);
            let problem = "names an account of a config file, but no config file with accounts is given; give --config.file";
            let is_alone = self.that("--account", name.is_none(), problem, ());
            return is_alone.and(account);
        };
        let names: Vec<String> = accounts
            .iter()
            .map(|account| account.entry.name.clone())
            .collect();
        let wanted =
            |account: &AccountWithSecret| name.is_none_or(|name| account.entry.name == name);
        let chosen: Vec<_> = accounts.into_iter().filter(wanted).collect();
        if chosen.len() == 1 {
            return self.named_accounts(options, chosen)?.pop();
        }
        // The account may be the one that has the problem.
        if !self.file_has_problems {
            self.report("--account", some_of(&names));
        }
        None
    }

    fn only_account(
        &mut self,
        options: &AccountOptions,
        credentials: EnvironmentCredentials,
    ) -> Option<AccountSettings> {
        let common = self.common(options);
        let key = credentials.key.unwrap_or_else(|| String::new().into());
        let key = self.key(&key.origin.clone(), key);
        let secret = self.secret(credentials.secret);
        Some(AccountSettings {
            credentials: Credentials {
                key: key?,
                secret: secret?,
            },
            ..common?
        })
    }

    fn named_accounts(
        &mut self,
        options: &AccountOptions,
        accounts: Vec<AccountWithSecret>,
    ) -> Option<Vec<AccountSettings>> {
        let common = self.common(options);
        let mut lines = BTreeMap::new();
        for AccountWithSecret { entry, .. } in &accounts {
            let taken = [
                (
                    "name",
                    entry.name.clone(),
                    "the name is the label of the account",
                ),
                (
                    "api_key",
                    entry.api_key.clone(),
                    "counts are stored under the key",
                ),
            ];
            for (what, value, why) in taken {
                let is_written = !value.is_empty();
                let first = lines.insert((what, value), entry.line);
                if let Some(first) = first.filter(|_| is_written) {
                    let problem = format!(
                        "`{what}` is the same as that of the account in line {first}; {why}"
                    );
                    self.report_at(entry.line, problem);
                }
            }
        }
        let accounts = accounts
            .into_iter()
            .map(|account| self.named_account(options, account, common.as_ref()));
        // Collected first, so that each wrong account is reported.
        accounts.collect::<Vec<_>>().into_iter().collect()
    }

    fn named_account(
        &mut self,
        options: &AccountOptions,
        account: AccountWithSecret,
        common: Option<&AccountSettings>,
    ) -> Option<AccountSettings> {
        let AccountWithSecret { entry, secret } = account;
        let line = entry.line;
        let before = self.problems.len();
        let length = entry.name.chars().count();
        if length > MAX_NAME_CHARS || entry.name.contains(is_unprintable) {
            let problem =
                format!("`name` must have at most {MAX_NAME_CHARS} characters, all printable");
            self.report_at(line, problem);
        }
        let at = format!("{} `api_key`", self.origins.at(line));
        let origin = place_of(&entry, &self.origins.path);
        let key = Some(ApiKey::new(entry.api_key.clone(), origin));
        let key = key.filter(|key| !key.text.is_empty());
        let key = key.and_then(|key| self.key(&at, key));
        let secret = match secret {
            None => None,
            Some(Err(problem)) => {
                self.report_at(line, format!("`api_secret_file` {problem}"));
                None
            }
            Some(Ok(secret)) => {
                let at = self.origins.at(line);
                let setting = match &secret.file {
                    Some(file) => format!("{at} `api_secret_file` {}", file.display()),
                    None => format!("{at} `api_secret`"),
                };
                self.without_flaw(&setting, secret)
            }
        };
        let base_url = self.base_url_of(&entry, options.allow_http);
        if self.problems.len() > before {
            return None;
        }
        let common = common?.clone();
        Some(AccountSettings {
            name: Some(entry.name.into()),
            base_url: base_url.unwrap_or(common.base_url),
            credentials: Credentials {
                key: key?,
                secret: secret?,
            },
            filter: TypeFilter {
                only: entry.event_types.into_iter().collect(),
                except: entry.exclude_event_types.into_iter().collect(),
            },
            ..common
        })
    }

    /// Returns the base URL of one account, if the account has its own.
    fn base_url_of(&mut self, entry: &AccountEntry, allow_http: bool) -> Option<Url> {
        let url = base_url::parse_base_url(entry.base_url.as_ref()?, allow_http);
        let setting = format!("{} `base_url`", self.origins.at(entry.line));
        let url = self.ok(&setting, url)?;
        if let Some(doubt) = base_url::doubt(&url) {
            self.warn(&setting, doubt);
        }
        Some(url)
    }

    fn report_at(&mut self, line: usize, problem: impl fmt::Display) {
        let problem = format!("{} {problem}", self.origins.at(line));
        self.problems.push(problem);
    }

    fn key(&mut self, setting: &str, key: ApiKey) -> Option<ApiKey> {
        if !key.text.is_empty()
            && let Some(flaw) = CredentialFlaw::of(&key.text)
        {
            self.report(setting, flaw);
            return None;
        }
        self.that(
            setting,
            is_api_key(&key.text),
            "must be set to the API key of the account",
            key,
        )
    }

    /// Returns a secret, reports a flaw that no secret has, and warns of another.
    fn without_flaw(&mut self, setting: &str, secret: ApiSecret) -> Option<ApiSecret> {
        match secret.flaw() {
            Some(flaw) if flaw.rules_out_a_secret() => {
                self.report(setting, flaw);
                return None;
            }
            Some(flaw) => self.warn(setting, flaw),
            None => {}
        }
        if let Some(warning) = &secret.warning {
            self.warn(setting, warning);
        }
        Some(secret)
    }

    fn secret(&mut self, secret: Option<Result<ApiSecret, SecretFileError>>) -> Option<ApiSecret> {
        match secret {
            Some(Ok(secret)) if !secret.text.expose_secret().is_empty() => {
                let setting = match &secret.file {
                    Some(file) => format!("--api.secret-file {}", file.display()),
                    None => secret.origin.clone(),
                };
                self.without_flaw(&setting, secret)
            }
            Some(Err(problem)) => {
                self.report("--api.secret-file", problem);
                None
            }
            _ => {
                let problem = "must be set to the API secret of the account, or --api.secret-file to a file that holds it";
                self.report(SECRET_VARIABLE, problem);
                None
            }
        }
    }

    fn shard(
        &mut self,
        options: &ShardOptions,
        host_name: Option<&str>,
        has_accounts: bool,
    ) -> Option<Shard> {
        let Some(count) = &options.count else {
            let alone = options.index.is_none();
            let problem = "needs --shard.count";
            return self.that("--shard.index", alone, problem, Shard::ONLY);
        };
        let count: u32 = self.above_zero("--shard.count", count)?;
        let problem =
            "needs accounts in a config file: a single account is counted by a single exporter";
        self.that("--shard.count", has_accounts, problem, ())?;
        let index = if let Some(index) = &options.index {
            let problem = |_| format!("{index:?} is not a whole number");
            self.ok("--shard.index", index.parse::<u32>().map_err(problem))?
        } else {
            let ordinal = host_name.and_then(shard::ordinal);
            let problem = "must be given: the name of this machine does not end with a number (the name of a pod of a StatefulSet does)";
            self.ok("--shard.index", ordinal.ok_or(problem))?
        };
        let problem = format!("is {index}, and must be below --shard.count, which is {count}");
        let shard = Shard { index, count };
        self.that("--shard.index", index < count, &problem, shard)
    }
}

/// Returns `true` if a text can be an API key. A colon would end the user name of HTTP
/// Basic authentication (RFC 7617).
pub(crate) fn is_api_key(text: &str) -> bool {
    !text.is_empty() && !text.contains(':') && !text.contains(char::is_control)
}

/// Returns what to write in place of a name that is none of `names`.
fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let mut text = format!(
        "must be one of the accounts: {}",
        names[..names.len().min(SHOWN)].join(", ")
    );
    if names.len() > SHOWN {
        text.push_str(" and others");
    }
    text
}
