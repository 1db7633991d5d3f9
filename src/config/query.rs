//! The settings of the commands that ask the API once.

use std::str::FromStr;

use jiff::{Timestamp, tz::TimeZone};

use super::{
    AccountOptions, AccountSettings, Check, FilterOptions, Found, GetOptions, ListOptions,
    LogOptions, LogSettings, OutputOptions, Problems, TypesOptions, WhichOptions,
    time_expression::parse_moment,
};

/// What time and where it is, for times that a user wrote.
#[derive(Debug, Clone)]
pub struct Here {
    /// By this machine's clock.
    pub now: Timestamp,
    /// The zone of this machine.
    pub zone: TimeZone,
}

/// What every command needs that asks the API.
#[derive(Debug, Clone)]
pub struct AskSettings {
    /// Who asks.
    pub account: AccountSettings,
    /// What is logged.
    pub log: LogSettings,
}

/// How events are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// For people.
    Table,
    /// A line each.
    Json,
    /// With the names of the columns in the first line.
    Csv,
}

/// A range of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first moment of it.
    pub from: Timestamp,
    /// The first moment after it; `None` where it has no end.
    pub to: Option<Timestamp>,
}

/// Everything `events list` needs, checked.
#[derive(Debug, Clone)]
pub struct ListSettings {
    /// Who asks, and what is logged.
    pub ask: AskSettings,
    /// When the events happened.
    pub span: Span,
    /// Event types; empty for all.
    pub types: Vec<String>,
    /// The id or the e-mail address of a user.
    pub user: Option<String>,
    /// Sources; empty for all.
    pub sources: Vec<String>,
    /// Countries; empty for all.
    pub countries: Vec<String>,
    /// What the API is to look for.
    pub search: Option<String>,
    /// How many events at most.
    pub limit: Option<u64>,
    /// Whether to wait for more.
    pub follow: bool,
    /// How events are shown.
    pub output: Output,
    /// Where times are shown.
    pub zone: TimeZone,
}

/// Everything `events get` needs, checked.
#[derive(Debug, Clone)]
pub struct GetSettings {
    /// Who asks, and what is logged.
    pub ask: AskSettings,
    /// Which events.
    pub ids: Vec<String>,
    /// How events are shown.
    pub output: Output,
    /// Where times are shown.
    pub zone: TimeZone,
}

/// Everything `events types` needs, checked.
#[derive(Debug, Clone)]
pub struct TypesSettings {
    /// Who asks, and what is logged.
    pub ask: AskSettings,
    /// How types are shown.
    pub output: Output,
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "table" => Ok(Output::Table),
            "json" => Ok(Output::Json),
            "csv" => Ok(Output::Csv),
            _ => Err(format!("{text:?} is unknown; write table, json or csv")),
        }
    }
}

impl ListSettings {
    /// Checks everything that a user wrote.
    ///
    /// # Errors
    /// All [`Problems`] together.
    pub fn check(
        options: &ListOptions,
        found: impl Into<Found>,
        here: &Here,
    ) -> Result<Self, Problems> {
        Check::run(found.into(), |check, found| {
            check.list(options, found, here)
        })
    }
}

impl GetSettings {
    /// Checks everything that a user wrote.
    ///
    /// # Errors
    /// All [`Problems`] together.
    pub fn check(
        options: &GetOptions,
        found: impl Into<Found>,
        here: &Here,
    ) -> Result<Self, Problems> {
        Check::run(found.into(), |check, found| {
            let ask = check.ask((&options.account, &options.which), &options.log, found);
            let output = check.ok("--output", options.output.output.parse());
            let known = |id: &String| !id.trim().is_empty();
            let ids = options.ids.clone();
            let usable = ids.iter().all(known);
            let ids = check.that("ID", usable, "must not be empty", ids);
            Some(Self {
                ask: ask?,
                ids: ids?,
                output: output?,
                zone: zone(&options.output, here),
            })
        })
    }
}

impl TypesSettings {
    /// Checks everything that a user wrote.
    ///
    /// # Errors
    /// All [`Problems`] together.
    pub fn check(options: &TypesOptions, found: impl Into<Found>) -> Result<Self, Problems> {
        Check::run(found.into(), |check, found| {
            let ask = check.ask((&options.account, &options.which), &options.log, found);
            let output = check.ok("--output", options.output.parse());
            Some(Self {
                ask: ask?,
                output: output?,
            })
        })
    }
}

impl Check {
    pub(super) fn ask(
        &mut self,
        (account, which): (&AccountOptions, &WhichOptions),
        log: &LogOptions,
        found: Found,
    ) -> Option<AskSettings> {
        let account = self.one_account(account, which.account.as_deref(), found);
        let log = self.log(log);
        Some(AskSettings {
            account: account?,
            log: log?,
        })
    }

    fn list(&mut self, options: &ListOptions, found: Found, here: &Here) -> Option<ListSettings> {
        let ask = self.ask((&options.account, &options.which), &options.log, found);
        let FilterOptions {
            from,
            to,
            types,
            user,
            sources,
            countries,
            search,
        } = &options.filter;
        let zone = zone(&options.output, here);
        let span = self.span(from, to, here, &zone);
        let endless = span.is_none_or(|span| span.to.is_none());
        let problem = "goes on for ever, so --to must not be given";
        let follow = self.that(
            "--follow",
            !options.follow || endless,
            problem,
            options.follow,
        );
        let types = self.names("--type", types);
        let sources = self.names("--source", sources);
        let countries = self.names("--country", countries);
        let limit = options.limit.as_deref();
        let limit = limit.map(|limit| self.above_zero("--limit", limit));
        let output = self.ok("--output", options.output.output.parse());
        Some(ListSettings {
            ask: ask?,
            span: span?,
            types: types?,
            user: user.clone().filter(|user| !user.is_empty()),
            sources: sources?,
            countries: countries?,
            search: search.clone().filter(|text| !text.is_empty()),
            limit: match limit {
                None => None,
                Some(limit) => Some(limit?),
            },
            follow: follow?,
            output: output?,
            zone,
        })
    }

    /// An end that is now is left open: the API's clock may be ahead.
    fn span(&mut self, from: &str, to: &str, here: &Here, zone: &TimeZone) -> Option<Span> {
        let open = to == "now";
        let from = self.moment("--from", from, |from| from.begin(here.now, zone));
        let to = self.moment("--to", to, |to| to.end(here.now, zone));
        let (from, to) = (from?, to?);
        let problem = format!("must be before --to, and {from} is not before {to}");
        self.that("--from", from < to || open, &problem, ())?;
        let to = Some(to).filter(|_| !open);
        Some(Span { from, to })
    }

    pub(super) fn moment(
        &mut self,
        setting: &str,
        text: &str,
        resolve: impl FnOnce(super::time_expression::Moment) -> Result<Timestamp, jiff::Error>,
    ) -> Option<Timestamp> {
        let moment = self.ok(setting, parse_moment(text))?;
        let problem = |_| format!("{text:?} is a time that nobody knows; write one of this age");
        self.ok(setting, resolve(moment).map_err(problem))
    }

    fn names(&mut self, setting: &str, names: &[String]) -> Option<Vec<String>> {
        let names: Vec<String> = names.iter().map(|name| name.trim().to_owned()).collect();
        let usable = names.iter().all(|name| !name.is_empty());
        self.that(setting, usable, "must not be empty", names)
    }
}

fn zone(options: &OutputOptions, here: &Here) -> TimeZone {
    if options.local {
        here.zone.clone()
    } else {
        TimeZone::UTC
    }
}
