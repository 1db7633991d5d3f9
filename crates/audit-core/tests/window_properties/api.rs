//! A model of the API's list of events: all that is not promised of it happens.

use fastrand::Rng;
use jiff::{Timestamp, tz::Offset};

/// 2026-11-20T00:00:00Z. Moments of the model are seconds after it.
const START: i64 = 1_795_132_800;

/// The moment that lies `seconds` after the start.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(START + seconds).expect("a time within range")
}

/// How the API shows an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rendering {
    Plain,
    /// Its time cannot be read.
    NoTime,
    /// Its time can be read in some answers.
    FlickeringTime,
    /// It lies in the future, and so in every range with an open end.
    Year9999,
    /// It has no id.
    Malformed,
}

/// An event as the API holds it; its number is its place in the list.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) created: i64,
    /// How long after its creation the list begins to show it.
    pub(crate) appears_after: i64,
    pub(crate) event_type: u8,
    pub(crate) country: u8,
    pub(crate) rendering: Rendering,
}

impl Record {
    pub(crate) fn appears(&self) -> i64 {
        self.created + self.appears_after
    }

    fn is_listed(&self, manners: &Manners, request: &Request) -> bool {
        let (created, from) = match self.rendering {
            Rendering::Year9999 => (i64::MAX, request.from),
            Rendering::Plain => (self.created, request.from - manners.too_early),
            // Of one that bears no time only the range says that it is not old.
            _ => (self.created, request.from),
        };
        let to = request.to.unwrap_or(i64::MAX);
        (from..=to).contains(&created) && self.appears() <= request.now
    }

    /// Event type and country, which the model tells series apart by.
    pub(crate) fn series(&self) -> (String, String) {
        (
            format!("T{}", self.event_type),
            format!("C{}", self.country),
        )
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Order {
    NewestFirst,
    OldestFirst,
    /// Another one at every request.
    None,
}

/// How the API answers during one sweep.
#[derive(Debug, Clone)]
pub(crate) struct Manners {
    pub(crate) order: Order,
    /// Events of one second change places at every request.
    pub(crate) restless: bool,
    /// How many seconds from before the range it shows too.
    pub(crate) too_early: i64,
    /// The most events that it shows on a page, whatever it is asked for.
    pub(crate) page_cap: usize,
    /// How many events of a page come twice on it.
    pub(crate) repeated: usize,
    pub(crate) seed: u64,
}

/// One request for a page.
pub(crate) struct Request {
    pub(crate) from: i64,
    pub(crate) to: Option<i64>,
    pub(crate) now: i64,
    /// From 1.
    pub(crate) page: u64,
    pub(crate) size: usize,
}

/// The answer to a request.
pub(crate) fn answer(records: &[Record], manners: &Manners, request: &Request) -> String {
    let mut rng = rng(manners, request);
    let listed = listed(records, manners, request, &mut rng);
    let size = request.size.min(manners.page_cap);
    let before = usize::try_from(request.page - 1).map_or(usize::MAX, |page| page * size);
    let mut elements: Vec<String> = listed
        .iter()
        .skip(before)
        .take(size)
        .map(|number| element(*number, &records[*number], &mut rng))
        .collect();
    let repeated: Vec<String> = elements.iter().take(manners.repeated).cloned().collect();
    elements.extend(repeated);
    format!(
        r#"{{"_embedded": {{"events": [{}]}}, "page": {{"totalElements": {}, "totalPages": {}}}}}"#,
        elements.join(", "),
        listed.len(),
        listed.len().div_ceil(size),
    )
}

/// The chances of one request; the same at each when the API keeps its order.
fn rng(manners: &Manners, request: &Request) -> Rng {
    let restless = manners.restless || matches!(manners.order, Order::None);
    let request = if restless {
        request.now.unsigned_abs() << 20 | request.page
    } else {
        0
    };
    Rng::with_seed(manners.seed ^ request)
}

/// The numbers of the events in the range, in the order of this answer.
fn listed(records: &[Record], manners: &Manners, request: &Request, rng: &mut Rng) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..records.len())
        .filter(|number| records[*number].is_listed(manners, request))
        .collect();
    if manners.restless || matches!(manners.order, Order::None) {
        rng.shuffle(&mut numbers);
    }
    match manners.order {
        Order::NewestFirst => numbers.sort_by_key(|number| -records[*number].created),
        Order::OldestFirst => numbers.sort_by_key(|number| records[*number].created),
        Order::None => {}
    }
    numbers
}

fn element(number: usize, record: &Record, rng: &mut Rng) -> String {
    let (event_type, country) = record.series();
    let labels = format!(r#""event_type": "{event_type}", "source_country": "{country}""#);
    let created_at = Offset::UTC.to_datetime(at(record.created)).to_string();
    let created_at = match record.rendering {
        Rendering::Malformed => return format!(r#"{{"note": {number}, {labels}}}"#),
        Rendering::NoTime => "soon".to_owned(),
        Rendering::FlickeringTime if rng.bool() => "soon".to_owned(),
        // A day later a `Timestamp` ends, and the time is one that cannot be read.
        Rendering::Year9999 => "9999-12-30T00:00:00".to_owned(),
        Rendering::Plain | Rendering::FlickeringTime => created_at,
    };
    format!(r#"{{"id": "e{number}", "created_at": "{created_at}", {labels}}}"#)
}
