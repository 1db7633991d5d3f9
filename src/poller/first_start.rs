//! The first start of an account: from which time on it counts.

use audit_core::{
    account::Account,
    event::{Element, Keep, Page},
    window::Clocks,
};
use jiff::Timestamp;

use super::{
    Api, Clock, PollerSettings, instrumentation,
    reporter::PollReporter,
    type_list::{TypeList, TypesReceived},
};
use crate::api::{ApiError, PAGE_SIZE, PageQuery};

/// Returns a new account. Its start is a time of both clocks, counted from the moment when
/// the account was taken up.
pub(super) async fn first_start(
    settings: &PollerSettings,
    api: &impl Api,
    clock: &impl Clock,
    type_list: &mut TypeList,
    reporter: &mut PollReporter,
) -> Account {
    let clocks = loop {
        let begun = clock.uptime();
        match believed_clocks(api, clock, type_list).await {
            Ok(clocks) => break clocks,
            Err(error) => {
                let ended = clock.uptime();
                let took = ended.saturating_sub(begun);
                let wait = reporter.failed(&error.into(), took, clock.local());
                reporter.expect_wait(ended, wait);
                tokio::select! {
                    () = clock.sleep_until(ended.saturating_add(wait)) => {}
                    () = api.retry_early() => {}
                }
            }
        }
    };
    let ago = clock.uptime().saturating_sub(settings.taken_up);
    let (start, began) = settings.start.resolve(clocks, ago);
    let from = start;
    instrumentation::CountingBegins { from, clocks }.record();
    Account::new(settings.window, start, began, settings.max_series)
}

/// Returns the times of the clocks. If they are far apart, and an event proves the earlier one
/// wrong, the other one stands in for it: otherwise all of history since 1970 might count.
async fn believed_clocks(
    api: &impl Api,
    clock: &impl Clock,
    type_list: &mut TypeList,
) -> Result<Clocks, ApiError> {
    let clocks = Clocks {
        api: api_time(api, clock, type_list).await?,
        local: clock.local(),
    };
    let Some(limit) = clocks.disproved_after() else {
        return Ok(clocks);
    };
    let answer = api.page(first_page(limit)).await?;
    let page = Page::parse(&answer.value, Keep::Parsed).map_err(ApiError::body)?;
    let mut times = page.elements.iter().filter_map(|element| match element {
        Element::Event(event) => event.created_at,
        Element::Malformed(_) => None,
    });
    match times.find(|created_at| *created_at > limit) {
        Some(event) => {
            instrumentation::ClockDisproved { clocks, event }.record();
            Ok(clocks.without_the_earlier())
        }
        None => Ok(clocks),
    }
}

/// Returns the time of the API, from the list of event types or else from a page. The
/// local time stands in for an API that sends no `Date` header.
async fn api_time(
    api: &impl Api,
    clock: &impl Clock,
    type_list: &mut TypeList,
) -> Result<Timestamp, ApiError> {
    if let Some(TypesReceived { date: Some(date) }) = type_list.refresh(api, clock.uptime()).await?
    {
        return Ok(date);
    }
    let now = clock.local();
    let answer = api.page(first_page(now)).await?;
    // The date of an answer that is no page, such as one of a captive portal, is not a
    // time of the API.
    Page::parse(&answer.value, Keep::Parsed).map_err(ApiError::body)?;
    Ok(answer.date.unwrap_or(now))
}

fn first_page(from: Timestamp) -> PageQuery {
    PageQuery {
        from,
        to: None,
        page: 1,
        size: PAGE_SIZE,
    }
}
