//! Logs to standard error, as logfmt or JSON, one line for each event. A panic is logged
//! with its place and without its message, which may quote what was being read.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    fmt,
    panic::{self, PanicHookInfo},
};

use jiff::Timestamp;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer, time::FormatTime},
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

use crate::config::{LogFormat, LogLevel, LogSettings};

/// The crates of this workspace that log.
const OWN_CRATES: [&str; 3] = [env!("CARGO_CRATE_NAME"), "audit_simulator", "exporter_web"];

/// Starts logging. Libraries log from `warn` on: their lower levels may quote a request.
///
/// # Errors
/// An error if logging was started before.
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
            .with_timestamp(false)
            .with_target(false)
            .with_span_name(false)
            .with_span_path(false)
            .layer()
            .map_event_format(Timed)
            .with_writer(std::io::stderr)
            .boxed(),
        LogFormat::Json => tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_timer(Milliseconds)
            .with_target(false)
            .with_writer(std::io::stderr)
            .boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(targets))
        .try_init()?;
    panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Writes the time of an event in milliseconds, and then what `F` writes of the event:
/// the formatter of logfmt has no other precision than nanoseconds.
struct Timed<F>(F);

impl<S, N, F> FormatEvent<S, N> for Timed<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        writer.write_str("ts=")?;
        Milliseconds.format_time(&mut writer)?;
        writer.write_char(' ')?;
        self.0.format_event(context, writer, event)
    }
}

/// The time in UTC, to the millisecond.
struct Milliseconds;

impl FormatTime for Milliseconds {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        write!(writer, "{:.3}", Timestamp::now())
    }
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let at = panic.location().map(ToString::to_string);
    // A message that is a literal of the program is logged; a formatted message is not.
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
