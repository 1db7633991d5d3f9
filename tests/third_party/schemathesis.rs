//! Schemathesis against the simulator: it makes valid and invalid requests from the
//! vendor's definition, and checks every answer.

use std::fs;
use std::process::Command;
use std::time::Duration;

use test_support::process::Process;
use test_support::program::{API_KEY, API_SECRET, Simulator};
use test_support::repository;
use test_support::tools;

use crate::openapi_definition;

const CONFIG: &str = "tests/third_party/schemathesis.toml";

/// A number of events that is enough for several pages.
const HISTORY: usize = 250;

/// The time limit, of which a run takes a third on two cores.
const DEADLINE: Duration = Duration::from_mins(1);

#[test]
fn the_simulator_keeps_to_the_vendors_definition() {
    let Some(schemathesis) = tools::require("schemathesis") else {
        return;
    };
    let Some(definition) = openapi_definition::require_corrected() else {
        return;
    };
    let simulator = Simulator::start(HISTORY);
    // Schemathesis leaves its notes in the current folder.
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("audit.json"), definition.to_string()).expect("a definition");

    let mut command = Command::new(schemathesis);
    command
        .current_dir(folder.path())
        .arg("--config-file")
        .arg(repository(CONFIG))
        .args(["run", "audit.json", "--no-color"])
        .arg(format!("--url={}", simulator.base_url()))
        .arg(format!("--auth={API_KEY}:{API_SECRET}"));
    let mut run = Process::start("schemathesis", &mut command);
    let status = run.wait_for_end(DEADLINE);
    assert!(status.success(), "{}", run.log());
}
