//! The values of settings, one in each line: an accepted value can be written back and
//! read again, and a problem is a single line.

use std::time::Duration;

use audit_core::{account::PollStart, gate::ScrapeInterval};
use clap::{Args, Command, FromArgMatches};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use nexmo_audit_exporter::config::{
    EnvironmentCredentials, ListOptions, ListSettings, Options, Problems, Settings,
};
use once_cell::sync::Lazy;

use crate::lines;

const SECRET: &str = "not-a-real-secret";
/// 20,000 years.
const LONGEST: Duration = Duration::from_hours(175_307_616);

pub(crate) static SERVE: Lazy<Options> = Lazy::new(defaults);
static LIST: Lazy<ListOptions> = Lazy::new(defaults);

fn defaults<O: Args + FromArgMatches>() -> O {
    let matches = O::augment_args(Command::new("x")).get_matches_from(["x"]);
    O::from_arg_matches(&matches).expect("the defaults")
}

pub fn holds(data: &[u8]) {
    let [duration, moment, url, address, path, number] = lines(data);
    let options = with(|options| options.poll.interval.clone_from(&duration));
    check(
        &options,
        |settings| written(settings.poll.interval),
        |options, text| {
            options.poll.interval = text;
        },
    );
    let options = with(|options| options.metrics.scrape_interval.clone_from(&duration));
    check(
        &options,
        |settings| interval(settings.scrape_interval),
        |options, text| {
            options.metrics.scrape_interval = text;
        },
    );
    let options = with(|options| options.poll.start.clone_from(&moment));
    check(
        &options,
        |settings| start(settings.poll.start),
        |options, text| {
            options.poll.start = text;
        },
    );
    let options = with(|options| options.account.base_url.clone_from(&url));
    check(&options, base_url, |options, text| {
        options.account.base_url = text;
    });
    let options = with(|options| options.web.listen_address = vec![address.clone()]);
    check(
        &options,
        |settings| settings.listen[0].to_string(),
        |options, text| {
            options.web.listen_address = vec![text];
        },
    );
    let options = with(|options| options.web.telemetry_path.clone_from(&path));
    check(
        &options,
        |settings| settings.telemetry_path.clone(),
        |options, text| {
            options.web.telemetry_path = text;
        },
    );
    let options = with(|options| options.account.max_requests_per_second.clone_from(&number));
    check(
        &options,
        |settings| rate(settings.accounts[0].max_requests_per_second),
        |options, text| {
            options.account.max_requests_per_second = text;
        },
    );
    a_range_begins_before_it_ends(&moment, &duration);
}

fn with(change: impl FnOnce(&mut Options)) -> Options {
    let mut options = SERVE.clone();
    change(&mut options);
    options
}

fn found() -> EnvironmentCredentials {
    EnvironmentCredentials {
        key: Some("abcd1234".into()),
        secret: Some(Ok(SECRET.into())),
    }
}

/// An accepted value means the same when it is written back.
fn check(
    options: &Options,
    write: impl Fn(&Settings) -> String,
    set: impl FnOnce(&mut Options, String),
) {
    match Settings::check(options, found()) {
        Ok(settings) => {
            let text = write(&settings);
            // A number of minutes can be too large for a number of seconds.
            if longest(&settings) > LONGEST {
                return;
            }
            let again = with(|options| set(options, text.clone()));
            let again = Settings::check(&again, found()).expect("what was written back");
            assert_eq!(write(&again), text);
        }
        Err(problems) => tells_in_a_line(&problems),
    }
}

fn tells_in_a_line(problems: &Problems) {
    let said = problems.to_string();
    let lines: Vec<_> = said.split('\n').collect();
    assert_eq!(lines.len(), 2, "exactly one setting is wrong: {said:?}");
    assert!(!lines[1].contains(char::is_control), "{said:?}");
    assert!(lines[1].starts_with("  --"), "{said:?}");
    assert!(!said.contains(SECRET), "{said}");
}

fn longest(settings: &Settings) -> Duration {
    let age = match settings.poll.start {
        PollStart::Age(age) => age.unsigned_abs(),
        PollStart::Now | PollStart::At(_) => Duration::ZERO,
    };
    let interval = match settings.scrape_interval {
        ScrapeInterval::Fixed(interval) => interval,
        ScrapeInterval::Learned | ScrapeInterval::Off => Duration::ZERO,
    };
    age.max(interval).max(settings.poll.interval)
}

/// Returns a duration as `parse_duration` reads it.
fn written(duration: Duration) -> String {
    format!("{}s{}ns", duration.as_secs(), duration.subsec_nanos())
}

fn interval(interval: ScrapeInterval) -> String {
    match interval {
        ScrapeInterval::Learned => "auto".to_owned(),
        ScrapeInterval::Off => "0".to_owned(),
        ScrapeInterval::Fixed(interval) => written(interval),
    }
}

fn start(start: PollStart) -> String {
    match start {
        PollStart::Now => "now".to_owned(),
        PollStart::Age(age) => {
            assert!(age >= SignedDuration::ZERO);
            written(age.unsigned_abs())
        }
        PollStart::At(time) => time.to_string(),
    }
}

/// The secret goes to this machine or over TLS, and is not part of the URL.
fn base_url(settings: &Settings) -> String {
    let url = &settings.accounts[0].base_url;
    assert!(
        url.username().is_empty() && url.password().is_none(),
        "{url}"
    );
    assert!(url.query().is_none() && url.fragment().is_none(), "{url}");
    let host = url.host_str().expect("a host");
    let here = host == "localhost" || host.starts_with("127.") || host == "[::1]";
    assert!(url.scheme() == "https" || here, "{url}");
    url.to_string()
}

fn rate(rate: f64) -> String {
    assert!(rate > 0.0);
    rate.to_string()
}

fn a_range_begins_before_it_ends(from: &str, to: &str) {
    let mut options = LIST.clone();
    from.clone_into(&mut options.filter.from);
    to.clone_into(&mut options.filter.to);
    let now = Timestamp::from_second(1_795_132_800).expect("a time");
    let now = now.to_zoned(TimeZone::fixed(jiff::tz::offset(2)));
    match ListSettings::check(&options, found(), &now) {
        Ok(settings) => {
            let range = settings.range;
            assert!(range.to.is_none_or(|to| range.from < to));
            options.filter.from = range.from.to_string();
            options.filter.to = range.to.map_or("now".to_owned(), |to| to.to_string());
            let again = ListSettings::check(&options, found(), &now).expect("a range");
            assert_eq!(again.range, range);
        }
        Err(problems) => {
            let said = problems.to_string();
            assert!(
                said.lines().skip(1).all(|line| line.starts_with("  --")),
                "{said:?}"
            );
        }
    }
}
