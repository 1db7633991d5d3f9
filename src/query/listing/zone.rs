//! Times as they are shown: in UTC, or in the zone of this machine.

use audit_core::raw_event::RawEvent;
use jiff::{Timestamp, tz::TimeZone};

use super::printable;

/// The time zone that times are shown in.
#[derive(Debug, Clone)]
pub(crate) struct Zone(TimeZone);

impl Zone {
    pub(crate) fn new(zone: TimeZone) -> Self {
        Self(zone)
    }

    /// Returns a time to the second with its offset, and with `between` between date and
    /// hour.
    pub(crate) fn time(&self, time: Timestamp, between: char) -> String {
        let zoned = time.to_zoned(self.0.clone());
        let offset = if self.0 == TimeZone::UTC { "Z" } else { "%:z" };
        let form = format!("%Y-%m-%d{between}%H:%M:%S{offset}");
        zoned.strftime(&form).to_string()
    }

    /// Returns when an event was created; the API's own text where that is not a time.
    pub(crate) fn time_of(&self, record: &RawEvent<'_>, between: char) -> String {
        if let Some(time) = record.created_at() {
            return self.time(time, between);
        }
        let said = record.text("created_at");
        said.map_or_else(String::new, |said| printable(&said).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::offset;

    use super::*;

    #[test]
    fn every_time_bears_its_offset() {
        let there = Zone::new(TimeZone::fixed(offset(2)));
        let cases = [
            (
                Zone::new(TimeZone::UTC),
                "2018-08-13T22:15:31",
                "2018-08-13 22:15:31Z",
            ),
            (there, "2018-08-13T22:15:31.5", "2018-08-14 00:15:31+02:00"),
            (Zone::new(TimeZone::UTC), "yester\\u0009day", "yester\\tday"),
            (Zone::new(TimeZone::UTC), "", ""),
        ];
        for (zone, said, shown) in cases {
            let json = format!(r#"{{"created_at": "{said}"}}"#);
            assert_eq!(zone.time_of(&RawEvent::parse(&json), ' '), shown);
        }
    }
}
