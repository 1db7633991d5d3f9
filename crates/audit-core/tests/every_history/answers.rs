//! Answers to scrapes: how they are made, sent and received, and the claims about what the
//! servers see.

use audit_core::gate::LONGEST_ABSENCE;

use crate::{
    action::Delivery,
    fault::Fault,
    process::{Process, Standstill, scrape},
    scope::Scope,
    state::{Answer, COUNTERS, NAMES, ScrapeStage, ServerName, Shown, State, Values, changed},
};

impl State {
    /// Returns `true` if the gate waits for the server also if it misses two answers in a
    /// row.
    pub(crate) fn may_miss_again(&self, name: ServerName) -> bool {
        let is_known = |process: &Process| process.knows_interval(name, self.now);
        self.servers[name.place()].before_rename.is_none() && self.process().is_some_and(is_known)
    }

    /// Lets a server that is not stored yet wait for its answer.
    pub(crate) fn announce(&mut self, name: ServerName) {
        let now = self.now;
        self.servers[name.place()].scrape = ScrapeStage::Announced;
        if let Some(process) = self.process_mut() {
            process.announce(name, now);
        }
    }

    /// Makes the answer to a scrape.
    pub(crate) fn make_answer(&mut self, scope: &Scope, name: ServerName) -> Result<(), String> {
        let now = self.now;
        let was_announced = matches!(self.servers[name.place()].scrape, ScrapeStage::Announced);
        let Some(process) = self.process_mut() else {
            return Ok(());
        };
        // Changes nothing for a server that the gate waits for already.
        if !was_announced && scope.absences > 0 && is_told(scope, name) {
            process.announce(name, now);
        }
        let may_show = process.may_show(name);
        let answer = Answer {
            generation: if may_show { process.generation } else { 0 },
            values: may_show.then_some(process.shown),
        };
        if let Some(values) = &answer.values {
            self.check_durable_values(values)?;
            self.check_standstill(values)?;
        }
        self.servers[name.place()].scrape = ScrapeStage::Answered(answer);
        Ok(())
    }

    /// Checks that an answer shows nothing that is not durable.
    fn check_durable_values(&self, values: &Values) -> Result<(), String> {
        let durable = self.disk.published();
        let Some(name) = first_above(values, &durable) else {
            return Ok(());
        };
        let (shown, durable) = (Shown(values), Shown(&durable));
        Err(format!(
            "{name} is not durable: {shown} is shown, and {durable} is durable"
        ))
    }

    /// Checks that no value changes while the gate stands still, unless a bound lets it,
    /// which is counted.
    fn check_standstill(&self, values: &Values) -> Result<(), String> {
        let standstill = self
            .process()
            .and_then(|process| process.standstill(self.now));
        let Some(standstill) = standstill else {
            return Ok(());
        };
        let Standstill {
            decided,
            gate_timeouts,
            ..
        } = standstill;
        match first_above(values, decided) {
            Some(name) if self.disk.gate_timeouts == *gate_timeouts => {
                let (shown, decided) = (Shown(values), Shown(decided));
                Err(format!(
                    "{name} steps over an outage: {decided}, and then {shown}"
                ))
            }
            _ => Ok(()),
        }
    }

    /// Sends the answer that was made.
    pub(crate) fn send_answer(
        &mut self,
        scope: &Scope,
        name: ServerName,
        delivery: Delivery,
    ) -> Result<(), String> {
        match delivery {
            Delivery::Received => self.see(name)?,
            Delivery::Lost => self.spent.lost += 1,
            Delivery::Cut => self.spent.cut += 1,
        }
        let is_recorded = delivery != Delivery::Cut || scope.has(Fault::CutCountsAsServed);
        let has_missed = delivery != Delivery::Received;
        let server = &mut self.servers[name.place()];
        server.has_missed = has_missed;
        let answer = server.end_scrape().filter(|_| is_recorded);
        if let Some(answer) = answer {
            server.has_lost_recorded = has_missed;
            server.recorded = Some(self.now);
            if is_told(scope, name) {
                self.record(scope, name, &answer);
            }
        }
        Ok(())
    }

    /// Tells the gate of an answer that was sent.
    fn record(&mut self, scope: &Scope, name: ServerName, answer: &Answer) {
        let (now, scrape) = (self.now, scrape(name, self.name));
        let (decided, gate_timeouts) = (self.decided(), self.disk.gate_timeouts);
        let Some(process) = self.process_mut() else {
            return;
        };
        let generation = if scope.has(Fault::NewestRecorded) {
            process.generation
        } else {
            answer.generation
        };
        let was_silent = process.record(scrape, generation, now);
        if was_silent {
            match &mut process.standstill {
                Some(standstill) if standstill.since.is_none() => standstill.since = Some(now),
                standstill => {
                    let since = Some(now);
                    *standstill = Some(Standstill {
                        since,
                        decided,
                        gate_timeouts,
                    });
                }
            }
        }
    }

    /// Returns what is decided to be shown: what is durable, and what the commit under way
    /// makes durable.
    fn decided(&self) -> Values {
        let mut decided = self.disk.published();
        let commit = self
            .process()
            .and_then(|process| process.under_way.as_ref());
        if let Some(commit) = commit {
            for (place, saved) in changed(&commit.changes) {
                decided[place] = decided[place].max(Some(saved.published));
            }
        }
        decided
    }

    /// Lets a server see the answer that was made for it.
    pub(crate) fn see(&mut self, name: ServerName) -> Result<(), String> {
        let now = self.now;
        let server = &mut self.servers[name.place()];
        let Some(values) = server.answer().map(|answer| answer.values) else {
            return Ok(());
        };
        let was_away = server.left.map(|left| now.saturating_sub(left));
        if was_away.is_some_and(|time| time > LONGEST_ABSENCE) {
            server.last = None;
        }
        let Some(values) = values else {
            return match server.last {
                Some(_) => Err(format!("all series are gone for {name}")),
                None => Ok(()),
            };
        };
        let last = server.last.replace(values);
        let before = last.or(server.before_rename.take());
        server.left = None;
        let Some(before) = before else {
            // The first answer of all.
            return Ok(());
        };
        for place in 0..COUNTERS {
            let (value, before) = (values[place], before[place]);
            if value < before {
                return Err(format!("{} falls for {name}", NAMES[place]));
            }
            let is_increase = last.is_some() && before.is_some();
            if !is_increase {
                server.unseen[place] += value.unwrap_or(0) - before.unwrap_or(0);
            }
        }
        self.check_unseen(name)
    }

    /// Checks that the events that a server did not see are counted as gate timeouts.
    fn check_unseen(&self, name: ServerName) -> Result<(), String> {
        let unseen = self.servers[name.place()].unseen;
        let [a, b, of_type] = unseen;
        let gate_timeouts = self.disk.gate_timeouts;
        if (a + b).max(of_type) <= gate_timeouts {
            return Ok(());
        }
        let unseen = unseen.map(|events| (events > 0).then_some(events));
        let unseen = Shown(&unseen);
        Err(format!(
            "{name} misses events, {unseen}, and {gate_timeouts} are gate timeouts"
        ))
    }
}

impl Process {
    /// Returns the standstill if it is not over.
    fn standstill(&self, now: std::time::Duration) -> Option<&Standstill> {
        let hold = self.hold(now);
        let lasts = |since| now < since + hold;
        let standstill = self.standstill.as_ref();
        standstill.filter(|standstill| standstill.since.is_none_or(lasts))
    }

    /// Forgets the standstill if it is over.
    pub(crate) fn end_standstill(&mut self, now: std::time::Duration) {
        if self.standstill(now).is_none() {
            self.standstill = None;
        }
    }
}

/// Returns `true` if the gate is told of the server.
fn is_told(scope: &Scope, name: ServerName) -> bool {
    name == ServerName::A || !scope.has(Fault::SecondServerUnknown)
}

/// Returns the name of the first counter whose value is above that of `most`.
fn first_above(values: &Values, most: &Values) -> Option<&'static str> {
    let is_above = |place: &usize| values[*place].unwrap_or(0) > most[*place].unwrap_or(0);
    (0..COUNTERS).find(is_above).map(|place| NAMES[place])
}
