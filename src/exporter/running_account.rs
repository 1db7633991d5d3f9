//! One account that is counted: the task that counts it, and its exposition.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{
    runtime::Handle,
    task::{AbortHandle, JoinSet},
};
use tracing::{Instrument, Span};

use super::{
    pause::{Pause, PauseSwitch},
    plan::AccountPlan,
};
use crate::{
    exposition::{AccountExposition, Exposition},
    metrics::Polls,
    poller::{
        Poller, SystemClock, WatchedClient,
        health::{AccountHealth, Failing, PollState},
    },
    store::AccountStorage,
};

/// The poller of an account.
pub(super) type AccountPoller = Poller<WatchedClient, AccountStorage, SystemClock>;

/// An account with its poller.
#[derive(Debug)]
pub(super) struct RunningAccount {
    pub(super) plan: AccountPlan,
    /// See [`PollerSettings::taken_up`](crate::poller::PollerSettings::taken_up).
    pub(super) taken_up: Duration,
    pub(super) health: Arc<AccountHealth>,
    api: Arc<WatchedClient>,
    /// The poller to run; `None` once it runs.
    prepared: Option<AccountPoller>,
    pause: PauseSwitch,
    poller: Option<AbortHandle>,
}

impl RunningAccount {
    pub(super) fn new(
        plan: AccountPlan,
        taken_up: Duration,
        health: Arc<AccountHealth>,
        api: Arc<WatchedClient>,
        prepared: AccountPoller,
    ) -> Self {
        Self {
            plan,
            taken_up,
            health,
            api,
            prepared: Some(prepared),
            pause: PauseSwitch::default(),
            poller: None,
        }
    }

    /// Goes on after a reload that has left the account as it is. If its polls fail, it is
    /// polled at once.
    pub(super) fn go_on(&mut self, plan: AccountPlan) {
        self.api.reload(&plan.account.credentials);
        self.plan = plan;
    }

    /// Keeps what scrapes show until another poller goes on with it.
    pub(super) fn keep_exposition(&self, exposition: &Arc<Exposition>) -> AccountExposition {
        exposition.add(
            self.health.name().cloned(),
            Arc::clone(self.health.metrics()),
        )
    }

    /// Pauses the poller, which either is stopped then, or goes on.
    pub(super) fn pause(&self) -> Pause {
        self.pause.pause()
    }

    /// Runs the poller on `counting`, unless it runs already.
    pub(super) fn start(&mut self, tasks: &mut JoinSet<()>, counting: &Handle) {
        // The span has the highest level, so that it exists at every level of the log.
        let span = self.health.name().map_or_else(Span::none, |name| {
            tracing::error_span!("account", account = &**name)
        });
        let Some(poller) = self.prepared.take() else {
            return;
        };
        let pause = self.pause.clone();
        let poller = Box::pin(poller.run());
        let poller = async move { pause.run(poller).await };
        let poller = poller.instrument(span);
        self.poller = Some(tasks.spawn_on(poller, counting));
    }

    /// Tells the poller to stop, and returns it; it ends some time later. A poller can be
    /// dropped at any await without losing anything that was shown.
    pub(super) fn stop(&self) -> Option<AbortHandle> {
        let poller = self.poller.clone()?;
        poller.abort();
        Some(poller)
    }

    /// Returns `true` if the poller ran and has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.poller.as_ref().is_some_and(AbortHandle::is_finished)
    }

    /// Shows in metrics, landing page and probes that the poller ended.
    pub(super) fn show_defect(&self) {
        self.health.metrics().show_polls(Polls::Fail);
        self.health.record(PollState {
            failing: Some(Failing {
                since: Timestamp::now(),
                error: "the poller ended, which is a defect: please report it with the log".into(),
            }),
            ..PollState::clone(&self.health.polls())
        });
    }
}
