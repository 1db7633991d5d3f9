//! An account moves from one exporter to another: to another host, and to another shard.
//! Nothing is lost and nothing is counted twice.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use test_support::command_output::CommandOutput;
use test_support::eventually::{eventually, reached};
use test_support::exporter::{Exporter, is};
use test_support::exposition::samples;
use test_support::process::{Process, START};
use test_support::program::{API_KEY, API_SECRET, command};
use test_support::store::{contents, directory, file_in};

use crate::run::state;

const END: Duration = Duration::from_secs(30);
/// The time from the start of a simulator until its last event is in the list.
const TRAFFIC: Duration = Duration::from_secs(6 + 2 + 1);
const COUNTED: &str = "nexmo_audit_events_by_type_total";
const DUPLICATES: &str = "nexmo_audit_duplicate_events_total";

/// A simulator with some seconds of traffic, of which a third of the events enter the list
/// late.
struct Traffic {
    _simulator: Process,
    base_url: String,
    started: Instant,
}

impl Traffic {
    fn start(accounts: usize) -> Self {
        let mut simulator = command();
        simulator
            .args([
                "simulate",
                "--listen-address=127.0.0.1:0",
                "--rate=20",
                "--steady",
            ])
            .args(["--traffic-for=6s", "--late-share=0.3", "--late-by=2s"])
            .args(["--history=50", "--history-span=30m"])
            .arg(format!("--accounts={accounts}"))
            .args(["--api-key", API_KEY, "--api-secret", API_SECRET]);
        let simulator = Process::start("the simulator", &mut simulator);
        let base_url = simulator.wait_for_line("base URL", START, |line| {
            let (_, url) = line.split_once("base_url=")?;
            Some(url.split(' ').next()?.to_owned())
        });
        Self {
            _simulator: simulator,
            base_url,
            started: Instant::now(),
        }
    }

    /// Waits until every event is in the list, and returns the number of events of an
    /// account.
    fn all_events(&self, more: &[&str]) -> u32 {
        assert!(reached(END, || self.started.elapsed() > TRAFFIC));
        let mut list = command();
        list.args(["events", "list", "--from=2h", "--output=json"]);
        list.arg(format!("--api.base-url={}", self.base_url));
        let text = CommandOutput::of(list.args(more)).output();
        u32::try_from(text.lines().count()).expect("a small number")
    }
}

fn exporter(traffic: &Traffic, storage: &Path, more: &[&str]) -> Exporter {
    let storage = format!("--storage.path={}", storage.display());
    let settings = [
        &[&*storage, "--poll.interval=300ms", "--log.level=debug"][..],
        more,
    ]
    .concat();
    Exporter::started_by(&mut command(), &traffic.base_url, &settings)
}

fn stop(mut exporter: Exporter) {
    exporter.program.signal("TERM");
    let status = exporter.program.wait_for_end(END);
    assert!(status.success(), "{}", exporter.program.log());
}

/// Returns the number of events in all series, of one account or of all.
fn counted(exporter: &Exporter, account: Option<&str>) -> f64 {
    let of_account = |labels: &std::collections::BTreeMap<String, String>| {
        account.is_none_or(|account| labels.get("account").is_some_and(|name| name == account))
    };
    samples(&exporter.page("/metrics"))
        .into_iter()
        .filter(|sample| sample.name == COUNTED && of_account(&sample.labels))
        .map(|sample| sample.value)
        .sum()
}

fn wait_for_counted(exporter: &Exporter, account: Option<&str>, number: u32) {
    let expected = f64::from(number);
    eventually(&format!("{number} events"), END, || {
        let now = counted(exporter, account);
        is(expected)(now)
            .then_some(())
            .ok_or_else(|| now.to_string())
    });
}

#[test]
fn an_exporter_moves_to_another_host() {
    let (old, new) = (directory(), directory());
    let traffic = Traffic::start(1);
    let first = exporter(&traffic, old.path(), &[]);
    first.wait_for(DUPLICATES, &[], |number| number > 0.0);
    eventually("some events", END, || {
        let now = counted(&first, None);
        (now > 70.0).then_some(()).ok_or_else(|| now.to_string())
    });
    stop(first);

    // The commands of the page about deployment.
    let file = old.path().join("account.jsonl");
    let output = format!("--output={}", file.display());
    state(old.path(), &["export", &output]).output();
    let data = new.path().join("data");
    state(&data, &["import", &file.display().to_string()]).output();

    let shown = state(&data, &["show", "--output=json"]).output();
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    let moved = shown["accounts"][0]["types"]["total"].as_u64();
    let moved = u32::try_from(moved.expect("a number")).expect("a small number");
    let all = traffic.all_events(&[]);
    assert!(
        moved > 70 && all > moved,
        "{all} events, of which {moved} moved"
    );

    // An exporter that cannot poll shows what the first one has counted.
    let deaf = [
        "--poll.start=now",
        "--api.timeout=1ms",
        "--poll.interval=1h",
    ];
    let second = exporter(&traffic, &data, &deaf[..1]);
    wait_for_counted(&second, None, all);
    second.wait_for_polls(3);
    assert!(is(f64::from(all))(counted(&second, None)));
    assert!(second.value(DUPLICATES, &[]) > 0.0);
    stop(second);
}

const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

fn config_file(folder: &Path) -> String {
    let account = |(place, name): (usize, &&str)| {
        let key = match place {
            0 => API_KEY.to_owned(),
            place => format!("{API_KEY}-{}", place + 1),
        };
        format!("- {{name: {name}, api_key: {key}, api_secret: {API_SECRET}}}\n")
    };
    let accounts: Vec<String> = NAMES.iter().enumerate().map(account).collect();
    let file = folder.join("config.yml");
    fs::write(&file, format!("accounts:\n{}", accounts.concat())).expect("a file");
    format!("--config.file={}", file.display())
}

/// Returns the accounts of a shard, as `check-config` names them.
fn accounts_of(shard: &[&str]) -> Vec<String> {
    let said = CommandOutput::of(command().arg("check-config").args(shard)).output();
    let (_, names) = said.trim().rsplit_once(": ").expect("names");
    let names = names.trim_end_matches('.').split(", ");
    names.map(str::to_owned).collect()
}

#[test]
fn accounts_move_to_another_shard() {
    let folder = directory();
    let [old, new] = ["shard-0", "shard-1"].map(|name| folder.path().join(name));
    let config = config_file(folder.path());
    let traffic = Traffic::start(NAMES.len());
    let shard =
        |index: &'static str, count: &'static str| [&*config, index, count].map(str::to_owned);
    let start = |storage: &Path, shard: &[String]| {
        let shard: Vec<&str> = shard.iter().map(String::as_str).collect();
        exporter(&traffic, storage, &shard)
    };
    let alone = start(&old, &shard("--shard.index=0", "--shard.count=1"));
    eventually("some events", END, || {
        let few = NAMES.iter().find(|name| counted(&alone, Some(name)) < 60.0);
        few.map_or(Ok(()), |name| Err((*name).to_owned()))
    });
    stop(alone);

    let second = shard("--shard.index=1", "--shard.count=2");
    let moving = accounts_of(&second.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(!moving.is_empty() && moving.len() < NAMES.len());
    for name in &moving {
        let account = format!("--account={name}");
        let file = folder.path().join(format!("{name}.jsonl"));
        let output = format!("--output={}", file.display());
        state(&old, &["export", &account, &output, &config]).output();
        state(&new, &["import", &file.display().to_string(), &config]).output();
    }

    let first = start(&old, &shard("--shard.index=0", "--shard.count=2"));
    let second = start(&new, &second);
    for name in NAMES {
        let account = format!("--account={name}");
        let all = traffic.all_events(&[&config, &account]);
        let is_moved = moving.iter().any(|moved| moved == name);
        let exporter = if is_moved { &second } else { &first };
        wait_for_counted(exporter, Some(name), all);
    }
    for name in &moving {
        let read_again = [("account", &**name)];
        second.wait_for(DUPLICATES, &read_again, |number| number > 200.0);
        let all = traffic.all_events(&[&config, &format!("--account={name}")]);
        assert!(is(f64::from(all))(counted(&second, Some(name))), "{name}");
    }
    // The state that the accounts have left is as it was.
    assert!(contents(&old).contains_key(&file_in(&old)));
}
