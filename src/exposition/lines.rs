//! The lines of a family, in both formats.
//!
//! Source: the Prometheus documentation, "Exposition formats", and the
//! `OpenMetrics` specification 1.0.0.

use std::fmt::{self, Write};

use super::format::Format;
use crate::metrics::{Family, Kind, catalog::ACCOUNT};

/// The content of the header of a family.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header<'a> {
    /// The name of the samples; for a counter with `_total`.
    pub(crate) name: &'a str,
    pub(crate) help: &'a str,
    pub(crate) kind: Kind,
}

/// The ends of names for which `OpenMetrics` has a line `# UNIT`.
const UNITS: [&str; 2] = ["seconds", "bytes"];

/// Returns the name of the family. For a counter of `OpenMetrics` it is the name of the
/// samples without `_total`.
pub(super) fn family_name(name: &str, kind: Kind, format: Format) -> &str {
    match (format, kind) {
        (Format::OpenMetrics, Kind::Counter) => name.strip_suffix("_total").unwrap_or(name),
        _ => name,
    }
}

pub(crate) fn header(text: &mut String, header: Header<'_>, format: Format) {
    let kind = match header.kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    };
    let name = family_name(header.name, header.kind, format);
    push(text, format_args!("# HELP {name} "));
    match format {
        Format::Text => escape(text, header.help, &['\\', '\n']),
        Format::OpenMetrics => escape(text, header.help, &['\\', '\n', '"']),
    }
    push(text, format_args!("\n# TYPE {name} {kind}\n"));
    if format == Format::OpenMetrics
        && let Some(unit) = unit(name)
    {
        push(text, format_args!("# UNIT {name} {unit}\n"));
    }
}

fn unit(name: &str) -> Option<&'static str> {
    let is_of = |unit: &&str| {
        name.strip_suffix(*unit)
            .is_some_and(|name| name.ends_with('_'))
    };
    UNITS.into_iter().find(is_of)
}

/// Writes the labels of a sample with their braces; nothing if there are no labels.
pub(crate) fn labels<'a>(text: &mut String, labels: impl IntoIterator<Item = (&'a str, &'a str)>) {
    let mut opened = false;
    for (name, value) in labels {
        text.push(if opened { ',' } else { '{' });
        opened = true;
        text.push_str(name);
        text.push_str("=\"");
        escape(text, value, &['\\', '\n', '"']);
        text.push('"');
    }
    if opened {
        text.push('}');
    }
}

/// Writes the labels of a series of `family`. Without the name of an account there is no label
/// `account`.
pub(super) fn series_labels<'a>(
    text: &mut String,
    family: &Family,
    values: impl Iterator<Item = &'a str>,
    account: Option<&'a str>,
) {
    let own = family.labels.iter().copied().zip(values);
    labels(text, own.chain(account.map(|name| (ACCOUNT, name))));
}

/// Writes the line that says since when a counter counts, in milliseconds since 1970. Only
/// `OpenMetrics` has such lines.
pub(super) fn created(
    text: &mut String,
    family: &Family,
    labels: impl FnOnce(&mut String),
    created: i64,
) {
    let name = family_name(family.name, family.kind, Format::OpenMetrics);
    text.push_str(name);
    text.push_str("_created");
    labels(text);
    text.push(' ');
    seconds(text, created);
    text.push('\n');
}

/// Writes milliseconds since 1970 as seconds.
pub(super) fn seconds(text: &mut String, milliseconds: i64) {
    let sign = if milliseconds < 0 { "-" } else { "" };
    let milliseconds = milliseconds.unsigned_abs();
    let (whole, part) = (milliseconds / 1000, milliseconds % 1000);
    push(text, format_args!("{sign}{whole}.{part:03}"));
}

pub(super) fn push(text: &mut String, arguments: fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = text.write_fmt(arguments);
}

fn escape(text: &mut String, value: &str, special: &[char]) {
    // Nearly no value has any of them, and to look at bytes is much faster.
    let is_special = |byte: u8| matches!(byte, b'\\' | b'\n' | b'"');
    if !value.bytes().any(is_special) {
        text.push_str(value);
        return;
    }
    let mut rest = value;
    while let Some(place) = rest.find(special) {
        text.push_str(&rest[..place]);
        text.push('\\');
        let character = if rest[place..].starts_with('\n') {
            "n"
        } else {
            &rest[place..=place]
        };
        text.push_str(character);
        rest = &rest[place + 1..];
    }
    text.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_times() {
        let mut text = String::new();
        labels(&mut text, [("a", "q\"u\\o\nte\\"), ("b", "é"), ("c", "")]);
        labels(&mut text, []);
        assert_eq!(text, r#"{a="q\"u\\o\nte\\",b="é",c=""}"#);
        for (milliseconds, expected) in [
            (0, "0.000"),
            (1_767_323_045_007, "1767323045.007"),
            (-1500, "-1.500"),
        ] {
            let mut text = String::new();
            seconds(&mut text, milliseconds);
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn only_open_metrics_tells_units_and_names_counters_without_their_suffix() {
        let header_of = |name, kind, format| {
            let mut text = String::new();
            let help = "A \"b\".";
            header(&mut text, Header { name, help, kind }, format);
            text
        };
        let cases = [
            (
                "a_seconds_total",
                Kind::Counter,
                Format::OpenMetrics,
                "# HELP a_seconds A \\\"b\\\".\n# TYPE a_seconds counter\n# UNIT a_seconds seconds\n",
            ),
            (
                "a_seconds_total",
                Kind::Counter,
                Format::Text,
                "# HELP a_seconds_total A \"b\".\n# TYPE a_seconds_total counter\n",
            ),
            (
                "milliseconds",
                Kind::Gauge,
                Format::OpenMetrics,
                "# HELP milliseconds A \\\"b\\\".\n# TYPE milliseconds gauge\n",
            ),
        ];
        for (name, kind, format, expected) in cases {
            assert_eq!(header_of(name, kind, format), expected);
        }
    }
}
