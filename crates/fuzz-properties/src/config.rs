//! A config file: its accounts have distinct names, and no problem of the file shows a
//! secret.

use std::{collections::BTreeSet, fmt::Display};

use nexmo_audit_exporter::config::{
    AccountWithSecret, ConfigFile, EntrySecret, Environment, Problems, Settings,
};

use crate::{settings::SERVE, text};

const SECRET: &str = "swordfish-8861";

pub fn holds(data: &[u8]) {
    // A sign in the input stands for a secret, so that the secret can be recognized.
    let file = text(data).replace("api_secret: $", &format!("api_secret: {SECRET}"));
    let file = match ConfigFile::parse(&file) {
        Ok(file) => file,
        Err(error) => return shows_no_secret(&error, &file),
    };
    let problems: Vec<_> = file.problems.iter().map(ToString::to_string).collect();
    if !problems.is_empty() {
        return shows_no_secret(&Problems::new(problems), &text(data));
    }
    let Some(accounts) = file.accounts else {
        return;
    };
    let accounts: Vec<_> = accounts
        .into_iter()
        .map(|entry| AccountWithSecret {
            secret: entry.secret.as_ref().map(|secret| match secret {
                EntrySecret::Text(secret) => Ok(secret.clone().into()),
                EntrySecret::File(_) => Ok(SECRET.into()),
            }),
            entry,
        })
        .collect();
    let number = accounts.len();
    let found = Environment {
        accounts: Some(accounts),
        ..Environment::default()
    };
    match Settings::check(&SERVE, found) {
        Ok(settings) => {
            assert_eq!(settings.accounts.len(), number);
            let names: BTreeSet<_> = settings
                .accounts
                .iter()
                .map(|account| &account.name)
                .collect();
            assert_eq!(names.len(), number, "two accounts have one name");
            for account in &settings.accounts {
                let name = account.name.as_deref().unwrap_or_default();
                assert!(!name.is_empty() && name.chars().count() <= 64, "{name:?}");
                let key = &account.credentials.key.text;
                assert!(!key.is_empty() && !key.contains(':'));
            }
            assert!(!format!("{settings:?}").contains(SECRET) || shown_elsewhere(&text(data)));
        }
        Err(problems) => shows_no_secret(&problems, &text(data)),
    }
}

fn shows_no_secret(problems: &impl Display, file: &str) {
    let said = problems.to_string();
    assert!(!said.contains(SECRET) || shown_elsewhere(file), "{said}");
}

/// Text that also appears elsewhere in the file is no secret.
fn shown_elsewhere(file: &str) -> bool {
    file.replace(&format!("api_secret: {SECRET}"), "")
        .contains(SECRET)
}
