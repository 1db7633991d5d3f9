//! Wires the parts together: a poller that counts, a server that shows it.

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use jiff::{SignedDuration, Timestamp};
use tokio::{
    runtime::{Builder, Handle, Runtime},
    time::Instant,
};

use crate::{
    client::{Client, ClientSettings, Credentials, REASONS},
    config::{AccountSettings, EventLogSettings, ScrapeInterval, Settings, Start},
    event_log::{Destination, EventLog, LogFile},
    exposition::{Exposition, ExpositionSettings},
    ledger::{self, Gate},
    metrics::SelfMetrics,
    outbox::{Content, Outbox, Written},
    poller::{Parts, PollStart, PollerSettings, PollerStart, SystemClock},
    server::{Server, Site, WebConfigFile, bind},
    status::Status,
    storage::StoredAccount,
    window::WindowSettings,
};

/// How much longer than any poll looks back an id is remembered, for polls that
/// take their time.
const RETENTION_MARGIN: SignedDuration = SignedDuration::from_hours(1);

/// About how many requests of an account wait for their turn at once.
const PAGES_AT_ONCE: f64 = 8.0;

/// The exporter, bound and ready to run.
#[derive(Debug)]
pub struct App {
    poller: PollerStart<StoredAccount>,
    event_log: Option<EventLog>,
    server: Server,
}

/// Threads for counting alone, so that no scrape waits while pages are parsed: the
/// system lets a thread that has slept run first.
#[derive(Debug)]
pub struct CountingThreads(Option<Runtime>);

impl App {
    /// Takes the ports and prepares everything. Nothing is asked of the API yet.
    ///
    /// # Errors
    /// With what a person can do about it.
    pub async fn bind(settings: &Settings) -> anyhow::Result<Self> {
        let web = Arc::new(WebConfigFile::read(settings.web_config.as_deref())?);
        let mut listeners = Vec::new();
        for address in &settings.listen {
            listeners.push(bind(address.host.as_deref(), address.port).await?);
        }
        let metrics =
            Arc::new(SelfMetrics::new(REASONS).context("the metrics cannot be registered")?);
        metrics
            .register_process()
            .context("the process metrics cannot be registered")?;
        let client = client(&settings.account, &metrics)?;
        let poller = poller_settings(settings);
        let storage = StoredAccount::open(&settings.storage_path, &settings.account.key)?;
        let stored = storage.load(poller.window, poller.max_series)?;
        let gate = Gate::new(
            scrape_interval(settings),
            &storage.load_gate(Timestamp::now())?,
        );
        let exposition = ExpositionSettings {
            created: settings.created_timestamps.then(Timestamp::now),
        };
        let exposition = Arc::new(Exposition::new(Arc::clone(&metrics), gate, exposition));
        let started = Instant::now();
        let status = Arc::new(Status::new(started.into_std()));
        let path = settings.telemetry_path.clone();
        let site = Site::new(
            path,
            Arc::clone(&exposition),
            Arc::clone(&status),
            started.into_std(),
        );
        let clock = SystemClock { started };
        let (outbox, event_log) = match &settings.event_log {
            Some(settings) => {
                let (outbox, event_log) = event_log(settings, &storage)?;
                (outbox, Some(event_log))
            }
            None => (Outbox::default(), None),
        };
        let parts = Parts {
            client,
            storage,
            clock,
            metrics,
            exposition,
            status,
            outbox,
        };
        Ok(Self {
            poller: PollerStart::new(poller, parts, stored),
            event_log,
            server: Server::new(listeners, site, web, settings.max_requests),
        })
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
    /// When the poller ended by itself, which only a defect can make it do.
    pub async fn run(
        self,
        counting: &Handle,
        shutdown: impl Future<Output = ()>,
    ) -> anyhow::Result<()> {
        for address in self.local_addresses()? {
            tracing::info!(%address, "listening");
        }
        let mut polling = counting.spawn(self.poller.run());
        if let Some(log) = self.event_log {
            counting.spawn(log.run());
        }
        let mut poller_ended = false;
        let stop = async {
            tokio::select! {
                () = shutdown => tracing::info!("shutting down"),
                _ = &mut polling => poller_ended = true,
            }
        };
        self.server.run(stop).await;
        polling.abort();
        if poller_ended {
            bail!("the poller ended, which is a defect: please report it with the log");
        }
        Ok(())
    }
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

/// The event log, and where its lines begin.
fn event_log(
    settings: &EventLogSettings,
    storage: &StoredAccount,
) -> anyhow::Result<(Outbox, EventLog)> {
    let content = if settings.personal_data {
        Content::Everything
    } else {
        Content::Impersonal
    };
    let destination = match &settings.path {
        Some(path) => Destination::File(LogFile::new(path.clone())),
        None => Destination::Standard,
    };
    let written = Written::default();
    let outbox = Outbox::new(content, storage.last_line()?, written.clone());
    Ok((outbox, EventLog::new(storage.lines(), destination, written)))
}

/// Asks the API of an account.
///
/// # Errors
/// When TLS cannot be set up.
pub(crate) fn client(
    account: &AccountSettings,
    metrics: &Arc<SelfMetrics>,
) -> anyhow::Result<Client> {
    let client = ClientSettings {
        base_url: account.base_url.clone(),
        timeout: account.timeout,
        max_requests_per_second: account.max_requests_per_second,
    };
    let credentials = Credentials {
        key: account.key.clone(),
        secret: account.secret.clone(),
    };
    Client::new(&client, credentials, Arc::clone(metrics))
        .context("TLS cannot be set up; are CA certificates installed (package ca-certificates)?")
}

fn scrape_interval(settings: &Settings) -> ledger::ScrapeInterval {
    match settings.scrape_interval {
        ScrapeInterval::Auto => ledger::ScrapeInterval::Learned,
        ScrapeInterval::Fixed(interval) => ledger::ScrapeInterval::Fixed(interval),
        ScrapeInterval::Off => ledger::ScrapeInterval::Off,
    }
}

fn poller_settings(settings: &Settings) -> PollerSettings {
    let poll = settings.poll;
    // A request may have to wait for its turn first.
    let turn =
        Duration::try_from_secs_f64(PAGES_AT_ONCE / settings.account.max_requests_per_second);
    let turn = turn.unwrap_or(Duration::MAX / 2);
    PollerSettings {
        interval: poll.interval,
        request_timeout: settings.account.timeout + turn,
        window: WindowSettings {
            lookback: poll.lookback,
            retention: poll.reconcile_lookback + RETENTION_MARGIN,
        },
        reconcile_interval: poll.reconcile_interval,
        reconcile_lookback: poll.reconcile_lookback,
        start: match poll.start {
            Start::Now => PollStart::Now,
            Start::Age(age) => PollStart::Age(age),
            Start::At(time) => PollStart::At(time),
        },
        max_series: settings.max_series,
    }
}
