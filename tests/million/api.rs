//! A model of the API's list of events: all that is not promised of it happens.

use std::{sync::Arc, time::Duration};

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
    plan::{Empty, Plan, Polls, pick},
    sample::{Sample, series_name, type_name},
    world::{Shared, World},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    NewestFirst,
    OldestFirst,
    /// Another one at every request, until all is calm.
    None,
}

/// An event as the API holds it.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// By the API's clock, in whole seconds.
    created: Ms,
    /// When the list begins to show it.
    pub(crate) appears: Ms,
    /// As the list shows it.
    element: String,
    /// Its two series; `None` for one that has no id.
    names: Option<[String; 2]>,
}

/// Events that happen through a history, and before it.
pub(crate) fn records(
    rng: &mut Rng,
    span: Ms,
    polls: &Polls,
    far: bool,
    clock: &WallClock,
) -> Vec<Record> {
    let mut records = Vec::new();
    let latest = match polls.deep {
        Some(_) if far => 30 * MINUTE,
        _ => polls.lookback - 2 * SECOND,
    };
    for _ in 0..rng.usize(0..12) {
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

/// More events within a few minutes than one piece holds.
pub(crate) fn crowd(rng: &mut Rng, span: Ms, clock: &WallClock) -> Vec<Record> {
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

/// From when the account is counted, by the API's clock, and from when on it is
/// news.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beginning {
    pub(crate) start: Ms,
    pub(crate) began: Ms,
    /// By no clock: when the process was started that counts first.
    pub(crate) at: Ms,
}

/// The API's list of events, and what it has recorded.
pub(crate) struct ListOfEvents {
    appeared: usize,
    beginning: Option<Beginning>,
    /// What the exporter is to count, of what the list has shown so far.
    pub(crate) recorded: Sample,
    /// What of it was history and on the list when the exporter was first started.
    /// Nothing where the list has no order, so that not all need be seen at once.
    pub(crate) history: Sample,
    page_cap: usize,
}

impl ListOfEvents {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            appeared: 0,
            beginning: None,
            recorded: Sample::new(),
            history: Sample::new(),
            page_cap: plan.api.page_cap,
        }
    }

    /// It is durable where counting begins.
    pub(crate) fn counting_began(&mut self, beginning: Beginning) {
        self.beginning = Some(beginning);
    }
}

impl World {
    /// Takes note of what the list shows by now.
    pub(crate) fn recorded(&mut self) -> &Sample {
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
                let ordered = !plan.api.restless && plan.api.order != Order::None;
                let is_history = record.created < beginning.began;
                if ordered && is_history && record.appears <= beginning.at {
                    *list.history.entry(name.clone()).or_default() += 1;
                }
            }
        }
        &self.api.recorded
    }

    fn answer(&mut self, query: &PageQuery) -> String {
        let plan = Arc::clone(&self.plan);
        let manners = &plan.api;
        let records = &plan.records;
        let (from, to) = (whole_second(shown(query.from)), query.to.map(shown));
        let bound = SECOND * Ms::from(manners.excludes_bounds);
        let earliest = from + bound - manners.too_early;
        let latest = to.map_or(Ms::MAX, |to| whole_second(to) - bound);
        let listed = (0..records.len()).filter(|number| {
            let record = &records[*number];
            record.appears <= self.now && (earliest..=latest).contains(&record.created)
        });
        let mut listed: Vec<usize> = listed.collect();
        let unsorted = manners.restless || manners.order == Order::None;
        if unsorted && !self.is_calm {
            self.chance.shuffle(&mut listed);
        }
        match manners.order {
            Order::NewestFirst => listed.sort_by_key(|number| -records[*number].created),
            Order::OldestFirst => listed.sort_by_key(|number| records[*number].created),
            Order::None => {}
        }
        let size = self.api.page_cap;
        let before = usize::try_from(query.page - 1).map_or(usize::MAX, |page| page * size);
        let page: Vec<&str> = listed
            .iter()
            .skip(before)
            .take(size)
            .map(|number| records[*number].element.as_str())
            .collect();
        render(&page, listed.len(), size, manners.repeated, manners.empty)
    }

    /// The types that the vendor names.
    fn types(&mut self) -> Result<ApiAnswer<Vec<EventType>>, ApiError> {
        if let Some(error) = self.failure() {
            self.tally.requests_failed += 1;
            self.note(|| format!("types: {error}"));
            return Err(error);
        }
        let named = ["T0", "T1", "T9"].map(|name| EventType {
            name: name.into(),
            description: String::new(),
        });
        Ok(ApiAnswer {
            value: named.into(),
            date: self.date(),
        })
    }

    /// Why a request brings nothing, if so.
    fn failure(&mut self) -> Option<ApiError> {
        let manners = &self.plan.api;
        let chance = manners.fails;
        let is_down = manners.outages.iter().any(|span| span.contains(&self.now));
        if !self.is_calm && is_down || self.happens(chance) {
            Some(failure(&mut self.chance))
        } else {
            None
        }
    }

    fn date(&mut self) -> Option<Timestamp> {
        let hides = self.plan.api.tells_no_time;
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
        },
        _ => ApiError::body(PageError::NotAPage),
    }
}

/// How an answer can be spoilt that arrives.
fn spoil(text: &mut String, rng: &mut Rng) {
    if rng.bool() {
        "<html><body>Bad Gateway</body></html>".clone_into(text);
    } else {
        text.truncate(text.len() / 2);
        text.push('{');
    }
}

/// The API of the world.
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
        self.request(|world| exchange(world, &query)).await
    }
}

impl WorldApi {
    /// One request: it takes its time, and the process may die around it.
    async fn request<T>(
        &self,
        answer: impl FnOnce(&mut World) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let Self(world) = self;
        let (there, back) = {
            let world = &mut *world.lock();
            world.tally.requests += 1;
            let slowest = world.plan.api.slowest;
            (world.chance.i64(0..=slowest), world.chance.i64(0..=slowest))
        };
        world.step("before a request").await;
        world.sleep(there).await;
        let outcome = answer(&mut world.lock());
        if matches!(outcome, Err(ApiError::Timeout)) {
            world.sleep(30 * SECOND).await;
        }
        world.sleep(back).await;
        world.step("with an answer in hand").await;
        outcome
    }
}

/// Whether this is the id of an event of the model.
fn is_number(text: &str) -> bool {
    text.strip_prefix('e')
        .is_some_and(|number| number.parse::<u32>().is_ok())
}

fn exchange(world: &mut World, query: &PageQuery) -> Result<ApiAnswer<String>, ApiError> {
    if let Some(error) = world.failure() {
        world.tally.requests_failed += 1;
        world.note(|| format!("page {}: {error}", query.page));
        return Err(error);
    }
    let mut value = world.answer(query);
    let chance = world.plan.api.fails / 2.0;
    if world.happens(chance) {
        world.tally.requests_failed += 1;
        spoil(&mut value, &mut world.chance);
    }
    let date = world.date();
    world.note(|| {
        let (from, to) = (shown(query.from), query.to.map(shown));
        let date = date.map(shown);
        let ids: Vec<&str> = value.split('"').filter(|id| is_number(id)).collect();
        format!(
            "page {} of {from}..{to:?} at {date:?}: {}",
            query.page,
            ids.join(" ")
        )
    });
    Ok(ApiAnswer { value, date })
}
