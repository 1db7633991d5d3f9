//! Reads and checks single flag values.
//!
//! Every error is a sentence for whoever typed the flag.

use std::time::Duration;

use jiff::SignedDuration;

/// The longest span of traffic, ten years: times stay far from the calendar's ends.
const LONGEST_SPAN: Duration = Duration::from_hours(10 * 366 * 24);

/// The highest mean rate, in events per second.
const HIGHEST_RATE: f64 = 100_000.0;

pub(crate) fn signed_duration(text: &str) -> Result<SignedDuration, String> {
    text.parse()
        .map_err(|_| format!("{text:?} is not a duration such as 30s, 15m or 24h"))
}

pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    Duration::try_from(signed_duration(text)?)
        .map_err(|_| "a duration must not be negative here".to_owned())
}

pub(crate) fn span(text: &str) -> Result<Duration, String> {
    let span = duration(text)?;
    check_span(span).map(|()| span)
}

pub(crate) fn share(text: &str) -> Result<f64, String> {
    let share = number(text)?;
    check_share(share).map(|()| share)
}

pub(crate) fn rate(text: &str) -> Result<f64, String> {
    let rate = number(text)?;
    check_rate(rate).map(|()| rate)
}

pub(crate) fn base_path(text: &str) -> Result<String, String> {
    check_base_path(text).map(|()| text.to_owned())
}

fn number(text: &str) -> Result<f64, String> {
    text.parse()
        .map_err(|_| format!("{text:?} is not a number"))
}

pub(crate) fn check_span(span: Duration) -> Result<(), String> {
    if span > LONGEST_SPAN {
        let hours = LONGEST_SPAN.as_secs() / 3600;
        return Err(format!("a span is at most ten years ({hours}h)"));
    }
    Ok(())
}

pub(crate) fn check_share(share: f64) -> Result<(), String> {
    if (0.0..=1.0).contains(&share) {
        return Ok(());
    }
    Err(format!("{share} is not a share from 0 to 1"))
}

pub(crate) fn check_rate(rate: f64) -> Result<(), String> {
    if (0.0..=HIGHEST_RATE).contains(&rate) {
        return Ok(());
    }
    Err(format!(
        "{rate} is not a rate from 0 to {HIGHEST_RATE} events per second"
    ))
}

pub(crate) fn check_base_path(path: &str) -> Result<(), String> {
    if path.is_empty() {
        return Ok(());
    }
    if !path.starts_with('/') {
        return Err("a base path must begin with a slash".to_owned());
    }
    if path.ends_with('/') {
        return Err("a base path must not end with a slash".to_owned());
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    if !path.bytes().all(plain) {
        return Err("a base path holds only letters, digits and /-._~".to_owned());
    }
    Ok(())
}
