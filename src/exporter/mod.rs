//! Wires the parts together: pollers that count, a server that shows it, and reloads
//! that change who is polled.

mod accounts;
mod plan;

pub(crate) use plan::client;

use std::{future::Future, io, net::SocketAddr, sync::Arc};

use anyhow::Context;
use exporter_web::{Server, WebConfigFile, bind};
use jiff::Timestamp;
use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::mpsc,
    time::Instant,
};

use crate::{
    api::Connections,
    config::{Problems, Settings},
    exposition::{Exposition, ExpositionSettings},
    metrics::ProcessMetrics,
    poller::{SystemClock, roster::Roster},
    server::{
        ExporterSite,
        reload::{ReloadError, ReloadHandle, ReloadReply},
    },
    store::shared::SharedStore,
};
use accounts::{Accounts, Shared, SharedLog};
use audit_core::gate::Gate;

/// Reads the configuration as it is now. May wait for files.
pub type ReadSettings = Arc<dyn Fn() -> anyhow::Result<Settings> + Send + Sync>;

/// The exporter, bound and ready to run.
pub struct App {
    supervisor: Supervisor,
    reload: ReloadHandle,
    server: Server<ExporterSite>,
}

/// Threads for counting alone, so that no scrape waits while pages are parsed: the
/// system lets a thread that has slept run first.
#[derive(Debug)]
pub struct CountingThreads(Option<Runtime>);

/// What changes the accounts while the exporter runs.
struct Supervisor {
    settings: Settings,
    accounts: Accounts,
    process: Arc<ProcessMetrics>,
    web: Arc<WebConfigFile>,
    reloads: mpsc::Receiver<ReloadReply>,
    read: Option<ReadSettings>,
}

impl App {
    /// Takes the ports and prepares everything. Nothing is asked of the API yet.
    ///
    /// # Errors
    /// With what a person can do about it.
    pub async fn bind(settings: &Settings) -> anyhow::Result<Self> {
        let web = WebConfigFile::read(settings.web_config.as_deref());
        let web = Arc::new(web.map_err(Problems::from)?);
        let mut listeners = Vec::new();
        for address in &settings.listen {
            listeners.push(bind(address.host.as_deref(), address.port).await?);
        }
        let process = process_metrics().context("the metrics cannot be registered")?;
        let store = SharedStore::open(&settings.storage_path)?;
        let gate = Gate::new(
            settings.scrape_interval,
            &store.load_gate(Timestamp::now())?,
        );
        let exposition = ExpositionSettings {
            created: settings.created_timestamps.then(Timestamp::now),
        };
        let exposition = Arc::new(Exposition::new(Arc::clone(&process), gate, exposition));
        let started = Instant::now();
        let roster = Arc::new(Roster::default());
        let (reload, reloads) = ReloadHandle::new();
        let site = ExporterSite::new(
            settings.telemetry_path.clone(),
            Arc::clone(&exposition),
            Arc::clone(&roster),
            settings.enable_lifecycle.then(|| reload.clone()),
            started.into_std(),
        );
        let shared = Shared {
            store,
            connections: Connections::default(),
            exposition,
            roster,
            clock: SystemClock { started },
            event_log: settings.event_log.as_ref().map(SharedLog::new),
        };
        let supervisor = Supervisor {
            settings: settings.clone(),
            accounts: Accounts::new(shared, settings)?,
            process,
            web: Arc::clone(&web),
            reloads,
            read: None,
        };
        Ok(Self {
            supervisor,
            reload,
            server: Server::new(listeners, site, web).max_requests(settings.max_requests),
        })
    }

    /// Says where a reload reads from; without that, none changes anything.
    #[must_use]
    pub fn reading_anew(mut self, read: ReadSettings) -> Self {
        self.supervisor.read = Some(read);
        self
    }

    /// Asks for reloads.
    #[must_use]
    pub(crate) fn reload_handle(&self) -> ReloadHandle {
        self.reload.clone()
    }

    /// The addresses in use, with the ports that were taken for 0.
    ///
    /// # Errors
    /// When the system cannot tell.
    pub fn local_addresses(&self) -> io::Result<Vec<SocketAddr>> {
        self.server.local_addresses()
    }

    /// Serves until `shutdown` resolves and answers in flight have ended, and polls
    /// on `counting` meanwhile: see [`CountingThreads`].
    ///
    /// # Errors
    /// When the system cannot tell where it listens.
    pub async fn run(
        self,
        counting: &Handle,
        shutdown: impl Future<Output = ()>,
    ) -> anyhow::Result<()> {
        for address in self.local_addresses()? {
            tracing::info!(%address, "listening");
        }
        // There, since it waits for the disk when it takes up accounts.
        let supervising = counting.spawn(self.supervisor.run(counting.clone()));
        let stop = async {
            shutdown.await;
            tracing::info!("shutting down");
        };
        self.server.run(stop).await;
        supervising.abort();
        Ok(())
    }
}

impl Supervisor {
    async fn run(mut self, counting: Handle) {
        self.accounts.start(&counting);
        loop {
            tokio::select! {
                tended = self.accounts.tend(&counting) => {
                    if let Err(error) = tended {
                        tracing::error!(error = format!("{error:#}"), "an account could not be taken up again; it is tried again");
                    }
                }
                Some(answer) = self.reloads.recv() => {
                    let outcome = self.reload(&counting).await;
                    // Who asked may have gone.
                    let _ = answer.send(outcome);
                }
            }
        }
    }

    async fn reload(&mut self, counting: &Handle) -> Result<(), ReloadError> {
        let outcome = self.take_over(counting).await;
        let at = outcome.is_ok().then(Timestamp::now);
        self.process.reloaded(at);
        outcome.map_err(|error| {
            tracing::error!(
                error = format!("{error:#}"),
                "the configuration could not be taken over; what was there before goes on"
            );
            ReloadError
        })
    }

    async fn take_over(&mut self, counting: &Handle) -> anyhow::Result<()> {
        let Some(read) = self.read.clone() else {
            return Ok(());
        };
        let web = Arc::clone(&self.web);
        let reading = tokio::task::spawn_blocking(move || {
            let settings = read()?;
            web.reload().map_err(Problems::from)?;
            anyhow::Ok(settings)
        });
        let settings = reading.await??;
        let waiting = self.settings.need_restart(&settings);
        if !waiting.is_empty() {
            let waiting = waiting.join(", ");
            tracing::warn!(
                settings = waiting,
                "these settings changed, and hold from the next start on"
            );
        }
        let difference = self.accounts.change(&settings, counting).await?;
        tracing::info!(
            accounts = settings.accounts.len(),
            added = difference.added,
            changed = difference.changed,
            removed = difference.removed,
            "configuration taken over"
        );
        Ok(())
    }
}

fn process_metrics() -> prometheus::Result<Arc<ProcessMetrics>> {
    let process = ProcessMetrics::new()?;
    process.register_process()?;
    process.reloaded(Some(Timestamp::now()));
    Ok(Arc::new(process))
}

impl CountingThreads {
    /// As many as there are processors.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn start() -> io::Result<Self> {
        let mut threads = Builder::new_multi_thread();
        let runtime = threads.thread_name("counting").enable_all().build()?;
        Ok(Self(Some(runtime)))
    }

    /// Where to count.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.0
            .as_ref()
            .map_or_else(Handle::current, |runtime| runtime.handle().clone())
    }
}

/// Whatever they are doing ends: what is not committed is counted again, and what is
/// not written to the event log is written after the next start.
impl Drop for CountingThreads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
