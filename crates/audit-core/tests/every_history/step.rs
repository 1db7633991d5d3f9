//! What each action does, and the claims about what is durable and what waits.

use std::{sync::Arc, time::Duration};

use audit_core::gate::LONGEST_ABSENCE;

use crate::{
    action::Action,
    fault::Fault,
    process::Process,
    scope::{LONG_OUTAGE, Scope},
    state::{COUNTERS, Disk, Exporter, NAMES, ScrapeStage, Server, ServerName, Spent, State},
};

/// The part of [`LONG_OUTAGE`] that does not count as a time of waiting: all but a minute.
const UNCOUNTED_OF_OUTAGE: Duration = Duration::from_mins(10);
/// The time after which the gate knows the servers and their intervals, and runs.
const WARM_AFTER: Duration = Duration::from_mins(12);

impl State {
    /// Returns the state in which the histories of a scope begin.
    pub(crate) fn first(scope: &Scope) -> Self {
        let mut state = Self {
            now: Duration::ZERO,
            phase: 0,
            spent: Spent::default(),
            exporter: Exporter::Up(Process::start(scope, &Disk::default(), Duration::ZERO)),
            disk: Arc::default(),
            servers: [Server::default(), Server::default()],
            name: 0,
            waiting: [None; COUNTERS],
        };
        state.let_scrape(scope);
        while scope.is_warm && state.now < WARM_AFTER {
            let all = Action::all(scope, &state).into_iter();
            let next = all.min_by_key(|action| action.fair_place().unwrap_or(u8::MAX));
            let next = next.expect("an action in each state");
            state = state
                .after(scope, next)
                .expect("a beginning without failures");
        }
        state
    }

    /// Returns the state after `action`.
    ///
    /// # Errors
    /// The claim that the action breaks, in words.
    pub(crate) fn after(&self, scope: &Scope, action: Action) -> Result<Self, String> {
        let mut next = self.clone();
        match action {
            Action::Count(events) => next.commit(scope, events)?,
            Action::Commit => next.commit(scope, [0, 0])?,
            Action::Store => next.store(scope)?,
            Action::Show => next.show(),
            Action::Scrape(server, delivery) | Action::Answer(server, delivery) => {
                next.make_answer(scope, server)?;
                next.send_answer(scope, server, delivery)?;
            }
            Action::Announce(server) => next.announce(server),
            Action::Make(server) => next.make_answer(scope, server)?,
            Action::Send(server, delivery) => next.send_answer(scope, server, delivery)?,
            Action::Crash(received) => next.crash(scope, received)?,
            Action::Start => next.start(scope),
            Action::StayDown => next.stay_down(),
            Action::Terminate => next.terminate(scope),
            Action::Exit => next.exit(),
            Action::Leave(server) => next.leave(server),
            Action::Return(server) => next.servers[server.place()].is_away = false,
            Action::Tick => next.tick(scope)?,
        }
        Ok(next)
    }

    pub(crate) fn process(&self) -> Option<&Process> {
        match &self.exporter {
            Exporter::Up(process) => Some(process),
            Exporter::Down { .. } => None,
        }
    }

    pub(crate) fn process_mut(&mut self) -> Option<&mut Process> {
        match &mut self.exporter {
            Exporter::Up(process) => Some(process),
            Exporter::Down { .. } => None,
        }
    }

    /// Returns `true` if every event is counted, shown, and seen by every server that is
    /// there, or if none is there.
    pub(crate) fn is_done(&self) -> bool {
        if self.servers.iter().all(|server| server.is_away) {
            return true;
        }
        let totals = self.disk.totals();
        let has_seen = |server: &Server| server.is_away || server.last == Some(totals);
        self.process().is_some_and(|process| {
            !process.is_last_call
                && process.under_way.is_none()
                && process.ledger.pending() == 0
                && self.servers.iter().all(has_seen)
        })
    }

    /// Counts events and begins a commit. The commit is durable at once unless a server that
    /// is not stored yet may come before it is.
    fn commit(&mut self, scope: &Scope, events: [u8; 2]) -> Result<(), String> {
        let now = self.now;
        let is_due = self.servers.each_ref().map(Server::is_due);
        let Some(process) = self.process_mut() else {
            return Ok(());
        };
        process.count(events);
        process.prepare(now);
        if scope.has(Fault::ShownBeforeDurable) {
            process.show_values();
            return Ok(());
        }
        let mut servers = ServerName::ALL.into_iter().zip(is_due);
        if servers.any(|(server, is_due)| is_due && !process.may_show(server)) {
            return Ok(());
        }
        self.store(scope)?;
        let commit = self
            .process()
            .and_then(|process| process.under_way.as_ref());
        if commit.is_some_and(|commit| commit.changes.is_empty()) {
            self.show();
        }
        Ok(())
    }

    /// Makes the commit under way durable.
    fn store(&mut self, scope: &Scope) -> Result<(), String> {
        let Exporter::Up(process) = &mut self.exporter else {
            return Ok(());
        };
        process.confirm();
        process.has_committed = scope.crashes.is_none();
        let Some(commit) = &process.under_way else {
            return Ok(());
        };
        let before = Arc::clone(&self.disk);
        Arc::make_mut(&mut self.disk).store(&commit.changes, &commit.gate, self.now);
        self.check_durable(&before)?;
        self.check_gate_timeouts(scope, &before)?;
        for (waiting, saved) in self.waiting.iter_mut().zip(self.disk.counters) {
            let waits = saved.is_some_and(|saved| saved.published < saved.total);
            *waiting = waits.then(|| waiting.unwrap_or(self.now));
        }
        Ok(())
    }

    fn show(&mut self) {
        if let Some(process) = self.process_mut() {
            process.show();
        }
    }

    /// Checks that no durable value falls, and that no more is published than counted.
    fn check_durable(&self, before: &Disk) -> Result<(), String> {
        for (place, name) in NAMES.into_iter().enumerate() {
            let saved = self.disk.counters[place].unwrap_or_default();
            let before = before.counters[place].unwrap_or_default();
            if saved.total < before.total || saved.published < before.published {
                return Err(format!("a durable value of {name} falls"));
            }
            if saved.published > saved.total {
                let (published, total) = (saved.published, saved.total);
                return Err(format!(
                    "{published} of {name} are published, and {total} counted"
                ));
            }
        }
        Ok(())
    }

    /// Checks that a new series is counted as a gate timeout if it is shown although the gate
    /// waited for a server that is away. The gate has not waited for a server that was away
    /// for long before the event, or before the process started. If both servers are away, a
    /// series may be shown for the first time when one of them is not waited for any more, so
    /// that this is not checked.
    fn check_gate_timeouts(&self, scope: &Scope, before: &Disk) -> Result<(), String> {
        if scope.absences > 1 {
            return Ok(());
        }
        let started = self.process().map_or(self.now, |process| process.started);
        // A new series is first shown at most two intervals later.
        let two_intervals = scope.tick * u32::from(scope.interval) * 2;
        let away_before = LONGEST_ABSENCE.saturating_sub(two_intervals);
        for server in self.servers.iter().filter(|server| server.is_away) {
            let (Some(left), Some(last)) = (server.left, server.last) else {
                continue;
            };
            for (place, name) in NAMES.into_iter().enumerate() {
                let (Some(counter), Some(since)) = (self.disk.counters[place], self.waiting[place])
                else {
                    continue;
                };
                let is_shown = last[place].is_none() && counter.published > 0;
                let was_waited_for = since.max(started).saturating_sub(left) <= away_before;
                let is_counted = self.disk.gate_timeouts > before.gate_timeouts;
                if is_shown && was_waited_for && !is_counted {
                    return Err(format!("{name} is shown without a server, and not counted"));
                }
            }
        }
        Ok(())
    }

    fn start(&mut self, scope: &Scope) {
        self.exporter = Exporter::Up(Process::start(scope, &self.disk, self.now));
    }

    fn stay_down(&mut self) {
        self.spent.outages += 1;
        self.now += LONG_OUTAGE;
        for since in self.waiting.iter_mut().flatten() {
            *since += UNCOUNTED_OF_OUTAGE;
        }
    }

    fn crash(&mut self, scope: &Scope, received: [bool; 2]) -> Result<(), String> {
        self.spent.crashes += u8::from(scope.crashes.is_some());
        for (name, received) in ServerName::ALL.into_iter().zip(received) {
            if received && self.servers[name.place()].answer().is_none() {
                self.make_answer(scope, name)?;
            }
            if received {
                self.see(name)?;
            }
            let server = &mut self.servers[name.place()];
            if !server.is_due() && server.end_scrape().is_some() {
                server.has_missed = !received;
            }
        }
        self.exporter = Exporter::Down { ticks: 0 };
        Ok(())
    }

    fn terminate(&mut self, scope: &Scope) {
        self.spent.last_calls += 1;
        if let Some(process) = self.process_mut() {
            process.is_last_call = true;
            if scope.has(Fault::LastCommitNotShown) {
                process.under_way = None;
            }
        }
    }

    fn exit(&mut self) {
        let is_known = ServerName::ALL.map(|name| {
            let process = self.process();
            process.is_some_and(|process| process.knows_interval(name, self.now))
        });
        self.exporter = Exporter::Down { ticks: 0 };
        self.name += 1;
        for (server, is_known) in self.servers.iter_mut().zip(is_known) {
            let is_served = is_known && !server.has_lost_recorded;
            server.before_rename = server.last.take().filter(|_| is_served);
        }
    }

    fn leave(&mut self, name: ServerName) {
        self.spent.absences += 1;
        let server = &mut self.servers[name.place()];
        server.is_away = true;
        server.left = server.recorded;
        server.scrape = ScrapeStage::Ended;
    }

    /// Begins the next tick.
    fn tick(&mut self, scope: &Scope) -> Result<(), String> {
        self.check_waits()?;
        let uncounted = self
            .process()
            .map(|process| process.silence_of(self.now, scope.tick));
        for since in self.waiting.iter_mut().flatten() {
            *since += uncounted.unwrap_or_default();
        }
        self.now += scope.tick;
        self.phase = (self.phase + 1) % scope.interval;
        let now = self.now;
        match &mut self.exporter {
            Exporter::Down { ticks } => *ticks += 1,
            Exporter::Up(process) => process.end_standstill(now),
        }
        self.let_scrape(scope);
        Ok(())
    }

    /// Lets the servers scrape that are due in this tick.
    fn let_scrape(&mut self, scope: &Scope) {
        for (server, due) in self.servers.iter_mut().zip([0, scope.second_after]) {
            server.scrape = if !server.is_away && self.phase == due {
                ScrapeStage::Due
            } else {
                ScrapeStage::Ended
            };
        }
    }

    /// Checks at the end of a tick that no stored count has waited for too long.
    fn check_waits(&self) -> Result<(), String> {
        let Some(process) = self.process().filter(|process| !process.is_last_call) else {
            return Ok(());
        };
        for (place, since) in self.waiting.iter().enumerate() {
            let Some(since) = since else { continue };
            let is_seen =
                self.disk.counters[place].is_some_and(|saved| !saved.first_value.is_new());
            let bound = if is_seen {
                process.hold(self.now) * 2
            } else {
                LONGEST_ABSENCE
            };
            let waited = self.since(*since);
            if waited >= bound {
                let name = NAMES[place];
                return Err(format!(
                    "an event of {name} has waited for {waited:?} of {bound:?}"
                ));
            }
        }
        Ok(())
    }
}
