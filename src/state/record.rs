//! The records of an export: each is a line of JSON. This file is the format.

use std::time::Duration;

use audit_core::{
    account::Stage,
    event::{EventId, Labels},
    gate::ScraperId,
    ledger::{Exemplar, FirstValue, SavedCounter},
    outbox::Line,
    window::{Remembered, SavedWindow},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::export_file_error::RecordProblem;
use crate::store::{AccountProgress, GateMemory, KnownScraper, StoredPart};

/// The number of the format. A change that an older program would misread needs a new
/// number.
pub(super) const EXPORT_FORMAT: u32 = 1;
/// The program that writes exports, by which they are told from other files.
pub(super) const PROGRAM: &str = env!("CARGO_PKG_NAME");

/// A line of an export, in the order of the variants.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub(super) enum ExportRecord {
    Export(HeaderRecord),
    Account(AccountRecord),
    Gate(GateRecord),
    Id(IdRecord),
    Series(SeriesRecord),
    Type(TypeRecord),
    Line(LineRecord),
    End(EndRecord),
}

/// The first line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeaderRecord {
    pub(super) program: String,
    /// The version of the program that wrote the export.
    pub(super) version: String,
    pub(super) export_format: u32,
    /// The format of the state that the account was read from.
    pub(super) state_format: u32,
    pub(super) exported_at: Timestamp,
    /// The API key of the account.
    pub(super) api_key: String,
}

/// How far the account is read.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountRecord {
    start: Timestamp,
    began: Timestamp,
    caught_up: bool,
    floor: Timestamp,
    watermark: Option<Timestamp>,
    newest: Option<Timestamp>,
    gate_timeouts: u64,
}

/// The id of a counted event.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IdRecord {
    /// The time of creation, in whole seconds.
    time: Timestamp,
    /// The id in the form of a UUID.
    id: String,
}

/// A counter of `nexmo_audit_events_total`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SeriesRecord {
    event_type: String,
    source: String,
    source_country: String,
    counter: CounterRecord,
}

/// A counter of `nexmo_audit_events_by_type_total`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TypeRecord {
    event_type: String,
    counter: CounterRecord,
}

/// The values of a counter.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CounterRecord {
    total: u64,
    published: u64,
    first_value: FirstValue,
    /// A reading of the clock of waits.
    waits_since_nanoseconds: Option<u64>,
    exemplar: Option<ExemplarRecord>,
}

/// The newest event of a counter.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExemplarRecord {
    event_id: String,
    created_at: Timestamp,
}

/// A line of the event log that is not written yet.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LineRecord {
    number: u64,
    text: String,
}

/// The memory of the gate.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GateRecord {
    was_scraped: bool,
    /// The reading of the clock of waits at `stored_at`.
    wait_time_nanoseconds: u64,
    stored_at: Option<Timestamp>,
    scrapers: Vec<ScraperRecord>,
}

/// A scraper that the gate waits for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScraperRecord {
    /// 16 hexadecimal digits, as are `product` and `target`.
    id: String,
    product: String,
    target: String,
    interval_nanoseconds: Option<u64>,
    last_seen: Timestamp,
}

/// The last line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndRecord {
    pub(super) ids: u64,
    pub(super) series: u64,
    pub(super) types: u64,
    pub(super) lines: u64,
    /// The SHA-256 of all lines before this one.
    pub(super) sha256: String,
}

impl From<StoredPart> for ExportRecord {
    fn from(part: StoredPart) -> Self {
        match part {
            StoredPart::Progress(progress) => Self::Account(AccountRecord::new(&progress)),
            StoredPart::Gate(gate) => Self::Gate(GateRecord::new(&gate)),
            StoredPart::Id(Remembered { time, id }) => Self::Id(IdRecord {
                time,
                id: id.to_string(),
            }),
            StoredPart::Series(labels, saved, latest) => Self::Series(SeriesRecord {
                event_type: labels.event_type.into_owned(),
                source: labels.source.into_owned(),
                source_country: labels.source_country.into_owned(),
                counter: CounterRecord::new(saved, latest.as_ref()),
            }),
            StoredPart::Type(name, saved, latest) => Self::Type(TypeRecord {
                event_type: name.into_owned(),
                counter: CounterRecord::new(saved, latest.as_ref()),
            }),
            StoredPart::Line(Line { number, text }) => Self::Line(LineRecord { number, text }),
        }
    }
}

impl AccountRecord {
    fn new(progress: &AccountProgress) -> Self {
        let AccountProgress {
            stage,
            window,
            gate_timeouts,
        } = *progress;
        Self {
            start: stage.start,
            began: stage.began,
            caught_up: stage.caught_up,
            floor: window.floor,
            watermark: window.watermark,
            newest: window.newest,
            gate_timeouts,
        }
    }

    pub(super) fn part(self) -> StoredPart {
        let stage = Stage {
            start: self.start,
            began: self.began,
            caught_up: self.caught_up,
        };
        let window = SavedWindow {
            floor: self.floor,
            watermark: self.watermark,
            newest: self.newest,
        };
        StoredPart::Progress(AccountProgress {
            stage,
            window,
            gate_timeouts: self.gate_timeouts,
        })
    }
}

impl IdRecord {
    pub(super) fn part(self) -> Result<StoredPart, RecordProblem> {
        let id = EventId::from_text(&self.id);
        // Any other text has a hash, which is displayed differently.
        let time = self.time;
        if id.to_string() != self.id || time.subsec_nanosecond() != 0 {
            return Err(RecordProblem::Id);
        }
        Ok(StoredPart::Id(Remembered { time, id }))
    }
}

impl SeriesRecord {
    pub(super) fn part(self) -> Result<StoredPart, RecordProblem> {
        let labels = Labels {
            event_type: self.event_type.into(),
            source: self.source.into(),
            source_country: self.source_country.into(),
        };
        let (saved, latest) = self.counter.values()?;
        Ok(StoredPart::Series(labels, saved, latest))
    }
}

impl TypeRecord {
    pub(super) fn part(self) -> Result<StoredPart, RecordProblem> {
        let (saved, latest) = self.counter.values()?;
        Ok(StoredPart::Type(self.event_type.into(), saved, latest))
    }
}

impl LineRecord {
    pub(super) fn part(self) -> StoredPart {
        StoredPart::Line(Line {
            number: self.number,
            text: self.text,
        })
    }
}

impl GateRecord {
    fn new(gate: &GateMemory) -> Self {
        Self {
            was_scraped: gate.was_scraped,
            wait_time_nanoseconds: nanoseconds(gate.wait_time),
            stored_at: gate.stored_at,
            scrapers: gate.scrapers.iter().map(ScraperRecord::new).collect(),
        }
    }

    pub(super) fn part(self) -> Result<StoredPart, RecordProblem> {
        let scrapers = self.scrapers.into_iter().map(ScraperRecord::known);
        let scrapers: Vec<KnownScraper> = scrapers.collect::<Result<_, _>>()?;
        if !scrapers.is_sorted_by(|one, next| one.id < next.id) {
            return Err(RecordProblem::Scrapers);
        }
        Ok(StoredPart::Gate(GateMemory {
            was_scraped: self.was_scraped,
            wait_time: Duration::from_nanos(self.wait_time_nanoseconds),
            stored_at: self.stored_at,
            scrapers,
        }))
    }
}

impl CounterRecord {
    fn new(saved: SavedCounter, latest: Option<&Exemplar>) -> Self {
        Self {
            total: saved.total,
            published: saved.published,
            first_value: saved.first_value,
            waits_since_nanoseconds: saved.waits_since.map(nanoseconds),
            exemplar: latest.and_then(ExemplarRecord::new),
        }
    }

    fn values(self) -> Result<(SavedCounter, Option<Exemplar>), RecordProblem> {
        if self.published > self.total {
            return Err(RecordProblem::PublishedAboveTotal {
                published: self.published,
                total: self.total,
            });
        }
        let saved = SavedCounter {
            total: self.total,
            published: self.published,
            first_value: self.first_value,
            waits_since: self.waits_since_nanoseconds.map(Duration::from_nanos),
        };
        Ok((saved, self.exemplar.and_then(ExemplarRecord::exemplar)))
    }
}

impl ExemplarRecord {
    fn new(latest: &Exemplar) -> Option<Self> {
        Some(Self {
            event_id: latest.event_id().into_owned(),
            created_at: Timestamp::from_millisecond(latest.created_at()).ok()?,
        })
    }

    fn exemplar(self) -> Option<Exemplar> {
        let id = EventId::from_text(&self.event_id);
        let text = Some(&*self.event_id).filter(|text| id.to_string() != *text);
        Exemplar::new(id, text, self.created_at)
    }
}

impl ScraperRecord {
    fn new(known: &KnownScraper) -> Self {
        Self {
            id: hexadecimal(known.id.0),
            product: hexadecimal(known.product),
            target: hexadecimal(known.target),
            interval_nanoseconds: known.interval.map(nanoseconds),
            last_seen: known.last_seen,
        }
    }

    fn known(self) -> Result<KnownScraper, RecordProblem> {
        let number = |text: &str| {
            let number = u64::from_str_radix(text, 16);
            number.map_err(|_| RecordProblem::Scrapers)
        };
        Ok(KnownScraper {
            id: ScraperId(number(&self.id)?),
            product: number(&self.product)?,
            target: number(&self.target)?,
            interval: self.interval_nanoseconds.map(Duration::from_nanos),
            last_seen: self.last_seen,
        })
    }
}

fn hexadecimal(number: u64) -> String {
    format!("{number:016x}")
}

fn nanoseconds(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}
