//! The variables of the account's API key and API secret. The vendor has two names, and each
//! variable has one by either: a pair of one name belongs together.

use std::{env, path::Path};

use super::credentials::{KEY_VARIABLE, LINE_END, SECRET_VARIABLE};

/// The names of the variables of the key and of the secret, by each name of the vendor.
const PAIRS: [(&str, &str); 2] = [
    (KEY_VARIABLE, SECRET_VARIABLE),
    ("VONAGE_API_KEY", "VONAGE_API_SECRET"),
];

/// A variable that is set, and is not empty.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Variable {
    pub(super) name: &'static str,
    /// The value without the end of a line.
    pub(super) text: String,
}

/// The variables of the account that are used, and what is doubtful about the others.
#[derive(Default)]
pub(super) struct CredentialVariables {
    pub(super) key: Option<Variable>,
    pub(super) secret: Option<Variable>,
    /// The variables that are set and not used.
    ignored: Vec<Variable>,
}

impl CredentialVariables {
    /// Reads the variables of the environment.
    pub(super) fn read() -> Self {
        Self::choose(|name| env::var(name).ok())
    }

    /// Chooses among the values that `value` returns. The first pair of which both are set is
    /// used; if there is none, the first key and the first secret are.
    fn choose(value: impl Fn(&'static str) -> Option<String>) -> Self {
        let variable = |name: &'static str| {
            let text = value(name)?.trim_end_matches(LINE_END).to_owned();
            (!text.is_empty()).then_some(Variable { name, text })
        };
        let pairs = PAIRS.map(|(key, secret)| (variable(key), variable(secret)));
        let whole = pairs
            .iter()
            .find(|(key, secret)| key.is_some() && secret.is_some());
        let (key, secret) = whole.cloned().unwrap_or_else(|| {
            let key = pairs.iter().find_map(|(key, _)| key.clone());
            (key, pairs.iter().find_map(|(_, secret)| secret.clone()))
        });
        let all = pairs.into_iter().flat_map(|(key, secret)| [key, secret]);
        let ignored = all.flatten();
        let ignored =
            ignored.filter(|one| Some(one) != key.as_ref() && Some(one) != secret.as_ref());
        Self {
            ignored: ignored.collect(),
            key,
            secret,
        }
    }

    /// Returns what a user may not have meant. `has_accounts` tells whether a config file has
    /// accounts, and `secret_file` is the file of the secret, both of which replace variables.
    pub(super) fn doubts(&self, has_accounts: bool, secret_file: Option<&Path>) -> Vec<String> {
        const DOUBT: &str = "ignored, since the config file has accounts";
        let names = |variables: &[&Variable]| {
            let names: Vec<_> = variables.iter().map(|one| one.name).collect();
            names.join(" and ")
        };
        let used: Vec<&Variable> = self.key.iter().chain(&self.secret).collect();
        let mut doubts = Vec::new();
        if has_accounts {
            let set: Vec<&Variable> = used.into_iter().chain(&self.ignored).collect();
            doubts.extend(doubt_of(&names(&set), set.len(), DOUBT));
            let file = secret_file.and_then(|_| doubt_of("--api.secret-file", 1, DOUBT));
            doubts.extend(
                file.map(|doubt| format!("{doubt}; give each account its api_secret_file")),
            );
            return doubts;
        }
        if let (Some(secret), Some(file)) = (&self.secret, secret_file) {
            let file = file.display();
            let doubt = format!("ignored, since --api.secret-file {file} has the secret");
            doubts.extend(doubt_of(secret.name, 1, &doubt));
        } else if let (Some(key), Some(secret)) = (&self.key, &self.secret)
            && !PAIRS.contains(&(key.name, secret.name))
        {
            let doubt = "used together, although their names begin differently; check that both are of one account";
            doubts.extend(doubt_of(&names(&used), used.len(), doubt));
        }
        let differs = |one: &&Variable| !used.iter().any(|used| used.text == one.text);
        let ignored: Vec<&Variable> = self.ignored.iter().filter(differs).collect();
        let doubt = format!(
            "ignored in favour of {}; remove what is not meant",
            names(&used)
        );
        doubts.extend(doubt_of(&names(&ignored), ignored.len(), &doubt));
        doubts
    }
}

/// Returns a sentence about so many variables; `None` about no variable.
fn doubt_of(names: &str, number: usize, doubt: &str) -> Option<String> {
    match number {
        0 => None,
        1 => Some(format!("{names} is {doubt}")),
        _ => Some(format!("{names} are {doubt}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(set: &[(&'static str, &'static str)]) -> CredentialVariables {
        CredentialVariables::choose(|name| {
            let found = set.iter().find(|(set, _)| *set == name)?;
            Some(found.1.to_owned())
        })
    }

    /// The variables that are set, those that are used, and what is said about the others.
    #[test]
    fn a_pair_of_one_name_is_used_and_others_are_named() {
        const MIXED: &str = "used together, although their names begin differently; check that both are of one account";
        type Variables<'a> = &'a [(&'static str, &'static str)];
        type Case<'a> = (Variables<'a>, [Option<&'a str>; 2], &'a [&'a str]);
        let cases: [Case<'_>; 8] = [
            (&[], [None, None], &[]),
            (
                &[("NEXMO_API_KEY", "k"), ("NEXMO_API_SECRET", "s\n")],
                [Some("NEXMO_API_KEY"), Some("NEXMO_API_SECRET")],
                &[],
            ),
            (
                &[("VONAGE_API_KEY", "k"), ("VONAGE_API_SECRET", "s")],
                [Some("VONAGE_API_KEY"), Some("VONAGE_API_SECRET")],
                &[],
            ),
            (
                &[
                    ("NEXMO_API_KEY", "k"),
                    ("NEXMO_API_SECRET", ""),
                    ("VONAGE_API_KEY", "k2"),
                    ("VONAGE_API_SECRET", "s2"),
                ],
                [Some("VONAGE_API_KEY"), Some("VONAGE_API_SECRET")],
                &[
                    "NEXMO_API_KEY is ignored in favour of VONAGE_API_KEY and VONAGE_API_SECRET; remove what is not meant",
                ],
            ),
            (
                &[
                    ("NEXMO_API_KEY", "k"),
                    ("NEXMO_API_SECRET", "s"),
                    ("VONAGE_API_KEY", "k2"),
                    ("VONAGE_API_SECRET", "s2"),
                ],
                [Some("NEXMO_API_KEY"), Some("NEXMO_API_SECRET")],
                &[
                    "VONAGE_API_KEY and VONAGE_API_SECRET are ignored in favour of NEXMO_API_KEY and NEXMO_API_SECRET; remove what is not meant",
                ],
            ),
            (
                &[
                    ("NEXMO_API_KEY", "k"),
                    ("NEXMO_API_SECRET", "s"),
                    ("VONAGE_API_KEY", "k"),
                    ("VONAGE_API_SECRET", "s"),
                ],
                [Some("NEXMO_API_KEY"), Some("NEXMO_API_SECRET")],
                &[],
            ),
            (
                &[("NEXMO_API_KEY", "k"), ("VONAGE_API_SECRET", "s")],
                [Some("NEXMO_API_KEY"), Some("VONAGE_API_SECRET")],
                &[&format!("NEXMO_API_KEY and VONAGE_API_SECRET are {MIXED}")],
            ),
            (
                &[("VONAGE_API_KEY", "k"), ("NEXMO_API_SECRET", "s")],
                [Some("VONAGE_API_KEY"), Some("NEXMO_API_SECRET")],
                &[&format!("VONAGE_API_KEY and NEXMO_API_SECRET are {MIXED}")],
            ),
        ];
        for (set, used, doubts) in cases {
            let found = of(set);
            let names = [&found.key, &found.secret].map(|one| one.as_ref().map(|one| one.name));
            assert_eq!(names, used, "{set:?}");
            assert_eq!(found.doubts(false, None), doubts, "{set:?}");
        }
    }

    #[test]
    fn what_replaces_variables_is_named() {
        let both = of(&[("NEXMO_API_KEY", "k"), ("NEXMO_API_SECRET", "s")]);
        let file = Some(Path::new("/run/secret"));
        let of_file =
            "NEXMO_API_SECRET is ignored, since --api.secret-file /run/secret has the secret";
        assert_eq!(both.doubts(false, file), [of_file]);
        let of_accounts = [
            "NEXMO_API_KEY and NEXMO_API_SECRET are ignored, since the config file has accounts",
            "--api.secret-file is ignored, since the config file has accounts; give each account its api_secret_file",
        ];
        assert_eq!(both.doubts(true, file), of_accounts);
        assert!(of(&[]).doubts(true, None).is_empty());
    }
}
