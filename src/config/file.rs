//! The config file: the settings that are flags too, and the accounts.
//!
//! A setting is named like its flag, with nesting in place of dots and `_` in place of
//! dashes: `poll: {reconcile_interval: 2h}` is `--poll.reconcile-interval=2h`. Values
//! are not checked here.

use std::{collections::BTreeMap, path::PathBuf};

use secrecy::SecretString;
use yaml_tree::{YamlEntry, YamlError, YamlNode, YamlValue};

/// The key of the list of accounts.
const ACCOUNTS: &str = "accounts";

/// The content of a config file.
#[derive(Debug, Clone, Default)]
pub struct ConfigFile {
    /// The path of the file; [`ConfigFile::parse`] leaves it empty.
    pub path: String,
    /// What every user of this machine may do with the file, if anything: see
    /// [`ReadFile::is_open_to_all`](exporter_web::ReadFile::is_open_to_all).
    pub open_to_all: Option<&'static str>,
    /// The settings, by the long name of the flag.
    pub settings: BTreeMap<String, FileSetting>,
    /// The accounts; `None` where the file has no such list.
    pub accounts: Option<Vec<AccountEntry>>,
    /// What cannot be used. What has a problem is in no other field, or is left empty there.
    pub problems: Vec<YamlError>,
    /// What has no effect.
    pub warnings: Vec<YamlError>,
}

/// A setting of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSetting {
    /// The line of the setting, from 1.
    pub line: usize,
    /// The values, as they would follow the flag; never empty.
    pub values: Vec<String>,
}

/// An account as the file has it. A field that the file lacks is empty, and is one of the
/// problems of the file.
#[derive(Debug, Clone)]
pub struct AccountEntry {
    /// The line where the account begins, from 1.
    pub line: usize,
    /// The value of the label `account`.
    pub name: String,
    /// The API key.
    pub api_key: String,
    /// The API secret, or the file that holds it.
    pub secret: Option<EntrySecret>,
    /// The event types to count; empty for all.
    pub event_types: Vec<String>,
    /// The event types not to count.
    pub exclude_event_types: Vec<String>,
    /// The URL of the Audit API, in place of `--api.base-url`.
    pub base_url: Option<String>,
}

/// The API secret of an account, or the file that holds it.
#[derive(Debug, Clone)]
pub enum EntrySecret {
    /// The secret is in the config file.
    Text(SecretString),
    /// The secret is in a file of its own.
    File(PathBuf),
}

impl ConfigFile {
    /// Parses the text of a config file. What is wrong with single settings and accounts is
    /// in [`problems`](Self::problems), so that the rest can be checked too.
    ///
    /// # Errors
    /// [`YamlError`] if the text is not YAML. Neither the error nor a problem shows a value.
    pub fn parse(text: &str) -> Result<Self, YamlError> {
        let mut file = Self::default();
        for entry in &yaml_tree::parse(text)? {
            if entry.key == ACCOUNTS {
                file.accounts = Some(accounts(entry, &mut file.problems));
            } else {
                file.setting("", entry);
            }
        }
        Ok(file)
    }

    fn setting(&mut self, above: &str, entry: &YamlEntry) {
        let name = format!("{above}{}", entry.key.replace('_', "-"));
        if let YamlValue::Map(inner) = &entry.node.value {
            let above = format!("{name}.");
            for entry in inner {
                self.setting(&above, entry);
            }
            return;
        }
        if is_empty(&entry.node.value) {
            let warning = entry.error("has no value, and the default is used");
            self.warnings.push(warning);
            return;
        }
        match values(entry) {
            Ok(values) => {
                let line = entry.line;
                self.settings.insert(name, FileSetting { line, values });
            }
            Err(error) => self.problems.push(error),
        }
    }
}

/// Returns `true` if nothing was written, or a text without characters.
fn is_empty(value: &YamlValue) -> bool {
    match value {
        YamlValue::Null => true,
        YamlValue::Scalar { text, .. } => text.is_empty(),
        YamlValue::List(_) | YamlValue::Map(_) => false,
    }
}

/// Returns one text, or the texts of a list.
fn values(entry: &YamlEntry) -> Result<Vec<String>, YamlError> {
    let values: Vec<String> = match &entry.node.value {
        YamlValue::List(_) => entry.texts()?.into_iter().map(str::to_owned).collect(),
        _ => vec![entry.text()?.to_owned()],
    };
    if values.is_empty() || values.iter().any(String::is_empty) {
        return Err(entry.error("has no value; write one, or remove the line"));
    }
    Ok(values)
}

fn accounts(entry: &YamlEntry, problems: &mut Vec<YamlError>) -> Vec<AccountEntry> {
    let nodes = match entry.list() {
        Ok([]) => Err(entry.error("is an empty list; add an account, or remove the list")),
        nodes => nodes,
    };
    let nodes = nodes.unwrap_or_else(|error| {
        problems.push(error);
        &[]
    });
    nodes
        .iter()
        .filter_map(|node| PartialAccount::default().account(node, problems))
        .collect()
}

/// An account as far as it has been parsed.
#[derive(Default)]
struct PartialAccount {
    name: Option<String>,
    api_key: Option<String>,
    api_secret: Option<String>,
    api_secret_file: Option<String>,
    event_types: Vec<String>,
    exclude_event_types: Vec<String>,
    base_url: Option<String>,
}

impl PartialAccount {
    /// Returns the account, as far as it can be read; `None` if nothing of it can be.
    fn account(mut self, node: &YamlNode, problems: &mut Vec<YamlError>) -> Option<AccountEntry> {
        let entries = node.map(ACCOUNTS).map_err(|error| problems.push(error));
        let entries = entries.ok()?;
        for entry in entries {
            problems.extend(self.take(entry).err());
        }
        let line = node.line;
        let has = |key: &str| entries.iter().any(|entry| entry.key == key);
        let mut missing = |what: &str| {
            let problem = format!("the account {what}");
            problems.push(YamlError { line, problem });
        };
        let secret = match (self.api_secret, self.api_secret_file) {
            (Some(text), None) => Some(EntrySecret::Text(text.into())),
            (None, Some(path)) => Some(EntrySecret::File(path.into())),
            (None, None) => {
                if !has("api_secret") && !has("api_secret_file") {
                    missing("has neither `api_secret` nor `api_secret_file`");
                }
                None
            }
            (Some(_), Some(_)) => {
                missing("has both `api_secret` and `api_secret_file`; keep one");
                None
            }
        };
        if !has("name") {
            missing("has no `name`, which becomes its label");
        }
        if !has("api_key") {
            missing("has no `api_key`");
        }
        Some(AccountEntry {
            line,
            name: self.name.unwrap_or_default(),
            api_key: self.api_key.unwrap_or_default(),
            secret,
            event_types: self.event_types,
            exclude_event_types: self.exclude_event_types,
            base_url: self.base_url,
        })
    }

    fn take(&mut self, entry: &YamlEntry) -> Result<(), YamlError> {
        let place = match &*entry.key {
            "name" => &mut self.name,
            "api_key" => &mut self.api_key,
            "api_secret" => &mut self.api_secret,
            "api_secret_file" => &mut self.api_secret_file,
            "base_url" => &mut self.base_url,
            "event_types" => {
                self.event_types = values(entry)?;
                return Ok(());
            }
            "exclude_event_types" => {
                self.exclude_event_types = values(entry)?;
                return Ok(());
            }
            _ => {
                let known = "name, api_key, api_secret, api_secret_file, base_url, event_types and exclude_event_types";
                return Err(entry.error(format_args!("is unknown; an account has {known}")));
            }
        };
        let text = entry.text()?;
        if text.is_empty() {
            return Err(entry.error("has no value"));
        }
        *place = Some(text.to_owned());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "
poll:
  interval: 60s
  reconcile_interval: 2h
web: {listen_address: [':1', ':2']}
metrics: {max_series: 5}
accounts:
  - name: production
    api_key: abcd1234
    api_secret_file: /run/secrets/production
    event_types: [ACCOUNT_SECRET_DELETE, USER_CREATED]
  - {name: test, api_key: efgh5678, api_secret: 's3cret', exclude_event_types: USER_LOGIN}
";

    #[test]
    fn settings_are_named_like_flags() {
        let file = ConfigFile::parse(FILE).expect("a file");
        let settings: Vec<_> = file
            .settings
            .iter()
            .map(|(name, setting)| (&**name, setting.line, setting.values.join(" ")))
            .collect();
        let expected = [
            ("metrics.max-series", 6, "5".to_owned()),
            ("poll.interval", 3, "60s".to_owned()),
            ("poll.reconcile-interval", 4, "2h".to_owned()),
            ("web.listen-address", 5, ":1 :2".to_owned()),
        ];
        assert_eq!(settings, expected);
    }

    #[test]
    fn accounts_in_their_order() {
        let file = ConfigFile::parse(FILE).expect("a file");
        let accounts = file.accounts.expect("accounts");
        let [production, test] = &*accounts else {
            panic!("two accounts")
        };
        assert_eq!((&*production.name, production.line), ("production", 8));
        let Some(EntrySecret::File(path)) = &production.secret else {
            panic!("a file")
        };
        assert_eq!(path, &PathBuf::from("/run/secrets/production"));
        assert_eq!(production.event_types.len(), 2);
        assert_eq!(test.exclude_event_types, ["USER_LOGIN"]);
        assert!(!format!("{accounts:?}").contains("s3cret"));
        assert!(ConfigFile::parse("").expect("nothing").accounts.is_none());
    }

    /// Each file, and everything that is wrong with it.
    #[test]
    fn every_problem_has_its_line_and_none_a_value() {
        let cases: [(&str, &[&str]); 7] = [
            (
                "poll: {interval: [[s3cret]]}",
                &["line 1: `interval` must be a list of text"],
            ),
            ("accounts: s3cret", &["line 1: `accounts` must be a list"]),
            (
                "accounts: [s3cret]",
                &["line 1: `accounts` must be a mapping, `key: value`"],
            ),
            (
                "accounts:\n- name: a\n  api_key: b\n  api_secret: s3cret\n  api_secret_file: c",
                &["line 2: the account has both `api_secret` and `api_secret_file`; keep one"],
            ),
            (
                "accounts:\n- name: a\n  key: s3cret\n  api_key: k\n  api_secret: s3cret",
                &[
                    "line 3: `key` is unknown; an account has name, api_key, api_secret, api_secret_file, base_url, event_types and exclude_event_types",
                ],
            ),
            (
                "accounts:\n- {name: '', api_key: b, api_secret: s3cret}",
                &["line 2: `name` has no value"],
            ),
            (
                "accounts:\n- name: a\n- api_key: b\n  api_secret: s3cret",
                &[
                    "line 2: the account has neither `api_secret` nor `api_secret_file`",
                    "line 2: the account has no `api_key`",
                    "line 3: the account has no `name`, which becomes its label",
                ],
            ),
        ];
        for (text, expected) in cases {
            let problems = ConfigFile::parse(text).expect(text).problems;
            let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
            assert_eq!(problems, expected, "{text}");
            assert!(!problems.concat().contains("s3cret"));
        }
        let twice = ConfigFile::parse("accounts: []\naccounts: []").expect_err("an error");
        let expected = "line 2: `accounts` is given again, after line 1; keep one";
        assert_eq!(twice.to_string(), expected);
    }

    #[test]
    fn a_setting_without_a_value_is_as_if_it_were_not_there() {
        let file = ConfigFile::parse("poll: {interval: , lookback: ''}").expect("a file");
        assert!(file.settings.is_empty() && file.problems.is_empty());
        let warnings: Vec<_> = file
            .warnings
            .iter()
            .map(|warning| &*warning.problem)
            .collect();
        let expected = [
            "`interval` has no value, and the default is used",
            "`lookback` has no value, and the default is used",
        ];
        assert_eq!(warnings, expected);
    }
}
