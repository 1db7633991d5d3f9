//! A list of events that shows less than there is, as lists of other vendors do: it caps the
//! number of events, refuses deep pages, puts fewer events on a page than it is asked for, or
//! leaves out how many there are.

use jiff::{Timestamp, civil::DateTime, tz::Offset};
use serde_json::{Value, json};

use crate::audit_event::{event, with, written};
use crate::scripted_answer::Answer;
use crate::scripted_api::Request;

/// The answer to a request for a page that the list does not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    EmptyPage,
    EmptyObject,
    Error(u16),
}

/// A list with the newest event first, whose ranges include their bounds.
#[derive(Clone, Debug)]
pub struct LimitedList {
    /// The second of creation of each event, the newest first.
    pub seconds: Vec<i64>,
    /// The highest number of events that the list claims and shows.
    pub most_events: usize,
    /// The number of the last page that the list shows.
    pub last_page: usize,
    /// The largest number of events on a page.
    pub page_size: usize,
    /// `false` if a page has no member `page`.
    pub has_counts: bool,
    pub beyond: Beyond,
}

impl LimitedList {
    /// Makes a list without limits, of events that were created so many seconds ago.
    pub fn of_ages(ages: impl IntoIterator<Item = i64>) -> Self {
        let now = Timestamp::now().as_second();
        let mut seconds: Vec<_> = ages.into_iter().map(|age| now - age).collect();
        seconds.sort_unstable_by_key(|second| -second);
        Self {
            seconds,
            most_events: usize::MAX,
            last_page: usize::MAX,
            page_size: 100,
            has_counts: true,
            beyond: Beyond::EmptyPage,
        }
    }

    /// Makes a list of so many events that were created over the last 50 minutes.
    pub fn spread(events: usize) -> Self {
        let events = i64::try_from(events).expect("a number");
        Self::of_ages((0..events).map(|event| 60 + event * 3000 / events))
    }

    /// Answers a request for a page.
    pub fn answer(&self, request: &Request) -> Answer {
        let (from, to) = (bound(request, "date_from"), bound(request, "date_to"));
        let is_within = |second: i64| {
            from.is_none_or(|from| from <= second) && to.is_none_or(|to| second <= to)
        };
        let listed: Vec<_> = self
            .seconds
            .iter()
            .enumerate()
            .filter(|(_, second)| is_within(**second))
            .collect();
        let total = listed.len().min(self.most_events);
        let size = request.parameter("size").and_then(|size| size.parse().ok());
        let size = self.page_size.min(size.unwrap_or(30));
        let page = usize::try_from(request.page()).expect("a page");
        let first = size * (page - 1);
        if page > 1 && (first >= total || page > self.last_page) {
            match self.beyond {
                Beyond::EmptyPage => {}
                Beyond::EmptyObject => return Answer::json(200, &json!({})),
                Beyond::Error(status) => return Answer::error(status, "no such page"),
            }
        }
        let end = if page > self.last_page {
            first
        } else {
            total.min(first + size)
        };
        let shown = listed.get(first..end).unwrap_or_default();
        let events: Vec<_> = shown
            .iter()
            .map(|(number, second)| element(*number, **second))
            .collect();
        self.render(&events, end < listed.len(), total, size)
    }

    fn render(&self, events: &[Value], has_next: bool, total: usize, size: usize) -> Answer {
        let link = json!({"href": "http://127.0.0.1:9/beta/audit/events"});
        let mut body = json!({"_links": {"self": link}});
        if !events.is_empty() {
            body["_embedded"] = json!({"events": events});
        }
        if has_next {
            body["_links"]["next"] = link;
        }
        if self.has_counts {
            let pages = total.div_ceil(size);
            body["page"] = json!({"size": size, "totalElements": total, "totalPages": pages});
        }
        Answer::json(200, &body)
    }
}

fn element(number: usize, second: i64) -> Value {
    let created_at = Timestamp::from_second(second).expect("a time");
    let event = event(&format!("event-{number}"), "NUMBER_ASSIGN");
    with(event, "created_at", json!(written(created_at)))
}

fn bound(request: &Request, name: &str) -> Option<i64> {
    let time: DateTime = request.parameter(name)?.parse().expect("a time");
    Some(Offset::UTC.to_timestamp(time).expect("a time").as_second())
}
