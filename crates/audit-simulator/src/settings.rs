//! The settings of a simulator, as flags and as plain values. Nothing here opens a socket or
//! reads a clock.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::flag_values::{self, FlagValueError};
use crate::list_form::{BeyondLast, IncludedBounds, ListOrder, TimeFormat};

/// The highest number of events that a simulator holds.
const MOST_EVENTS: f64 = 50_000_000.0;

/// The settings of a simulated Audit API. The defaults are those of the flags.
#[derive(Clone, Debug, PartialEq, clap::Args)]
pub struct SimulatorSettings {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:10611")]
    pub listen_address: SocketAddr,

    /// Path under which the API is served; empty for none
    #[arg(long, value_name = "PATH", default_value = "/beta/audit", value_parser = flag_values::base_path)]
    pub base_path: String,

    /// API key of the simulated account
    #[arg(long, value_name = "KEY", default_value = "abcd1234")]
    pub api_key: String,

    /// Number of accounts; those after the first have the key with -2, -3 and so on, and the
    /// same secret, traffic and faults
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub accounts: u32,

    /// API secret of the simulated account; it opens nothing but this simulator
    #[arg(long, value_name = "SECRET", default_value = "simulated-secret")]
    pub api_secret: String,

    /// Seed of the traffic: the same seed and start time give the same events
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,

    /// Time at which the traffic begins, on the clock of the API (RFC 3339; now if not given)
    #[arg(long, value_name = "TIME")]
    pub start: Option<Timestamp>,

    /// Mean number of new events per second, 0 to 100000
    #[arg(long, value_name = "NUMBER", default_value_t = 0.5, value_parser = flag_values::rate)]
    pub rate: f64,

    /// Keep the rate constant: no quiet nights, no quiet weekends, no bursts
    #[arg(long)]
    pub steady: bool,

    /// End the traffic this long after its start (never if not given)
    #[arg(long, value_name = "DURATION", value_parser = flag_values::duration)]
    pub traffic_for: Option<Duration>,

    /// Number of events before the start
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    pub history: u32,

    /// Time before the start over which the events of --history are spread
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = flag_values::span)]
    pub history_span: Duration,

    /// Share of events that enter the list late, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = flag_values::share)]
    pub late_share: f64,

    /// Longest time between a late event's `created_at` and its entry into the list
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = flag_values::span)]
    pub late_by: Duration,

    /// Order of the list
    #[arg(long, value_enum, default_value_t = ListOrder::Newest)]
    pub order: ListOrder,

    /// Most events that a list claims and shows, however many there are (no limit if not given)
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit_total: Option<u64>,

    /// Last page of a list that is shown; pages after it are refused with 400 (no limit if not
    /// given)
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit_pages: Option<u64>,

    /// Most events on a page, whatever size is asked for (100 if not given)
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..=100))]
    pub clamp_size: Option<u64>,

    /// Leave `page` out of lists, so that only the links say whether more follows
    #[arg(long)]
    pub without_page: bool,

    /// Leave the link to the next page out of lists
    #[arg(long)]
    pub without_next: bool,

    /// Answer to a request for a page that is not shown (if not given, an empty page, and 400
    /// where a limit hides the page)
    #[arg(long, value_enum, value_name = "ANSWER")]
    pub beyond_last: Option<BeyondLast>,

    /// Share of readings, each of which begins with page 1, during which the list loses the
    /// events of a page that page 1 still counts, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = flag_values::share)]
    pub shrink_share: f64,

    /// Bounds that a range of dates includes
    #[arg(long, value_enum, default_value_t = IncludedBounds::Both)]
    pub bounds: IncludedBounds,

    /// Form of `created_at`
    #[arg(long, value_enum, default_value_t = TimeFormat::Iso)]
    pub time_format: TimeFormat,

    /// Time to wait before every answer
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = flag_values::duration)]
    pub latency: Duration,

    /// Share of requests answered with 429, 0 to 1
    #[arg(long = "fault-429", value_name = "SHARE", default_value_t = 0.0, value_parser = flag_values::share)]
    pub fault_429: f64,

    /// Share of requests answered with 500, 502, 503 or 504, 0 to 1
    #[arg(long = "fault-5xx", value_name = "SHARE", default_value_t = 0.0, value_parser = flag_values::share)]
    pub fault_5xx: f64,

    /// Share of answers cut in the middle of the body, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = flag_values::share)]
    pub fault_cut: f64,

    /// Share of requests whose connection is reset without an answer, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = flag_values::share)]
    pub fault_reset: f64,

    /// How far the clock of the API is ahead (30s) or behind (-1h)
    #[arg(long, value_name = "DURATION", default_value = "0s", allow_hyphen_values = true,
          value_parser = flag_values::signed_duration)]
    pub clock_offset: SignedDuration,
}

impl Default for SimulatorSettings {
    fn default() -> Self {
        Self {
            listen_address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 10611),
            base_path: "/beta/audit".to_owned(),
            api_key: "abcd1234".to_owned(),
            accounts: 1,
            api_secret: "simulated-secret".to_owned(),
            seed: 1,
            start: None,
            rate: 0.5,
            steady: false,
            traffic_for: None,
            history: 1000,
            history_span: Duration::from_hours(24),
            late_share: 0.0,
            late_by: Duration::from_mins(10),
            order: ListOrder::Newest,
            limit_total: None,
            limit_pages: None,
            clamp_size: None,
            without_page: false,
            without_next: false,
            beyond_last: None,
            shrink_share: 0.0,
            bounds: IncludedBounds::Both,
            time_format: TimeFormat::Iso,
            latency: Duration::ZERO,
            fault_429: 0.0,
            fault_5xx: 0.0,
            fault_cut: 0.0,
            fault_reset: 0.0,
            clock_offset: SignedDuration::ZERO,
        }
    }
}

/// A setting, or a combination of settings, that cannot be served.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SettingsProblem {
    /// A value is outside its range. The flags refuse such a value.
    #[error("{setting}: {problem}")]
    OutOfRange {
        /// The flag that sets the value.
        setting: &'static str,
        /// The reason why the value is refused.
        problem: FlagValueError,
    },
    /// The shares of the faults add up to more than 1, although the faults exclude each
    /// other.
    #[error(
        "the shares of --fault-429, --fault-5xx, --fault-cut and --fault-reset add up to {0}, more than 1"
    )]
    FaultShares(f64),
    /// The traffic since `--start` would not fit into memory.
    #[error(
        "--history, and --rate since --start, make about {0:.0} events; at most {MOST_EVENTS:.0} fit: choose a later --start or a lower --rate"
    )]
    TooManyEvents(f64),
    /// HTTP Basic cannot carry a user name with a colon in it.
    #[error("--api-key must not contain a colon")]
    KeyWithColon,
}

impl SimulatorSettings {
    /// Checks each value, and the values together, at the API's time `now`.
    ///
    /// # Errors
    /// Returns all problems, and not only the first.
    pub(crate) fn check(&self, now: Timestamp) -> Result<(), Vec<SettingsProblem>> {
        let mut problems = self.out_of_range();
        let faults = self.fault_429 + self.fault_5xx + self.fault_cut + self.fault_reset;
        // Shares such as 0.7 + 0.2 + 0.1 miss 1 by a rounding error.
        if faults > 1.0 + 1e-9 {
            problems.push(SettingsProblem::FaultShares(faults));
        }
        let events = self.expected_events(now);
        if events > MOST_EVENTS {
            problems.push(SettingsProblem::TooManyEvents(events));
        }
        if self.api_key.contains(':') {
            problems.push(SettingsProblem::KeyWithColon);
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    }

    fn out_of_range(&self) -> Vec<SettingsProblem> {
        let shares = [
            ("--late-share", self.late_share),
            ("--shrink-share", self.shrink_share),
            ("--fault-429", self.fault_429),
            ("--fault-5xx", self.fault_5xx),
            ("--fault-cut", self.fault_cut),
            ("--fault-reset", self.fault_reset),
        ];
        let checks = shares
            .into_iter()
            .map(|(setting, value)| (setting, flag_values::check_share(value)))
            .chain([
                ("--rate", flag_values::check_rate(self.rate)),
                ("--history-span", flag_values::check_span(self.history_span)),
                ("--late-by", flag_values::check_span(self.late_by)),
                ("--base-path", flag_values::check_base_path(&self.base_path)),
            ]);
        checks
            .filter_map(|(setting, check)| {
                let problem = check.err()?;
                Some(SettingsProblem::OutOfRange { setting, problem })
            })
            .collect()
    }

    fn expected_events(&self, now: Timestamp) -> f64 {
        let start = self.start.unwrap_or(now);
        let elapsed = now.duration_since(start).as_secs_f64().max(0.0);
        let longest = self.traffic_for.map_or(f64::MAX, |span| span.as_secs_f64());
        f64::from(self.history) + self.rate * elapsed.min(longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    /// A command with the flags of the simulator.
    #[derive(Debug, Parser)]
    struct Flags {
        #[command(flatten)]
        settings: SimulatorSettings,
    }

    fn parse(flags: &[&str]) -> Result<SimulatorSettings, String> {
        Flags::try_parse_from([&["simulate"], flags].concat())
            .map(|flags| flags.settings)
            .map_err(|error| error.to_string())
    }

    fn now() -> Timestamp {
        "2026-11-23T12:00:00Z".parse().expect("a timestamp")
    }

    #[test]
    fn flag_defaults_are_the_default_settings() {
        assert_eq!(parse(&[]), Ok(SimulatorSettings::default()));
    }

    #[test]
    fn the_command_keeps_its_own_description() {
        let help = <Flags as clap::CommandFactory>::command().render_help();
        assert!(
            help.to_string()
                .starts_with("A command with the flags of the simulator")
        );
    }

    #[test]
    fn flags_are_read() {
        let settings = parse(&[
            "--clock-offset",
            "-1h",
            "--start=2026-11-01T00:00:00Z",
            "--order=reshuffled",
            "--history-span=90m",
            "--fault-429=0.25",
            "--base-path=",
        ])
        .expect("valid flags");
        assert_eq!(settings.clock_offset, SignedDuration::from_hours(-1));
        assert_eq!(settings.start, "2026-11-01T00:00:00Z".parse().ok());
        assert_eq!(settings.order, ListOrder::Reshuffled);
        assert_eq!(settings.history_span, Duration::from_mins(90));
        assert!((settings.fault_429 - 0.25).abs() < f64::EPSILON);
        assert_eq!(settings.base_path, "");
    }

    #[test]
    fn bad_values_are_named() {
        let cases = [
            ("--rate=-1", "from 0 to 100000"),
            ("--rate=fast", "is not a number"),
            ("--rate=NaN", "from 0 to 100000"),
            ("--late-share=1.5", "from 0 to 1"),
            ("--latency=-1s", "must not be negative"),
            ("--latency=5", "such as 30s, 15m or 24h"),
            ("--clock-offset=soon", "such as 30s, 15m or 24h"),
            ("--history-span=90000h", "at most"),
            ("--base-path=audit", "must begin with a slash"),
            ("--order=random", "newest, oldest, shuffled, reshuffled"),
            ("--start=yesterday", "--start <TIME>"),
        ];
        for (flag, text) in cases {
            let error = parse(&[flag]).expect_err(flag);
            assert!(error.contains(text), "{flag}: {error}");
        }
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let settings = SimulatorSettings {
            fault_429: 0.7,
            fault_cut: 0.7,
            late_share: 2.0,
            rate: 1000.0,
            start: "2020-01-01T00:00:00Z".parse().ok(),
            api_key: "a:b".to_owned(),
            ..SimulatorSettings::default()
        };
        let problems = settings.check(now()).expect_err("problems");
        assert_eq!(problems.len(), 4, "{problems:?}");
        assert_eq!(SimulatorSettings::default().check(now()), Ok(()));
    }
}
