//! Reads and checks the values of single flags.

use std::time::Duration;

use jiff::SignedDuration;

/// The longest span of traffic: ten years, so that times stay far from the ends of the
/// calendar.
const LONGEST_SPAN: Duration = Duration::from_hours(10 * 366 * 24);

/// The highest mean rate, in events per second.
const HIGHEST_RATE: f64 = 100_000.0;

/// A value that a flag does not take.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FlagValueError {
    /// The text is no duration.
    #[error("{0:?} is not a duration such as 30s, 15m or 24h")]
    Duration(String),
    /// The duration is below 0.
    #[error("a duration must not be negative here")]
    NegativeDuration,
    /// The span is longer than ten years.
    #[error("a span is at most ten years ({}h)", LONGEST_SPAN.as_secs() / 3600)]
    Span,
    /// The text is no number.
    #[error("{0:?} is not a number")]
    Number(String),
    /// The share is below 0 or above 1.
    #[error("{0} is not a share from 0 to 1")]
    Share(f64),
    /// The rate is below 0 or above the highest one.
    #[error("{0} is not a rate from 0 to {HIGHEST_RATE} events per second")]
    Rate(f64),
    /// The base path does not begin with a slash.
    #[error("a base path must begin with a slash")]
    BasePathStart,
    /// The base path ends with a slash.
    #[error("a base path must not end with a slash")]
    BasePathEnd,
    /// The base path holds a character that would have to be escaped in a URL.
    #[error("a base path holds only letters, digits and /-._~")]
    BasePathCharacter,
}

pub(crate) fn signed_duration(text: &str) -> Result<SignedDuration, FlagValueError> {
    text.parse()
        .map_err(|_| FlagValueError::Duration(text.to_owned()))
}

pub(crate) fn duration(text: &str) -> Result<Duration, FlagValueError> {
    Duration::try_from(signed_duration(text)?).map_err(|_| FlagValueError::NegativeDuration)
}

pub(crate) fn span(text: &str) -> Result<Duration, FlagValueError> {
    let span = duration(text)?;
    check_span(span).map(|()| span)
}

pub(crate) fn share(text: &str) -> Result<f64, FlagValueError> {
    let share = number(text)?;
    check_share(share).map(|()| share)
}

pub(crate) fn rate(text: &str) -> Result<f64, FlagValueError> {
    let rate = number(text)?;
    check_rate(rate).map(|()| rate)
}

pub(crate) fn base_path(text: &str) -> Result<String, FlagValueError> {
    check_base_path(text).map(|()| text.to_owned())
}

fn number(text: &str) -> Result<f64, FlagValueError> {
    text.parse()
        .map_err(|_| FlagValueError::Number(text.to_owned()))
}

pub(crate) fn check_span(span: Duration) -> Result<(), FlagValueError> {
    if span > LONGEST_SPAN {
        return Err(FlagValueError::Span);
    }
    Ok(())
}

pub(crate) fn check_share(share: f64) -> Result<(), FlagValueError> {
    if (0.0..=1.0).contains(&share) {
        return Ok(());
    }
    Err(FlagValueError::Share(share))
}

pub(crate) fn check_rate(rate: f64) -> Result<(), FlagValueError> {
    if (0.0..=HIGHEST_RATE).contains(&rate) {
        return Ok(());
    }
    Err(FlagValueError::Rate(rate))
}

pub(crate) fn check_base_path(path: &str) -> Result<(), FlagValueError> {
    if path.is_empty() {
        return Ok(());
    }
    if !path.starts_with('/') {
        return Err(FlagValueError::BasePathStart);
    }
    if path.ends_with('/') {
        return Err(FlagValueError::BasePathEnd);
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    if !path.bytes().all(plain) {
        return Err(FlagValueError::BasePathCharacter);
    }
    Ok(())
}
