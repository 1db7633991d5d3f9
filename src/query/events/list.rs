//! `events list`: reads a range, writes the events that pass the filter in the order of
//! their time, and may continue as events appear.

use std::time::Duration;

use anyhow::Context;
use audit_core::{
    event::UNKNOWN,
    raw_event::RawEvent,
    window::{Admission, Clocks, Window, WindowSettings},
};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::output::EventPrinter;
use crate::{
    config::ListSettings,
    query::{
        ProgressLine, end_progress,
        history::{
            History, HistoryPiece, HistoryQuery, IncompleteRange, RawElement, RetryingClient,
        },
        listing::{Filter, UserFilter, Zone, printable},
        print_message, suspend_progress,
    },
};

/// The time from one look for new events to the next.
const FOLLOW_INTERVAL: Duration = Duration::from_secs(5);
/// The span before the newest event that each look reads again, for events that appear
/// late.
const LOOKBACK: SignedDuration = SignedDuration::from_mins(15);
/// The time for which an event is remembered, so that it is shown once.
const RETENTION: SignedDuration = SignedDuration::from_mins(30);

/// Lists events.
///
/// # Errors
/// An error if the range cannot be read or the output cannot be written. The events that
/// were written before are in order and complete. [`IncompleteRange`] after everything that
/// the API returns was written, if that is less than it reports.
pub(crate) async fn list(settings: ListSettings, client: RetryingClient) -> anyhow::Result<()> {
    let mut lister = EventLister::new(&settings, client.clone())?;
    lister.read_all().await?;
    if !settings.follow {
        IncompleteRange::unless_none(lister.missing)?;
        if lister.shown == 0 {
            explain_nothing(&settings, &client).await;
        }
        return Ok(());
    }
    lister.warn_of_missing();
    while lister.left() > 0 {
        let next = Instant::now() + FOLLOW_INTERVAL;
        tokio::time::sleep_until(next).await;
        lister.read_on().await?;
        lister.warn_of_missing();
    }
    Ok(())
}

struct EventLister {
    from: Timestamp,
    history: History,
    filter: Filter,
    printer: EventPrinter,
    window: Window,
    limit: u64,
    shown: u64,
    /// The number of events that the API reports and has not returned.
    missing: u64,
}

impl EventLister {
    fn new(settings: &ListSettings, client: RetryingClient) -> anyhow::Result<Self> {
        let filter = Filter {
            types: settings.types.clone(),
            sources: settings.sources.clone(),
            countries: settings.countries.clone(),
            user: settings.user.clone().map(UserFilter),
        };
        let query = HistoryQuery {
            from: settings.range.from,
            to: settings.range.to,
            types: types_to_request(&settings.types),
            search_text: settings.search.clone(),
        };
        let memory = WindowSettings {
            lookback: LOOKBACK,
            retention: RETENTION,
        };
        Ok(Self {
            from: query.from,
            window: Window::new(memory, query.from),
            history: History::new(client, query, ProgressLine::on_terminal()),
            filter,
            printer: EventPrinter::of_lists(settings.output, Zone::new(settings.zone.clone()))?,
            limit: settings.limit.unwrap_or(u64::MAX),
            shown: 0,
            missing: 0,
        })
    }

    fn left(&self) -> u64 {
        self.limit - self.shown
    }

    /// Reads to the end of the range.
    async fn read_all(&mut self) -> anyhow::Result<()> {
        while self.left() > 0 {
            let filter = &self.filter;
            let keep = |element: &RawElement<'_>| {
                let passes = filter.passes(&RawEvent::parse(element.json));
                passes.then(|| Box::<str>::from(element.json))
            };
            let piece = self.history.next_piece(keep).await;
            let Some(piece) = piece.with_context(|| self.how_far())? else {
                break;
            };
            self.show(piece)?;
        }
        Ok(())
    }

    /// Reads the events that have appeared since the last look.
    async fn read_on(&mut self) -> anyhow::Result<()> {
        end_progress();
        let from = self.window.begin_sweep(Timestamp::now());
        self.history.read_on_from(from);
        self.read_all().await
    }

    fn show(&mut self, piece: HistoryPiece<Box<str>>) -> anyhow::Result<()> {
        self.missing += piece.missing;
        let now = piece.clocks.earliest();
        let is_new = |admission| matches!(admission, Admission::New { .. });
        let window = &mut self.window;
        let mut news = piece.events;
        news.retain(|kept| is_new(window.admit(kept.id, kept.created_at, now)));
        news.truncate(usize::try_from(self.limit - self.shown).unwrap_or(usize::MAX));
        let printer = &mut self.printer;
        suspend_progress(|| printer.print(news.iter().map(|kept| &*kept.value)))?;
        self.shown += news.len() as u64;
        self.read_up_to(piece.read_to, piece.clocks);
        Ok(())
    }

    /// Warns of events that the API has not returned. Each look reads the last minutes
    /// again, so that they are shown as soon as the API returns them.
    fn warn_of_missing(&mut self) {
        let missing = std::mem::take(&mut self.missing);
        if missing > 0 {
            tracing::warn!(missing, "the API reports more events than it returns");
        }
    }

    fn read_up_to(&mut self, read_to: Option<Timestamp>, clocks: Clocks) {
        match read_to {
            Some(read_to) => self.window.complete_piece(read_to, clocks),
            None => self.window.complete_sweep(clocks),
        }
        // Nothing of a query is stored.
        self.window.confirm();
    }

    fn how_far(&self) -> String {
        match self.history.next().filter(|next| *next > self.from) {
            Some(next) => {
                format!("every event before {next} was shown; continue with --from={next}")
            }
            None => "no events could be read".to_owned(),
        }
    }
}

/// Returns the types to ask the API for; none if `types` has the name that stands for a
/// missing type, which the API does not know.
fn types_to_request(types: &[String]) -> Vec<String> {
    if types.iter().any(|name| name.eq_ignore_ascii_case(UNKNOWN)) {
        return Vec::new();
    }
    let mut requested = types.to_vec();
    requested.sort_unstable();
    requested.dedup();
    requested
}

/// Says that no event matches, and which of the types the API does not name.
async fn explain_nothing(settings: &ListSettings, client: &RetryingClient) {
    let named = if settings.types.is_empty() {
        Vec::new()
    } else {
        client.types().await.unwrap_or_default()
    };
    let mut message = "no event matches".to_owned();
    for requested in &settings.types {
        let is_named = named.iter().any(|known| known.name == *requested);
        if !is_named && !named.is_empty() {
            message.push_str("; the API names no type ");
            message.push_str(&printable(requested));
        }
    }
    print_message(&message);
}
