//! Writes the answers of the API as JSON.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use url::form_urlencoded;

use crate::archive::ArchivedEvent;
use crate::catalog::{self, DASHBOARD, SOURCES, Subject};
use crate::context::{self, EventContext};
use crate::event_id;
use crate::event_key::{EventKey, KeyTable};
use crate::list_form::TimeFormat;
use crate::listed_page::ListedPage;
use crate::query::Query;
use crate::random::{self, Purpose};
use crate::settings::SimulatorSettings;
use crate::users::{self, SimulatedUser};

/// Links name the vendor's host, in plain http as the vendor writes them.
const LINK_HOST: &str = "http://api.nexmo.com";
/// The percentage of Developer API events that name no user.
const NO_USER_PERCENT: u8 = 40;

/// Writes the events of one account.
#[derive(Clone)]
pub(crate) struct Renderer {
    seed: u64,
    account: Arc<str>,
    events_link: Arc<str>,
    has_page: bool,
    has_next: bool,
    time_format: TimeFormat,
}

#[derive(Serialize)]
struct EventBody<'a> {
    id: String,
    event_type: &'a str,
    event_type_description: &'a str,
    created_at: CreatedAt,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<u32>,
    account_id: &'a str,
    source: &'a str,
    source_description: &'a str,
    source_ip: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_country: Option<&'a str>,
    context: EventContext,
    #[serde(rename = "_links")]
    links: EventLinks,
}

#[derive(Serialize)]
#[serde(untagged)]
enum CreatedAt {
    Text(String),
    Number(i64),
}

#[derive(Serialize)]
struct EventLinks {
    #[serde(rename = "self")]
    this: Link,
}

#[derive(Serialize)]
struct Link {
    href: String,
}

#[derive(Serialize)]
struct ListBody<'a> {
    #[serde(rename = "_embedded", skip_serializing_if = "Option::is_none")]
    embedded: Option<ListedEvents<'a>>,
    #[serde(rename = "_links")]
    links: PageLinks,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<PageInfo>,
}

#[derive(Serialize)]
struct ListedEvents<'a> {
    events: Vec<EventBody<'a>>,
}

#[derive(Serialize)]
struct PageLinks {
    #[serde(rename = "self")]
    this: Link,
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<Link>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prev: Option<Link>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Link>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<Link>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    size: u64,
    total_elements: u64,
    total_pages: u64,
    number: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TypesBody {
    event_types: Vec<TypeInfo>,
}

#[derive(Serialize)]
struct TypeInfo {
    #[serde(rename = "type")]
    name: &'static str,
    description: &'static str,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    status: u16,
    error: &'a str,
    message: &'a str,
}

/// Returns the body of an error answer.
pub(crate) fn error(status: u16, error: &str, message: &str) -> Vec<u8> {
    json(&ErrorBody {
        status,
        error,
        message,
    })
}

/// Returns the body of the answer that lists the event types.
pub(crate) fn types() -> Vec<u8> {
    let info = |known: &catalog::CatalogType| TypeInfo {
        name: known.name,
        description: known.description,
    };
    json(&TypesBody {
        event_types: catalog::listed_types().map(info).collect(),
    })
}

impl Renderer {
    /// Makes a renderer for the first account of the settings.
    pub(crate) fn new(settings: &SimulatorSettings) -> Self {
        Self {
            seed: settings.seed,
            account: settings.api_key.as_str().into(),
            events_link: format!("{LINK_HOST}{}/events", settings.base_path).into(),
            has_page: !settings.without_page,
            has_next: !settings.without_next,
            time_format: settings.time_format,
        }
    }

    /// Returns the body of one event.
    pub(crate) fn event(&self, event: ArchivedEvent, keys: &KeyTable) -> Vec<u8> {
        json(&self.describe(event, keys))
    }

    /// Returns the body of one page of a list.
    pub(crate) fn list(&self, page: &ListedPage, query: &Query) -> Vec<u8> {
        let describe = |event: &ArchivedEvent| self.describe(*event, &page.keys);
        let events: Vec<_> = page.events.iter().map(describe).collect();
        let total_pages = page.total.div_ceil(query.size);
        json(&ListBody {
            embedded: (!events.is_empty()).then_some(ListedEvents { events }),
            links: self.page_links(query, total_pages),
            page: self.has_page.then_some(PageInfo {
                size: query.size,
                total_elements: page.total,
                total_pages,
                number: query.page,
            }),
        })
    }

    /// Returns those of `events` whose JSON holds `text`.
    pub(crate) fn search(
        &self,
        events: Vec<ArchivedEvent>,
        keys: &KeyTable,
        text: &str,
    ) -> Vec<ArchivedEvent> {
        let holds = |event: &ArchivedEvent| {
            let body = self.event(*event, keys);
            String::from_utf8_lossy(&body).contains(text)
        };
        events.into_iter().filter(holds).collect()
    }

    fn page_links(&self, query: &Query, pages: u64) -> PageLinks {
        let link = |page| self.page_link(query, page);
        let before = query.page.min(pages.saturating_add(1)) - 1;
        PageLinks {
            this: link(query.page),
            first: (query.page > 1 && pages > 0).then(|| link(1)),
            prev: (before > 0).then(|| link(before)),
            next: (self.has_next && query.page < pages).then(|| link(query.page + 1)),
            last: (pages > 0).then(|| link(pages)),
        }
    }

    fn page_link(&self, query: &Query, page: u64) -> Link {
        let parameters = form_urlencoded::Serializer::new(String::new())
            .append_pair("page", &page.to_string())
            .append_pair("size", &query.size.to_string())
            .extend_pairs(&query.filters)
            .finish();
        Link {
            href: format!("{}?{parameters}", self.events_link),
        }
    }

    fn describe<'a>(&'a self, event: ArchivedEvent, keys: &'a KeyTable) -> EventBody<'a> {
        let key = keys.get(event.key);
        let known = catalog::find_type(&key.event_type);
        let id = event_id::id_of(self.seed, event.number);
        let href = format!("{}/{id}", self.events_link);
        let user = users::user_of(self.seed, event.number);
        let named = key.source == DASHBOARD || self.names_user(event.number);
        let subject = known.map_or(Subject::Settings, |known| known.subject);
        EventBody {
            id,
            event_type: &key.event_type,
            event_type_description: known.map_or(&key.event_type, |known| known.description),
            created_at: created_at(event.at, self.time_format),
            user_email: named.then(|| user.email()),
            user_id: named.then_some(user.id),
            account_id: &self.account,
            source: &key.source,
            source_description: source_description(&key.source),
            source_ip: source_ip(key, user),
            source_country: key.country.as_deref(),
            context: context::context_of(self.seed, event.number, subject, &self.account),
            links: EventLinks {
                this: Link { href },
            },
        }
    }

    fn names_user(&self, number: u32) -> bool {
        let draw = random::bits(self.seed, Purpose::Named, number.into());
        draw % 100 >= u64::from(NO_USER_PERCENT)
    }
}

fn source_description(source: &str) -> &str {
    let known = SOURCES.iter().find(|(name, _)| *name == source);
    known.map_or(source, |(_, description)| description)
}

fn source_ip(key: &EventKey, user: SimulatedUser) -> String {
    let home = catalog::COUNTRIES[user.home].0;
    let address = if key.source != DASHBOARD {
        user.server_address()
    } else if key.country.as_deref() == Some(home) {
        user.desk_address()
    } else {
        user.travel_address()
    };
    address.to_string()
}

/// Writes a time in whole seconds.
fn created_at(ms: i64, format: TimeFormat) -> CreatedAt {
    let second = ms.div_euclid(1000);
    let time = Timestamp::from_second(second).unwrap_or_default();
    let civil = TimeZone::UTC.to_datetime(time);
    CreatedAt::Text(match format {
        TimeFormat::Iso => civil.to_string(),
        TimeFormat::Utc => format!("{civil} UTC"),
        TimeFormat::Rfc1123 => civil.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
        TimeFormat::Epoch => return CreatedAt::Number(second),
        TimeFormat::EpochText => second.to_string(),
        TimeFormat::EpochMs => return CreatedAt::Number(second * 1000),
        TimeFormat::EpochMsText => (second * 1000).to_string(),
    })
}

fn json(value: &impl Serialize) -> Vec<u8> {
    // Plain structures with text keys cannot fail to serialize.
    serde_json::to_vec(value).unwrap_or_default()
}
