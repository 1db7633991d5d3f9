//! The look-up of host names.
//!
//! The system offers only a look-up that cannot be interrupted and takes up to half a minute
//! where no server answers. Look-ups have threads of their own, at most one for each name. The
//! names whose last look-up was slow leave some of the threads to the others, and a name whose
//! look-up is slow keeps the addresses that it had.

use std::{
    collections::HashMap,
    io,
    net::{SocketAddr, ToSocketAddrs},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::oneshot;

/// The longest time of a look-up that is not slow. A server of names answers in less than a
/// tenth of it.
const SLOW_AFTER: Duration = Duration::from_secs(2);

type Addresses = Arc<[SocketAddr]>;
type Outcome = Result<Addresses, Arc<io::Error>>;
type Finder = dyn Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync;

/// Looks up host names, on a bounded number of threads.
#[derive(Clone)]
pub(super) struct Resolver(Arc<Shared>);

struct Shared {
    /// Looks a name up, and waits for that.
    find: Box<Finder>,
    /// The highest number of threads.
    max_threads: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    names: HashMap<Arc<str>, NameState>,
    /// The names that wait for a thread, in the order in which they came.
    queue: Vec<Arc<str>>,
    running: Running,
}

/// The numbers of look-ups under way.
#[derive(Default)]
struct Running {
    all: usize,
    /// Those of names that were not known to be quick.
    slow: usize,
}

/// A name that was looked up.
#[derive(Default)]
struct NameState {
    /// The addresses that the last look-up found.
    known: Option<Addresses>,
    /// `true` if the last look-up was not slow.
    is_quick: bool,
    /// The requests that wait for the look-up under way; a look-up is under way if there is
    /// one.
    waiting: Vec<oneshot::Sender<Outcome>>,
}

/// The end of a look-up, also of one that panics.
struct LookUp {
    shared: Arc<Shared>,
    name: Arc<str>,
    was_quick: bool,
    begun: Instant,
    outcome: Outcome,
}

impl Resolver {
    /// Returns a resolver that uses that of the system, on at most `max_threads` threads.
    pub(super) fn new(max_threads: usize) -> Self {
        Self::with(max_threads, |name: &str| {
            // The port is replaced by that of the URL.
            (name, 0).to_socket_addrs().map(Iterator::collect)
        })
    }

    fn with(
        max_threads: usize,
        find: impl Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Shared {
            find: Box::new(find),
            max_threads,
            state: Mutex::default(),
        }))
    }

    /// Looks a name up. If that is slow, returns the addresses that the name had before.
    async fn look_up(&self, name: &str) -> Outcome {
        let (found, outcome) = oneshot::channel();
        let known = self.0.enqueue(name, found);
        let lost = || Err(not_carried_out());
        let Some(known) = known else {
            return outcome.await.unwrap_or_else(|_| lost());
        };
        if let Ok(outcome) = tokio::time::timeout(SLOW_AFTER, outcome).await {
            return outcome.unwrap_or_else(|_| lost());
        }
        tracing::debug!(
            name,
            "the look-up of a host name is slow, and its last addresses are used"
        );
        Ok(known)
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let addresses = resolver.look_up(name.as_str()).await?;
            let addresses: Addrs = Box::new(Vec::from(&*addresses).into_iter());
            Ok(addresses)
        })
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a look-up unless there is one, and returns the addresses that are known.
    fn enqueue(self: &Arc<Self>, name: &str, found: oneshot::Sender<Outcome>) -> Option<Addresses> {
        let name: Arc<str> = name.into();
        let mut state = self.state();
        let of_name = state.names.entry(Arc::clone(&name)).or_default();
        let is_under_way = !of_name.waiting.is_empty();
        of_name.waiting.push(found);
        let known = of_name.known.clone();
        if !is_under_way {
            state.queue.push(name);
        }
        drop(state);
        self.start();
        known
    }

    /// Starts a thread for each name that waits, as far as the bounds allow.
    fn start(self: &Arc<Self>) {
        for look_up in self.next_look_ups() {
            let thread = thread::Builder::new().name("name look-up".to_owned());
            // Without a thread the look-up is dropped, which ends it.
            if let Err(error) = thread.spawn(move || look_up.run()) {
                tracing::warn!(%error, "no thread could be started to look up a host name");
            }
        }
    }

    fn next_look_ups(self: &Arc<Self>) -> Vec<LookUp> {
        let max_slow = self.max_threads - self.max_threads / 4;
        let mut state = self.state();
        let State {
            names,
            queue,
            running,
        } = &mut *state;
        let mut may_run = |name: &str| {
            let was_quick = names.get(name).is_some_and(|name| name.is_quick);
            if running.all >= self.max_threads || (!was_quick && running.slow >= max_slow) {
                return None;
            }
            running.all += 1;
            running.slow += usize::from(!was_quick);
            Some(was_quick)
        };
        let mut next = Vec::new();
        queue.retain(|name| {
            let Some(was_quick) = may_run(name) else {
                return true;
            };
            next.push(LookUp {
                shared: Arc::clone(self),
                name: Arc::clone(name),
                was_quick,
                begun: Instant::now(),
                outcome: Err(not_carried_out()),
            });
            false
        });
        next
    }
}

impl LookUp {
    fn run(mut self) {
        self.outcome = (self.shared.find)(&self.name)
            .map(Arc::from)
            .map_err(Arc::new);
    }
}

impl Drop for LookUp {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.running.all -= 1;
        state.running.slow -= usize::from(!self.was_quick);
        let of_name = state.names.entry(Arc::clone(&self.name)).or_default();
        of_name.is_quick = self.begun.elapsed() < SLOW_AFTER;
        if let Ok(addresses) = &self.outcome {
            of_name.known = Some(Arc::clone(addresses));
        }
        for waiting in of_name.waiting.drain(..) {
            // The request may have ended without an answer.
            let _ = waiting.send(self.outcome.clone());
        }
        drop(state);
        self.shared.start();
    }
}

fn not_carried_out() -> Arc<io::Error> {
    Arc::new(io::Error::other(
        "the look-up of the host name was not carried out",
    ))
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeSet,
        sync::{
            Condvar,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use super::*;

    /// Names that begin with `slow` are found once the gate is open.
    #[derive(Default)]
    struct Gate {
        is_open: Mutex<bool>,
        changed: Condvar,
        running: AtomicUsize,
        names: Mutex<BTreeSet<String>>,
    }

    impl Gate {
        fn find(&self, name: &str) -> Vec<SocketAddr> {
            self.running.fetch_add(1, Ordering::SeqCst);
            self.names.lock().expect("names").insert(name.to_owned());
            if name.starts_with("slow") {
                let is_open = self.is_open.lock().expect("a gate");
                drop(self.changed.wait_while(is_open, |is_open| !*is_open));
            }
            self.running.fetch_sub(1, Ordering::SeqCst);
            vec![([192, 0, 2, 1], 0).into()]
        }

        fn open(&self) {
            *self.is_open.lock().expect("a gate") = true;
            self.changed.notify_all();
        }
    }

    fn resolver(max_threads: usize) -> (Arc<Gate>, Resolver) {
        let gate = Arc::new(Gate::default());
        let finder = Arc::clone(&gate);
        let resolver = Resolver::with(max_threads, move |name| Ok(finder.find(name)));
        (gate, resolver)
    }

    async fn wait_for(gate: &Gate, running: usize) {
        while gate.running.load(Ordering::SeqCst) != running {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn slow_names_take_no_more_than_three_quarters_of_the_threads() {
        let (gate, resolver) = resolver(4);
        resolver.look_up("quick").await.expect("an address");
        let slow: Vec<_> = (0..20)
            .map(|place| {
                let resolver = resolver.clone();
                tokio::spawn(async move { resolver.look_up(&format!("slow-{place}")).await })
            })
            .collect();
        wait_for(&gate, 3).await;
        for _ in 0..10 {
            resolver.look_up("quick").await.expect("an address");
        }
        assert_eq!(gate.names.lock().expect("names").len(), 4);
        gate.open();
        for slow in slow {
            slow.await.expect("it ends").expect("an address");
        }
    }

    #[tokio::test]
    async fn requests_for_one_name_share_a_look_up() {
        let (gate, resolver) = resolver(4);
        let requests: Vec<_> = (0..100)
            .map(|_| {
                let resolver = resolver.clone();
                tokio::spawn(async move { resolver.look_up("slow").await })
            })
            .collect();
        wait_for(&gate, 1).await;
        assert_eq!(resolver.0.state().running.all, 1);
        gate.open();
        for request in requests {
            request.await.expect("it ends").expect("an address");
        }
        assert_eq!(resolver.0.state().running.all, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_whose_look_up_hangs_keeps_its_addresses() {
        let (gate, resolver) = resolver(4);
        gate.open();
        let found = resolver.look_up("slow").await.expect("an address");
        *gate.is_open.lock().expect("a gate") = false;
        let begun = tokio::time::Instant::now();
        let kept = resolver.look_up("slow").await.expect("an address");
        assert_eq!((kept, begun.elapsed()), (found, SLOW_AFTER));
        gate.open();
    }
}
