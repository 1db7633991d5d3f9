//! A model of the list of events. It does everything that the API does not rule out.

use fastrand::Rng;
use jiff::{Timestamp, tz::Offset};

/// 2026-11-20T00:00:00Z. All moments of the model are in seconds after it.
const START: i64 = 1_795_132_800;

/// The moment that lies `seconds` after the start.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(START + seconds).expect("a time within range")
}

/// How the API shows an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rendering {
    Plain,
    /// With an unreadable time.
    NoTime,
    /// With a time that is readable in some answers.
    FlickeringTime,
    /// With a time in the future, which lies in every range with an open end.
    Year9999,
    /// Without an id.
    Malformed,
}

/// An event of the model. Its number is its place in the list of all events.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) created: i64,
    /// The time from its creation until the list shows it.
    pub(crate) appears_after: i64,
    pub(crate) event_type: u8,
    pub(crate) country: u8,
    pub(crate) rendering: Rendering,
}

impl Record {
    pub(crate) fn appears(&self) -> i64 {
        self.created + self.appears_after
    }

    fn is_listed(&self, behavior: &ApiBehavior, request: &Request) -> bool {
        let (created, from) = match self.rendering {
            Rendering::Year9999 => (i64::MAX, request.from),
            Rendering::Plain => (self.created, request.from - behavior.too_early),
            // If an event has no time, only the range tells that it is not old.
            _ => (self.created, request.from),
        };
        let to = request.to.unwrap_or(i64::MAX);
        (from..=to).contains(&created) && self.appears() <= request.now
    }

    /// The event type and the country, which identify a series of the model.
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
    /// A different order at every request.
    None,
}

/// How the API answers during one sweep.
#[derive(Debug, Clone)]
pub(crate) struct ApiBehavior {
    pub(crate) order: Order,
    /// `true` if the events of one second change places at every request.
    pub(crate) restless: bool,
    /// How many seconds before the range are also shown.
    pub(crate) too_early: i64,
    /// The greatest number of events on a page, whatever size is asked for.
    pub(crate) page_cap: usize,
    /// How many events of a page are on it twice.
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
pub(crate) fn answer(records: &[Record], behavior: &ApiBehavior, request: &Request) -> String {
    let mut rng = rng(behavior, request);
    let listed = listed(records, behavior, request, &mut rng);
    let size = request.size.min(behavior.page_cap);
    let before = usize::try_from(request.page - 1).map_or(usize::MAX, |page| page * size);
    let mut elements: Vec<String> = listed
        .iter()
        .skip(before)
        .take(size)
        .map(|number| element(*number, &records[*number], &mut rng))
        .collect();
    let repeated: Vec<String> = elements.iter().take(behavior.repeated).cloned().collect();
    elements.extend(repeated);
    format!(
        r#"{{"_embedded": {{"events": [{}]}}, "page": {{"totalElements": {}, "totalPages": {}}}}}"#,
        elements.join(", "),
        listed.len(),
        listed.len().div_ceil(size),
    )
}

/// The random numbers of one request; the same at each request if the API keeps its
/// order.
fn rng(behavior: &ApiBehavior, request: &Request) -> Rng {
    let restless = behavior.restless || matches!(behavior.order, Order::None);
    let request = if restless {
        request.now.unsigned_abs() << 20 | request.page
    } else {
        0
    };
    Rng::with_seed(behavior.seed ^ request)
}

/// The numbers of the events in the range, in the order of this answer.
fn listed(
    records: &[Record],
    behavior: &ApiBehavior,
    request: &Request,
    rng: &mut Rng,
) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..records.len())
        .filter(|number| records[*number].is_listed(behavior, request))
        .collect();
    if behavior.restless || matches!(behavior.order, Order::None) {
        rng.shuffle(&mut numbers);
    }
    match behavior.order {
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
        // A day later would be beyond the range of a `Timestamp`, and so unreadable.
        Rendering::Year9999 => "9999-12-30T00:00:00".to_owned(),
        Rendering::Plain | Rendering::FlickeringTime => created_at,
    };
    format!(r#"{{"id": "e{number}", "created_at": "{created_at}", {labels}}}"#)
}
