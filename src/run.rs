//! Runs one command line, from arguments to exit status.

use std::{ffi::OsString, process::ExitCode, sync::Arc};

use anyhow::{Context, bail};
use jiff::{Timestamp, tz::TimeZone};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    app::{self, App, CountingThreads},
    backfill,
    cli::{self, Action, Ask, SimulateOptions},
    client::REASONS,
    config::{
        AccountOptions, AskSettings, BackfillOptions, BackfillSettings, FoundCredentials,
        GetSettings, Here, ListSettings, LogSettings, Options, Problems, Settings, TypesSettings,
    },
    credentials, demo, events, healthcheck,
    history::Asker,
    logging,
    metrics::SelfMetrics,
    simulator::{Simulator, SimulatorError},
};

/// Bad usage or configuration.
const BAD_CONFIGURATION: u8 = 2;
/// Failed while running.
const FAILED: u8 = 1;

/// Runs one command line: 0 done, 1 failed while running, 2 bad usage or
/// configuration.
pub async fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let action = match cli::parse(arguments) {
        Ok(action) => action,
        Err(error) => error.exit(),
    };
    let outcome = match action {
        Action::Serve(options) => serve(&options).await,
        Action::Events(ask) => ask_for_events(ask).await,
        Action::Backfill(options) => write_history(&options).await,
        Action::Demo(options) => demonstrate(*options).await,
        Action::Simulate(options) => simulate(*options).await,
        Action::Healthcheck(options) => healthcheck::run(&options.listen_address).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if events::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            say(&error);
            ExitCode::from(status(&error))
        }
    }
}

fn status(error: &anyhow::Error) -> u8 {
    let settings = matches!(error.downcast_ref(), Some(SimulatorError::Settings(_)));
    if error.is::<Problems>() || settings {
        BAD_CONFIGURATION
    } else {
        FAILED
    }
}

/// The last word of a program that fails goes to the terminal, whatever is logged.
#[expect(clippy::print_stderr, reason = "logging may not have been started")]
fn say(error: &anyhow::Error) {
    eprintln!("nexmo-audit-exporter: {error:#}");
}

async fn serve(options: &Options) -> anyhow::Result<()> {
    let found = credentials::find(options.account.secret_file.as_deref());
    let settings = Settings::check(options, found)?;
    logging::init(settings.log)?;
    let shutdown = shutdown()?;
    let app = App::bind(&settings).await?;
    let (base_url, interval) = (settings.account.base_url.as_str(), settings.poll.interval);
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        base_url,
        ?interval,
        "started"
    );
    let counting = CountingThreads::start().context("no thread can be started")?;
    app.run(&counting.handle(), shutdown).await
}

async fn ask_for_events(ask: Ask) -> anyhow::Result<()> {
    match ask {
        Ask::List(options) => {
            let found = found(&options.account);
            let settings = ListSettings::check(&options, found, &here())?;
            let asker = asker(&settings.ask)?;
            events::list(settings, asker).await
        }
        Ask::Get(options) => {
            let settings = GetSettings::check(&options, found(&options.account), &here())?;
            let asker = asker(&settings.ask)?;
            events::get(settings, asker).await
        }
        Ask::Types(options) => {
            let settings = TypesSettings::check(&options, found(&options.account))?;
            let asker = asker(&settings.ask)?;
            events::types(settings, asker).await
        }
    }
}

async fn write_history(options: &BackfillOptions) -> anyhow::Result<()> {
    let settings = BackfillSettings::check(options, found(&options.account), &here())?;
    let asker = asker(&settings.ask)?;
    let shutdown = shutdown()?;
    tokio::select! {
        // What was begun is taken away, as after any failure.
        () = shutdown => bail!("interrupted; nothing was written"),
        outcome = backfill::run(settings, asker) => outcome,
    }
}

/// Starts logging, and says who asks.
fn asker(settings: &AskSettings) -> anyhow::Result<Asker> {
    logging::init(settings.log)?;
    // Nobody scrapes a program that ends.
    let metrics = Arc::new(SelfMetrics::new(REASONS)?);
    Ok(Asker::new(app::client(&settings.account, &metrics)?))
}

fn found(options: &AccountOptions) -> FoundCredentials {
    credentials::find(options.secret_file.as_deref())
}

fn here() -> Here {
    Here {
        now: Timestamp::now(),
        zone: TimeZone::system(),
    }
}

async fn demonstrate(options: Options) -> anyhow::Result<()> {
    logging::init(LogSettings::check(&options.log)?)?;
    let shutdown = shutdown()?;
    demo::run(options, shutdown).await
}

async fn simulate(options: SimulateOptions) -> anyhow::Result<()> {
    logging::init(LogSettings::check(&options.log)?)?;
    let shutdown = shutdown()?;
    Simulator::bind(options.simulator)
        .await?
        .run(shutdown)
        .await;
    Ok(())
}

/// Resolves on `SIGTERM` or Ctrl-C.
fn shutdown() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
