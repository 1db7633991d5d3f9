//! `events list`: reads a range, writes the events that pass the filter in the order of
//! their time, and may continue as events appear.

mod known_types;

use std::collections::VecDeque;
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
    api::ApiError,
    config::{ListSettings, Share},
    query::{
        ProgressLine, end_progress,
        history::{
            History, HistoryPiece, HistoryQuery, IncompleteRange, RawElement, RetryingClient,
        },
        listing::{Filter, Seen, UserFilter, Zone},
        print_message, suspend_progress,
    },
};
use known_types::as_the_api_names_them;

/// The time from one look for new events to the next.
const FOLLOW_INTERVAL: Duration = Duration::from_secs(5);
/// The span before the newest event that each look reads again, for events that appear
/// late.
const LOOKBACK: SignedDuration = SignedDuration::from_mins(15);
/// The time for which an event is remembered, so that it is shown once.
const RETENTION: SignedDuration = SignedDuration::from_mins(30);

const NOTHING_SHOWN: &str = "no events could be read";

/// Lists events.
///
/// # Errors
/// An error if the range cannot be read or the output cannot be written. The events that
/// were written before are in order and complete. [`IncompleteRange`] after everything that
/// the API returns was written, if that is less than it reports.
pub(crate) async fn list(mut settings: ListSettings, client: RetryingClient) -> anyhow::Result<()> {
    settings.types = as_the_api_names_them(settings.types, &client).await?;
    let mut lister = EventLister::new(&settings, client)?;
    lister.read_range(&settings).await?;
    if !settings.follow {
        end_progress();
        IncompleteRange::unless_none(lister.missing)?;
        if lister.shown == 0 {
            let nothing = lister.filter.explain_nothing(&lister.seen);
            print_message(&nothing);
        }
        return Ok(());
    }
    lister.warn_of_missing();
    while lister.left > 0 {
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
    seen: Seen,
    printer: EventPrinter,
    window: Window,
    /// The number of events that may still be shown.
    left: u64,
    shown: u64,
    /// The number of events that the API reports and has not returned.
    missing: u64,
}

impl EventLister {
    fn new(settings: &ListSettings, client: RetryingClient) -> anyhow::Result<Self> {
        let filter = Filter {
            types: settings.types.clone(),
            search: settings.search.clone(),
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
            seen: Seen::default(),
            printer: EventPrinter::of_lists(
                settings.output,
                Zone::new(settings.zone.clone()),
                settings.columns.clone(),
            )?,
            left: match settings.share {
                Share::All => u64::MAX,
                Share::Oldest(events) | Share::Newest(events) => events,
            },
            shown: 0,
            missing: 0,
        })
    }

    async fn read_range(&mut self, settings: &ListSettings) -> anyhow::Result<()> {
        match (settings.share, settings.reverse) {
            (Share::All | Share::Oldest(_), false) => self.read_all().await,
            (Share::Oldest(_), true) => self.read_oldest().await,
            (Share::All | Share::Newest(_), true) => self.read_backward().await,
            (Share::Newest(_), false) => self.read_newest(settings.follow).await,
        }
    }

    /// Reads to the end of the range, and shows the events meanwhile.
    async fn read_all(&mut self) -> anyhow::Result<()> {
        while self.left > 0 {
            let piece = self.next_piece().await;
            let Some(piece) = piece.with_context(|| self.how_far())? else {
                break;
            };
            let events = self.news(piece);
            self.show(events.iter())?;
        }
        Ok(())
    }

    /// Reads the oldest events, and shows them with the newest first.
    async fn read_oldest(&mut self) -> anyhow::Result<()> {
        let mut held = Vec::new();
        while self.left > held.len() as u64 {
            let piece = self.next_piece().await.context(NOTHING_SHOWN)?;
            let Some(piece) = piece else {
                break;
            };
            held.extend(self.news(piece));
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        self.show(held.iter().take(most).rev())
    }

    /// Reads from the end of the range backwards, and shows the events meanwhile.
    async fn read_backward(&mut self) -> anyhow::Result<()> {
        while self.left > 0 {
            let piece = self.previous_piece().await;
            let Some(piece) = piece.with_context(|| self.how_far_back())? else {
                break;
            };
            let left = usize::try_from(self.left).unwrap_or(usize::MAX);
            let newest_first = piece.events.into_iter().rev().take(left);
            let events: Vec<_> = newest_first.map(|kept| kept.value).collect();
            self.show(events.iter())?;
        }
        Ok(())
    }

    /// Reads the newest events from the end of the range backwards, and shows them with the
    /// oldest first. If the list is followed, everything is read that each later look reads
    /// again, so that nothing older passes for new.
    async fn read_newest(&mut self, follows: bool) -> anyhow::Result<()> {
        let mut held = VecDeque::new();
        let mut first: Option<Clocks> = None;
        while self.left > held.len() as u64 || (follows && !self.has_read_lookback(first)) {
            let piece = self.previous_piece().await.context(NOTHING_SHOWN)?;
            let Some(mut piece) = piece else {
                break;
            };
            let clocks = *first.get_or_insert(piece.clocks);
            if follows {
                let now = clocks.earliest();
                for kept in &piece.events {
                    self.window.admit(kept.id, kept.created_at, now);
                }
            }
            let left = usize::try_from(self.left).unwrap_or(usize::MAX) - held.len();
            let older = piece.events.len().saturating_sub(left);
            for kept in piece.events.drain(older..).rev() {
                held.push_front(kept.value);
            }
        }
        self.show(held.iter())?;
        if let (Some(clocks), true) = (first, follows) {
            self.window.complete_sweep(clocks);
            self.window.confirm();
            self.left = u64::MAX;
        }
        Ok(())
    }

    fn has_read_lookback(&self, clocks: Option<Clocks>) -> bool {
        let read_to = self.history.unread_to();
        let (Some(clocks), Some(read_to)) = (clocks, read_to) else {
            return false;
        };
        clocks.earliest().duration_since(read_to) > LOOKBACK
    }

    /// Reads the events that have appeared since the last look.
    async fn read_on(&mut self) -> anyhow::Result<()> {
        end_progress();
        let from = self.window.begin_sweep(Timestamp::now());
        self.history.read_on_from(from);
        self.read_all().await
    }

    async fn next_piece(&mut self) -> Result<Option<HistoryPiece<Box<str>>>, ApiError> {
        let keep = keeper(&self.filter, &mut self.seen);
        self.history.next_piece(keep).await
    }

    async fn previous_piece(&mut self) -> Result<Option<HistoryPiece<Box<str>>>, ApiError> {
        let keep = keeper(&self.filter, &mut self.seen);
        let piece = self.history.previous_piece(keep).await?;
        self.missing += piece.as_ref().map_or(0, |piece| piece.missing);
        Ok(piece)
    }

    /// Returns the events of a piece that were not shown, the oldest first, no more than may
    /// still be shown.
    fn news(&mut self, piece: HistoryPiece<Box<str>>) -> Vec<Box<str>> {
        self.missing += piece.missing;
        let now = piece.clocks.earliest();
        let is_new = |admission| matches!(admission, Admission::New { .. });
        let window = &mut self.window;
        let mut news = piece.events;
        news.retain(|kept| is_new(window.admit(kept.id, kept.created_at, now)));
        news.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.read_up_to(piece.read_to, piece.clocks);
        news.into_iter().map(|kept| kept.value).collect()
    }

    fn show<'j>(
        &mut self,
        events: impl ExactSizeIterator<Item = &'j Box<str>> + Clone,
    ) -> anyhow::Result<()> {
        let number = events.len() as u64;
        let printer = &mut self.printer;
        suspend_progress(|| printer.print(events.map(|event| &**event)))?;
        self.shown += number;
        self.left -= number;
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
            None => NOTHING_SHOWN.to_owned(),
        }
    }

    fn how_far_back(&self) -> String {
        match self.history.unread_to().filter(|_| self.shown > 0) {
            Some(end) => format!("every event since {end} was shown; continue with --to={end}"),
            None => NOTHING_SHOWN.to_owned(),
        }
    }
}

/// Returns the function that keeps the events that pass the filter.
fn keeper(filter: &Filter, seen: &mut Seen) -> impl FnMut(&RawElement<'_>) -> Option<Box<str>> {
    |element| {
        let passes = filter.passes(&RawEvent::parse(element.json), seen);
        passes.then(|| element.json.into())
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
