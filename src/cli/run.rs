//! Runs one command line, from arguments to exit status.

use std::{
    ffi::OsString,
    io::{IsTerminal, stdout},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use audit_simulator::{Simulator, SimulatorError};
use exporter_web::{InheritedSocket, InheritedSocketError, read_file};
use jiff::{Timestamp, Zoned};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{Instrument, Span};

use crate::{
    api::{ApiBounds, HttpClients, REASONS},
    cli::{
        self, Action, EventsAction, Request, SimulateOptions, UsageError, check_config, demo,
        healthcheck, logging, state,
    },
    config::{
        AccountOptions, BackfillOptions, BackfillSettings, Environment, GetSettings, ListSettings,
        LogSettings, Options, Problems, QuerySettings, Settings, Sources, TypesSettings,
    },
    exporter::{self, CountingThreads, Exporter, ServiceManager},
    metrics::{AccountMetrics, ProcessMetrics, log_seconds},
    query::{self, backfill, events, history::RetryingClient},
    server::reload::ReloadHandle,
};

/// The largest config file that is read, in bytes: room for tens of thousands of accounts.
const MAX_CONFIG_BYTES: u64 = 16 << 20;
/// The longest that a start may take: a state with millions of ids on a slow disk.
const LONGEST_START: Duration = Duration::from_mins(10);
/// The exit status after bad usage or a bad configuration.
const BAD_CONFIGURATION: u8 = 2;
/// The exit status after a failure.
const FAILED: u8 = 1;

/// The sockets that a service manager hands over, or why they cannot be used.
type Inherited = Result<Vec<InheritedSocket>, InheritedSocketError>;

/// Runs one command line and returns its exit status: 0 after success, 1 after a
/// failure, 2 after bad usage or a bad configuration. The command `serve` uses the sockets
/// that are inherited.
pub async fn run(arguments: impl IntoIterator<Item = OsString>, inherited: Inherited) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let request = match parse(&arguments) {
        Ok(request) => request,
        Err(UsageError::CommandLine(error)) => error.exit(),
        Err(UsageError::ConfigFile(problems)) => return failed(&problems.into()),
    };
    let Request { action, sources } = request;
    let outcome = match action {
        Action::Serve(options) => serve(&options, sources, arguments, inherited).await,
        Action::Events(action) => query_events(action, sources).await,
        Action::Backfill(options) => write_history(&options, sources).await,
        Action::State(action) => state::run(action, sources).await,
        Action::CheckConfig(options) => check_config::run(&options, sources).await,
        Action::Demo(options) => demonstrate(*options).await,
        Action::Simulate(options) => simulate(*options).await,
        Action::Healthcheck(options) => healthcheck::run(&options.listen_address).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if events::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn parse(arguments: &[OsString]) -> Result<Request, UsageError> {
    cli::parse(arguments.iter().cloned(), |path| {
        read_file(path, MAX_CONFIG_BYTES)
    })
}

fn failed(error: &anyhow::Error) -> ExitCode {
    query::print_message(&format_args!("{error:#}"));
    ExitCode::from(status(error))
}

fn status(error: &anyhow::Error) -> u8 {
    let settings = matches!(error.downcast_ref(), Some(SimulatorError::Settings(_)));
    if error.is::<Problems>() || settings {
        BAD_CONFIGURATION
    } else {
        FAILED
    }
}

async fn serve(
    options: &Options,
    sources: Sources,
    arguments: Vec<OsString>,
    inherited: Inherited,
) -> anyhow::Result<()> {
    let (settings, web) = check_config::settings(options, sources)?;
    logging::init(settings.log)?;
    log_warnings(&settings.warnings);
    let mut signals = ShutdownSignals::new()?;
    // From here on SIGHUP does not end the program.
    let hangup = signal(SignalKind::hangup())?;
    let manager = ServiceManager::of_environment(inherited?);
    manager.starting(LONGEST_START);
    let exporter = Exporter::bind(&settings, web, manager).await?;
    let read = move || read_settings(&arguments);
    let exporter = exporter.reload_from(Arc::new(read));
    let (accounts, interval) = (settings.accounts.len(), settings.poll.interval);
    let base_url = settings
        .accounts
        .first()
        .map(|account| account.base_url.as_str());
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        accounts,
        base_url,
        interval_seconds = log_seconds(interval),
        "started"
    );
    drop(settings);
    let counting = CountingThreads::start().context("no thread can be started")?;
    let reloading = tokio::spawn(reload_on(hangup, exporter.reload_handle()));
    let signal = async || signals.next().await;
    let outcome = exporter.run(&counting.handle(), signal).await;
    reloading.abort();
    outcome
}

async fn reload_on(mut hangup: Signal, reload: ReloadHandle) {
    while hangup.recv().await.is_some() {
        // The reload logs its outcome.
        let _ = reload.reload().await;
    }
}

/// Reads the settings again from flags, the environment and files.
fn read_settings(arguments: &[OsString]) -> anyhow::Result<Settings> {
    let Request { action, sources } = match parse(arguments) {
        // The log writes `Problems` one by one.
        Err(UsageError::ConfigFile(problems)) => return Err(problems.into()),
        parsed => parsed?,
    };
    let Action::Serve(options) = action else {
        bail!("the command line names another command than serve");
    };
    let environment = environment(&options.account, sources);
    let settings = Settings::check(&options, environment)?;
    log_warnings(&settings.warnings);
    Ok(settings)
}

/// Logs what can be used, and is probably not what was meant.
fn log_warnings(warnings: &[String]) {
    for warning in warnings {
        tracing::warn!("{warning}");
    }
}

async fn query_events(action: EventsAction, sources: Sources) -> anyhow::Result<()> {
    match action {
        EventsAction::List(options) => {
            let environment = environment(&options.account, sources);
            let settings = ListSettings::check(&options, environment, &Zoned::now())?;
            let client = client(&settings.query)?;
            let span = account_span(&settings.query);
            events::list(settings, client).instrument(span).await
        }
        EventsAction::Get(options) => {
            let settings = GetSettings::check(
                &options,
                environment(&options.account, sources),
                &Zoned::now(),
            )?;
            let client = client(&settings.query)?;
            let span = account_span(&settings.query);
            events::get(settings, client).instrument(span).await
        }
        EventsAction::Types(options) => {
            let settings = TypesSettings::check(&options, environment(&options.account, sources))?;
            let client = client(&settings.query)?;
            let span = account_span(&settings.query);
            events::types(settings, client).instrument(span).await
        }
    }
}

async fn write_history(options: &BackfillOptions, sources: Sources) -> anyhow::Result<()> {
    let settings = BackfillSettings::check(
        options,
        environment(&options.account, sources),
        Timestamp::now(),
        stdout().is_terminal(),
    )?;
    let client = client(&settings.query)?;
    let span = account_span(&settings.query);
    let mut signals = ShutdownSignals::new()?;
    tokio::select! {
        // Files that were begun are removed, as after any failure.
        () = signals.next() => bail!("interrupted; nothing was written"),
        outcome = backfill::run(settings, client).instrument(span) => outcome,
    }
}

/// Starts logging, and returns the client of the account.
fn client(settings: &QuerySettings) -> anyhow::Result<RetryingClient> {
    logging::init(settings.log)?;
    log_warnings(&settings.warnings);
    // The metrics go nowhere: nothing scrapes a command that ends.
    let metrics = Arc::new(AccountMetrics::new(REASONS, &ProcessMetrics::new()?));
    Ok(RetryingClient::new(exporter::client(
        &HttpClients::new(settings.proxy.clone(), ApiBounds::ONE_ACCOUNT),
        &settings.account,
        &metrics,
    )?))
}

/// Returns the span that names the account in each line of the log.
fn account_span(settings: &QuerySettings) -> Span {
    // The highest level, so that the span exists at every level of the log.
    settings
        .account
        .name
        .as_deref()
        .map_or_else(Span::none, |name| {
            tracing::error_span!("account", account = name)
        })
}

pub(super) fn environment(options: &AccountOptions, sources: Sources) -> Environment {
    Environment::read(sources, options.secret_file.as_deref())
}

async fn demonstrate(options: Options) -> anyhow::Result<()> {
    logging::init(LogSettings::check(&options.log)?)?;
    let mut signals = ShutdownSignals::new()?;
    demo::run(options, async || signals.next().await).await
}

async fn simulate(options: SimulateOptions) -> anyhow::Result<()> {
    logging::init(LogSettings::check(&options.log)?)?;
    let mut signals = ShutdownSignals::new()?;
    Simulator::bind(options.simulator)
        .await?
        .run(async move { signals.next().await })
        .await;
    Ok(())
}

/// The signals that end the program.
pub(super) struct ShutdownSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl ShutdownSignals {
    pub(super) fn new() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Resolves on the next `SIGTERM` or Ctrl-C.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
