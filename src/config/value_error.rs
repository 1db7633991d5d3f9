//! Errors of values that a user wrote.

/// The reason why a value cannot be used. The message follows the name of the setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// The text is not a duration, or a negative one.
    #[error("{0:?} is not a duration; write it like 30s, 15m or 24h")]
    Duration(String),
    /// The text is neither a time nor a date nor an age.
    #[error(
        "{0:?} is not a time; write a date (2026-11-23), a time (2026-11-23T10:00:00Z), an age (2h) or now"
    )]
    Time(String),
    /// The text is none of the words of the setting.
    #[error("{text:?} is unknown; write {known}")]
    Keyword {
        /// The text.
        text: String,
        /// The words of the setting, as a list to read.
        known: &'static str,
    },
}

impl ValueError {
    pub(super) fn keyword(text: &str, known: &'static str) -> Self {
        let text = text.to_owned();
        Self::Keyword { text, known }
    }
}
