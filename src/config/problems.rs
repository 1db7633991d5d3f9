//! Everything that is wrong with a configuration.

use std::fmt;

use exporter_web::WebConfigError;

/// Everything that is wrong with a configuration, in the order of its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(Vec<String>);

impl Problems {
    /// Returns `problems`, of which there is at least one.
    #[must_use]
    pub fn new(problems: Vec<String>) -> Self {
        Self(problems)
    }

    /// Returns these problems, followed by `others`.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// Returns each problem by itself.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Returns the result of `to` for each problem.
    #[must_use]
    pub fn map(self, to: impl FnMut(String) -> String) -> Self {
        Self(self.0.into_iter().map(to).collect())
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the configuration cannot be used:")?;
        self.0
            .iter()
            .try_for_each(|problem| write!(formatter, "\n  {problem}"))
    }
}

impl std::error::Error for Problems {}

impl From<WebConfigError> for Problems {
    fn from(error: WebConfigError) -> Self {
        Self(error.problems().collect())
    }
}
