//! The commands of the exporter and of the API.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use jiff::Timestamp;
use test_support::program::{API_KEY, API_SECRET, command};

use super::settings::Settings;
use crate::nginx;

/// The longest time from an event to its entry into the list, which is longer than the
/// lookback of a poll, so that only deep polls find some events.
pub(super) const LATE_BY: Duration = Duration::from_secs(8);
const LOOKBACK: &str = "3s";

/// The faults of single requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Faults {
    Some,
    None,
}

/// Returns the command of the API. Its events follow from seed and start, so that an
/// API that was killed shows the same events again.
pub(super) fn simulate(
    settings: &Settings,
    traffic_from: Timestamp,
    port: u16,
    faults: Faults,
) -> impl Fn() -> Command + 'static {
    let mut arguments = vec![
        format!("--listen-address=127.0.0.1:{port}"),
        format!("--seed={}", settings.traffic_seed),
        format!("--start={traffic_from}"),
        format!("--traffic-for={}ms", settings.duration.as_millis()),
        format!("--rate={}", settings.rate),
        format!("--late-by={}s", LATE_BY.as_secs()),
        format!("--api-key={API_KEY}"),
        format!("--api-secret={API_SECRET}"),
    ];
    arguments.extend(["--steady", "--history=100", "--late-share=0.2"].map(str::to_owned));
    if faults == Faults::Some {
        let faults = [
            "--order=reshuffled",
            "--fault-429=0.02",
            "--fault-5xx=0.05",
            "--fault-cut=0.05",
            "--fault-reset=0.05",
        ];
        arguments.extend(faults.map(str::to_owned));
    }
    move || {
        let mut command = command();
        command.arg("simulate").args(&arguments);
        command
    }
}

/// Returns an address of the exporter: each replacement takes the next one.
pub(super) fn address(number: usize) -> Ipv4Addr {
    let number = u32::try_from(number).expect("few replacements");
    Ipv4Addr::from_bits(Ipv4Addr::new(127, 0, 1, 0).to_bits() + 1 + number)
}

/// Returns the command of a proxy that listens at all addresses of the exporter, and asks
/// the exporter at the address at which the proxy was asked.
pub(super) fn proxy(
    program: PathBuf,
    folder: &Path,
    port: u16,
    exporter_port: u16,
) -> impl Fn() -> Command + 'static {
    let directives = format!(
        "server {{\n\
           listen {port};\n\
           location / {{\n\
             proxy_pass http://$server_addr:{exporter_port};\n\
             proxy_set_header X-Forwarded-For $remote_addr;\n\
           }}\n\
         }}"
    );
    let folder = folder.to_owned();
    move || nginx::command(&program, &folder, &directives)
}

/// Returns the command of the exporter, with times that suit the run.
pub(super) fn serve(
    settings: &Settings,
    folder: &Path,
    api_port: u16,
    address: SocketAddrV4,
) -> impl Fn() -> Command + 'static {
    // A deep poll reads past the longest outage and the latest event.
    let arguments = [
        format!("--web.listen-address={address}"),
        format!("--api.base-url=http://127.0.0.1:{api_port}/beta/audit"),
        "--api.timeout=3s".to_owned(),
        "--poll.interval=1s".to_owned(),
        format!("--poll.lookback={LOOKBACK}"),
        "--poll.reconcile-interval=3s".to_owned(),
        "--poll.reconcile-lookback=2m".to_owned(),
        "--poll.start=now".to_owned(),
        format!("--metrics.scrape-interval={}", settings.scrape_interval),
        format!("--storage.path={}", folder.join("state").display()),
    ];
    move || {
        let mut command = command();
        command.arg("serve").args(&arguments);
        command
    }
}
