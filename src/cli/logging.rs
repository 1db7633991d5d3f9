//! Logs to standard error: logfmt or JSON, a line each. Of a panic too, which is told
//! by its place: the words of one may quote what was being read.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    panic::{self, PanicHookInfo},
};

use tracing::Level;
use tracing_subscriber::{Layer, filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{LogFormat, LogLevel, LogSettings};

/// The crates of this workspace that log.
const OWN_CRATES: [&str; 3] = [env!("CARGO_CRATE_NAME"), "audit_simulator", "exporter_web"];

/// Starts logging. Libraries are heard from warn on: what they say below that may
/// quote a request.
///
/// # Errors
/// When logging was started before.
pub fn init(settings: LogSettings) -> anyhow::Result<()> {
    let level = match settings.level {
        LogLevel::Error => Level::ERROR,
        LogLevel::Warn => Level::WARN,
        LogLevel::Info => Level::INFO,
        LogLevel::Debug => Level::DEBUG,
        LogLevel::Trace => Level::TRACE,
    };
    let targets = Targets::new()
        .with_default(level.min(Level::WARN))
        .with_targets(OWN_CRATES.map(|name| (name, level)));
    let lines = match settings.format {
        LogFormat::Logfmt => tracing_logfmt::builder()
            .with_span_name(false)
            .with_span_path(false)
            .layer()
            .with_writer(std::io::stderr)
            .boxed(),
        LogFormat::Json => tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_writer(std::io::stderr)
            .boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(targets))
        .try_init()?;
    panic::set_hook(Box::new(log_panic));
    Ok(())
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let at = panic.location().map(ToString::to_string);
    // Words that were in the program are told; those that were put together are not.
    let words = panic.payload().downcast_ref::<&'static str>().copied();
    let trace = Backtrace::capture();
    let trace = (trace.status() == BacktraceStatus::Captured).then(|| trace.to_string());
    tracing::error!(
        at,
        words,
        trace,
        "a part of the program panicked; if nothing else explains it, please report it"
    );
}
