//! `state show` as text, for the person on call.

use std::fmt::{self, Write};

use jiff::{SignedDuration, Timestamp};

use super::{
    age::{span, with_age},
    summary::{AccountSummary, ScraperSummary, StateSummary},
    waiting::WaitingCounter,
};

/// The number of waiting series of one kind that are named.
const NAMED: usize = 10;

const OPEN: &str = "none has ever scraped: every count is shown at once";
const NEW: &str = "New series keep their first value until every server has had the time to see it, \
or for 10 minutes:";
const STILL: &str = "After a start, and after a time without scrapes, series keep their value until \
every server has had the time to see it, or for two holds:";
const HISTORY: &str = "being read: nothing is shown until all of it is counted";

/// The text of a summary at a time.
struct StateText<'s> {
    summary: &'s StateSummary,
    now: Timestamp,
}

impl StateSummary {
    /// Returns the summary as text; `now` is the time of the wall clock.
    pub(crate) fn text(&self, now: Timestamp) -> String {
        let summary = self;
        StateText { summary, now }.to_string()
    }
}

impl fmt::Display for StateText<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let summary = self.summary;
        writeln!(out, "State {}", summary.path)?;
        let format = format_args!("{}, from version {}", summary.format, summary.written_by);
        line(out, "format", format)?;
        line(out, "writes", summary.writes)?;
        if let Some(last) = summary.last_commit {
            line(out, "last commit", with_age(last, self.now))?;
        }
        self.write_scrapers(out)?;
        for account in &summary.accounts {
            self.write_account(out, account)?;
        }
        if summary.accounts.is_empty() {
            writeln!(out, "\nNo account is stored.")?;
        }
        if !summary.not_stored.is_empty() {
            let names = summary.not_stored.join(", ");
            writeln!(out, "\nIn the config file and not stored here: {names}")?;
        }
        Ok(())
    }
}

impl StateText<'_> {
    fn write_scrapers(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StateSummary {
            was_scraped,
            scrapers,
            ..
        } = self.summary;
        match (was_scraped, scrapers.len()) {
            (false, _) => line(out, "servers", OPEN)?,
            (true, 0) => line(out, "servers", "none is waited for")?,
            (true, number) => line(out, "servers", format_args!("{number} known"))?,
        }
        for scraper in scrapers {
            self.write_scraper(out, scraper)?;
        }
        Ok(())
    }

    fn write_scraper(&self, out: &mut impl Write, scraper: &ScraperSummary) -> fmt::Result {
        let every = match scraper.interval_seconds {
            Some(seconds) => format!("every {}", seconds_in_words(seconds)),
            None => "its interval is not known yet".to_owned(),
        };
        let seen = with_age(scraper.last_seen, self.now);
        let id = &scraper.id;
        line(out, "", format_args!("{id}: {every}, last seen {seen}"))
    }

    fn write_account(&self, out: &mut impl Write, account: &AccountSummary) -> fmt::Result {
        let time = |time: Option<Timestamp>| {
            time.map_or_else(|| "nothing yet".to_owned(), |time| with_age(time, self.now))
        };
        writeln!(out, "\n{}", capitalized(&account.heading))?;
        line(out, "counts from", time(account.counted_since))?;
        line(out, "first start", time(account.first_started))?;
        line(out, "read up to", time(account.watermark))?;
        line(out, "newest event", time(account.newest_event))?;
        let history = if account.history_is_read {
            "read"
        } else {
            HISTORY
        };
        line(out, "history", history)?;
        line(out, "ids", ids(account))?;
        for (name, family) in [("series", &account.series), ("types", &account.types)] {
            let (count, total, published) = (family.count, family.total, family.published);
            let counted = format_args!("{count}, with {total} events, {published} of them shown");
            line(out, name, counted)?;
        }
        write_waiting(out, account)
    }
}

fn write_waiting(out: &mut impl Write, account: &AccountSummary) -> fmt::Result {
    let lines = match account.event_log_lines {
        0 => "no line waits".to_owned(),
        1 => "1 line is not written yet".to_owned(),
        number => format!("{number} lines are not written yet"),
    };
    line(out, "event log", lines)?;
    let waiting = &account.waiting;
    match waiting.events {
        0 => line(out, "waiting", "no event")?,
        1 => line(out, "waiting", "1 event is counted and not shown yet")?,
        number => {
            let events = format_args!("{number} events are counted and not shown yet");
            line(out, "waiting", events)?;
        }
    }
    write_counters(out, NEW, &waiting.new_series)?;
    write_counters(out, STILL, &waiting.standing_still)?;
    match account.gate_timeouts {
        0 => Ok(()),
        number => {
            let early = format_args!("{number} events, which had waited as long as may be");
            line(out, "shown early", early)
        }
    }
}

fn ids(account: &AccountSummary) -> String {
    let count = account.ids.count;
    match account.ids.oldest {
        Some(oldest) => format!("{count} events since {oldest} are remembered"),
        None => "no event is remembered".to_owned(),
    }
}

fn write_counters(out: &mut impl Write, why: &str, counters: &[WaitingCounter]) -> fmt::Result {
    if counters.is_empty() {
        return Ok(());
    }
    writeln!(out, "    {why}")?;
    for counter in counters.iter().take(NAMED) {
        let WaitingCounter {
            series,
            total,
            published,
            waited_seconds,
        } = counter;
        write!(out, "      {series}: {published} of {total} events shown")?;
        match waited_seconds {
            Some(seconds) => writeln!(out, ", after a wait of {}", seconds_in_words(*seconds))?,
            None => writeln!(out)?,
        }
    }
    match counters.len().saturating_sub(NAMED) {
        0 => Ok(()),
        more => writeln!(out, "      and {more} more"),
    }
}

fn seconds_in_words(seconds: f64) -> String {
    let duration = SignedDuration::try_from_secs_f64(seconds);
    duration.map_or_else(|_| format!("{seconds}s"), span)
}

fn line(out: &mut impl Write, name: &str, value: impl fmt::Display) -> fmt::Result {
    writeln!(out, "  {name:<13} {value}")
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}
