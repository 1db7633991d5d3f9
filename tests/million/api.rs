//! A model of the API, whose list of events does everything that the API does not rule
//! out.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use audit_core::{
    event::{EventType, Labels, PageError},
    sweep::PIECE_EVENTS,
};
use fastrand::Rng;
use jiff::{Timestamp, tz::Offset};
use nexmo_audit_exporter::{
    api::paging::PageSource,
    api::{ApiAnswer, ApiError, PageQuery, VendorMessage},
    poller::Api,
};

use crate::{
    clock::{MINUTE, Ms, SECOND, WallClock, shown, timestamp, whole_second},
    mutant::Mutant,
    plan::{Empty, Plan, Polls, pick},
    sample::{Sample, series_name, type_name},
    world::{Shared, World},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    NewestFirst,
    OldestFirst,
    /// The order differs at every request until the world is calm.
    None,
}

/// An event as the API has recorded it.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// The time of creation by the API's clock, in whole seconds.
    created: Ms,
    /// When the list begins to show the event.
    pub(crate) appears: Ms,
    /// The event as an element of the list.
    element: String,
    /// The two series of the event; `None` if it has no id.
    names: Option<[String; 2]>,
}

/// Draws the events of a history and of the hour before it. They happen in groups.
pub(crate) fn records(
    rng: &mut Rng,
    (span, groups): (Ms, usize),
    polls: &Polls,
    full_reach: bool,
    clock: &WallClock,
) -> Vec<Record> {
    let mut records = Vec::new();
    let latest = match polls.deep {
        Some(_) if full_reach => 30 * MINUTE,
        _ => polls.lookback - 2 * SECOND,
    };
    for _ in 0..groups {
        let happens = if rng.u8(0..4) == 0 {
            rng.i64(-60 * MINUTE..0)
        } else {
            rng.i64(0..span)
        };
        for _ in 0..rng.usize(1..4) * rng.usize(1..4) {
            let late = match rng.u8(0..6) {
                0 => rng.i64(0..=latest),
                1 => rng.i64(0..=polls.lookback.min(latest) / 2),
                2 => rng.i64(0..5 * SECOND),
                _ => 0,
            };
            records.push(record(rng, records.len(), happens, late, clock));
        }
    }
    records.sort_by_key(|record| record.appears);
    records
}

/// Draws events of a few minutes, more than one piece holds.
pub(crate) fn burst(rng: &mut Rng, span: Ms, clock: &WallClock) -> Vec<Record> {
    let begin = rng.i64(-10 * MINUTE..span);
    let length = rng.i64(SECOND..5 * MINUTE);
    let mut records: Vec<Record> = (0..2 * usize::try_from(PIECE_EVENTS).unwrap_or_default())
        .map(|number| {
            let happens = begin + rng.i64(0..length);
            record(rng, number, happens, 0, clock)
        })
        .collect();
    records.sort_by_key(|record| record.appears);
    records
}

fn record(rng: &mut Rng, number: usize, happens: Ms, late: Ms, clock: &WallClock) -> Record {
    let created = whole_second(clock.at(happens));
    let labels = Labels {
        event_type: (*pick(rng, &["T0", "T1", "T2", "T3"])).into(),
        source: (*pick(rng, &["CD", "CD", "DEVAPI"])).into(),
        source_country: (*pick(rng, &["GB", "SE", "DE"])).into(),
    };
    let is_malformed = rng.u8(0..30) == 0;
    let id = if is_malformed { "note" } else { "id" };
    let created_at = Offset::UTC.to_datetime(timestamp(created));
    Record {
        created,
        appears: happens + late,
        element: format!(
            r#"{{"{id}":"e{number}","event_type":"{}","created_at":"{created_at}","source":"{}","source_country":"{}"}}"#,
            labels.event_type, labels.source, labels.source_country
        ),
        names: (!is_malformed).then(|| [series_name(&labels), type_name(&labels.event_type)]),
    }
}

/// Where the counting of the account begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beginning {
    /// The time of creation, by the API's clock, from which events are counted.
    pub(crate) start: Ms,
    /// The time of creation, by the API's clock, from which an event is no history.
    pub(crate) began: Ms,
    /// When the process that counts first was started, by the time of the world.
    pub(crate) process_started: Ms,
}

/// The state of the API's list of events, and the counts that are expected of it.
pub(crate) struct EventList {
    appeared: usize,
    beginning: Option<Beginning>,
    /// The counts that the exporter has to reach, of the events that the list shows by now.
    pub(crate) recorded: Sample,
    /// The counts of those events that are history and were on the list when the exporter
    /// was first started. It is empty if the list has no order, since one reading may then
    /// miss an event.
    pub(crate) history: Sample,
    page_cap: usize,
    /// The numbers of the events that were shown.
    shown: BTreeSet<usize>,
}

impl EventList {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            appeared: 0,
            beginning: None,
            recorded: Sample::new(),
            history: Sample::new(),
            page_cap: plan.api.page_cap,
            shown: BTreeSet::new(),
        }
    }

    /// Records where counting begins, once that is durable.
    pub(crate) fn counting_began(&mut self, beginning: Beginning) {
        self.beginning = Some(beginning);
    }
}

impl World {
    /// Adds the events that the list shows by now to the expected counts.
    pub(crate) fn update_recorded(&mut self) -> &Sample {
        let plan = Arc::clone(&self.plan);
        let Some(beginning) = self.api.beginning else {
            return &self.api.recorded;
        };
        let list = &mut self.api;
        while let Some(record) = plan.records.get(list.appeared)
            && record.appears <= self.now
        {
            list.appeared += 1;
            let Some(names) = &record.names else { continue };
            if record.created < beginning.start {
                continue;
            }
            self.tally.events += 1;
            for name in names {
                *list.recorded.entry(name.clone()).or_default() += 1;
                let ordered = !plan.api.reorders_same_second && plan.api.order != Order::None;
                let is_history = record.created < beginning.began;
                if ordered && is_history && record.appears <= beginning.process_started {
                    *list.history.entry(name.clone()).or_default() += 1;
                }
            }
        }
        &self.api.recorded
    }

    fn answer(&mut self, query: &PageQuery) -> String {
        let plan = Arc::clone(&self.plan);
        let api = &plan.api;
        let records = &plan.records;
        let (from, to) = (whole_second(shown(query.from)), query.to.map(shown));
        let bound = SECOND * Ms::from(api.excludes_bounds);
        let earliest = from + bound - api.too_early;
        let latest = to.map_or(Ms::MAX, |to| whole_second(to) - bound);
        let listed = (0..records.len()).filter(|number| {
            let record = &records[*number];
            record.appears <= self.now && (earliest..=latest).contains(&record.created)
        });
        let mut listed: Vec<usize> = listed.collect();
        let unsorted = api.reorders_same_second || api.order == Order::None;
        if unsorted && !self.is_calm {
            self.rng.shuffle(&mut listed);
        }
        match api.order {
            Order::NewestFirst => listed.sort_by_key(|number| -records[*number].created),
            Order::OldestFirst => listed.sort_by_key(|number| records[*number].created),
            Order::None => {}
        }
        let asked = usize::try_from(query.size).unwrap_or(usize::MAX);
        let size = self.api.page_cap.min(asked);
        let before = usize::try_from(query.page - 1).map_or(usize::MAX, |page| page * size);
        let page: Vec<usize> = listed.iter().skip(before).take(size).copied().collect();
        let is_count = query.size == 1;
        if is_count && plan.mutant == Some(Mutant::NumberTrusted) {
            listed.retain(|number| self.api.shown.contains(number));
        } else if !is_count {
            self.api.shown.extend(&page);
        }
        let page: Vec<&str> = page
            .iter()
            .map(|number| records[*number].element.as_str())
            .collect();
        render(&page, listed.len(), size, api.repeated, api.empty)
    }

    /// Answers a request for the event types.
    fn types(&mut self) -> Result<ApiAnswer<Vec<EventType>>, ApiError> {
        if let Some(error) = self.failure() {
            self.tally.requests_failed += 1;
            self.log(|| format!("types: {error}"));
            return Err(error);
        }
        let named = ["T0", "T1", "T9"].map(|name| EventType {
            name: name.into(),
            description: String::new(),
        });
        Ok(ApiAnswer {
            value: named.into(),
            date: self.date(),
            room: None,
        })
    }

    /// Draws whether a request fails, and how.
    fn failure(&mut self) -> Option<ApiError> {
        let api = &self.plan.api;
        let chance = api.fails;
        let is_down = api.outages.iter().any(|span| span.contains(&self.now));
        if !self.is_calm && is_down && api.hangs {
            Some(ApiError::Timeout)
        } else if !self.is_calm && is_down || self.happens(chance) {
            Some(failure(&mut self.rng))
        } else {
            None
        }
    }

    fn date(&mut self) -> Option<Timestamp> {
        let hides = self.plan.api.omits_date;
        let date = timestamp(whole_second(self.api_time()));
        (!self.happens(hides)).then_some(date)
    }
}

fn render(page: &[&str], listed: usize, size: usize, repeated: usize, empty: Empty) -> String {
    let pages = listed.div_ceil(size);
    let counts =
        format!(r#""page":{{"size":{size},"totalElements":{listed},"totalPages":{pages}}}"#);
    match empty {
        Empty::NoBody if listed == 0 => return String::new(),
        Empty::NoList if page.is_empty() => return format!("{{{counts}}}"),
        _ => {}
    }
    let repeats = page.iter().take(repeated);
    let events: Vec<&str> = page.iter().chain(repeats).copied().collect();
    format!(
        r#"{{"_embedded":{{"events":[{}]}},{counts}}}"#,
        events.join(",")
    )
}

fn failure(rng: &mut Rng) -> ApiError {
    let message = VendorMessage::default();
    let seconds = rng.u64(0..60);
    let retry_after = rng.bool().then(|| Duration::from_secs(seconds));
    match rng.u8(0..20) {
        0 => ApiError::Auth {
            status: 401,
            message,
            origins: String::new(),
        },
        1..4 => ApiError::RateLimited {
            retry_after,
            message,
        },
        4..8 => ApiError::Status {
            status: *pick(rng, &[404, 500, 503]),
            retry_after,
            message,
        },
        8..12 => ApiError::Timeout,
        12..16 => ApiError::Transport {
            cause: "connection reset".into(),
            advice: "check the network".into(),
            may_pass: true,
        },
        _ => ApiError::body(PageError::NotAPage),
    }
}

/// Corrupts an answer.
fn corrupt(text: &mut String, rng: &mut Rng) {
    if rng.bool() {
        "<html><body>Bad Gateway</body></html>".clone_into(text);
    } else {
        text.truncate(text.len() / 2);
        text.push('{');
    }
}

/// The API of the simulated world, as the poller uses it.
pub(crate) struct WorldApi(pub(crate) Shared);

impl Api for WorldApi {
    async fn types(&self) -> Result<ApiAnswer<Vec<EventType>>, ApiError> {
        let Self(world) = self;
        if !world.lock().plan.polls.types_named {
            return Err(ApiError::Status {
                status: 404,
                retry_after: None,
                message: VendorMessage::default(),
            });
        }
        self.request(World::types).await
    }
}

impl PageSource for WorldApi {
    async fn page(&self, query: PageQuery) -> Result<ApiAnswer<String>, ApiError> {
        self.request(|world| answer_page(world, &query)).await
    }

    async fn wait_for_retry(&self, wait: Duration) {
        let Self(world) = self;
        world
            .sleep(Ms::try_from(wait.as_millis()).unwrap_or(Ms::MAX))
            .await;
    }
}

impl WorldApi {
    /// Makes one request. It takes some time, and the process may die before and after it.
    async fn request<T>(
        &self,
        answer: impl FnOnce(&mut World) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let Self(world) = self;
        let (there, back) = {
            let world = &mut *world.lock();
            world.tally.requests += 1;
            let slowest = world.plan.api.slowest;
            (world.rng.i64(0..=slowest), world.rng.i64(0..=slowest))
        };
        world.crash_point("before a request").await;
        world.sleep(there).await;
        let outcome = answer(&mut world.lock());
        if matches!(outcome, Err(ApiError::Timeout)) {
            world.sleep(30 * SECOND).await;
        }
        world.sleep(back).await;
        world.crash_point("with an answer in hand").await;
        outcome
    }
}

/// Returns `true` if `text` is the id of an event of the model.
fn is_event_id(text: &str) -> bool {
    text.strip_prefix('e')
        .is_some_and(|number| number.parse::<u32>().is_ok())
}

fn answer_page(world: &mut World, query: &PageQuery) -> Result<ApiAnswer<String>, ApiError> {
    if let Some(error) = world.failure() {
        world.tally.requests_failed += 1;
        world.log(|| format!("page {}: {error}", query.page));
        return Err(error);
    }
    let mut value = world.answer(query);
    let chance = world.plan.api.fails / 2.0;
    if world.happens(chance) {
        world.tally.requests_failed += 1;
        corrupt(&mut value, &mut world.rng);
    }
    let date = world.date();
    world.log(|| {
        let (from, to) = (shown(query.from), query.to.map(shown));
        let date = date.map(shown);
        let ids: Vec<&str> = value.split('"').filter(|id| is_event_id(id)).collect();
        format!(
            "page {} of {from}..{to:?} at {date:?}: {}",
            query.page,
            ids.join(" ")
        )
    });
    Ok(ApiAnswer {
        value,
        date,
        room: None,
    })
}
