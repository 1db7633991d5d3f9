//! Events as a table that fits a terminal: where a line is too short for all
//! columns, the rest of them goes on further lines.

use std::borrow::Cow;

use audit_core::raw_event::RawEvent;

use super::{Zone, fitted, printable, printable::width};

/// Between two columns, and before a line that goes on.
const GAP: &str = "  ";
/// For a value that the API does not give.
const NOTHING: &str = "-";

/// How a table is drawn.
#[derive(Debug, Clone)]
pub struct Layout {
    /// Columns of the terminal; `None` where there is none, and nothing is cut.
    pub width: Option<usize>,
    /// Whether the names of the columns stand out.
    pub bold: bool,
    /// For times.
    pub zone: Zone,
}

/// A table whose columns have their places, so that it can be written row by row.
#[derive(Debug, Clone)]
pub struct Table {
    layout: Layout,
    lines: Vec<Vec<Column>>,
}

#[derive(Debug, Clone, Copy)]
struct Column {
    name: &'static str,
    cell: Cell,
    width: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cell {
    Time,
    /// The first of these fields that says something.
    Fields(&'static [&'static str]),
}

/// Every column, and how wide it is at least; the last may be cut to what is left.
const COLUMNS: [Column; 7] = [
    column("TIME", Cell::Time, 20),
    // The longest name that the vendor documents.
    column("TYPE", Cell::Fields(&["event_type"]), 27),
    column("SOURCE", Cell::Fields(&["source"]), 6),
    column("COUNTRY", Cell::Fields(&["source_country"]), 7),
    column("IP", Cell::Fields(&["source_ip"]), 15),
    column("ID", Cell::Fields(&[ID]), 36),
    column("USER", Cell::Fields(&["user_email", "user_id"]), 16),
];
const ID: &str = "id";

const fn column(name: &'static str, cell: Cell, width: usize) -> Column {
    Column { name, cell, width }
}

impl Table {
    /// A table with columns wide enough for `first`, which need not be all rows.
    #[must_use]
    pub fn new<'r>(layout: Layout, first: impl IntoIterator<Item = &'r RawEvent<'r>>) -> Self {
        let mut columns = COLUMNS;
        for record in first {
            for column in &mut columns[..COLUMNS.len() - 1] {
                let wide = width(&column.cell.text(record, &layout.zone));
                column.width = column.width.max(wide);
            }
        }
        let lines = flow(&columns, layout.width.unwrap_or(usize::MAX));
        Self { layout, lines }
    }

    /// The names of the columns.
    #[must_use]
    pub fn header(&self) -> String {
        let text = self.draw(|column| Cow::Borrowed(column.name));
        if self.layout.bold {
            let line = |line| ["\u{1b}[1m", line, "\u{1b}[0m\n"];
            text.lines().flat_map(line).collect()
        } else {
            text
        }
    }

    /// One event, with the end of its last line.
    #[must_use]
    pub fn row(&self, record: &RawEvent<'_>) -> String {
        self.draw(|column| column.cell.text(record, &self.layout.zone))
    }

    fn draw<'t>(&self, text: impl Fn(&Column) -> Cow<'t, str>) -> String {
        let mut drawn = String::new();
        for (place, columns) in self.lines.iter().enumerate() {
            let mut line = if place == 0 {
                String::new()
            } else {
                GAP.to_owned()
            };
            for (place, column) in columns.iter().enumerate() {
                if place > 0 {
                    line.push_str(GAP);
                }
                let is_last = place + 1 == columns.len();
                self.push(&mut line, column, &text(column), is_last);
            }
            drawn.push_str(line.trim_end());
            drawn.push('\n');
        }
        drawn
    }

    /// An id is never cut: it is what `events get` asks for.
    fn push(&self, line: &mut String, column: &Column, text: &str, is_last: bool) {
        let left = self
            .layout
            .width
            .map(|columns| columns.saturating_sub(width(line)));
        let room = match left {
            None => usize::MAX,
            Some(_) if column.cell == Cell::Fields(&[ID]) => usize::MAX,
            Some(left) if is_last => left,
            Some(_) => column.width,
        };
        let text = fitted(text, room);
        line.push_str(&text);
        if !is_last {
            let blanks = column.width.saturating_sub(width(&text));
            line.extend(std::iter::repeat_n(' ', blanks));
        }
    }
}

impl Cell {
    fn text<'a>(self, record: &RawEvent<'a>, zone: &Zone) -> Cow<'a, str> {
        let said = match self {
            Cell::Time => Some(Cow::Owned(zone.time_of(record, ' '))),
            Cell::Fields(names) => names.iter().find_map(|name| record.text(name)),
        };
        match said.filter(|said| !said.is_empty()) {
            None => Cow::Borrowed(NOTHING),
            Some(Cow::Borrowed(said)) => printable(said),
            Some(Cow::Owned(said)) => Cow::Owned(printable(&said).into_owned()),
        }
    }
}

/// As many columns on each line as fit it.
fn flow(columns: &[Column], available: usize) -> Vec<Vec<Column>> {
    let mut lines: Vec<Vec<Column>> = Vec::new();
    let mut left = 0;
    for column in columns {
        let needed = GAP.len() + column.width;
        match lines.last_mut() {
            Some(line) if needed <= left => {
                line.push(*column);
                left -= needed;
            }
            last => {
                let indent = last.map_or(0, |_| GAP.len());
                lines.push(vec![*column]);
                left = available.saturating_sub(indent + column.width);
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

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
            bold: false,
            zone: Zone::utc(),
        };
        let table = Table::new(layout, &records[..2]);
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
            zone: Zone::utc(),
        };
        let header = Table::new(layout, []).header();
        assert!(header.starts_with("\u{1b}[1mTIME ") && header.ends_with("USER\u{1b}[0m\n"));
    }
}
