//! The accounts on the landing page: those that need attention most, as a table.

use std::{collections::BTreeMap, fmt::Write, sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{
    account_row::{AccountRow, Urgency, limit, urgency},
    text::{at, counted, escaped, number, span},
};
use crate::poller::health::{AccountHealth, Health};

/// The highest number of accounts that are shown; more are only counted. It bounds the
/// work that a request for the page makes, and the size of the page.
const MAX_ROWS: usize = 100;

/// The accounts that are shown, and the numbers of all.
#[derive(Debug, Default)]
pub(in crate::server) struct AccountTable {
    /// The accounts that are shown, the most urgent first.
    rows: Vec<AccountRow>,
    failing: usize,
    catching_up: usize,
    waiting: usize,
    succeeding: usize,
}

impl AccountTable {
    /// Returns what is shown of all accounts at this `uptime`.
    pub(in crate::server) fn of(health: &Health, uptime: Duration) -> Self {
        let accounts = health.accounts();
        let is_ending = health.is_ending();
        let is_stalled = |account: &Arc<AccountHealth>| !is_ending && !account.is_healthy(uptime);
        Self::choose(
            &accounts,
            |account| {
                let polls = account.polls();
                urgency(&polls, is_stalled(account), account.is_catching_up())
            },
            |account| AccountRow::of(account, is_stalled(account)),
        )
    }

    /// Chooses the accounts to be shown. Accounts of the same urgency stay in their order.
    pub(super) fn choose<A>(
        accounts: &[A],
        urgency: impl Fn(&A) -> Urgency,
        row: impl Fn(&A) -> AccountRow,
    ) -> Self {
        let mut chosen = Self::default();
        let mut places = Vec::with_capacity(accounts.len());
        for (place, account) in accounts.iter().enumerate() {
            let urgency = urgency(account);
            *chosen.number(urgency) += 1;
            places.push((urgency, place));
        }
        places.sort_unstable();
        let shown = places.iter().take(MAX_ROWS);
        let shown = shown.filter_map(|(_, place)| accounts.get(*place));
        chosen.rows = shown.map(row).collect();
        // An account may have changed since it was chosen.
        chosen.rows.sort_by_key(AccountRow::urgency);
        chosen
    }

    fn number(&mut self, urgency: Urgency) -> &mut usize {
        match urgency {
            Urgency::Failing => &mut self.failing,
            Urgency::CatchingUp => &mut self.catching_up,
            Urgency::Waiting => &mut self.waiting,
            Urgency::Succeeding => &mut self.succeeding,
        }
    }

    /// Returns the number of all accounts.
    pub(super) fn len(&self) -> usize {
        self.failing + self.catching_up + self.waiting + self.succeeding
    }

    /// Returns the number of accounts whose polls fail.
    pub(super) fn failing(&self) -> usize {
        self.failing
    }

    /// Returns `true` if history is read of an account that is shown.
    pub(super) fn read_history(&self) -> bool {
        let mut catch_ups = self.rows.iter().filter_map(|row| row.catch_up);
        catch_ups.any(|catch_up| catch_up.is_history)
    }

    /// Returns the only account if it has no name.
    fn only(&self) -> Option<&AccountRow> {
        match &*self.rows {
            [only @ AccountRow { name: None, .. }] => Some(only),
            _ => None,
        }
    }

    /// Returns the section about all accounts. `gate` is a paragraph that says why events
    /// wait.
    pub(super) fn html(&self, gate: &str, now: Timestamp) -> String {
        let (title, mut html) = match self.only() {
            Some(only) => ("Account", single(only, now)),
            None => ("Accounts", self.summary() + &self.table(now)),
        };
        html.push_str(&self.notes(gate));
        format!(
            "<section aria-labelledby=\"accounts\">\n<h2 id=\"accounts\">{title}</h2>\n{html}</section>\n"
        )
    }

    /// Returns a paragraph with the numbers of accounts.
    fn summary(&self) -> String {
        let kind = match (self.failing, self.waiting + self.catching_up) {
            (0, 0) => "good",
            (0, _) => "wait",
            _ => "bad",
        };
        let parts = [
            (self.failing, "failing"),
            (self.catching_up, "catching up"),
            (self.waiting, "not polled yet"),
            (self.succeeding, "ok"),
        ];
        let parts = parts.iter().filter(|(of, _)| *of > 0);
        let parts: Vec<_> = parts
            .map(|(of, state)| format!("{} {state}", number(of)))
            .collect();
        let all = counted(self.len(), "account");
        let parts = if parts.is_empty() {
            String::new()
        } else {
            format!(": {}", parts.join(", "))
        };
        format!("<p class=\"state {kind}\">{all}{parts}.</p>\n")
    }

    fn table(&self, now: Timestamp) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let mut html = String::from(
            "<table>\n<thead><tr><th scope=\"col\">Account</th><th scope=\"col\">Polls</th><th scope=\"col\">Last success</th><th scope=\"col\">Counted up to</th><th scope=\"col\">Events waiting</th></tr></thead>\n",
        );
        for rows in self.groups() {
            html.push_str(&row_group(&rows, now));
        }
        html.push_str("</table>\n");
        html.push_str(&self.more());
        html
    }

    /// Returns the accounts in their order, those together that fail for the same reason.
    fn groups(&self) -> Vec<Vec<&AccountRow>> {
        let mut groups: Vec<Vec<&AccountRow>> = Vec::new();
        let mut known = BTreeMap::new();
        for row in &self.rows {
            let place = row
                .cause()
                .map(|cause| *known.entry(cause).or_insert(groups.len()));
            match place.and_then(|place| groups.get_mut(place)) {
                Some(group) => group.push(row),
                None => groups.push(vec![row]),
            }
        }
        groups
    }

    /// Says how to find the accounts that are not shown.
    fn more(&self) -> String {
        let shown = |urgency| {
            let rows = self.rows.iter();
            rows.filter(|row| row.urgency() == urgency).count()
        };
        let more = self.len().saturating_sub(self.rows.len());
        if more == 0 {
            return String::new();
        }
        let failing = self.failing.saturating_sub(shown(Urgency::Failing));
        let which = match failing {
            0 => String::new(),
            failing => format!(", of which {} failing", number(failing)),
        };
        format!(
            "<p>And {} more{which}. In Prometheus, <code>nexmo_audit_up == 0</code> lists the accounts that fail, and <code>nexmo_audit_up{{account=&quot;NAME&quot;}}</code> shows one.</p>\n",
            number(more)
        )
    }

    /// Explains once what concerns many accounts.
    fn notes(&self, gate: &str) -> String {
        let mut notes = Vec::new();
        if self.failing > 0 {
            notes.push(
                "Polls that fail lose no event: each poll asks for the same range again, until the API answers.".to_owned(),
            );
        }
        if self.catching_up > 0 {
            notes.push(
                "Where history, or the events of an outage, are read piece by piece, nothing fails."
                    .to_owned(),
            );
        }
        let limits = self.rows.iter().filter_map(|row| row.polls.limit);
        notes.extend(limits.min().map(limit));
        notes.push(gate.to_owned());
        let mut html = String::new();
        for note in notes {
            // Writing to a String cannot fail.
            let _ = writeln!(html, "<p>{}</p>", escaped(&note));
        }
        html
    }
}

fn kind(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::Failing => "bad",
        Urgency::CatchingUp | Urgency::Waiting => "wait",
        Urgency::Succeeding => "good",
    }
}

/// Returns accounts and, in a row of its own, what there is to know or to do: below a single
/// account, and above several, which may be more than a screen shows.
fn row_group(rows: &[&AccountRow], now: Timestamp) -> String {
    let Some(first) = rows.first() else {
        return String::new();
    };
    let whole = |detail| format!("<tr><td colspan=\"5\">{detail}</td></tr>\n");
    let mut html = format!("<tbody class=\"{}\">\n", kind(first.urgency()));
    if rows.len() == 1 {
        html += &table_row(first, "rowgroup", now);
        html += &detail(first, now).map_or_else(String::new, whole);
    } else {
        let common = first.common_detail(rows.len());
        html += &common.map_or_else(String::new, |text| whole(escaped(&text)));
        html.extend(rows.iter().map(|row| table_row(row, "row", now)));
    }
    html + "</tbody>\n"
}

/// Returns an account, whose name is the heading of what `scope` names.
fn table_row(row: &AccountRow, scope: &str, now: Timestamp) -> String {
    let name = escaped(row.name.as_deref().unwrap_or("(no name)"));
    let state = row.state(now);
    let success = ago(row.polls.last_success, now, "none since the start");
    let watermark = ago(row.watermark, now, "nothing yet");
    let pending = number(row.pending.max(0));
    format!(
        "<tr><th scope=\"{scope}\">{name}</th><td>{state}</td><td>{success}</td><td>{watermark}</td><td>{pending}</td></tr>\n"
    )
}

/// Returns the only account, which needs no table.
fn single(row: &AccountRow, now: Timestamp) -> String {
    let mut html = format!(
        "<p class=\"state {}\">Polls of the Audit API: {}.{}</p>\n<dl>\n",
        kind(row.urgency()),
        row.state(now),
        detail(row, now).map_or_else(String::new, |detail| format!(" {detail}")),
    );
    let items = [
        (
            "Last successful poll",
            ago(row.polls.last_success, now, "none since the start"),
        ),
        (
            "Everything counted up to",
            ago(row.watermark, now, "nothing yet"),
        ),
        ("Events waiting to be shown", number(row.pending.max(0))),
    ];
    for (name, value) in items {
        let _ = writeln!(html, "<div><dt>{name}</dt><dd>{value}</dd></div>");
    }
    html.push_str("</dl>\n");
    html
}

/// Returns what there is to know or to do, as HTML.
fn detail(row: &AccountRow, now: Timestamp) -> Option<String> {
    let text = escaped(&row.detail(now)?);
    let progress = row.percent(now).map_or_else(String::new, |percent| {
        format!(
            "<progress max=\"100\" value=\"{percent}\" aria-label=\"Read so far\">{percent}%</progress> {percent}% is read. "
        )
    });
    Some(progress + &text)
}

fn ago(time: Option<Timestamp>, now: Timestamp, none: &str) -> String {
    time.map_or_else(
        || none.to_owned(),
        |time| {
            let (at, span) = (at(time), span(now.duration_since(time)));
            format!("<time datetime=\"{at}\" title=\"{at}\">{span} ago</time>")
        },
    )
}
