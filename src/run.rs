//! Runs one command line, from arguments to exit status.

use std::{ffi::OsString, process::ExitCode};

use tokio::signal::unix::{SignalKind, signal};

use crate::{
    app::App,
    cli::{self, Action, SimulateOptions},
    config::{LogSettings, Options, Problems, Settings},
    credentials, demo, logging,
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
        Action::Demo(options) => demonstrate(*options).await,
        Action::Simulate(options) => simulate(*options).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
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
    app.run(shutdown).await
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
