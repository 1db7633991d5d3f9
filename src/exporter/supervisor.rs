//! Changes the accounts while the exporter runs: reloads the configuration, and restarts
//! pollers that have ended.

use std::{sync::Arc, thread};

use exporter_web::WebConfigFile;
use jiff::Timestamp;
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
};

use super::{
    ReadSettings,
    accounts::{Accounts, StoppedAccounts},
    load::StartError,
    notifications::Notifications,
    outside::HttpOutside,
};
use crate::{
    config::{Problems, Settings},
    metrics::{FailedReload, ProcessMetrics},
    server::reload::{ReloadError, ReloadReply},
};

/// Reloads the configuration and restarts pollers.
pub(super) struct Supervisor {
    /// The settings that the exporter was started with, without the accounts.
    pub(super) settings: Settings,
    pub(super) accounts: Accounts<HttpOutside>,
    pub(super) process: Arc<ProcessMetrics>,
    pub(super) web: Arc<WebConfigFile>,
    pub(super) reloads: mpsc::Receiver<ReloadReply>,
    /// `None` if a reload changes nothing.
    pub(super) read: Option<ReadSettings>,
    pub(super) notifications: Arc<Notifications>,
}

/// The reason why a reload failed.
#[derive(Debug, thiserror::Error)]
enum ReloadFailure {
    /// The configuration cannot be used; nothing changed.
    #[error("{0:#}")]
    Configuration(#[from] anyhow::Error),
    /// Some accounts could not be loaded; no account changed.
    #[error("{} accounts could not be loaded", .0.len())]
    Accounts(Vec<StartError>),
}

impl Supervisor {
    /// Runs until `stop` resolves, and then stops polling.
    pub(super) async fn run(
        mut self,
        counting: Handle,
        mut stop: oneshot::Receiver<()>,
    ) -> StoppedAccounts<HttpOutside> {
        self.accounts.start(&counting);
        self.notifications.ready();
        loop {
            tokio::select! {
                _ = &mut stop => return self.accounts.stop_polling().await,
                () = self.accounts.restart_ended(&counting) => {}
                Some(answer) = self.reloads.recv() => {
                    let outcome = self.reload(&counting).await;
                    // The caller may have gone.
                    let _ = answer.send(outcome.map_err(|_| ReloadError));
                }
            }
        }
    }

    async fn reload(&mut self, counting: &Handle) -> Result<(), ReloadFailure> {
        self.notifications.reloading();
        let outcome = self.take_over(counting).await;
        let now = Timestamp::now();
        match &outcome {
            Ok(()) => self.process.reloaded(now),
            Err(error) => {
                let failed = FailedReload::new(now, error.problems());
                self.process.reload_has_failed(failed);
                error.log();
            }
        }
        self.notifications.ready();
        outcome
    }

    async fn take_over(&mut self, counting: &Handle) -> Result<(), ReloadFailure> {
        let Some(settings) = self.read_settings().await? else {
            return Ok(());
        };
        let waiting = self.settings.need_restart(&settings);
        if !waiting.is_empty() {
            let waiting = waiting.join(", ");
            tracing::warn!(
                settings = waiting,
                "these settings have changed and take effect at the next start"
            );
        }
        let difference = self.accounts.change(&settings, counting).await;
        let difference = difference.map_err(ReloadFailure::Accounts)?;
        tracing::info!(
            accounts = settings.accounts.len(),
            added = difference.added,
            changed = difference.changed,
            removed = difference.removed,
            "configuration loaded"
        );
        Ok(())
    }

    /// Reads the settings and the web configuration file again; `None` if a reload changes
    /// nothing.
    async fn read_settings(&self) -> anyhow::Result<Option<Settings>> {
        let Some(read) = self.read.clone() else {
            return Ok(None);
        };
        let web = Arc::clone(&self.web);
        let (done, outcome) = oneshot::channel();
        let reading = move || {
            let settings = read()?;
            web.reload().map_err(Problems::from)?;
            anyhow::Ok(settings)
        };
        // A thread of its own, which no file that hangs elsewhere can keep from starting.
        let thread = thread::Builder::new().name("configuration".to_owned());
        thread.spawn(move || {
            // The reload ends with the process.
            let _ = done.send(reading());
        })?;
        Ok(Some(outcome.await??))
    }
}

impl ReloadFailure {
    /// Returns each problem as a text.
    fn problems(&self) -> Vec<String> {
        match self {
            Self::Accounts(errors) => errors.iter().map(of_account).collect(),
            Self::Configuration(error) => match error.downcast_ref::<Problems>() {
                Some(problems) => problems.iter().map(str::to_owned).collect(),
                None => vec![format!("{error:#}")],
            },
        }
    }

    /// Logs each problem as a line.
    fn log(&self) {
        match self {
            Self::Accounts(errors) => errors.iter().for_each(log_account),
            Self::Configuration(error) => match error.downcast_ref::<Problems>() {
                Some(problems) => problems.iter().for_each(log_problem),
                None => log_problem(&format!("{error:#}")),
            },
        }
    }
}

fn of_account(error: &StartError) -> String {
    format!("{error}: {:#}", error.source)
}

fn log_account(StartError { name, source }: &StartError) {
    let error = format!("{source:#}");
    tracing::error!(
        account = name.as_deref(),
        error,
        "the account could not be loaded, so the previous configuration stays in use"
    );
}

fn log_problem(error: &str) {
    tracing::error!(
        error,
        "the configuration could not be loaded; the previous one stays in use"
    );
}
