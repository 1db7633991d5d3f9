//! Connects the parts of `serve`: the accounts that are polled, the server that answers
//! scrapes, and reloads of the configuration, which change the accounts.

mod accounts;
mod counting_threads;
mod event_log;
mod plan;
mod running_account;
mod supervisor;

pub(crate) use counting_threads::CountingThreads;
pub(crate) use plan::client;

use std::{future::Future, io, net::SocketAddr, sync::Arc};

use anyhow::Context;
use exporter_web::{Server, WebConfigFile, bind};
use jiff::Timestamp;
use tokio::{runtime::Handle, time::Instant};

use crate::{
    api::HttpClients,
    config::{Problems, Settings},
    exposition::{Exposition, ExpositionSettings},
    gate::SharedGate,
    metrics::ProcessMetrics,
    poller::{SystemClock, health::Health},
    server::{ExporterSite, reload::ReloadHandle},
    store::SharedStore,
};
use accounts::{Accounts, SharedParts};
use audit_core::gate::Gate;
use event_log::SharedEventLog;
use supervisor::Supervisor;

/// Reads the current configuration. May wait for files.
pub(crate) type ReadSettings = Arc<dyn Fn() -> anyhow::Result<Settings> + Send + Sync>;

/// The exporter, with its ports bound and its accounts prepared.
pub struct Exporter {
    supervisor: Supervisor,
    reload: ReloadHandle,
    server: Server<ExporterSite>,
}

impl Exporter {
    /// Binds the ports, opens the store and prepares the accounts. Sends no request to the
    /// API yet.
    ///
    /// # Errors
    ///
    /// If a file cannot be used or a port cannot be bound. The message says what to do.
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
        let gate = Arc::new(SharedGate::new(gate));
        let exposition = Exposition::new(Arc::clone(&process), Arc::clone(&gate), exposition);
        let exposition = Arc::new(exposition);
        let started = Instant::now();
        let health = Arc::new(Health::default());
        let (reload, reloads) = ReloadHandle::new();
        let site = ExporterSite::new(
            settings.telemetry_path.clone(),
            Arc::clone(&exposition),
            Arc::clone(&gate),
            Arc::clone(&health),
            settings.enable_lifecycle.then(|| reload.clone()),
            started.into_std(),
        );
        let shared = SharedParts {
            store,
            http_clients: HttpClients::default(),
            exposition,
            gate,
            health,
            clock: SystemClock::new(started),
            event_log: settings.event_log.as_ref().map(SharedEventLog::new),
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

    /// Sets how a reload reads the configuration. Without it a reload changes nothing.
    pub(crate) fn reload_from(mut self, read: ReadSettings) -> Self {
        self.supervisor.read = Some(read);
        self
    }

    /// Returns a handle that asks for reloads.
    pub(crate) fn reload_handle(&self) -> ReloadHandle {
        self.reload.clone()
    }

    /// Returns the addresses that are bound. A port 0 of the settings is the port that the
    /// system chose.
    ///
    /// # Errors
    ///
    /// If the system cannot tell the addresses.
    pub fn local_addresses(&self) -> io::Result<Vec<SocketAddr>> {
        self.server.local_addresses()
    }

    /// Serves until `shutdown` resolves and the responses in flight are sent. Polls on
    /// the threads of `counting`; in the program, these are `CountingThreads`.
    ///
    /// # Errors
    ///
    /// If the system cannot tell the addresses that are bound.
    pub async fn run(
        self,
        counting: &Handle,
        shutdown: impl Future<Output = ()>,
    ) -> anyhow::Result<()> {
        for address in self.local_addresses()? {
            tracing::info!(%address, "listening");
        }
        // On the counting threads, since it waits for the disk when it prepares accounts.
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

fn process_metrics() -> prometheus::Result<Arc<ProcessMetrics>> {
    let process = ProcessMetrics::new()?;
    process.register_process()?;
    process.reloaded(Some(Timestamp::now()));
    Ok(Arc::new(process))
}
