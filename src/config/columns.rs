//! The columns of events, in tables and in CSV.

use super::{OutputFormat, SettingsCheck};

/// A field of an event that can be a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventColumn {
    Time,
    Type,
    Source,
    Country,
    Ip,
    Id,
    /// The e-mail address of the user, or the id where there is none.
    User,
    Email,
    UserId,
    AccountId,
    TypeDescription,
    SourceDescription,
    Context,
}

/// Every column by its name. A field of the API has its name in the API as well.
const NAMES: [(&str, EventColumn); 20] = [
    ("time", EventColumn::Time),
    ("type", EventColumn::Type),
    ("source", EventColumn::Source),
    ("country", EventColumn::Country),
    ("ip", EventColumn::Ip),
    ("id", EventColumn::Id),
    ("user", EventColumn::User),
    ("user_email", EventColumn::Email),
    ("user_id", EventColumn::UserId),
    ("account_id", EventColumn::AccountId),
    ("type_description", EventColumn::TypeDescription),
    ("source_description", EventColumn::SourceDescription),
    ("context", EventColumn::Context),
    ("created_at", EventColumn::Time),
    ("event_type", EventColumn::Type),
    ("source_country", EventColumn::Country),
    ("source_ip", EventColumn::Ip),
    ("email", EventColumn::Email),
    ("account", EventColumn::AccountId),
    ("event_type_description", EventColumn::TypeDescription),
];

/// The names that a message lists; the others are further names of the same columns.
const LISTED: usize = 13;

impl SettingsCheck {
    /// Returns the columns that `--columns` names; empty if the format decides.
    pub(super) fn columns(
        &mut self,
        names: &[String],
        format: Option<OutputFormat>,
    ) -> Option<Vec<EventColumn>> {
        if names.is_empty() {
            return Some(Vec::new());
        }
        let problem = "has an effect on table and csv alone; json has every field";
        self.that("--columns", format != Some(OutputFormat::Json), problem, ())?;
        let mut columns = Vec::new();
        for name in names {
            columns.push(self.ok("--columns", column(name))?);
        }
        Some(columns)
    }
}

fn column(name: &str) -> Result<EventColumn, String> {
    let is_named = |(known, _): &&(&str, EventColumn)| known.eq_ignore_ascii_case(name.trim());
    let found = NAMES.iter().find(is_named).map(|(_, column)| *column);
    found.ok_or_else(|| {
        let listed: Vec<_> = NAMES[..LISTED].iter().map(|(known, _)| *known).collect();
        format!(
            "{name:?} is no column; the columns are {}",
            listed.join(", ")
        )
    })
}
