//! What is wrong with a value that a user wrote.

/// Why a value cannot be used, as words that follow the name of its setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// It is no address to listen on.
    #[error("{0:?} is no address; write it like :10610, 127.0.0.1:10610 or [::1]:10610")]
    Address(String),
    /// It is no duration, or a negative one.
    #[error("{0:?} is no duration; write it like 30s, 15m or 24h")]
    Duration(String),
    /// It is no time, no date and no age.
    #[error(
        "{0:?} is no time; write a date (2026-11-23), a time (2026-11-23T10:00:00Z), an age (2h) or now"
    )]
    Time(String),
    /// It is no moment to count from.
    #[error("{0:?} is no start; write now, an age like 24h, or a time like 2026-11-23T10:00:00Z")]
    Start(String),
    /// It is none of the words that the setting knows.
    #[error("{text:?} is unknown; write {known}")]
    Keyword {
        /// The value.
        text: String,
        /// The words that the setting knows, as a list to read.
        known: &'static str,
    },
}

impl ValueError {
    pub(super) fn keyword(text: &str, known: &'static str) -> Self {
        let text = text.to_owned();
        Self::Keyword { text, known }
    }
}
