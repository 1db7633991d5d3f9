//! The exporter beside a scripted API, with the waits of a test.

use std::process::Command;
use std::time::Duration;

use crate::eventually::eventually;
use crate::exposition;
use crate::http::HttpClient;
use crate::program::{Program, command};
use crate::scripted_api::ScriptedApi;

/// The time from an answer of the API to the metrics, on a busy machine.
const SHOWN: Duration = Duration::from_secs(20);

/// The settings of a test: short times, and events of the last hour count.
const SETTINGS: [&str; 7] = [
    "serve",
    "--web.listen-address=127.0.0.1:0",
    "--poll.interval=100ms",
    "--poll.start=1h",
    "--api.timeout=1s",
    "--api.max-requests-per-second=1000",
    "--log.level=trace",
];

/// The settings of an exporter that polls once during a test.
pub const ONE_POLL: [&str; 2] = ["--poll.interval=1h", "--poll.lookback=1h"];

/// A running exporter.
pub struct Exporter {
    pub program: Program,
    http: HttpClient,
}

impl Exporter {
    pub fn polling(api: &ScriptedApi) -> Self {
        Self::polling_with(api, &[])
    }

    /// Starts with `more` in place of the settings of every test.
    pub fn polling_with(api: &ScriptedApi, more: &[&str]) -> Self {
        Self::started_by(&mut command(), &api.base_url(), more)
    }

    pub fn started_by(command: &mut Command, base_url: &str, more: &[&str]) -> Self {
        let arguments = arguments(base_url, more);
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        Self {
            program: Program::started_by(command.args(&arguments), &arguments),
            http: HttpClient::new(),
        }
    }

    pub fn page(&self, path: &str) -> String {
        let page = self.http.get_body(&self.program.url(path));
        page.unwrap_or_else(|error| panic!("{error}\n{}", self.program.log()))
    }

    /// Waits until a page holds `text`.
    pub fn wait_for_text(&self, path: &str, text: &str) {
        eventually(&format!("{text:?} on {path}"), SHOWN, || {
            let page = self.page(path);
            if page.contains(text) {
                Ok(())
            } else {
                Err(page)
            }
        });
    }

    /// Waits until `/-/ready` answers 200, which is a moment after the first poll.
    pub fn wait_until_ready(&self) {
        eventually("readiness", SHOWN, || match self.status("/-/ready") {
            200 => Ok(()),
            status => Err(status.to_string()),
        });
    }

    pub fn status(&self, path: &str) -> u16 {
        let answer = self.http.get(&self.program.url(path));
        answer.expect("an answer").status
    }

    /// Returns the present value of a sample; the value of an absent series is 0.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        exposition::value(&self.page("/metrics"), name, labels).unwrap_or(0.0)
    }

    /// Waits until `accept` agrees with the value of a sample, and returns the value.
    pub fn wait_for(
        &self,
        name: &str,
        labels: &[(&str, &str)],
        accept: impl Fn(f64) -> bool,
    ) -> f64 {
        eventually(&format!("{name}{labels:?}"), SHOWN, || {
            let value = self.value(name, labels);
            if accept(value) {
                return Ok(value);
            }
            Err(format!("{value}\n{}", self.program.log()))
        })
    }

    /// Waits until the last poll succeeded, and history or an outage is read to its end.
    pub fn wait_until_up(&self) {
        self.wait_for("nexmo_audit_up", &[], is(1.0));
        self.wait_for("nexmo_audit_catching_up", &[], is(0.0));
    }

    /// Waits until `number` more polls have ended.
    pub fn wait_for_polls(&self, number: u32) {
        const ENDED: &str = "nexmo_audit_poll_duration_seconds_count";
        let before = self.value(ENDED, &[]);
        self.wait_for(ENDED, &[], |ended| ended >= before + f64::from(number));
    }

    /// Returns the number of events counted in all series together.
    pub fn counted(&self) -> f64 {
        exposition::samples(&self.page("/metrics"))
            .into_iter()
            .filter(|sample| sample.name == "nexmo_audit_events_total")
            .map(|sample| sample.value)
            .sum()
    }
}

/// Returns a predicate for one value. The counters of a test are whole numbers, which
/// floats hold exactly.
pub fn is(expected: f64) -> impl Fn(f64) -> bool {
    move |value| (value - expected).abs() < f64::EPSILON
}

/// Returns the settings of a test, with `more` in place of those of the same name.
fn arguments(base_url: &str, more: &[&str]) -> Vec<String> {
    let given = |argument: &&str| {
        let flag = argument.split('=').next().unwrap_or_default();
        !more
            .iter()
            .any(|other| other.split('=').next() == Some(flag))
    };
    SETTINGS
        .iter()
        .filter(|argument| given(argument))
        .chain(more)
        .map(ToString::to_string)
        .chain([format!("--api.base-url={base_url}")])
        .collect()
}
