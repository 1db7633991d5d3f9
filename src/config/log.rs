//! The settings of the log.

use std::str::FromStr;

use super::{LogOptions, Problems, SettingsCheck, ValueError};

/// The level and the format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogSettings {
    /// The lowest severity that is logged.
    pub level: LogLevel,
    /// The form of each line.
    pub format: LogFormat,
}

/// The lowest severity that is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// The form of each line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum LogFormat {
    Logfmt,
    Json,
}

impl FromStr for LogLevel {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match &*text.to_ascii_lowercase() {
            "error" => Ok(LogLevel::Error),
            "warn" => Ok(LogLevel::Warn),
            "info" => Ok(LogLevel::Info),
            "debug" => Ok(LogLevel::Debug),
            "trace" => Ok(LogLevel::Trace),
            _ => Err(ValueError::keyword(
                text,
                "error, warn, info, debug or trace",
            )),
        }
    }
}

impl FromStr for LogFormat {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match &*text.to_ascii_lowercase() {
            "logfmt" => Ok(LogFormat::Logfmt),
            "json" => Ok(LogFormat::Json),
            _ => Err(ValueError::keyword(text, "logfmt or json")),
        }
    }
}

impl LogSettings {
    /// Checks the options of the log alone, for commands that have no other settings.
    ///
    /// # Errors
    /// All [`Problems`] together.
    pub fn check(options: &LogOptions) -> Result<Self, Problems> {
        let mut check = SettingsCheck::default();
        check.log(options).ok_or_else(|| check.into_problems())
    }
}

impl SettingsCheck {
    pub(super) fn log(&mut self, options: &LogOptions) -> Option<LogSettings> {
        let level = self.ok("--log.level", options.level.parse());
        let format = self.ok("--log.format", options.format.parse());
        Some(LogSettings {
            level: level?,
            format: format?,
        })
    }
}
