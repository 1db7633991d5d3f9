//! The search: every state that can be reached, from the nearest to the farthest.

use std::{collections::hash_map::Entry, fmt, thread, time::Duration};

use rustc_hash::FxHashMap;

use crate::{
    action::Action,
    fingerprint::Fingerprinter,
    scope::Scope,
    state::{COUNTERS, State},
};

/// The number of states that are handed to the threads at once.
const BATCH: usize = 8192;
/// The least number of states that is worth a thread.
const LEAST_FOR_THREAD: usize = 64;
/// Stands for what follows a state in which every event was seen.
const DONE: u32 = u32::MAX;

/// What a search has found.
pub(crate) struct Found {
    states: usize,
    steps: usize,
    /// The number of actions on the shortest way to the farthest state.
    depth: usize,
    longest_wait: Duration,
    pub(crate) broken: Option<BrokenClaim>,
}

/// A claim that does not hold, and a shortest history that shows it.
pub(crate) struct BrokenClaim {
    pub(crate) claim: String,
    actions: Vec<String>,
}

impl fmt::Display for Found {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            states,
            steps,
            depth,
            longest_wait,
            ..
        } = self;
        write!(
            formatter,
            "{states} states, {steps} steps, {depth} actions deep, no event waited for more \
             than {longest_wait:?}"
        )
    }
}

impl Found {
    /// Returns the history that breaks a claim, in words.
    pub(crate) fn history(&self) -> String {
        let Some(BrokenClaim { claim, actions }) = &self.broken else {
            return "every claim holds".into();
        };
        format!("{}\n{claim}", actions.join("\n"))
    }
}

/// Visits every state of `scope`, or stops at a claim that does not hold.
pub(crate) fn search(scope: &Scope) -> Found {
    let mut search = Search {
        scope,
        places: FxHashMap::default(),
        before: vec![(0, Action::Tick)],
        fair: Vec::new(),
        found: Found {
            states: 0,
            steps: 0,
            depth: 0,
            longest_wait: Duration::ZERO,
            broken: None,
        },
    };
    let broken = search.visit_all().err().or_else(|| search.never_done());
    Found {
        states: search.before.len(),
        broken,
        ..search.found
    }
}

struct Search<'s> {
    scope: &'s Scope,
    /// The places of the visited states, by their fingerprints.
    places: FxHashMap<u64, u32>,
    /// For each state, the place of the state before it, and the action that leads on.
    before: Vec<(u32, Action)>,
    /// For each state, the place of the state that follows if nothing fails.
    fair: Vec<u32>,
    found: Found,
}

/// The states that follow a state.
struct Following {
    place: u32,
    is_done: bool,
    next: Vec<Next>,
    longest_wait: Duration,
    /// A claim that does not hold, and the last action of the history.
    broken: Option<(String, String)>,
}

struct Next {
    action: Action,
    fingerprint: u64,
    /// The state, unless it was visited.
    state: Option<State>,
}

impl Search<'_> {
    fn visit_all(&mut self) -> Result<(), BrokenClaim> {
        let first = State::first(self.scope);
        let fingerprint = Fingerprinter::default().of(self.scope, &first);
        self.places.insert(fingerprint, 0);
        let mut frontier = vec![(0, first)];
        while !frontier.is_empty() {
            let mut next = Vec::new();
            for batch in frontier.chunks(BATCH) {
                for following in self.follow_all(batch) {
                    self.take_up(following, &mut next)?;
                }
            }
            assert!(
                self.before.len() < self.scope.size.most_states(),
                "{}: there are too many states; see debug_text.rs",
                self.scope.name
            );
            self.found.depth += usize::from(!next.is_empty());
            frontier = next;
        }
        Ok(())
    }

    /// Returns what follows each state of `batch`, in its order.
    fn follow_all(&self, batch: &[(u32, State)]) -> Vec<Following> {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let size = batch.len().div_ceil(threads).max(LEAST_FOR_THREAD);
        let follow = |part: &[(u32, State)]| -> Vec<Following> {
            let mut fingerprinter = Fingerprinter::default();
            let all = part.iter();
            all.map(|(place, state)| self.follow(*place, state, &mut fingerprinter))
                .collect()
        };
        thread::scope(|scope| {
            let parts = batch.chunks(size);
            let threads: Vec<_> = parts.map(|part| scope.spawn(|| follow(part))).collect();
            let results = threads
                .into_iter()
                .map(|thread| thread.join().expect("no panic"));
            results.flatten().collect()
        })
    }

    fn follow(&self, place: u32, state: &State, fingerprinter: &mut Fingerprinter) -> Following {
        let mut following = Following {
            place,
            is_done: state.is_done(),
            next: Vec::new(),
            longest_wait: Duration::ZERO,
            broken: None,
        };
        for action in Action::all(self.scope, state) {
            let after = match state.after(self.scope, action) {
                Ok(after) => after,
                Err(claim) => {
                    following.broken = Some((claim, written(action, state)));
                    break;
                }
            };
            following.longest_wait = following.longest_wait.max(longest_wait(state, &after));
            let fingerprint = fingerprinter.of(self.scope, &after);
            let is_new = !self.places.contains_key(&fingerprint);
            following.next.push(Next {
                action,
                fingerprint,
                state: is_new.then_some(after),
            });
        }
        following
    }

    fn take_up(
        &mut self,
        following: Following,
        frontier: &mut Vec<(u32, State)>,
    ) -> Result<(), BrokenClaim> {
        let Following {
            place,
            is_done,
            next,
            longest_wait,
            broken,
        } = following;
        self.found.steps += next.len();
        self.found.longest_wait = self.found.longest_wait.max(longest_wait);
        let mut fair: Option<(u8, u32)> = None;
        for Next {
            action,
            fingerprint,
            state,
        } in next
        {
            let new = u32::try_from(self.before.len()).expect("few states");
            let after = *self.places.entry(fingerprint).or_insert(new);
            if after == new {
                self.before.push((place, action));
                frontier.extend(state.map(|state| (new, state)));
            }
            if let Some(order) = action.fair_place()
                && fair.is_none_or(|(least, _)| order < least)
            {
                fair = Some((order, after));
            }
        }
        if let Some((claim, last)) = broken {
            let mut actions = self.actions_to(place);
            actions.push(last);
            return Err(BrokenClaim { claim, actions });
        }
        let (_, fair) = fair.expect("an action that happens if nothing fails");
        self.fair.push(if is_done { DONE } else { fair });
        Ok(())
    }

    /// Returns the actions of a shortest history that leads to a state, in words.
    fn actions_to(&self, mut place: u32) -> Vec<String> {
        let mut actions = Vec::new();
        while place != 0 {
            let (before, action) = self.before[place as usize];
            actions.push(action);
            place = before;
        }
        let mut state = State::first(self.scope);
        let mut words = Vec::new();
        for action in actions.into_iter().rev() {
            words.push(written(action, &state));
            state = state
                .after(self.scope, action)
                .expect("a step that was possible");
        }
        words
    }

    /// Returns a history after which not every event is ever seen, although nothing fails
    /// any more.
    fn never_done(&self) -> Option<BrokenClaim> {
        const UNKNOWN: u32 = 0;
        const GOOD: u32 = 1;
        let mut marks = vec![UNKNOWN; self.fair.len()];
        for start in 0..marks.len() {
            let start = u32::try_from(start).ok()?;
            // Each way has a mark of its own, by which a way into itself is noticed.
            let mark = start.checked_add(GOOD + 1)?;
            let mut way = Vec::new();
            let mut place = start as usize;
            while marks[place] == UNKNOWN {
                marks[place] = mark;
                way.push(place);
                match self.fair[place] {
                    DONE => marks[place] = GOOD,
                    next => place = next as usize,
                }
            }
            if marks[place] == mark {
                return Some(BrokenClaim {
                    claim: "an event is never seen, although nothing fails any more".into(),
                    actions: self.actions_to(start),
                });
            }
            for place in way {
                marks[place] = GOOD;
            }
        }
        None
    }
}

/// Returns the time and the action, in words.
fn written(action: Action, state: &State) -> String {
    format!("{:>5} s: {}", state.now.as_secs(), action.words(state))
}

/// Returns the longest time that a count has waited which does not wait any more.
fn longest_wait(before: &State, after: &State) -> Duration {
    let waited = |place: usize| match (before.waiting[place], after.waiting[place]) {
        (Some(since), None) => Some(after.since(since)),
        _ => None,
    };
    let all = (0..COUNTERS).filter_map(waited);
    all.max().unwrap_or_default()
}

/// Visits every state of `scope`, and compares what follows states of one fingerprint, for
/// one of `sample` fingerprints. Returns where two states differ, in words.
pub(crate) fn same_futures(scope: &Scope, sample: u64) -> Option<String> {
    let mut fingerprinter = Fingerprinter::default();
    let mut known: FxHashMap<u64, Vec<Option<u64>>> = FxHashMap::default();
    let mut all = vec![State::first(scope)];
    while let Some(state) = all.pop() {
        let fingerprint = fingerprinter.of(scope, &state);
        if fingerprint % sample != 0 && known.contains_key(&fingerprint) {
            continue;
        }
        let next = Action::all(scope, &state).into_iter();
        let next: Vec<_> = next.map(|action| state.after(scope, action).ok()).collect();
        let mut future: Vec<_> = next
            .iter()
            .map(|state| Some(fingerprinter.of(scope, state.as_ref()?)))
            .collect();
        future.sort_unstable();
        match known.entry(fingerprint) {
            Entry::Vacant(entry) => {
                entry.insert(future);
                all.extend(next.into_iter().flatten());
            }
            Entry::Occupied(entry) if *entry.get() == future => {}
            Entry::Occupied(_) => return Some(format!("two states, one at {:?}", state.now)),
        }
    }
    None
}
