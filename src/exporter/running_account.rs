//! One account that is counted: the task that counts it, and its exposition.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{
    runtime::Handle,
    task::{AbortHandle, JoinSet},
};
use tracing::{Instrument, Span};

use super::{
    outside::{Outside, ReloadedApi},
    pause::{Pause, PauseSwitch},
    plan::AccountPlan,
};
use crate::{
    exposition::AccountExposition,
    metrics::Polls,
    poller::{
        Poller,
        health::{AccountHealth, Failing, PollState},
    },
    store::AccountStorage,
};

/// The poller of an account.
pub(super) type AccountPoller<O> =
    Poller<<O as Outside>::Api, AccountStorage, <O as Outside>::Clock>;

/// An account with its poller.
#[derive(Debug)]
pub(super) struct RunningAccount<O: Outside> {
    pub(super) plan: AccountPlan,
    /// See [`PollerSettings::taken_up`](crate::poller::PollerSettings::taken_up).
    pub(super) taken_up: Duration,
    pub(super) health: Arc<AccountHealth>,
    /// The handle that shows the account, also after its poller has ended.
    pub(super) exposition: AccountExposition,
    api: Arc<O::Api>,
    /// The poller to run; `None` once it runs.
    prepared: Option<Box<AccountPoller<O>>>,
    pause: PauseSwitch,
    poller: Option<AbortHandle>,
}

impl<O: Outside> RunningAccount<O> {
    pub(super) fn new(
        plan: AccountPlan,
        taken_up: Duration,
        (health, exposition): (Arc<AccountHealth>, AccountExposition),
        api: Arc<O::Api>,
        prepared: AccountPoller<O>,
    ) -> Self {
        Self {
            plan,
            taken_up,
            health,
            exposition,
            api,
            prepared: Some(Box::new(prepared)),
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
        let before = self.health.polls().failing.clone();
        self.health.record(PollState {
            failing: Some(Failing {
                since: before.map_or_else(Timestamp::now, |failing| failing.since),
                error: "the poller ended, which is a defect: please report it with the log".into(),
            }),
            ..PollState::clone(&self.health.polls())
        });
    }
}
