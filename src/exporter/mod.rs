//! Connects the parts of `serve`: the accounts that are polled, the server that answers
//! scrapes, reloads of the configuration, which change the accounts, and the end.

mod accounts;
mod counting_threads;
mod descriptors;
mod disk_watch;
mod event_log;
mod last_call;
mod load;
mod notifications;
mod outside;
mod pause;
mod plan;
mod running_account;
mod service_manager;
mod supervisor;
mod trial;

pub use accounts::{Accounts, Difference, StoppedAccounts};
pub(crate) use counting_threads::CountingThreads;
pub use load::{SharedParts, StartError};
pub use outside::{Outside, ReloadedApi};
pub(crate) use plan::client;
pub use service_manager::ServiceManager;
pub(crate) use trial::try_places;

use std::{
    io,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use anyhow::{Context, bail};
use exporter_web::{InheritedSocket, Listener, LocalAddress, Server, WebConfigFile, bind};
use jiff::Timestamp;
use tokio::{runtime::Handle, sync::oneshot};

use crate::{
    api::HttpClients,
    config::Settings,
    metrics::{ProcessMetrics, log_seconds},
    poller::health::Health,
    server::{ExporterSite, Liveness, ScrapeRecorder, reload::ReloadHandle},
    store::{SharedStore, try_state},
};
use event_log::SharedEventLog;
use last_call::LastCall;
use notifications::Notifications;
use outside::HttpOutside;
use supervisor::Supervisor;

/// The longest that the end of the process takes after the last call: answers in flight, the
/// event log and the state.
const AFTER_LAST_CALL: Duration = Duration::from_secs(25);
/// The longest that the end of the process waits for the state to be closed.
const LONGEST_END: Duration = Duration::from_secs(4);

/// Reads the current configuration. May wait for files.
pub(crate) type ReadSettings = Arc<dyn Fn() -> anyhow::Result<Settings> + Send + Sync>;

/// The exporter, with its addresses bound and its accounts prepared.
pub struct Exporter {
    supervisor: Supervisor,
    reload: ReloadHandle,
    server: Server<ExporterSite>,
    health: Arc<Health>,
    last_call: LastCall,
    notifications: Arc<Notifications>,
    store: SharedStore,
    event_log: Option<Arc<SharedEventLog>>,
}

impl Exporter {
    /// Binds the addresses, opens the store and prepares the accounts. Sends no request to the
    /// API yet. `web` is the web configuration of the settings. The sockets that `manager` hands
    /// over are used in place of the addresses.
    ///
    /// # Errors
    ///
    /// If an address cannot be bound or the state cannot be used, or both. The message says what
    /// to do.
    pub async fn bind(
        settings: &Settings,
        web: WebConfigFile,
        mut manager: ServiceManager,
    ) -> anyhow::Result<Self> {
        let web = Arc::new(web);
        let listeners = listeners(settings, std::mem::take(&mut manager.sockets)).await?;
        // Before the server takes its share.
        let bounds = descriptors::raise(settings);
        let process = process_metrics().context("the metrics cannot be registered")?;
        let shared = SharedParts::open(settings, Arc::clone(&process), Timestamp::now, || {
            HttpOutside::new(HttpClients::new(settings.proxy.clone(), bounds))
        })?;
        let started = shared.outside.started();
        let (exposition, gate) = (Arc::clone(&shared.exposition), Arc::clone(&shared.gate));
        let (health, store) = (Arc::clone(&shared.health), shared.store.clone());
        let event_log = shared.event_log.clone();
        let liveness = Liveness {
            health: Arc::clone(&health),
            state: Arc::clone(store.disk()),
        };
        let (reload, reloads) = ReloadHandle::new();
        let recorder = ScrapeRecorder::new(Arc::clone(&gate), started.into_std());
        let recorder = Arc::new(recorder);
        let site = ExporterSite {
            telemetry_path: settings.telemetry_path.clone(),
            exposition: Arc::clone(&exposition),
            gate: Arc::clone(&gate),
            scrape_interval: settings.scrape_interval,
            web: Arc::clone(&web),
            liveness: liveness.clone(),
            process: Arc::clone(&process),
            started: started.into_std(),
            reload: settings.enable_lifecycle.then(|| reload.clone()),
            recorder: Arc::clone(&recorder),
            event_log: event_log.as_ref().map(|log| log.disk()),
        };
        let last_call = LastCall {
            exposition,
            gate,
            recorder,
            started,
            timeout: settings.shutdown_timeout,
        };
        let notifications = Arc::new(Notifications {
            manager,
            liveness,
            process: Arc::clone(&process),
            started,
            is_stopping: AtomicBool::new(false),
        });
        let supervisor = Supervisor {
            settings: Settings {
                accounts: Vec::new(),
                ..settings.clone()
            },
            accounts: Accounts::new(shared, settings)?,
            process,
            web: Arc::clone(&web),
            reloads,
            read: None,
            notifications: Arc::clone(&notifications),
        };
        Ok(Self {
            supervisor,
            reload,
            server: Server::new(listeners, site, web).max_requests(settings.max_requests),
            health,
            last_call,
            notifications,
            store,
            event_log,
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
    pub fn local_addresses(&self) -> io::Result<Vec<LocalAddress>> {
        self.server.local_addresses()
    }

    /// Serves until `signal` resolves, the last call is over, and the responses in flight
    /// are sent. The last call is over at once if `signal` resolves another time. Polls on
    /// the threads of `counting`; in the program, these are `CountingThreads`.
    ///
    /// # Errors
    ///
    /// If the system cannot tell the addresses that are bound.
    pub async fn run(self, counting: &Handle, mut signal: impl AsyncFnMut()) -> anyhow::Result<()> {
        for address in self.local_addresses()? {
            tracing::info!(%address, "listening");
        }
        let (stop_polling, stop) = oneshot::channel();
        let mut stop_polling = Some(stop_polling);
        // On the counting threads, since it waits for the disk when it prepares accounts.
        let mut supervising = counting.spawn(self.supervisor.run(counting.clone(), stop));
        let state = Arc::clone(self.store.disk());
        let watching = tokio::spawn(disk_watch::run(state, self.event_log.clone()));
        let notifications = Arc::clone(&self.notifications);
        let notifying = tokio::spawn(async move { notifications.run().await });
        // What the accounts show is shown until the end.
        let mut stopped = None;
        let shutdown = async {
            signal().await;
            tracing::info!("shutting down");
            let at_most = self.last_call.timeout.saturating_add(AFTER_LAST_CALL);
            self.notifications.stopping(at_most);
            if self.last_call.timeout.is_zero() {
                return;
            }
            self.health.set_ending();
            let polling_stopped = async {
                tell_to_stop(&mut stop_polling);
                stopped = (&mut supervising).await.ok();
            };
            tokio::select! {
                () = self.last_call.run(polling_stopped) => {}
                () = signal() => tracing::info!("another signal ended the wait"),
            }
        };
        self.server.run(shutdown).await;
        let stopping = async {
            if !supervising.is_finished() {
                tell_to_stop(&mut stop_polling);
                stopped = (&mut supervising).await.ok();
            }
        };
        // If a commit hangs, so does the close below, which says so.
        let _ = tokio::time::timeout(LONGEST_END, stopping).await;
        // The state is closed also if the log hangs, since the wait for the log has a bound.
        if let Some(event_log) = &self.event_log {
            event_log.end().await;
        }
        let closing = close(self.store, counting);
        if tokio::time::timeout(LONGEST_END, closing).await.is_err() {
            tracing::warn!(
                at_most_seconds = log_seconds(LONGEST_END),
                "the state could not be closed in time, since the disk does not answer; the next start checks it"
            );
        }
        watching.abort();
        notifying.abort();
        drop(stopped);
        Ok(())
    }
}

/// Returns the sockets that are inherited or, if there are none, binds the addresses.
async fn listeners(
    settings: &Settings,
    inherited: Vec<InheritedSocket>,
) -> anyhow::Result<Vec<Listener>> {
    if inherited.is_empty() {
        return match bind(&settings.listen).await {
            Ok(listeners) => Ok(listeners),
            Err(addresses) => match try_state(&settings.storage_path) {
                Ok(()) => Err(addresses.into()),
                Err(state) => bail!("{addresses}\n{state}"),
            },
        };
    }
    let names: Vec<&str> = inherited.iter().map(|socket| &*socket.name).collect();
    tracing::info!(
        sockets = inherited.len(),
        names = names.join(", "),
        "the sockets of the service manager are used in place of --web.listen-address"
    );
    let listeners = inherited.into_iter().map(InheritedSocket::listener);
    listeners
        .collect::<io::Result<_>>()
        .context("the sockets of the service manager cannot be used")
}

/// Tells the supervisor to stop polling, unless it was told before.
fn tell_to_stop(stop_polling: &mut Option<oneshot::Sender<()>>) {
    if let Some(stop_polling) = stop_polling.take() {
        // The supervisor does not end before it is told to.
        let _ = stop_polling.send(());
    }
}

/// Closes the state.
async fn close(store: SharedStore, counting: &Handle) {
    // The end of the process does not wait for the threads of `counting`.
    let closed = counting.spawn_blocking(move || store.close()).await;
    if let Ok(Err(error)) = closed {
        tracing::warn!(%error, "the state could not be closed; the next start checks it");
    }
}

fn process_metrics() -> prometheus::Result<Arc<ProcessMetrics>> {
    let process = ProcessMetrics::new()?;
    process.register_process()?;
    process.reloaded(Timestamp::now());
    Ok(Arc::new(process))
}
