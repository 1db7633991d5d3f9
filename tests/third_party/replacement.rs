//! An exporter that is replaced under another address loses no event for a real server,
//! if it is ended by SIGTERM.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::audit_event::event;
use test_support::eventually::eventually;
use test_support::exporter::Exporter;
use test_support::scripted_api::{ScriptedApi, healthy};
use test_support::tools;

use crate::prometheus_server::Prometheus;

const REPLACEMENTS: usize = 3;
/// The number of events that are shown just before each replacement.
const EVENTS: usize = 5;
const METRIC: &str = "nexmo_audit_events_by_type_total{event_type=\"NUMBER_ASSIGN\"}";
/// The time from a cause to its sample, on a busy machine.
const SOON: Duration = Duration::from_secs(40);
/// The time that a shutdown may take: `--web.shutdown-timeout`, and the answers in flight.
const SHUTDOWN: Duration = Duration::from_secs(35);

/// An account, the exporter that counts it, and a server that scrapes the exporter.
struct Replaceable {
    api: ScriptedApi,
    exporter: Exporter,
    server: Prometheus,
    events: Vec<Value>,
    /// The state of the exporter, and the file that names its address to the server.
    folder: TempDir,
}

impl Replaceable {
    fn start(server: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let api = ScriptedApi::start(healthy(Vec::new()));
        let exporter = exporter(&api, folder.path());
        name_target(folder.path(), &exporter);
        let config = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n\
             scrape_configs:\n\
             - job_name: audit\n  \
               file_sd_configs: [{{files: ['{}'], refresh_interval: 1s}}]\n",
            targets(folder.path()).display()
        );
        let server = Prometheus::start(server, &config);
        server.expect(METRIC, SOON, |value| value < 0.5);
        Self {
            api,
            exporter,
            server,
            events: Vec::new(),
            folder,
        }
    }

    /// Lets events happen, and returns as soon as the exporter shows them.
    fn show(&mut self, number: usize) {
        for _ in 0..number {
            let id = format!("event-{}", self.events.len());
            self.events.push(event(&id, "NUMBER_ASSIGN"));
        }
        self.api.follow(healthy(self.events.clone()));
        let shown = format!("{METRIC} {}\n", self.events.len());
        eventually("shown events", SOON, || {
            let page = self.exporter.page("/metrics");
            if page.contains(&shown) {
                Ok(())
            } else {
                Err(self.exporter.program.log())
            }
        });
    }

    /// Ends the exporter, and starts another one on its state, under another address.
    fn replace(&mut self) {
        self.exporter.program.signal("TERM");
        let ended = self.exporter.program.wait_for_end(SHUTDOWN);
        assert_eq!(ended.code(), Some(0), "{}", self.exporter.program.log());
        self.exporter = exporter(&self.api, self.folder.path());
        name_target(self.folder.path(), &self.exporter);
        let up = format!("up{{instance=\"{}\"}}", self.exporter.program.address());
        self.server.expect(&up, SOON, |up| up > 0.5);
    }

    /// Returns how many events the server has seen as increases, over all instances.
    fn increase(&self) -> Result<f64, String> {
        let window = format!("{METRIC}[10m]");
        let query = format!("sum(max_over_time({window}) - min_over_time({window}))");
        self.server.value(&query)
    }
}

fn targets(folder: &Path) -> PathBuf {
    folder.join("targets.json")
}

fn exporter(api: &ScriptedApi, folder: &Path) -> Exporter {
    let storage = format!("--storage.path={}", folder.join("state").display());
    let settings = ["--metrics.scrape-interval=1s", &storage];
    let exporter = Exporter::polling_with(api, &settings);
    exporter.wait_until_up();
    exporter
}

/// Names the address of the exporter to the server.
fn name_target(folder: &Path, exporter: &Exporter) {
    let address = exporter.program.address().to_string();
    let text = json!([{"targets": [address]}]).to_string();
    let new = folder.join("new");
    fs::write(&new, text).expect("a file");
    fs::rename(new, targets(folder)).expect("a file");
}

fn loses_nothing(server: &Path) {
    let mut replaceable = Replaceable::start(server);
    for _ in 0..REPLACEMENTS {
        // As soon as this event is shown, the gate lets counts be shown as they come.
        replaceable.show(1);
        replaceable.show(EVENTS);
        replaceable.replace();
    }
    replaceable.show(1);
    let expected = f64::from(u32::try_from(replaceable.events.len()).expect("few events"));
    let seen = eventually("the last event", SOON, || {
        let last = format!("max({METRIC})");
        match replaceable.server.value(&last)? {
            last if (last - expected).abs() < 0.5 => replaceable.increase(),
            last => Err(format!("{last} of {expected}")),
        }
    });
    assert!(
        (seen - expected).abs() < 0.5,
        "{seen} of {expected} events were seen"
    );
}

#[test]
fn release_2_42_sees_every_event_of_an_exporter_that_is_replaced() {
    if let Some(server) = tools::require("prometheus") {
        loses_nothing(&server);
    }
}

#[test]
fn release_3_sees_every_event_of_an_exporter_that_is_replaced() {
    if let Some(server) = tools::optional("prometheus-3") {
        loses_nothing(&server);
    }
}
