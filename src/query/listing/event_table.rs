//! Events as a table.

use std::borrow::Cow;

use audit_core::raw_event::{RawEvent, compact};

use super::{
    Column, Layout, Table, Zone,
    csv::{field_name, or_default},
    printable,
};
use crate::config::EventColumn;

/// The text in place of a value that the API does not give.
const NOTHING: &str = "-";

/// The columns where a person chooses none.
const DEFAULT: [EventColumn; 7] = [
    EventColumn::Time,
    EventColumn::Type,
    EventColumn::Source,
    EventColumn::Country,
    EventColumn::Ip,
    EventColumn::Id,
    EventColumn::User,
];

/// Colours of columns: parameters of SGR.
const FAINT: &str = "2";
const CYAN: &str = "36";

/// Returns how a column is drawn. An id is never cut: `events get` asks for it.
fn drawn_as(column: EventColumn) -> Column {
    let (name, width, colour) = match column {
        EventColumn::Time => ("TIME", 20, FAINT),
        // The longest name that the vendor documents.
        EventColumn::Type => ("TYPE", 27, CYAN),
        EventColumn::Source => ("SOURCE", 6, ""),
        EventColumn::Country => ("COUNTRY", 7, ""),
        EventColumn::Ip => ("IP", 15, ""),
        EventColumn::Id => ("ID", 36, FAINT),
        EventColumn::User => ("USER", 16, ""),
        EventColumn::Email => ("USER_EMAIL", 16, ""),
        EventColumn::UserId => ("USER_ID", 8, ""),
        EventColumn::AccountId => ("ACCOUNT_ID", 10, ""),
        EventColumn::TypeDescription => ("TYPE_DESCRIPTION", 16, ""),
        EventColumn::SourceDescription => ("SOURCE_DESCRIPTION", 18, ""),
        EventColumn::Context => ("CONTEXT", 16, ""),
    };
    Column {
        name,
        width,
        may_be_cut: column != EventColumn::Id,
        colour,
    }
}

/// A table of events, which is written row by row.
#[derive(Debug, Clone)]
pub(crate) struct EventTable {
    table: Table,
    columns: Vec<EventColumn>,
    zone: Zone,
}

impl EventTable {
    /// Returns a table with columns wide enough for `first`, which need not be all
    /// events. Times are shown in `zone`.
    pub(crate) fn new<'r>(
        layout: Layout,
        zone: Zone,
        columns: &[EventColumn],
        first: impl IntoIterator<Item = &'r RawEvent<'r>>,
    ) -> Self {
        let columns = or_default(columns, &DEFAULT).to_vec();
        let rows = first
            .into_iter()
            .map(|event| values(event, &columns, &zone));
        let drawn = columns.iter().map(|column| drawn_as(*column)).collect();
        let table = Table::new(layout, drawn, rows);
        Self {
            table,
            columns,
            zone,
        }
    }

    /// Returns the names of the columns.
    pub(crate) fn header(&self) -> String {
        self.table.header()
    }

    /// Returns one event, with the end of its last line.
    pub(crate) fn row(&self, event: &RawEvent<'_>) -> String {
        self.table.row(&values(event, &self.columns, &self.zone))
    }
}

fn values<'a>(event: &RawEvent<'a>, columns: &[EventColumn], zone: &Zone) -> Vec<Cow<'a, str>> {
    let value = |column: &EventColumn| {
        shown(match column {
            EventColumn::Time => Some(zone.time_of(event, ' ').into()),
            EventColumn::User => event.text("user_email").or_else(|| event.text("user_id")),
            EventColumn::Context => event.raw("context").map(|json| compact(json).into()),
            column => event.text(field_name(*column)),
        })
    };
    columns.iter().map(value).collect()
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
        let layout = Layout {
            width,
            has_colours: false,
        };
        let table = EventTable::new(layout, Zone::new(TimeZone::UTC), &[], &records[..2]);
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
                let layout = Layout {
                    width,
                    has_colours: false,
                };
                let table = EventTable::new(layout, Zone::new(TimeZone::UTC), &[], &records);
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
            has_colours: true,
        };
        let header = EventTable::new(layout, Zone::new(TimeZone::UTC), &[], []).header();
        assert!(
            header.starts_with("\u{1b}[1mTIME\u{1b}[0m  ") && header.ends_with("USER\u{1b}[0m\n")
        );
    }

    /// Colours take no place: without them, the lines are the same.
    #[test]
    fn colours_change_no_place() {
        let records = EVENTS.map(RawEvent::parse);
        for width in [None, Some(80), Some(170)] {
            let rows = |has_colours| {
                let layout = Layout { width, has_colours };
                let table = EventTable::new(layout, Zone::new(TimeZone::UTC), &[], &records);
                let rows: String = records.iter().map(|record| table.row(record)).collect();
                rows
            };
            let coloured = rows(true);
            assert!(
                coloured.contains("\u{1b}[36mAPP_CREATE\u{1b}[0m"),
                "{coloured:?}"
            );
            let plain = ["\u{1b}[36m", "\u{1b}[2m", "\u{1b}[0m"];
            let plain = plain
                .iter()
                .fold(coloured, |text, sgr| text.replace(sgr, ""));
            assert_eq!(plain, rows(false), "{width:?}");
        }
    }

    #[test]
    fn columns_are_those_that_are_chosen() {
        let layout = Layout {
            width: None,
            has_colours: false,
        };
        let columns = [EventColumn::User, EventColumn::Time, EventColumn::Context];
        let json = r#"{"created_at": "2018-08-13T10:15:31", "user_id": 42, "context": {"a": [1]}}"#;
        let record = RawEvent::parse(json);
        let table = EventTable::new(layout, Zone::new(TimeZone::UTC), &columns, [&record]);
        let drawn = table.header() + &table.row(&record);
        insta::assert_snapshot!(drawn, @r#"
        USER              TIME                  CONTEXT
        42                2018-08-13 10:15:31Z  {"a":[1]}
        "#);
    }
}
