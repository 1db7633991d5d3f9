//! A run: the parties, what is done to them, and the end.

use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;
use test_support::eventually::{eventually, reached};
use test_support::exposition::{samples, value};
use test_support::http::HttpClient;
use test_support::pacing;
use test_support::process::START;
use test_support::program::{API_KEY, API_SECRET};
use test_support::restartable::{Restartable, Signal, free_port};

use super::commands::{Faults, LATE_BY, address, proxy, serve, simulate};
use super::comparison;
use super::entries::{Entries, EntryRecorder};
use super::outage_plan::{Outage, Party, Plan};
use super::recorded_events::{self, RecordedEvents};
use super::series::EVENTS;
use super::server::Server;
use super::settings::Settings;
use super::timeline::{Timeline, now};

/// The time from the start of all parties to the first event of the traffic, in which
/// the exporter learns how often it is scraped.
const WARM_UP: Duration = Duration::from_secs(16);

/// The time for the last holds of the gate, with outages and back-off just before.
const SETTLE: Duration = Duration::from_mins(2);

/// The programs of a run that are not built from this repository.
pub(super) struct Programs {
    /// The servers, each with its scrape interval. The first one scrapes the exporter
    /// itself, and the second one through the proxy, which names the server to the exporter.
    pub(super) servers: [(PathBuf, Duration); 2],
    pub(super) nginx: PathBuf,
}

/// The parties of a run.
pub(super) struct Run {
    pub(super) servers: Vec<Server>,
    pub(super) timeline: Timeline,
    pub(super) plan: Plan,
    api: Restartable,
    exporter: Restartable,
    proxy: Restartable,
    entries: EntryRecorder,
    exporter_port: u16,
    /// The number of the present address of the exporter.
    address: usize,
    api_url: String,
    api_port: u16,
    /// The time from which events count, according to the exporter's log.
    floor: String,
    traffic_from: Timestamp,
    http: HttpClient,
    settings: Settings,
    folder: TempDir,
}

impl Run {
    /// Starts every party, and waits until the exporter knows its scrapers.
    pub(super) fn begin(settings: Settings, programs: Programs) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (api_port, exporter_port) = (free_port(), free_port());
        let timeline = Timeline::new();
        let traffic_from = Timestamp::now() + WARM_UP;
        let plan = settings.plan();
        let entries = EntryRecorder::start(&settings, traffic_from, folder.path());
        let (mut servers, mut proxy) =
            scrapers(programs, plan.replacements, exporter_port, folder.path());
        proxy.start();
        for server in &mut servers {
            server.process.start();
        }
        let simulate = simulate(&settings, traffic_from, api_port, Faults::Some);
        let mut api = Restartable::new("simulator", folder.path(), simulate);
        api.start();
        let serve = serve(
            &settings,
            folder.path(),
            api_port,
            SocketAddrV4::new(address(0), exporter_port),
        );
        let mut exporter = Restartable::new("exporter", folder.path(), serve);
        let began = exporter.start();
        let floor = began.wait_for_line("beginning", START, counting_from);
        let run = Self {
            servers,
            timeline,
            plan,
            api,
            exporter,
            proxy,
            entries,
            exporter_port,
            address: 0,
            api_url: format!("http://{API_KEY}:{API_SECRET}@127.0.0.1:{api_port}/beta/audit"),
            api_port,
            floor,
            traffic_from,
            http: HttpClient::new(),
            settings,
            folder,
        };
        run.wait_until_known();
        run
    }

    /// The gate holds for as long as the interval of the slower server asks for.
    fn wait_until_known(&self) {
        let slowest = self.servers.iter().map(|server| server.interval).max();
        let known = comparison::hold(slowest.unwrap_or_default()) + Duration::from_secs(3);
        eventually("hold as the servers' intervals ask for", SETTLE, || {
            for server in &self.servers {
                server.value("up > 0")?;
            }
            let hold = self.exported("nexmo_audit_publish_hold_seconds")?;
            let is_known = hold <= known.as_secs_f64();
            is_known
                .then_some(())
                .ok_or_else(|| format!("held {hold} s"))
        });
    }

    /// Lets the traffic run while outage follows outage.
    pub(super) fn disturb(&mut self) {
        let mut moments: Vec<(Duration, bool, Outage)> = Vec::new();
        for outage in &self.plan.outages {
            moments.push((outage.from, false, *outage));
            moments.push((outage.to, true, *outage));
        }
        moments.sort_by_key(|(at, is_start, _)| (*at, *is_start));
        let begin = since_1970(self.traffic_from).max(now());
        for (at, is_start, outage) in moments {
            pacing::wait((begin + at).saturating_sub(now()));
            if is_start {
                if outage.is_replacement() {
                    self.move_exporter();
                }
                self.party(outage.party).start();
                self.timeline.started(outage.party);
            } else {
                self.timeline.stopped(outage);
                self.party(outage.party).stop(outage.signal);
            }
        }
    }

    /// Lets the exporter start under its next address from now on.
    fn move_exporter(&mut self) {
        self.address += 1;
        let address = SocketAddrV4::new(address(self.address), self.exporter_port);
        let serve = serve(&self.settings, self.folder.path(), self.api_port, address);
        self.exporter.change(serve);
    }

    /// Waits until everything recorded is counted and shown, or until that can no
    /// longer happen, and then a little longer, in which no event may be counted twice.
    /// Returns what was recorded.
    pub(super) fn settle(&mut self) -> RecordedEvents {
        let complete = since_1970(self.traffic_from) + self.settings.duration + LATE_BY;
        pacing::wait((complete + Duration::from_secs(1)).saturating_sub(now()));
        // The API shows the same events from now on, without faults.
        let calm = simulate(
            &self.settings,
            self.traffic_from,
            self.api_port,
            Faults::None,
        );
        self.api.stop(Signal::Kill);
        self.api.change(calm);
        self.api.start();
        let truth = eventually("list of all events", START, || {
            recorded_events::recorded(&self.http, &self.api_url, &self.floor)
        });
        let events =
            u32::try_from(recorded_events::events(&truth)).expect("a number that a run can reach");
        reached(SETTLE, || self.has_settled(events));
        let settled = now().as_secs_f64() + 2.0;
        let watermark = "min(nexmo_audit_watermark_timestamp_seconds)";
        for server in &self.servers {
            reached(SETTLE, || {
                server
                    .value(watermark)
                    .is_ok_and(|read_to| read_to > settled)
            });
        }
        truth
    }

    fn has_settled(&self, events: u32) -> bool {
        let nothing_waits = [
            "nexmo_audit_pending_events",
            "nexmo_audit_reconcile_missing_events",
        ]
        .into_iter()
        .all(|gauge| self.exported(gauge).is_ok_and(|value| value <= 0.0));
        let shown = self
            .http
            .get_body(&self.metrics_url())
            .map(|text| shown(&text));
        nothing_waits && shown.is_ok_and(|shown| shown >= f64::from(events))
    }

    /// Returns the present value of a metric without labels.
    pub(super) fn exported(&self, name: &str) -> Result<f64, String> {
        let text = self.http.get_body(&self.metrics_url())?;
        value(&text, name, &[]).ok_or_else(|| format!("no {name}:\n{}", self.exporter.log()))
    }

    fn metrics_url(&self) -> String {
        let address = address(self.address);
        format!("http://{address}:{}/metrics", self.exporter_port)
    }

    /// Returns when each event entered the list of the API.
    pub(super) fn entries(&self) -> Entries {
        self.entries.since(&self.floor)
    }

    /// Returns the time since 1970 at which the traffic began.
    pub(super) fn traffic_from(&self) -> Duration {
        since_1970(self.traffic_from)
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Ends every party, and keeps what they wrote.
    pub(super) fn keep(mut self) -> PathBuf {
        self.exporter.stop(Signal::Kill);
        self.api.stop(Signal::Kill);
        self.proxy.stop(Signal::Kill);
        for server in &mut self.servers {
            server.process.stop(Signal::Kill);
        }
        self.folder.keep()
    }

    fn party(&mut self, party: Party) -> &mut Restartable {
        match party {
            Party::Api => &mut self.api,
            Party::Exporter => &mut self.exporter,
            Party::Proxy => &mut self.proxy,
            Party::Server(index) => &mut self.servers[index].process,
        }
    }
}

/// Returns the servers, which know every address that the exporter will have, and the
/// proxy.
fn scrapers(
    programs: Programs,
    replacements: usize,
    exporter_port: u16,
    folder: &Path,
) -> (Vec<Server>, Restartable) {
    let proxy_port = free_port();
    let command = proxy(programs.nginx, folder, proxy_port, exporter_port);
    let proxy = Restartable::new("nginx", folder, command);
    let targets = |port: u16| -> Vec<_> {
        let numbers = 0..=replacements;
        numbers
            .map(|number| format!("{}:{port}", address(number)))
            .collect()
    };
    let ways = [
        (vec![Party::Exporter, Party::Server(0)], exporter_port),
        (
            vec![Party::Exporter, Party::Server(1), Party::Proxy],
            proxy_port,
        ),
    ];
    let servers = programs.servers.into_iter().zip(ways);
    let servers = servers.map(|((program, interval), (needs, port))| {
        Server::new(program, interval, &needs, &targets(port), folder)
    });
    (servers.collect(), proxy)
}

/// Returns the time in the log line that says from when events count.
fn counting_from(line: &str) -> Option<String> {
    let (_, from) = line
        .split_once("counting begins")
        .and(line.split_once("from="))?;
    from.split_whitespace().next().map(str::to_owned)
}

/// Returns the number of all events in an exposition.
fn shown(text: &str) -> f64 {
    let events = samples(text)
        .into_iter()
        .filter(|sample| sample.name == EVENTS);
    events.map(|sample| sample.value).sum()
}

fn since_1970(time: Timestamp) -> Duration {
    Duration::try_from(time.as_duration()).expect("it is later than 1970")
}
