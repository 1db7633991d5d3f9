//! Wires the parts together: a poller that counts, a server that shows it.

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Instant};

use anyhow::{Context, bail};
use jiff::SignedDuration;

use crate::{
    client::{Client, ClientSettings, Credentials, REASONS},
    config::{PollSettings, Settings, Start},
    exposition::Exposition,
    metrics::SelfMetrics,
    poller::{PollStart, Poller, PollerSettings},
    server::{Server, Site, bind},
    status::Status,
    window::WindowSettings,
};

/// How much longer than the lookback an id is remembered, for polls that take
/// their time.
const RETENTION_MARGIN: SignedDuration = SignedDuration::from_hours(1);

/// The exporter, bound and ready to run.
#[derive(Debug)]
pub struct App {
    poller: Poller,
    server: Server,
}

impl App {
    /// Takes the ports and prepares everything. Nothing is asked of the API yet.
    ///
    /// # Errors
    /// With what a person can do about it.
    pub async fn bind(settings: &Settings) -> anyhow::Result<Self> {
        let mut listeners = Vec::new();
        for address in &settings.listen {
            listeners.push(bind(address.host.as_deref(), address.port).await?);
        }
        let metrics =
            Arc::new(SelfMetrics::new(REASONS).context("the metrics cannot be registered")?);
        metrics
            .register_process()
            .context("the process metrics cannot be registered")?;
        let exposition = Arc::new(Exposition::new(Arc::clone(&metrics)));
        let status = Arc::new(Status::new(Instant::now()));
        let client = client(settings, &metrics)?;
        let site = Site {
            telemetry_path: settings.telemetry_path.clone(),
            exposition: Arc::clone(&exposition),
            status: Arc::clone(&status),
        };
        Ok(Self {
            poller: Poller::new(
                poller_settings(settings),
                client,
                metrics,
                exposition,
                status,
            ),
            server: Server::new(listeners, site),
        })
    }

    /// The addresses in use, with the ports that were taken for 0.
    ///
    /// # Errors
    /// When the system cannot tell.
    pub fn local_addresses(&self) -> io::Result<Vec<SocketAddr>> {
        self.server.local_addresses()
    }

    /// Polls and serves until `shutdown` resolves and answers in flight have ended.
    ///
    /// # Errors
    /// When the poller ended by itself, which only a defect can make it do.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        for address in self.local_addresses()? {
            tracing::info!(%address, "listening");
        }
        let mut polling = tokio::spawn(self.poller.run());
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

fn client(settings: &Settings, metrics: &Arc<SelfMetrics>) -> anyhow::Result<Client> {
    let account = &settings.account;
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

fn poller_settings(settings: &Settings) -> PollerSettings {
    let PollSettings {
        interval,
        lookback,
        start,
    } = settings.poll;
    PollerSettings {
        interval,
        request_timeout: settings.account.timeout,
        window: WindowSettings {
            lookback,
            retention: lookback + RETENTION_MARGIN,
        },
        start: match start {
            Start::Now => PollStart::Now,
            Start::Age(age) => PollStart::Age(age),
            Start::At(time) => PollStart::At(time),
        },
        max_series: settings.max_series,
    }
}
