//! Reads the query string of a list request.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use url::form_urlencoded;

/// The page size of a query that names none.
const DEFAULT_SIZE: u64 = 30;
const LARGEST_SIZE: u64 = 100;
const SECONDS_PER_DAY: i64 = 86_400;

/// The query of a list request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Query {
    /// Names of event types; empty for all.
    pub(crate) types: Vec<String>,
    /// First whole second since the Unix epoch, included.
    pub(crate) from: Option<i64>,
    /// Last whole second since the Unix epoch, included.
    pub(crate) to: Option<i64>,
    pub(crate) search_text: Option<String>,
    /// Counted from 1.
    pub(crate) page: u64,
    /// 1 to 100.
    pub(crate) size: u64,
    /// The filters as the client wrote them, for the links to other pages.
    pub(crate) filters: Vec<(String, String)>,
}

/// The reason why a query cannot be answered; the text is the answer's `message`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum QueryError {
    #[error("{name}: {value:?} is not an ISO-8601 date or date-time")]
    Date { name: &'static str, value: String },
    #[error("event_type: {0:?} is not an event type")]
    Type(String),
    #[error("page: {0:?} is not a number from 1")]
    Page(String),
    #[error("size: {0:?} is not a number from 1 to {LARGEST_SIZE}")]
    Size(String),
    #[error("{0} is given more than once")]
    Repeated(String),
}

impl Query {
    /// Reads a raw query string; parameters that the API does not have are ignored.
    pub(crate) fn parse(raw: &str) -> Result<Self, QueryError> {
        let mut query = Self {
            types: Vec::new(),
            from: None,
            to: None,
            search_text: None,
            page: 1,
            size: DEFAULT_SIZE,
            filters: Vec::new(),
        };
        let mut seen = Vec::new();
        for (name, value) in form_urlencoded::parse(raw.as_bytes()) {
            if query.set(&name, &value)? && name != "event_type" {
                if seen.contains(&name) {
                    return Err(QueryError::Repeated(name.into_owned()));
                }
                seen.push(name);
            }
        }
        Ok(query)
    }

    /// Sets one parameter, and returns `true` if the API has a parameter of this name.
    fn set(&mut self, name: &str, value: &str) -> Result<bool, QueryError> {
        match name {
            "event_type" => self.types.extend(types(value)?),
            "date_from" => self.from = Some(first_second("date_from", value)?),
            "date_to" => self.to = Some(last_second("date_to", value)?),
            "search_text" => {
                self.search_text = Some(value.to_owned()).filter(|text| !text.is_empty());
            }
            "page" => {
                self.page =
                    number(value, u64::MAX).ok_or_else(|| QueryError::Page(value.into()))?;
            }
            "size" => {
                self.size =
                    number(value, LARGEST_SIZE).ok_or_else(|| QueryError::Size(value.into()))?;
            }
            _ => return Ok(false),
        }
        if !matches!(name, "page" | "size") {
            self.filters.push((name.to_owned(), value.to_owned()));
        }
        Ok(true)
    }
}

/// Reads a list of names. The archive checks whether they exist.
fn types(value: &str) -> Result<Vec<String>, QueryError> {
    let names: Vec<_> = value
        .split(',')
        .map(|name| name.trim().to_owned())
        .collect();
    if names.iter().any(String::is_empty) {
        return Err(QueryError::Type(value.to_owned()));
    }
    Ok(names)
}

fn number(value: &str, largest: u64) -> Option<u64> {
    if !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    value
        .parse()
        .ok()
        .filter(|number| (1..=largest).contains(number))
}

/// Returns the first whole second at or after the beginning of a date or at or after a time.
fn first_second(name: &'static str, value: &str) -> Result<i64, QueryError> {
    let time = match parse_date(name, value)? {
        Bound::Day(start) => return Ok(start.as_second()),
        Bound::Instant(time) => time,
    };
    let fraction = time.as_nanosecond().rem_euclid(1_000_000_000) > 0;
    Ok(floor_second(time) + i64::from(fraction))
}

/// Returns the last whole second at or before the end of a date or at or before a time.
fn last_second(name: &'static str, value: &str) -> Result<i64, QueryError> {
    Ok(match parse_date(name, value)? {
        Bound::Day(start) => start.as_second() + SECONDS_PER_DAY - 1,
        Bound::Instant(time) => floor_second(time),
    })
}

fn floor_second(time: Timestamp) -> i64 {
    time.as_millisecond().div_euclid(1000)
}

enum Bound {
    /// A date without a time: its beginning in UTC.
    Day(Timestamp),
    Instant(Timestamp),
}

fn parse_date(name: &'static str, value: &str) -> Result<Bound, QueryError> {
    let invalid = || QueryError::Date {
        name,
        value: value.to_owned(),
    };
    let text = restore_plus(value);
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(Bound::Instant(time));
    }
    let day = text.len() == "2018-08-13".len();
    let civil = if day {
        text.parse::<Date>()
            .map(|date| date.to_datetime(jiff::civil::Time::midnight()))
    } else {
        text.parse::<DateTime>()
    };
    let zoned = civil.and_then(|civil| civil.to_zoned(TimeZone::UTC));
    let time = zoned.map_err(|_| invalid())?.timestamp();
    Ok(if day {
        Bound::Day(time)
    } else {
        Bound::Instant(time)
    })
}

/// Turns a blank after the time back into the plus sign of a time zone: a plus sign that was
/// not escaped arrives as a blank.
fn restore_plus(value: &str) -> String {
    match value.rfind(' ') {
        Some(at) if at > "2018-08-13".len() => format!("{}+{}", &value[..at], &value[at + 1..]),
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(text: &str) -> i64 {
        text.parse::<Timestamp>().expect("a timestamp").as_second()
    }

    #[test]
    fn defaults() {
        let query = Query::parse("").expect("a query");
        assert_eq!((query.page, query.size), (1, 30));
        assert!(query.types.is_empty() && query.from.is_none() && query.to.is_none());
        assert_eq!(Query::parse("user_id=7&x"), Ok(query));
    }

    #[test]
    fn dates() {
        let cases = [
            ("2018-08-13", "2018-08-13T00:00:00Z", "2018-08-13T23:59:59Z"),
            (
                "2018-08-13T10:15:31",
                "2018-08-13T10:15:31Z",
                "2018-08-13T10:15:31Z",
            ),
            (
                "2018-08-13T10:15:31Z",
                "2018-08-13T10:15:31Z",
                "2018-08-13T10:15:31Z",
            ),
            (
                "2018-08-13T10:15:31.249Z",
                "2018-08-13T10:15:32Z",
                "2018-08-13T10:15:31Z",
            ),
            (
                "2018-08-13T10:15:31.0",
                "2018-08-13T10:15:31Z",
                "2018-08-13T10:15:31Z",
            ),
            (
                "2018-08-13T10:15:31%2B02:00",
                "2018-08-13T08:15:31Z",
                "2018-08-13T08:15:31Z",
            ),
            (
                "2018-08-13T10:15:31+02:00",
                "2018-08-13T08:15:31Z",
                "2018-08-13T08:15:31Z",
            ),
            (
                "2018-08-13T10:15:31-02:00",
                "2018-08-13T12:15:31Z",
                "2018-08-13T12:15:31Z",
            ),
            (
                "2018-08-13+10:15:31",
                "2018-08-13T10:15:31Z",
                "2018-08-13T10:15:31Z",
            ),
            (
                "1960-01-01T00:00:00.5Z",
                "1960-01-01T00:00:01Z",
                "1960-01-01T00:00:00Z",
            ),
        ];
        for (text, from, to) in cases {
            let raw = format!("date_from={text}&date_to={text}");
            let query = Query::parse(&raw).expect(text);
            assert_eq!(query.from, Some(second(from)), "{text}");
            assert_eq!(query.to, Some(second(to)), "{text}");
        }
    }

    #[test]
    fn filters() {
        let query = Query::parse("event_type=A,B&event_type=C&search_text=a%20b&page=3&size=100");
        let query = query.expect("a query");
        assert_eq!(query.types, ["A", "B", "C"]);
        assert_eq!(query.search_text.as_deref(), Some("a b"));
        assert_eq!((query.page, query.size), (3, 100));
        assert_eq!(query.filters.len(), 3);
        let empty = Query::parse("search_text=").expect("a query");
        assert_eq!(empty.search_text, None);
    }

    #[test]
    fn what_is_invalid_is_named() {
        let cases = [
            ("page=0", "page: \"0\" is not a number from 1"),
            ("page=", "page: \"\" is not a number from 1"),
            ("page=-1", "page: \"-1\" is not a number from 1"),
            ("page=%2B1", "page: \"+1\" is not a number from 1"),
            (
                "page=99999999999999999999",
                "page: \"99999999999999999999\" is not a number from 1",
            ),
            ("size=0", "size: \"0\" is not a number from 1 to 100"),
            ("size=101", "size: \"101\" is not a number from 1 to 100"),
            ("size=ten", "size: \"ten\" is not a number from 1 to 100"),
            ("size=1&size=2", "size is given more than once"),
            ("event_type=", "event_type: \"\" is not an event type"),
            (
                "event_type=A,,B",
                "event_type: \"A,,B\" is not an event type",
            ),
            (
                "date_from=",
                "date_from: \"\" is not an ISO-8601 date or date-time",
            ),
            (
                "date_to=today",
                "date_to: \"today\" is not an ISO-8601 date or date-time",
            ),
            (
                "date_to=2018-02-30",
                "date_to: \"2018-02-30\" is not an ISO-8601 date or date-time",
            ),
        ];
        for (raw, message) in cases {
            let error = Query::parse(raw).expect_err(raw);
            assert_eq!(error.to_string(), message);
        }
    }
}
