//! The forms that a list can have, as values of flags.

use clap::ValueEnum;

/// The order of the list of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ListOrder {
    /// The newest event first.
    #[default]
    Newest,
    /// The oldest event first.
    Oldest,
    /// Another order at every request: the pages of one reading overlap and leave gaps.
    Shuffled,
    /// Another order whenever page 1 is asked for, which the pages after it keep.
    Reshuffled,
}

/// The form in which `created_at` is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum TimeFormat {
    /// As the vendor writes it: `2018-08-13T10:15:31`.
    #[default]
    Iso,
    /// With a trailing ` UTC`.
    Utc,
    /// As RFC 1123 has it: `Mon, 13 Aug 2018 10:15:31 GMT`.
    Rfc1123,
    /// Seconds since 1970, as a number.
    Epoch,
    /// Seconds since 1970, as a text.
    EpochText,
    /// Milliseconds since 1970, as a number.
    EpochMs,
    /// Milliseconds since 1970, as a text.
    EpochMsText,
}

/// The bounds that a range includes, of `date_from` and `date_to`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum IncludedBounds {
    /// Both.
    #[default]
    Both,
    /// `date_from` alone.
    From,
    /// `date_to` alone.
    To,
    /// None.
    None,
}

impl IncludedBounds {
    pub(crate) fn include_from(self) -> bool {
        matches!(self, Self::Both | Self::From)
    }

    pub(crate) fn include_to(self) -> bool {
        matches!(self, Self::Both | Self::To)
    }
}

/// The answer to a request for a page that the list does not have or does not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BeyondLast {
    /// A page without events.
    Empty,
    /// `{}`.
    Object,
    /// Status 400.
    #[value(name = "400")]
    BadRequest,
    /// Status 404.
    #[value(name = "404")]
    NotFound,
}
