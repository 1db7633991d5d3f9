//! A run: the programs, what is done to them, and the end.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;
use test_support::eventually::{eventually, reached};
use test_support::exposition::samples;
use test_support::http::HttpClient;
use test_support::pacing;
use test_support::program::{API_KEY, API_SECRET, command};
use test_support::restartable::{Restartable, Signal, free_port};
use test_support::volume::Volume;

use super::disturbances::{self, Disturbance};
use super::log_lines;
use super::resources::Resources;
use super::settings::Settings;
use super::strangers::Strangers;
use crate::exactly_once::recorded_events;
use crate::exactly_once::series::EVENTS;
use crate::prometheus_server::Prometheus;

/// The longest time between an event and its entry into the list.
const LATE_BY: Duration = Duration::from_secs(5);
/// The time for the last holds, with a full disk or a kill just before.
const SETTLE: Duration = Duration::from_mins(4);
/// The account that comes and goes with the reloads. Nothing is claimed of it.
const SPARE: &str = "spare";
/// The number of differences of a kind that are named.
const MOST_NAMED: usize = 5;

/// The programs of a run.
pub(super) struct Run {
    settings: Settings,
    servers: Vec<Prometheus>,
    api: Restartable,
    exporter: Restartable,
    address: SocketAddr,
    api_url: String,
    traffic_from: Timestamp,
    resources: Resources,
    strangers: Strangers,
    /// `false` if no volume may be mounted, so that the disk is never full.
    volume: Option<Volume>,
    http: HttpClient,
    rotations: usize,
    folder: TempDir,
}

impl Run {
    /// Starts every program, and waits until the exporter knows its scrapers.
    pub(super) fn begin(settings: Settings, servers: &[PathBuf; 2]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["state", "log"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        let volume = Volume::mount(&folder.path().join("state"), "size=256m");
        let (api_port, port) = (free_port(), free_port());
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let traffic_from = Timestamp::now() + settings.warm_up();
        let simulate = simulate(&settings, traffic_from, api_port, true);
        let mut api = Restartable::new("simulator", folder.path(), simulate);
        api.start();
        write_config(&settings, folder.path(), api_port, false);
        let config = folder.path().join("exporter.yml");
        let serve = move || {
            let mut command = command();
            command.arg("serve").arg("--config.file").arg(&config);
            command.arg(format!("--web.listen-address={address}"));
            command
        };
        let mut exporter = Restartable::new("exporter", folder.path(), serve);
        exporter.start();
        let servers = servers.iter().zip(settings.intervals);
        let servers = servers.map(|(program, seconds)| {
            let config = format!(
                "global: {{scrape_interval: {seconds}s, scrape_timeout: {seconds}s}}\n\
                 scrape_configs:\n- job_name: audit\n  \
                 static_configs: [{{targets: ['{address}']}}]\n"
            );
            Prometheus::start(program, &config)
        });
        let run = Self {
            servers: servers.collect(),
            api_url: format!("http://{API_KEY}:{API_SECRET}@127.0.0.1:{api_port}/beta/audit"),
            settings,
            api,
            exporter,
            address,
            traffic_from,
            resources: Resources::default(),
            strangers: Strangers::default(),
            volume,
            http: HttpClient::new(),
            rotations: 0,
            folder,
        };
        run.wait_until_known();
        run
    }

    fn wait_until_known(&self) {
        let [_, seldom] = self.settings.intervals;
        let warm_up = self.settings.warm_up();
        eventually("hold as the servers' intervals ask for", warm_up, || {
            let hold = self.sum("nexmo_audit_publish_hold_seconds")?;
            let accounts = self.sum("nexmo_audit_up")?;
            let is_known = hold <= Duration::from_secs(4 * seldom).as_secs_f64()
                && accounts >= f64::from(u32::try_from(self.settings.accounts).unwrap_or(0));
            is_known
                .then_some(())
                .ok_or_else(|| format!("hold {hold} s, {accounts} accounts are up"))
        });
    }

    /// Lets the traffic run while everything that is planned is done.
    pub(super) fn disturb(&mut self) {
        let until_traffic = self.traffic_from.duration_since(Timestamp::now());
        pacing::wait(Duration::try_from(until_traffic).unwrap_or_default());
        let begun = Instant::now();
        for (at, disturbance) in disturbances::plan(&self.settings) {
            pacing::wait(at.saturating_sub(begun.elapsed()));
            self.carry_out(at, disturbance);
        }
        pacing::wait((self.settings.duration + LATE_BY).saturating_sub(begun.elapsed()));
    }

    fn carry_out(&mut self, at: Duration, disturbance: Disturbance) {
        let filler = self.folder.path().join("state").join("filler");
        match disturbance {
            Disturbance::Kill => {
                self.exporter.stop(Signal::Kill);
                self.exporter.start();
            }
            Disturbance::Reload { has_spare } => {
                let port = self.api_port();
                write_config(&self.settings, self.folder.path(), port, has_spare);
                if let Some(process) = self.exporter.running() {
                    process.signal("HUP");
                }
            }
            Disturbance::Rotate => {
                self.rotations += 1;
                let log = self.folder.path().join("log");
                let moved = log.join(format!("events-{}.jsonl", self.rotations));
                // Right after a start there may be no file yet.
                let _ = fs::rename(log.join("events.jsonl"), moved);
            }
            Disturbance::FillDisk if self.volume.is_some() => {
                let mut file = fs::File::create(&filler).expect("a file");
                std::io::copy(&mut std::io::repeat(0), &mut file).expect_err("a full volume");
            }
            Disturbance::FreeDisk if self.volume.is_some() => {
                fs::remove_file(&filler).expect("it can be removed");
            }
            Disturbance::FillDisk | Disturbance::FreeDisk => {}
            Disturbance::Stranger => self.strangers.send(self.address),
            Disturbance::Look => {
                if let Some(process) = self.exporter.running() {
                    self.resources.look(at, process.id());
                }
            }
        }
    }

    /// Waits until everything that was recorded is shown, or until that can no longer
    /// happen.
    pub(super) fn settle(&mut self) {
        let calm = simulate(&self.settings, self.traffic_from, self.api_port(), false);
        self.api.stop(Signal::Kill);
        self.api.change(calm);
        self.api.start();
        reached(SETTLE, || {
            self.differences().is_ok_and(|found| found.is_empty())
        });
    }

    /// Returns a report, and what is not as it should be.
    pub(super) fn compare(&self) -> (String, Vec<String>) {
        let mut differences = self.differences().unwrap_or_else(|error| vec![error]);
        if self.settings.is_long {
            differences.extend(self.resources.growth(self.settings.duration));
        }
        (self.report().unwrap_or_else(|error| error), differences)
    }

    fn report(&self) -> Result<String, String> {
        let events = self.recorded()?.len();
        let lines = log_lines::of_folder(&self.folder.path().join("log"))?;
        let twice: u64 = lines.values().map(|times| times - 1).sum();
        let mut report = format!(
            "{:?}\n{} accounts, {} events of each; {} lines of the event log, {twice} of them again; \
             {} events timed out in the last process\n",
            self.settings,
            self.settings.accounts,
            events,
            lines.values().sum::<u64>(),
            self.sum("nexmo_audit_gate_timeouts_total")?,
        );
        for server in &self.servers {
            let counted = self.counted(server)?;
            let events: u64 = counted.values().flat_map(BTreeMap::values).sum();
            writeln!(report, "counted by a server: {events}").map_err(|error| error.to_string())?;
        }
        let fifths = self.resources.by_fifth(self.settings.duration);
        writeln!(
            report,
            "highest memory in kB and descriptors, by fifths: {fifths:?}"
        )
        .map_err(|error| error.to_string())?;
        Ok(report)
    }

    /// Returns what each server and the event log have that the API did not record, or the
    /// other way round.
    fn differences(&self) -> Result<Vec<String>, String> {
        let recorded = self.recorded()?;
        let id = |event: &Value| event["id"].as_str().unwrap_or_default().to_owned();
        let ids: Vec<_> = recorded.iter().map(id).collect();
        let truth = recorded_events::counted(&recorded, "");
        let mut differences = Vec::new();
        let expected: BTreeMap<_, _> = truth
            .iter()
            .filter(|(series, _)| series.metric == EVENTS)
            .map(|(series, events)| (series.to_string(), *events))
            .collect();
        for (number, server) in self.servers.iter().enumerate() {
            let counted = self.counted(server)?;
            let wrong = self.names().filter_map(|account| {
                let of_account = counted.get(&account).cloned().unwrap_or_default();
                (of_account != expected).then(|| {
                    format!(
                        "server {number}, {account}: {}",
                        difference(&of_account, &expected)
                    )
                })
            });
            differences.extend(wrong.take(MOST_NAMED));
            let fell = server.query(&format!("resets({}) > 0", selector(EVENTS, self.span())))?;
            differences.extend(
                fell.iter()
                    .take(MOST_NAMED)
                    .map(|series| format!("{series} fell")),
            );
        }
        let lines = log_lines::of_folder(&self.folder.path().join("log"))?;
        let missing = self.names().flat_map(|account| {
            let events = ids.iter().map(move |id| (account.clone(), id.clone()));
            events.filter(|event| !lines.contains_key(event))
        });
        let missing: Vec<_> = missing.collect();
        if !missing.is_empty() {
            let named = &missing[..missing.len().min(MOST_NAMED)];
            differences.push(format!("{} lines are missing: {named:?}, …", missing.len()));
        }
        Ok(differences)
    }

    /// Returns what a server counted of each account: the last sample of each series minus
    /// the first.
    fn counted(
        &self,
        server: &Prometheus,
    ) -> Result<BTreeMap<String, BTreeMap<String, u64>>, String> {
        let selector = selector(EVENTS, self.span());
        let result = server.query(&format!(
            "last_over_time({selector}) - min_over_time({selector})"
        ))?;
        let mut counted: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for series in result {
            let labels = &series["metric"];
            let text = |label: &str| labels[label].as_str().unwrap_or_default().to_owned();
            let value = series["value"][1]
                .as_str()
                .and_then(|value| value.parse().ok());
            let name = crate::exactly_once::series::event(
                &text("event_type"),
                &text("source"),
                &text("source_country"),
            );
            let of_account = counted.entry(text("account")).or_default();
            of_account.insert(name.to_string(), value.ok_or_else(|| series.to_string())?);
        }
        Ok(counted)
    }

    /// Returns the events that the API recorded of each account.
    fn recorded(&self) -> Result<Vec<Value>, String> {
        recorded_events::list(&self.http, &self.api_url, "")
    }

    /// Returns the sum of a metric over all accounts but the spare one.
    fn sum(&self, name: &str) -> Result<f64, String> {
        let text = self
            .http
            .get_body(&format!("http://{}/metrics", self.address))?;
        let of_name = samples(&text).into_iter();
        let of_name = of_name.filter(|sample| {
            sample.name == name
                && sample
                    .labels
                    .get("account")
                    .is_none_or(|account| account != SPARE)
        });
        Ok(of_name.map(|sample| sample.value).sum())
    }

    fn names(&self) -> impl Iterator<Item = String> {
        (1..=self.settings.accounts).map(name)
    }

    /// Returns a span that is longer than the run so far, in seconds.
    fn span(&self) -> u64 {
        let age = Timestamp::now().duration_since(self.traffic_from - self.settings.warm_up());
        age.as_secs().unsigned_abs() + 60
    }

    fn api_port(&self) -> u16 {
        let url = url::Url::parse(&self.api_url).expect("a URL");
        url.port().expect("a port")
    }
}

/// Returns the first differences between two counts of the same account.
fn difference(counted: &BTreeMap<String, u64>, expected: &BTreeMap<String, u64>) -> String {
    let names = counted.keys().chain(expected.keys());
    let names: std::collections::BTreeSet<_> = names.collect();
    let differing = names.into_iter().filter_map(|name| {
        let (counted, expected) = (counted.get(name), expected.get(name));
        (counted != expected).then(|| format!("{name}: {counted:?} of {expected:?}"))
    });
    differing.take(MOST_NAMED).collect::<Vec<_>>().join("; ")
}

/// Returns a selector of the samples of a metric in the last `seconds`, without the spare
/// account.
fn selector(metric: &str, seconds: u64) -> String {
    format!("{metric}{{account!={SPARE:?}}}[{seconds}s]")
}

fn name(number: usize) -> String {
    format!("account-{number:03}")
}

/// Returns the command of the API, which shows the same events to each account.
fn simulate(
    settings: &Settings,
    traffic_from: Timestamp,
    port: u16,
    fails: bool,
) -> impl Fn() -> std::process::Command + 'static {
    let mut arguments = vec![
        format!("--listen-address=127.0.0.1:{port}"),
        format!("--seed={}", settings.seed),
        format!("--start={traffic_from}"),
        format!("--traffic-for={}ms", settings.duration.as_millis()),
        format!("--rate={}", settings.rate),
        format!("--late-by={}s", LATE_BY.as_secs()),
        format!("--accounts={}", settings.accounts + 1),
        format!("--api-key={API_KEY}"),
        format!("--api-secret={API_SECRET}"),
    ];
    arguments.extend(["--steady", "--history=0", "--late-share=0.1"].map(str::to_owned));
    if fails {
        let faults = [
            "--fault-5xx=0.005",
            "--fault-cut=0.0025",
            "--fault-reset=0.0025",
        ];
        arguments.extend(faults.map(str::to_owned));
    }
    move || {
        let mut command = command();
        command.arg("simulate").args(&arguments);
        command
    }
}

/// Writes the configuration of the exporter, with or without the spare account.
fn write_config(settings: &Settings, folder: &Path, api_port: u16, has_spare: bool) {
    let mut text = format!(
        "api: {{base_url: 'http://127.0.0.1:{api_port}/beta/audit'}}\n\
         poll: {{interval: 5s, lookback: 1m, reconcile_interval: 1m, reconcile_lookback: 10m}}\n\
         storage: {{path: {0}/state}}\n\
         events: {{log: {0}/log/events.jsonl}}\n\
         web: {{enable_lifecycle: true}}\n\
         accounts:\n",
        folder.display()
    );
    let spare = has_spare.then_some(settings.accounts + 1);
    for number in (1..=settings.accounts).chain(spare) {
        let name = if number > settings.accounts {
            SPARE.to_owned()
        } else {
            name(number)
        };
        // The simulator names its accounts after the first one by numbers.
        let key = if number == 1 {
            API_KEY.to_owned()
        } else {
            format!("{API_KEY}-{number}")
        };
        writeln!(
            text,
            "- {{name: {name}, api_key: {key}, api_secret: {API_SECRET}}}"
        )
        .expect("a string");
    }
    let (path, new) = (folder.join("exporter.yml"), folder.join("exporter.yml.new"));
    fs::write(&new, text).expect("a configuration");
    fs::rename(new, path).expect("a configuration");
}
