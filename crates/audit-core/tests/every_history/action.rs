//! What may happen next in a state.

use crate::{
    fault::Fault,
    process::Process,
    scope::Scope,
    state::{Exporter, NAMES, ScrapeStage, Server, ServerName, Shown, State},
};

/// One thing that happens.
///
/// Two things that have no effect on each other are not tried in both orders. That is why
/// some steps of the exporter are one action:
///
/// - An answer is made and sent in one step, unless a commit is shown in between.
/// - A commit is begun and durable in one step, unless a server that is not stored yet may
///   come in between. A crash before a commit is durable is a crash before it begins.
/// - A commit that changes no counter is shown in the same step.
/// - A commit that stores only how long counts have waited comes first in its tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// The poller counts events, this number of each series, and commits.
    Count([u8; 2]),
    /// The poller commits without counting.
    Commit,
    /// The commit under way becomes durable.
    Store,
    /// What the commit under way lets be shown is shown.
    Show,
    /// A server scrapes and is answered.
    Scrape(ServerName, Delivery),
    /// A server that is not stored yet scrapes, and waits until it is stored.
    Announce(ServerName),
    /// The server that waited is answered.
    Answer(ServerName, Delivery),
    /// A server scrapes, and its answer is made and not sent yet.
    Make(ServerName),
    /// The answer that was made is sent.
    Send(ServerName, Delivery),
    /// The process dies. A server whose entry is `true` has received an answer before, which
    /// the gate did not record.
    Crash([bool; 2]),
    /// A process starts.
    Start,
    /// No process starts for [`LONG_OUTAGE`](crate::scope::LONG_OUTAGE).
    StayDown,
    /// The process is told to end, and the last call begins.
    Terminate,
    /// The last call ends, and the exporter gets another name.
    Exit,
    /// A server goes away.
    Leave(ServerName),
    /// A server comes back.
    Return(ServerName),
    /// The next tick begins.
    Tick,
}

/// What becomes of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    Received,
    /// The answer is sent whole, so that the gate records it, and does not arrive.
    Lost,
    /// The answer is cut off, so that the gate does not record it.
    Cut,
}

impl Action {
    /// Returns all actions that are possible in `state`.
    pub(crate) fn all(scope: &Scope, state: &State) -> Vec<Self> {
        let mut all = Vec::new();
        match &state.exporter {
            Exporter::Down { ticks } => {
                all.push(Self::Start);
                if state.spent.outages < scope.outages {
                    all.push(Self::StayDown);
                }
                if *ticks < scope.longest_down {
                    all.push(Self::Tick);
                }
            }
            Exporter::Up(process) => {
                late_answers(&mut all, scope, state, process);
                if !all.is_empty() {
                    return all;
                }
                // A long outage may follow before the commit.
                let may_be_first = scope.outages == 0;
                if may_be_first && process.has_to_store_waits_alone(&state.disk, state.now) {
                    return vec![Self::Commit];
                }
                commits(&mut all, scope, state, process);
                scrapes(&mut all, scope, state, process);
                ends(&mut all, scope, state, process);
                if is_quiet(state, process) {
                    all.push(Self::Tick);
                }
            }
        }
        absences(&mut all, scope, state);
        all
    }

    /// Returns the place of the action among those that happen if nothing fails; `None` if
    /// it does not happen then.
    pub(crate) fn fair_place(self) -> Option<u8> {
        match self {
            Self::Store | Self::Show | Self::Start => Some(0),
            Self::Send(_, Delivery::Received) => Some(1),
            Self::Scrape(_, Delivery::Received) | Self::Announce(_) => Some(2),
            Self::Commit => Some(3),
            Self::Answer(_, Delivery::Received) => Some(4),
            Self::Exit => Some(5),
            Self::Tick => Some(6),
            _ => None,
        }
    }
}

fn commits(all: &mut Vec<Action>, scope: &Scope, state: &State, process: &Process) {
    if let Some(under_way) = &process.under_way {
        let next = if under_way.is_durable {
            Action::Show
        } else {
            Action::Store
        };
        all.push(next);
    } else if !process.is_last_call {
        all.extend(counts(scope, process).map(Action::Count));
        if process.has_to_commit(&state.disk, state.now) {
            all.push(Action::Commit);
        }
    }
}

/// Returns the numbers of events of each series that may be counted at once. The first
/// series that has an event is `a`. Histories with the names exchanged are the same.
fn counts(scope: &Scope, process: &Process) -> impl Iterator<Item = [u8; 2]> + use<> {
    let mut counted = [0, 0];
    for (labels, saved) in process.ledger.series() {
        counted[usize::from(labels.source == NAMES[1])] += saved.total;
    }
    let left = u64::from(scope.events).saturating_sub(counted.iter().sum());
    let left = u8::try_from(left).unwrap_or(u8::MAX);
    let most_of_b = if scope.series > 1 { left } else { 0 };
    let pairs = (0..=left).flat_map(move |a| (0..=most_of_b).map(move |b| [a, b]));
    pairs.filter(move |[a, b]| {
        let is_in_order = counted[0] > 0 || a >= b;
        (1..=left).contains(&(a + b)) && is_in_order
    })
}

fn scrapes(all: &mut Vec<Action>, scope: &Scope, state: &State, process: &Process) {
    let is_shown_next = process
        .under_way
        .as_ref()
        .is_some_and(|commit| commit.is_durable);
    let is_stored_next = process.under_way.is_some() && !is_shown_next;
    for name in ServerName::ALL {
        let server = &state.servers[name.place()];
        let deliveries = deliveries(scope, state, name);
        match &server.scrape {
            ScrapeStage::Announced => {
                all.extend(deliveries.map(|delivery| Action::Answer(name, delivery)));
            }
            ScrapeStage::Due if !process.may_show(name) => all.push(Action::Announce(name)),
            ScrapeStage::Due => {
                if !is_stored_next || scope.has(Fault::ShownBeforeDurable) {
                    all.extend(deliveries.map(|delivery| Action::Scrape(name, delivery)));
                }
                if is_shown_next {
                    all.push(Action::Make(name));
                }
            }
            ScrapeStage::Answered(_) | ScrapeStage::Ended => {}
        }
    }
}

/// Adds the answers that were made before a commit was shown, and are sent after it.
fn late_answers(all: &mut Vec<Action>, scope: &Scope, state: &State, process: &Process) {
    for name in ServerName::ALL {
        let is_made = state.servers[name.place()].answer().is_some();
        if is_made && process.under_way.is_none() {
            let deliveries = deliveries(scope, state, name);
            all.extend(deliveries.map(|delivery| Action::Send(name, delivery)));
        }
    }
}

/// Returns what may become of an answer. A server does not miss two answers in a row while
/// the gate does not know its interval, nor before its first answer under another name.
fn deliveries(
    scope: &Scope,
    state: &State,
    name: ServerName,
) -> impl Iterator<Item = Delivery> + use<> {
    let may_miss = !state.servers[name.place()].has_missed || state.may_miss_again(name);
    let is_lost = may_miss && state.spent.lost < scope.lost;
    let is_cut = may_miss && state.spent.cut < scope.cut;
    let all = [
        (Delivery::Received, true),
        (Delivery::Lost, is_lost),
        (Delivery::Cut, is_cut),
    ];
    all.into_iter()
        .filter_map(|(delivery, may_be)| may_be.then_some(delivery))
}

fn ends(all: &mut Vec<Action>, scope: &Scope, state: &State, process: &Process) {
    let may_crash = match scope.crashes {
        Some(crashes) => state.spent.crashes < crashes,
        None => process.has_committed || is_idle(state, process),
    };
    for received in [[false, false], [false, true], [true, false], [true, true]] {
        let mut servers = ServerName::ALL.into_iter().zip(received);
        let is_news =
            |(name, received): (ServerName, bool)| !received || has_news_for(state, process, name);
        if may_crash && servers.all(is_news) {
            all.push(Action::Crash(received));
        }
    }
    if !process.is_last_call && state.spent.last_calls < scope.last_calls {
        all.push(Action::Terminate);
    }
    if may_exit(state, process) {
        all.push(Action::Exit);
    }
}

/// Returns `true` if the server may receive an answer before a crash, and learns something
/// by it.
fn has_news_for(state: &State, process: &Process, name: ServerName) -> bool {
    let server = &state.servers[name.place()];
    match server.answer() {
        Some(answer) => answer.values != server.last,
        None => server.is_due() && process.may_show(name) && server.last != Some(process.shown),
    }
}

fn absences(all: &mut Vec<Action>, scope: &Scope, state: &State) {
    for name in ServerName::ALL {
        let server = &state.servers[name.place()];
        if server.is_away {
            all.push(Action::Return(name));
        } else if state.spent.absences < scope.absences && server.answer().is_none() {
            all.push(Action::Leave(name));
        }
    }
}

/// Returns `true` if no commit is under way or due.
fn is_idle(state: &State, process: &Process) -> bool {
    process.under_way.is_none() && !process.has_to_commit(&state.disk, state.now)
}

/// Returns `true` if everything that is due in a tick has happened. The poller looks at the
/// gate every second, so nothing that it has to commit waits for another tick.
fn is_quiet(state: &State, process: &Process) -> bool {
    let is_done = if process.is_last_call {
        process.under_way.is_none() && !may_exit(state, process)
    } else {
        is_idle(state, process)
    };
    let mut servers = state.servers.iter();
    is_done && servers.all(|server| matches!(server.scrape, ScrapeStage::Ended))
}

/// Returns `true` if the last call has ended and no scrape is under way.
fn may_exit(state: &State, process: &Process) -> bool {
    let is_under_way = |server: &Server| {
        matches!(
            server.scrape,
            ScrapeStage::Announced | ScrapeStage::Answered(_)
        )
    };
    process.has_ended_last_call(state.now) && !state.servers.iter().any(is_under_way)
}

/// What happens, in words.
impl Action {
    /// Returns the action in words. `state` is the state before it.
    pub(crate) fn words(self, state: &State) -> String {
        match self {
            Self::Count(events) => format!("the poller counts {} and commits", counted(events)),
            Self::Commit => "the poller looks at the gate and commits".into(),
            Self::Store => "the commit is durable".into(),
            Self::Show => "the commit is shown".into(),
            Self::Scrape(name, delivery) => {
                format!("{name} scrapes and {}", received(state, name, delivery))
            }
            Self::Announce(name) => format!("{name} scrapes and waits until it is stored"),
            Self::Answer(name, delivery) => {
                format!("{name} is answered and {}", received(state, name, delivery))
            }
            Self::Make(name) => {
                format!(
                    "{name} scrapes; the answer is made: {}",
                    answer(state, name)
                )
            }
            Self::Send(name, delivery) => {
                format!(
                    "the answer is sent; {name} {}",
                    received(state, name, delivery)
                )
            }
            Self::Crash(received) => {
                let servers = ServerName::ALL.into_iter().zip(received);
                let servers = servers.filter(|(_, received)| *received);
                let news = servers
                    .map(|(name, _)| format!("; {name} has received {}", answer(state, name)));
                format!("the exporter crashes{}", news.collect::<Vec<_>>().concat())
            }
            Self::Start => "the exporter starts".into(),
            Self::StayDown => "the exporter stays down for 11 minutes".into(),
            Self::Terminate => "the exporter is told to end, and the last call begins".into(),
            Self::Exit => "the last call ends; the exporter gets another name".into(),
            Self::Leave(name) => format!("{name} goes away"),
            Self::Return(name) => format!("{name} comes back"),
            Self::Tick => "the tick ends".into(),
        }
    }
}

fn counted(events: [u8; 2]) -> String {
    let all = events
        .into_iter()
        .zip(NAMES)
        .filter(|(number, _)| *number > 0);
    let all: Vec<String> = all
        .map(|(number, name)| format!("{number} of {name}"))
        .collect();
    all.join(" and ")
}

fn received(state: &State, name: ServerName, delivery: Delivery) -> String {
    match delivery {
        Delivery::Received => format!("receives {}", answer(state, name)),
        Delivery::Lost => "does not receive the answer, which is recorded".into(),
        Delivery::Cut => "receives a part of the answer, which is not recorded".into(),
    }
}

/// Returns what the next answer to the server shows, in words.
fn answer(state: &State, name: ServerName) -> String {
    let values = match (state.servers[name.place()].answer(), &state.exporter) {
        (Some(answer), _) => answer.values,
        (None, Exporter::Up(process)) if process.may_show(name) => Some(process.shown),
        (None, _) => None,
    };
    values.map_or("no events".into(), |values| Shown(&values).to_string())
}
