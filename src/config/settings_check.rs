//! Collects everything that is wrong with settings.

use std::{fmt, str::FromStr, time::Duration};

use jiff::SignedDuration;

use super::{Environment, Problems, SettingOrigins, duration::parse_duration};

/// Collects problems. A setting that has a problem is `None`.
#[derive(Default)]
pub(super) struct SettingsCheck {
    pub(super) problems: Vec<String>,
    /// What can be used, and is probably not what was meant.
    pub(super) warnings: Vec<String>,
    pub(super) origins: SettingOrigins,
    /// `true` if the config file has problems by itself, so that it may lack accounts.
    pub(super) file_has_problems: bool,
}

impl SettingsCheck {
    /// Returns what `check` makes of the options, or all problems together.
    pub(super) fn run<T>(
        mut environment: Environment,
        check: impl FnOnce(&mut Self, Environment) -> Option<T>,
    ) -> Result<T, Problems> {
        let mut checked = Self {
            file_has_problems: !environment.problems.is_empty(),
            problems: std::mem::take(&mut environment.problems),
            warnings: std::mem::take(&mut environment.warnings),
            origins: std::mem::take(&mut environment.origins),
        };
        let settings = check(&mut checked, environment);
        match settings {
            Some(settings) if checked.problems.is_empty() => Ok(settings),
            _ => Err(checked.into_problems()),
        }
    }

    /// Returns all problems: first those of the config file, in the order of its lines.
    pub(super) fn into_problems(mut self) -> Problems {
        let origins = self.origins;
        self.problems
            .sort_by_cached_key(|problem| origins.line_of(problem).unwrap_or(usize::MAX));
        Problems::new(self.problems)
    }

    /// Reports a problem. The report begins with the place that the setting comes from.
    pub(super) fn report(&mut self, setting: &str, problem: impl fmt::Display) {
        let setting = self.origins.of(setting);
        self.problems.push(format!("{setting} {problem}"));
    }

    /// Warns of something that can be used.
    pub(super) fn warn(&mut self, setting: &str, doubt: impl fmt::Display) {
        let setting = self.origins.of(setting);
        self.warnings.push(format!("{setting} {doubt}"));
    }

    /// Returns the value, or reports the error and returns `None`.
    pub(super) fn ok<T>(
        &mut self,
        setting: &str,
        result: Result<T, impl fmt::Display>,
    ) -> Option<T> {
        result.map_err(|problem| self.report(setting, problem)).ok()
    }

    /// Returns `value` if the condition holds; otherwise reports the problem and returns `None`.
    pub(super) fn that<T>(
        &mut self,
        setting: &str,
        holds: bool,
        problem: &str,
        value: T,
    ) -> Option<T> {
        self.ok(setting, if holds { Ok(value) } else { Err(problem) })
    }

    pub(super) fn duration(&mut self, setting: &str, text: &str) -> Option<SignedDuration> {
        self.ok(setting, parse_duration(text))
    }

    pub(super) fn positive_duration(&mut self, setting: &str, text: &str) -> Option<Duration> {
        let duration = self.duration(setting, text)?;
        self.that(
            setting,
            duration.is_positive(),
            "must be above 0",
            duration.unsigned_abs(),
        )
    }

    pub(super) fn above_zero<N: FromStr + PartialOrd + Default>(
        &mut self,
        setting: &str,
        text: &str,
    ) -> Option<N> {
        let number = text.parse().ok().filter(|number| *number > N::default());
        let problem = || format!("{text:?} is not a number above 0");
        self.ok(setting, number.ok_or_else(problem))
    }

    pub(super) fn whole(&mut self, setting: &str, text: &str) -> Option<usize> {
        let problem = |_| format!("{text:?} is not a whole number; 0 means no limit");
        self.ok(setting, text.parse().map_err(problem))
    }
}
