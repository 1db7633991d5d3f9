//! Events as a table.

use std::borrow::Cow;

use audit_core::raw_event::RawEvent;

use super::{Column, Layout, Table, Zone, printable};

/// The text in place of a value that the API does not give.
const NOTHING: &str = "-";

/// Every column. An id is never cut: `events get` asks for it.
const COLUMNS: [Column; 7] = [
    column("TIME", 20),
    // The longest name that the vendor documents.
    column("TYPE", 27),
    column("SOURCE", 6),
    column("COUNTRY", 7),
    column("IP", 15),
    Column {
        may_be_cut: false,
        ..column("ID", 36)
    },
    column("USER", 16),
];

const fn column(name: &'static str, width: usize) -> Column {
    Column {
        name,
        width,
        may_be_cut: true,
    }
}

/// A table of events, which is written row by row.
#[derive(Debug, Clone)]
pub(crate) struct EventTable {
    table: Table,
    zone: Zone,
}

impl EventTable {
    /// Returns a table with columns wide enough for `first`, which need not be all
    /// events. Times are shown in `zone`.
    pub(crate) fn new<'r>(
        layout: Layout,
        zone: Zone,
        first: impl IntoIterator<Item = &'r RawEvent<'r>>,
    ) -> Self {
        let rows = first.into_iter().map(|event| values(event, &zone));
        let table = Table::new(layout, COLUMNS, rows);
        Self { table, zone }
    }

    /// Returns the names of the columns.
    pub(crate) fn header(&self) -> String {
        self.table.header()
    }

    /// Returns one event, with the end of its last line.
    pub(crate) fn row(&self, event: &RawEvent<'_>) -> String {
        self.table.row(&values(event, &self.zone))
    }
}

/// The values of an event, in the order of [`COLUMNS`].
fn values<'a>(event: &RawEvent<'a>, zone: &Zone) -> [Cow<'a, str>; COLUMNS.len()] {
    [
        shown(Some(zone.time_of(event, ' ').into())),
        shown(event.text("event_type")),
        shown(event.text("source")),
        shown(event.text("source_country")),
        shown(event.text("source_ip")),
        shown(event.text("id")),
        shown(event.text("user_email").or_else(|| event.text("user_id"))),
    ]
}

fn shown(text: Option<Cow<'_, str>>) -> Cow<'_, str> {
    match text.filter(|text| !text.is_empty()) {
        None => NOTHING.into(),
        Some(Cow::Borrowed(text)) => printable(text),
        Some(Cow::Owned(text)) => Cow::Owned(printable(&text).into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::query::listing::printable::width;

    const EVENTS: [&str; 3] = [
        r#"{"id": "aaaaaaaa-bbbb-cccc-dddd-0123456789ab", "event_type": "ACCOUNT_SECRET_DELETE",
            "created_at": "2018-08-13T10:15:31", "user_email": "ada@example.org",
            "source": "CD", "source_country": "GB", "source_ip": "198.51.100.77"}"#,
        r#"{"id": "aaaaaaaa-bbbb-cccc-dddd-0123456789ac", "event_type": "APP_CREATE",
            "created_at": "2018-08-13T10:15:32", "user_id": 42, "source": "DEVAPI",
            "source_ip": "2001:db8:1111:2222:3333:4444:5555:6666"}"#,
        r#"{"event_type": "A_TYPE_THAT_IS_LONGER_THAN_ANY_KNOWN", "created_at": "soon",
            "user_email": "\u001b[31m-a-user-with-a-very-long-name@a-very-long-domain.example.org"}"#,
    ];

    fn drawn(width: Option<usize>) -> String {
        let records = EVENTS.map(RawEvent::parse);
        let layout = Layout { width, bold: false };
        let table = EventTable::new(layout, Zone::new(TimeZone::UTC), &records[..2]);
        let rows = records.iter().map(|record| table.row(record));
        std::iter::once(table.header()).chain(rows).collect()
    }

    #[test]
    fn nothing_is_cut_in_a_pipe() {
        insta::assert_snapshot!(drawn(None), @r"
        TIME                  TYPE                         SOURCE  COUNTRY  IP                                      ID                                    USER
        2018-08-13 10:15:31Z  ACCOUNT_SECRET_DELETE        CD      GB       198.51.100.77                           aaaaaaaa-bbbb-cccc-dddd-0123456789ab  ada@example.org
        2018-08-13 10:15:32Z  APP_CREATE                   DEVAPI  -        2001:db8:1111:2222:3333:4444:5555:6666  aaaaaaaa-bbbb-cccc-dddd-0123456789ac  42
        soon                  A_TYPE_THAT_IS_LONGER_THAN_ANY_KNOWN  -       -        -                                       -                                     \u{1b}[31m-a-user-with-a-very-long-name@a-very-long-domain.example.org
        ");
    }

    /// Every row of a table is as wide as its widest column.
    #[test]
    fn a_value_of_a_stranger_makes_no_row_wide() {
        let long = "x".repeat(100_000);
        let fields = [
            "event_type",
            "source",
            "source_country",
            "source_ip",
            "id",
            "user_email",
        ];
        for field in fields {
            let json = format!(r#"{{"created_at": "2018-08-13T10:15:31", "{field}": "{long}"}}"#);
            let records = [RawEvent::parse(&json), RawEvent::parse(EVENTS[0])];
            for width in [None, Some(80)] {
                let layout = Layout { width, bold: false };
                let table = EventTable::new(layout, Zone::new(TimeZone::UTC), &records);
                let rows: Vec<_> = records.iter().map(|record| table.row(record)).collect();
                assert!(rows[0].contains("x…"), "{field}");
                assert!(rows.iter().all(|row| row.len() < 1000), "{field} {width:?}");
            }
        }
    }

    #[test]
    fn wide() {
        insta::assert_snapshot!(drawn(Some(170)), @r"
        TIME                  TYPE                         SOURCE  COUNTRY  IP                                      ID                                    USER
        2018-08-13 10:15:31Z  ACCOUNT_SECRET_DELETE        CD      GB       198.51.100.77                           aaaaaaaa-bbbb-cccc-dddd-0123456789ab  ada@example.org
        2018-08-13 10:15:32Z  APP_CREATE                   DEVAPI  -        2001:db8:1111:2222:3333:4444:5555:6666  aaaaaaaa-bbbb-cccc-dddd-0123456789ac  42
        soon                  A_TYPE_THAT_IS_LONGER_THAN…  -       -        -                                       -                                     \u{1b}[31m-a-user-with-…
        ");
    }

    #[test]
    fn as_wide_as_most_terminals() {
        insta::assert_snapshot!(drawn(Some(80)), @r"
        TIME                  TYPE                         SOURCE  COUNTRY
          IP                                      ID
          USER
        2018-08-13 10:15:31Z  ACCOUNT_SECRET_DELETE        CD      GB
          198.51.100.77                           aaaaaaaa-bbbb-cccc-dddd-0123456789ab
          ada@example.org
        2018-08-13 10:15:32Z  APP_CREATE                   DEVAPI  -
          2001:db8:1111:2222:3333:4444:5555:6666  aaaaaaaa-bbbb-cccc-dddd-0123456789ac
          42
        soon                  A_TYPE_THAT_IS_LONGER_THAN…  -       -
          -                                       -
          \u{1b}[31m-a-user-with-a-very-long-name@a-very-long-domain.example.org
        ");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for columns in 38..200 {
            for line in drawn(Some(columns)).lines() {
                assert!(width(line) <= columns, "{columns}: {line}");
            }
        }
    }

    #[test]
    fn names_stand_out_where_they_may() {
        let layout = Layout {
            width: None,
            bold: true,
        };
        let header = EventTable::new(layout, Zone::new(TimeZone::UTC), []).header();
        assert!(header.starts_with("\u{1b}[1mTIME ") && header.ends_with("USER\u{1b}[0m\n"));
    }
}
