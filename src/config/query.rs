//! The settings of the commands that query the API once.

use std::str::FromStr;

use jiff::{Timestamp, Zoned, tz::TimeZone};

use super::{
    AccountChoiceOptions, AccountOptions, AccountSettings, ApiProxy, Environment, EventColumn,
    FilterOptions, GetOptions, ListOptions, LogOptions, LogSettings, OutputOptions, Problems,
    SettingsCheck, TypesOptions, ValueError,
};

/// The settings of every command that queries the API.
#[derive(Debug, Clone)]
pub(crate) struct QuerySettings {
    /// The account that is read.
    pub(crate) account: AccountSettings,
    /// The proxy on the way to the API; `None` for none.
    pub(crate) proxy: Option<ApiProxy>,
    /// The level and the format of the log.
    pub(crate) log: LogSettings,
    /// What can be used, and is probably not what was meant.
    pub(crate) warnings: Vec<String>,
}

/// The format in which events are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutputFormat {
    /// Columns, for people.
    Table,
    /// A JSON object in each line.
    Json,
    /// Comma-separated values; the first line names the columns.
    Csv,
}

/// A range of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeRange {
    /// The first moment of the range.
    pub from: Timestamp,
    /// The first moment after the range; `None` where the range has no end.
    pub to: Option<Timestamp>,
}

/// Which events of a range are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Share {
    /// All events.
    All,
    /// So many events, the oldest of the range.
    Oldest(u64),
    /// So many events, the newest of the range.
    Newest(u64),
}

/// Everything that `events list` needs, checked.
#[derive(Debug, Clone)]
pub struct ListSettings {
    /// The account that is read, and the settings of the log.
    pub(crate) query: QuerySettings,
    /// The range of time in which the events were created.
    pub range: TimeRange,
    /// The event types; empty for all.
    pub(crate) types: Vec<String>,
    /// The id or the e-mail address of a user.
    pub(crate) user: Option<String>,
    /// The sources; empty for all.
    pub(crate) sources: Vec<String>,
    /// The countries; empty for all.
    pub(crate) countries: Vec<String>,
    /// The text that the API looks for in events.
    pub(crate) search: Option<String>,
    /// Which of the events that pass all filters are shown.
    pub(crate) share: Share,
    /// `true` if the newest event is shown first.
    pub(crate) reverse: bool,
    /// The columns of the table or the CSV; empty for those that the format has by itself.
    pub(crate) columns: Vec<EventColumn>,
    /// `true` if the command waits for more events.
    pub(crate) follow: bool,
    /// The format in which events are shown.
    pub(crate) output: OutputFormat,
    /// The time zone of the times that are shown.
    pub(crate) zone: TimeZone,
}

/// Everything that `events get` needs, checked.
#[derive(Debug, Clone)]
pub(crate) struct GetSettings {
    /// The account that is read, and the settings of the log.
    pub(crate) query: QuerySettings,
    /// The ids of the events.
    pub(crate) ids: Vec<String>,
    /// The format in which events are shown.
    pub(crate) output: OutputFormat,
    /// The time zone of the times that are shown.
    pub(crate) zone: TimeZone,
}

/// Everything that `events types` needs, checked.
#[derive(Debug, Clone)]
pub(crate) struct TypesSettings {
    /// The account that is read, and the settings of the log.
    pub(crate) query: QuerySettings,
    /// The format in which types are shown.
    pub(crate) output: OutputFormat,
}

impl FromStr for OutputFormat {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match &*text.to_ascii_lowercase() {
            "table" => Ok(OutputFormat::Table),
            "json" => Ok(OutputFormat::Json),
            "csv" => Ok(OutputFormat::Csv),
            _ => Err(ValueError::keyword(text, "table, json or csv")),
        }
    }
}

impl ListSettings {
    /// Checks everything that a user wrote. `now` has the time and the zone of this
    /// machine.
    ///
    /// # Errors
    /// All [`Problems`] together.
    pub fn check(
        options: &ListOptions,
        environment: impl Into<Environment>,
        now: &Zoned,
    ) -> Result<Self, Problems> {
        SettingsCheck::run(environment.into(), |check, environment| {
            check.list(options, environment, now)
        })
    }
}

impl GetSettings {
    /// Checks everything that a user wrote. `now` has the time and the zone of this
    /// machine.
    ///
    /// # Errors
    /// All [`Problems`] together.
    pub(crate) fn check(
        options: &GetOptions,
        environment: impl Into<Environment>,
        now: &Zoned,
    ) -> Result<Self, Problems> {
        SettingsCheck::run(environment.into(), |check, environment| {
            let query = check.query(
                (&options.account, &options.choice),
                &options.log,
                environment,
            );
            let output = check.ok("--output", options.output.output.parse());
            let known = |id: &String| !id.trim().is_empty();
            let ids = options.ids.clone();
            let usable = ids.iter().all(known);
            let ids = check.that("ID", usable, "must not be empty", ids);
            let zone = check.zone(&options.output, now);
            Some(Self {
                query: query?,
                ids: ids?,
                output: output?,
                zone: zone?,
            })
        })
    }
}

impl TypesSettings {
    /// Checks everything that a user wrote.
    ///
    /// # Errors
    /// All [`Problems`] together.
    pub(crate) fn check(
        options: &TypesOptions,
        environment: impl Into<Environment>,
    ) -> Result<Self, Problems> {
        SettingsCheck::run(environment.into(), |check, environment| {
            let query = check.query(
                (&options.account, &options.choice),
                &options.log,
                environment,
            );
            let output = check.ok("--output", options.output.parse());
            Some(Self {
                query: query?,
                output: output?,
            })
        })
    }
}

impl SettingsCheck {
    pub(super) fn query(
        &mut self,
        (account, choice): (&AccountOptions, &AccountChoiceOptions),
        log: &LogOptions,
        mut environment: Environment,
    ) -> Option<QuerySettings> {
        let proxy = std::mem::take(&mut environment.proxy);
        let certificates = std::mem::take(&mut environment.certificates);
        let account = self.one_account(account, choice.account.as_deref(), environment);
        let proxy = self.proxy(proxy, account.as_slice());
        self.certificates(&certificates, account.as_slice());
        let log = self.log(log);
        Some(QuerySettings {
            account: account?,
            proxy,
            log: log?,
            warnings: std::mem::take(&mut self.warnings),
        })
    }

    fn list(
        &mut self,
        options: &ListOptions,
        environment: Environment,
        now: &Zoned,
    ) -> Option<ListSettings> {
        let query = self.query(
            (&options.account, &options.choice),
            &options.log,
            environment,
        );
        let FilterOptions {
            from,
            to,
            types,
            user,
            sources,
            countries,
            search,
        } = &options.filter;
        let zone = self.zone(&options.output, now);
        let range = self.range(
            from,
            to,
            now.timestamp(),
            &zone.clone().unwrap_or(TimeZone::UTC),
        );
        let endless = range.is_none_or(|range| range.to.is_none());
        let problem = "never ends, so --to must not be given";
        let follow = self.that(
            "--follow",
            !options.follow || endless,
            problem,
            options.follow,
        );
        let types = self.names("--type", types);
        let sources = self.names("--source", sources);
        let countries = self.names("--country", countries);
        let share = self.share(options);
        let output = self.ok("--output", options.output.output.parse());
        let columns = self.columns(&options.columns, output);
        Some(ListSettings {
            query: query?,
            range: range?,
            types: types?,
            user: user.clone().filter(|user| !user.is_empty()),
            sources: sources?,
            countries: countries?,
            search: search.clone().filter(|text| !text.is_empty()),
            share: share?,
            reverse: options.reverse,
            columns: columns?,
            follow: follow?,
            output: output?,
            zone: zone?,
        })
    }

    fn share(&mut self, options: &ListOptions) -> Option<Share> {
        match (&options.limit, &options.tail) {
            (Some(limit), _) => self.above_zero("--limit", limit).map(Share::Oldest),
            (_, Some(tail)) => self.above_zero("--tail", tail).map(Share::Newest),
            (None, None) => Some(Share::All),
        }
    }

    /// Returns the zone of the times that are shown. `now` is in the zone of this machine.
    fn zone(&mut self, options: &OutputOptions, now: &Zoned) -> Option<TimeZone> {
        let zone = if options.local {
            now.time_zone().clone()
        } else {
            TimeZone::UTC
        };
        let problem = "cannot be used, since neither TZ nor this machine names a time zone that is known; set TZ to a name such as Europe/Berlin";
        self.that("--local", !zone.is_unknown(), problem, zone)
    }

    /// Returns the range. It has no end where the end is now: the API's clock may be
    /// ahead.
    fn range(
        &mut self,
        from: &str,
        to: &str,
        now: Timestamp,
        zone: &TimeZone,
    ) -> Option<TimeRange> {
        let open = to == "now";
        let from = self.time("--from", from, |from| from.begin(now, zone));
        let to = self.time("--to", to, |to| to.end(now, zone));
        let (from, to) = (from?, to?);
        let problem = format!("must be before --to, and {from} is not before {to}");
        self.that("--from", from < to || open, &problem, ())?;
        let to = Some(to).filter(|_| !open);
        Some(TimeRange { from, to })
    }

    fn names(&mut self, setting: &str, names: &[String]) -> Option<Vec<String>> {
        let names: Vec<String> = names.iter().map(|name| name.trim().to_owned()).collect();
        let usable = names.iter().all(|name| !name.is_empty());
        self.that(setting, usable, "must not be empty", names)
    }
}
