//! Chooses the format and the encoding of an answer by the headers `Accept` and
//! `Accept-Encoding` of the request.
//!
//! Source: RFC 9110, sections 12.4.2, 12.5.1 and 12.5.3; for `escaping` the
//! Prometheus documentation, "Content negotiation".

use mediatype::{MediaType, MediaTypeList, Name, ReadParams};

use super::{Encoding, Format, Variant};

const VERSION: Name = Name::new_unchecked("version");
const QUALITY: Name = Name::new_unchecked("q");
const ESCAPING: Name = Name::new_unchecked("escaping");

/// The format and the encoding of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// The format and the encoding.
    pub variant: Variant,
    escaping: Option<Escaping>,
}

/// The scheme by which a client wants names to be escaped. No name of the exporter needs
/// escaping, so the answer is the same for each scheme. Its content type names the
/// scheme, so that the client knows that the scheme was understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escaping {
    AllowUtf8,
    Underscores,
    Dots,
    Values,
}

/// A format that a client accepts, and how much the client prefers it.
#[derive(Debug, Clone, Copy)]
struct Preference {
    format: Format,
    /// The quality of the format, in thousandths.
    quality: u16,
    /// The precision of the media range that matches the format; a more precise range
    /// takes precedence.
    precision: u8,
    escaping: Option<Escaping>,
}

impl Accepted {
    /// Chooses by the headers `Accept` and `Accept-Encoding` of a request. A client that
    /// accepts no format of the exporter, or names none, gets the text format, which
    /// every client reads.
    #[must_use]
    pub fn choose(accept: &str, accept_encoding: &str) -> Self {
        let (format, escaping) = format(accept);
        Self {
            variant: Variant::new(format, encoding(accept_encoding)),
            escaping,
        }
    }

    /// Returns the content type of the answer.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match (self.variant.format, self.escaping) {
            (Format::Text, _) => "text/plain; version=0.0.4; charset=utf-8",
            (Format::OpenMetrics, None) => {
                "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
            (Format::OpenMetrics, Some(Escaping::AllowUtf8)) => {
                "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
            }
            (Format::OpenMetrics, Some(Escaping::Underscores)) => {
                "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"
            }
            (Format::OpenMetrics, Some(Escaping::Dots)) => {
                "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=dots"
            }
            (Format::OpenMetrics, Some(Escaping::Values)) => {
                "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=values"
            }
        }
    }
}

/// Returns `true` if the header `Accept` names a format of metrics, whether or not the
/// exporter has it: the text format with its version, OpenMetrics, or protobuf. A person who
/// asks for `text/plain` names none.
pub(crate) fn names_format(accept: &str) -> bool {
    let is_format = |range: &MediaType<'_>| {
        let (ty, subtype) = (range.ty.as_str(), range.subty.as_str());
        let is = |media: &str, name: &str| {
            ty.eq_ignore_ascii_case(media) && subtype.eq_ignore_ascii_case(name)
        };
        is("text", "plain") && range.get_param(VERSION).is_some()
            || is("application", "openmetrics-text")
            || is("application", "vnd.google.protobuf")
    };
    let ranges = MediaTypeList::new(accept).filter_map(Result::ok);
    ranges
        .filter(|range| quality(range) > 0)
        .any(|range| is_format(&range))
}

fn format(accept: &str) -> (Format, Option<Escaping>) {
    // Media ranges that cannot be read are ignored.
    let ranges: Vec<_> = MediaTypeList::new(accept).filter_map(Result::ok).collect();
    let preferences = [Format::Text, Format::OpenMetrics].map(|format| {
        let preferences = ranges.iter().filter_map(|range| preference(format, range));
        // The most precise range decides for a format, and the first of equally precise
        // ones.
        preferences.reduce(|best, next| {
            if next.precision > best.precision {
                next
            } else {
                best
            }
        })
    });
    let preferences = preferences.into_iter().flatten();
    let accepted = preferences.filter(|preference| preference.quality > 0);
    let best = accepted.reduce(|text, open_metrics| {
        let rank = |preference: Preference| (preference.quality, preference.precision);
        if rank(open_metrics) > rank(text) {
            open_metrics
        } else {
            text
        }
    });
    best.map_or((Format::Text, None), |best| (best.format, best.escaping))
}

/// Returns the preference that a media range gives to a format; `None` if the range does
/// not match the format.
fn preference(format: Format, range: &MediaType) -> Option<Preference> {
    let (media, subtype, version) = match format {
        Format::Text => ("text", "plain", "0.0.4"),
        Format::OpenMetrics => ("application", "openmetrics-text", "1.0.0"),
    };
    let wanted = range.get_param(VERSION);
    let precision = match (range.ty.as_str(), range.subty.as_str()) {
        (ty, sub) if ty.eq_ignore_ascii_case(media) && sub.eq_ignore_ascii_case(subtype) => {
            match wanted {
                None => 2,
                Some(wanted) if wanted.unquoted_str() == version => 3,
                Some(_) => return None,
            }
        }
        (ty, "*") if ty.eq_ignore_ascii_case(media) => 1,
        ("*", "*") => 0,
        _ => return None,
    };
    let escaping = range.get_param(ESCAPING);
    Some(Preference {
        format,
        quality: quality(range),
        precision,
        escaping: escaping.and_then(|scheme| Escaping::named(&scheme.unquoted_str())),
    })
}

/// Returns the quality of a media range, in thousandths.
fn quality(range: &MediaType<'_>) -> u16 {
    let quality = range.get_param(QUALITY);
    quality.map_or(1000, |q| thousandths(&q.unquoted_str()))
}

fn encoding(accept_encoding: &str) -> Encoding {
    let (mut gzip, mut any, mut identity) = (None, None, None);
    for element in accept_encoding.split(',') {
        let mut parts = element.split(';').map(str::trim);
        let coding = parts.next().unwrap_or_default();
        let quality = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
        let quality = quality.map_or(1000, thousandths);
        let place = match coding.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => &mut gzip,
            "identity" => &mut identity,
            "*" => &mut any,
            _ => continue,
        };
        place.get_or_insert(quality);
    }
    // If gzip is not named, `*` decides for it. An answer without compression is always
    // accepted, and is preferred only if `identity` is named with a higher quality.
    let gzip = gzip.or(any).unwrap_or(0);
    if gzip > 0 && gzip >= identity.unwrap_or(0) {
        Encoding::Gzip
    } else {
        Encoding::Identity
    }
}

/// Reads a quality from 0 to 1 with up to three digits, in thousandths. A quality that
/// cannot be read counts as 0.
fn thousandths(quality: &str) -> u16 {
    let (whole, part) = quality.split_once('.').unwrap_or((quality, ""));
    let digits = part.len() <= 3 && part.bytes().all(|byte| byte.is_ascii_digit());
    match (whole, format!("{part:0<3}").parse::<u16>()) {
        ("1", Ok(0)) => 1000,
        ("0", Ok(part)) if digits => part,
        _ => 0,
    }
}

impl Escaping {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "allow-utf-8" => Self::AllowUtf8,
            "underscores" => Self::Underscores,
            "dots" => Self::Dots,
            "values" => Self::Values,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests;
