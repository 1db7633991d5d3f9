//! Comma-separated values (RFC 4180), one line for each record: a character that would
//! break a line is written as an escape, and no spreadsheet takes a value for a formula.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use audit_core::raw_event::{RawEvent, compact};

use super::{Zone, printable};
use crate::config::EventColumn;

/// The columns where a person chooses none.
const DEFAULT: [EventColumn; 12] = [
    EventColumn::Time,
    EventColumn::Type,
    EventColumn::Source,
    EventColumn::Country,
    EventColumn::Email,
    EventColumn::UserId,
    EventColumn::Ip,
    EventColumn::Id,
    EventColumn::AccountId,
    EventColumn::TypeDescription,
    EventColumn::SourceDescription,
    EventColumn::Context,
];

/// Returns the columns that are chosen, or `default` if there are none.
pub(super) fn or_default<'c>(
    chosen: &'c [EventColumn],
    default: &'c [EventColumn],
) -> &'c [EventColumn] {
    if chosen.is_empty() { default } else { chosen }
}

/// Returns the name that the API gives the field of a column, which is the name in CSV.
pub(super) fn field_name(column: EventColumn) -> &'static str {
    match column {
        EventColumn::Time => "created_at",
        EventColumn::Type => "event_type",
        EventColumn::Source => "source",
        EventColumn::Country => "source_country",
        EventColumn::Ip => "source_ip",
        EventColumn::Id => "id",
        EventColumn::User => "user",
        EventColumn::Email => "user_email",
        EventColumn::UserId => "user_id",
        EventColumn::AccountId => "account_id",
        EventColumn::TypeDescription => "event_type_description",
        EventColumn::SourceDescription => "source_description",
        EventColumn::Context => "context",
    }
}

/// The characters with which a formula begins, in ASCII and fullwidth. A stranger can choose
/// the value of a field, and a formula can run a program or send the sheet away.
const FORMULA: [char; 10] = [
    '=', '+', '-', '@', '\t', '\r', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
];

/// Writes records to `W`, through a buffer of its own.
#[derive(Debug)]
pub(crate) struct CsvWriter<W: Write>(csv::Writer<W>);

impl<W: Write> CsvWriter<W> {
    pub(crate) fn new(out: W) -> Self {
        Self(csv::Writer::from_writer(out))
    }

    /// Writes the names of the columns of events.
    pub(crate) fn write_event_header(&mut self, columns: &[EventColumn]) -> io::Result<()> {
        let columns = or_default(columns, &DEFAULT).iter();
        self.write_record(columns.map(|column| field_name(*column)))
    }

    /// Writes one event, its time with the offset of `zone`.
    pub(crate) fn write_event(
        &mut self,
        event: &RawEvent<'_>,
        columns: &[EventColumn],
        zone: &Zone,
    ) -> io::Result<()> {
        let value = |column: &EventColumn| match column {
            EventColumn::Time => zone.time_of(event, 'T'),
            EventColumn::User if event.text("user_email").is_some() => field(event, "user_email"),
            EventColumn::User => field(event, "user_id"),
            column => field(event, field_name(*column)),
        };
        self.write_record(or_default(columns, &DEFAULT).iter().map(value))
    }

    /// Writes the values of one record, which must have no character that breaks a line.
    pub(crate) fn write_record(
        &mut self,
        values: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> io::Result<()> {
        for value in values {
            let value = neutral(value.as_ref());
            self.0.write_field(&*value).map_err(io_error)?;
        }
        self.0.write_record(None::<&[u8]>).map_err(io_error)
    }

    /// Hands everything that is buffered to `W`, and flushes `W`.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Returns the value with an apostrophe before it if it would begin a formula: spreadsheets
/// take it for text then.
fn neutral(value: &str) -> Cow<'_, str> {
    if value.starts_with(FORMULA) {
        Cow::Owned(format!("'{value}"))
    } else {
        Cow::Borrowed(value)
    }
}

fn field(event: &RawEvent<'_>, column: &str) -> String {
    let is_nested = |json: &&str| json.starts_with(['{', '[']);
    if let Some(json) = event.raw(column).filter(is_nested) {
        return compact(json);
    }
    let text = event.text(column).unwrap_or_default();
    printable(&text).into_owned()
}

/// Keeps the kind of the error, by which a closed pipe is known.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn written(write: impl FnOnce(&mut CsvWriter<&mut Vec<u8>>) -> io::Result<()>) -> String {
        let mut bytes = Vec::new();
        let mut writer = CsvWriter::new(&mut bytes);
        write(&mut writer).expect("memory");
        writer.flush().expect("memory");
        drop(writer);
        String::from_utf8(bytes).expect("UTF-8")
    }

    fn line(json: &str) -> String {
        written(|writer| writer.write_event(&RawEvent::parse(json), &[], &Zone::new(TimeZone::UTC)))
    }

    #[test]
    fn a_value_never_ends_its_field_or_its_line() {
        let json = r#"{"created_at": "2018-08-13T10:15:31", "event_type": "A,\"B\"\n\u001b",
            "user_id": 7, "context": {"a": [1, "x"]}, "source_country": null}"#;
        assert_eq!(
            line(json),
            concat!(
                r#"2018-08-13T10:15:31Z,"A,""B""\n\u{1b}",,,,7,,,,,,"{""a"":[1,""x""]}""#,
                "\n"
            )
        );
        assert_eq!(line("7"), ",".repeat(11) + "\n");
    }

    #[test]
    fn no_value_begins_a_formula() {
        let json = r#"{"event_type": "=1+1", "source": "+1", "source_country": "-1",
            "user_email": "@SUM(A1)", "user_id": -7, "source_ip": "\t=1", "id": "\uff1d1",
            "context": {"=": "=1"}, "account_id": "a=b", "source_description": "'=1"}"#;
        assert_eq!(
            line(json),
            concat!(
                r#",'=1+1,'+1,'-1,'@SUM(A1),'-7,\t=1,'＝1,a=b,,'=1,"{""="":""=1""}""#,
                "\n"
            )
        );
    }

    #[test]
    fn the_names_of_the_columns_come_first() {
        let header = written(|writer| {
            writer.write_event_header(&[])?;
            writer.flush()
        });
        assert_eq!(header.split(',').count(), 12);
        let columns = [EventColumn::User, EventColumn::Type];
        let chosen = written(|writer| {
            writer.write_event_header(&columns)?;
            let event = RawEvent::parse(r#"{"user_id": 7, "event_type": "A"}"#);
            writer.write_event(&event, &columns, &Zone::new(TimeZone::UTC))
        });
        assert_eq!(chosen, "user,event_type\n7,A\n");
    }
}
