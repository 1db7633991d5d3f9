//! The programs that serve the same series, each started at its best.

use std::{
    fs::{self, File},
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use flate2::{Compression, write::GzEncoder};
use test_support::eventually::eventually;
use test_support::workload::seed;

use super::{
    ours,
    running::{Running, command, free_address},
    scrape::{Answer, Ask, FAMILY, Format, Scraper, is_series},
    settings::Settings,
    simulator::Simulator,
    tools,
};

pub(crate) const OURS: &str = "nexmo-audit-exporter";
pub(crate) const CEILING: &str = "nginx, static file";
/// The names of the exporter and the ceiling with the other format.
pub(crate) const OURS_OPENMETRICS: &str = "nexmo-audit-exporter, OpenMetrics";
pub(crate) const CEILING_OPENMETRICS: &str = "nginx, OpenMetrics file";
const NODE_EXPORTER: &str = "prometheus-node-exporter";
const PUSHGATEWAY: &str = "prometheus-pushgateway";
const PYTHON: &str = "Python prometheus_client";
const NODE: &str = "Node.js prom-client";

/// The highest number of series for which an exporter beside is measured. With more it takes
/// a second to a scrape.
const FAR_OFF_SERIES: usize = 10_000;

/// A program that serves.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) url: String,
    command: Command,
    log: PathBuf,
    running: Option<Running>,
}

/// All programs that serve the same series.
pub(crate) struct Peers {
    pub(crate) series: usize,
    pub(crate) all: Vec<Peer>,
    /// The folder of the data of the peers, which is dropped after them.
    folder: tempfile::TempDir,
}

impl Peer {
    fn new(name: &'static str, address: SocketAddr, command: Command, folder: &Path) -> Self {
        Self {
            name,
            url: format!("http://{address}/metrics"),
            command,
            log: folder.join(format!("{name}.log")),
            running: None,
        }
    }

    /// Returns the URL of this format, if the peer has it: the exporter chooses by the
    /// headers, a file has a name.
    pub(crate) fn url_of(&self, format: Format) -> String {
        if self.name == CEILING && format == Format::OpenMetrics {
            return self.url.replace("/metrics", "/openmetrics");
        }
        self.url.clone()
    }

    /// Starts the peer, which may take a while to answer.
    pub(crate) fn start(&mut self) {
        self.running = Some(Running::start(&mut self.command, &self.log));
    }

    /// Lets the peer end by itself, so that it stores what it has.
    pub(crate) fn stop(&mut self) {
        self.running = None;
    }

    pub(crate) fn running(&self) -> &Running {
        self.running.as_ref().expect("it was started")
    }
}

/// Returns `true` for a peer other than the exporter and the ceiling.
pub(crate) fn is_exporter_beside(name: &str) -> bool {
    ![OURS, OURS_OPENMETRICS, CEILING, CEILING_OPENMETRICS].contains(&name)
}

/// Returns what each measured peer, and the program that makes the load, says of its version.
pub(crate) fn versions(settings: &Settings) -> Vec<String> {
    let peers: [(&str, &dyn Fn() -> String); 5] = [
        ("nginx", &|| tools::version(&tools::program("nginx"), "-v")),
        (NODE_EXPORTER, &|| {
            tools::version(&tools::program(NODE_EXPORTER), "--version")
        }),
        (PUSHGATEWAY, &|| {
            tools::version(&tools::program(PUSHGATEWAY), "--version")
        }),
        (PYTHON, &python_version),
        (NODE, &node_version),
    ];
    // A run that counts instructions alone needs no peer, and finds some not installed.
    let has_peers = ["scrapes", "catch-up"]
        .iter()
        .any(|part| settings.measures(part));
    let is_measured = |(name, _): &&(&str, _)| has_peers && settings.includes(name);
    let measured = peers.iter().filter(is_measured);
    let mut versions: Vec<String> = measured.map(|(_, version)| version()).collect();
    versions.push(tools::version(&tools::program("wrk"), "--version"));
    versions
}

fn python_version() -> String {
    let python = "import sys, prometheus_client, importlib.metadata as m; \
                  print('Python', sys.version.split()[0] + ', prometheus_client', m.version('prometheus_client'))";
    let output = Command::new(tools::python()).args(["-c", python]).output();
    let python = String::from_utf8(output.expect("Python runs").stdout).expect("text");
    python.trim().to_owned()
}

fn node_version() -> String {
    format!(
        "Node.js {}, prom-client {}, @vonage/audit {}",
        tools::version(&tools::program("node"), "--version"),
        module_version("prom-client"),
        module_version("@vonage/audit")
    )
}

fn module_version(name: &str) -> String {
    let package = tools::node_modules().join(name).join("package.json");
    let text = fs::read_to_string(package).expect("a package");
    let package: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    package["version"].as_str().unwrap_or_default().to_owned()
}

impl Peers {
    /// Starts all peers of the settings, and waits until each serves this number of
    /// series.
    pub(crate) fn start(settings: &Settings, api: &Simulator, series: usize) -> Self {
        let folder = super::running::folder();
        let path = folder.path();
        let scraper = Scraper::new();
        let mut ours = ours(settings, api, path, series);
        ours.start();
        let ready = ours.url.replace("/metrics", "/-/ready");
        scraper.ask_until(&ready, Ask::TEXT, |_| true);
        let all = |answer: &Answer| answer.series() == series;
        let pages = [Ask::TEXT, Ask::OPENMETRICS].map(|ask| scraper.ask_until(&ours.url, ask, all));
        let mut peers = Self {
            series,
            all: vec![ours],
            folder,
        };
        peers.add_others(settings, &pages, &scraper);
        peers
    }

    fn add_others(&mut self, settings: &Settings, pages: &[Answer; 2], scraper: &Scraper) {
        let path = self.folder.path();
        let family = family(&pages[0].text);
        let list = list(&family, path);
        let others: [(&str, &dyn Fn() -> Peer); 5] = [
            (CEILING, &|| nginx(path, pages)),
            (NODE_EXPORTER, &|| node_exporter(path, &family)),
            (PUSHGATEWAY, &|| pushgateway(path)),
            (PYTHON, &|| python(path, &list)),
            (NODE, &|| node(path, &list)),
        ];
        for (name, make) in others {
            let is_far_off = is_exporter_beside(name) && self.series > FAR_OFF_SERIES;
            if is_far_off || !settings.includes(name) {
                continue;
            }
            let mut peer = make();
            peer.start();
            if name == PUSHGATEWAY {
                push(&peer.url, &family);
            }
            scraper.ask_until(&peer.url, Ask::TEXT, |answer| {
                answer.series() == self.series
            });
            self.all.push(peer);
        }
    }
}

/// Makes the exporter, with as many remembered ids as the settings say.
fn ours(settings: &Settings, api: &Simulator, folder: &Path, series: usize) -> Peer {
    let (address, storage) = (free_address(), folder.join("data"));
    seed::seed(&storage, series, settings.events.max(series));
    let command = ours::serve(command(&settings.binary), api, &storage, address);
    Peer::new(OURS, address, command, folder)
}

/// Writes the answers of the exporter in both formats to files, each also compressed.
fn nginx(folder: &Path, pages: &[Answer; 2]) -> Peer {
    let root = folder.join("nginx");
    fs::create_dir_all(root.join("html")).expect("a folder");
    for (page, name) in pages.iter().zip(["metrics", "openmetrics"]) {
        let file = root.join("html").join(name);
        fs::write(&file, &page.text).expect("a file");
        let compressed = File::create(file.with_extension("gz")).expect("a file");
        let mut compressed = GzEncoder::new(compressed, Compression::new(6));
        compressed.write_all(&page.text).expect("a file");
        compressed.finish().expect("a file");
    }
    let address = free_address();
    let configuration = include_str!("nginx.conf").replace("ADDRESS", &address.to_string());
    fs::write(root.join("nginx.conf"), configuration).expect("a file");
    let mut command = command(tools::program("nginx"));
    command.arg("-p").arg(&root).args(["-c", "nginx.conf"]);
    Peer::new(CEILING, address, command, folder)
}

/// Makes `node_exporter` with its textfile collector only, and with no limit on
/// concurrent scrapes.
fn node_exporter(folder: &Path, family: &str) -> Peer {
    let (address, textfiles) = (free_address(), folder.join("textfiles"));
    fs::create_dir_all(&textfiles).expect("a folder");
    fs::write(textfiles.join("audit.prom"), family).expect("a file");
    let mut command = command(tools::program(NODE_EXPORTER));
    command
        .args(["--collector.disable-defaults", "--collector.textfile"])
        .args(["--web.disable-exporter-metrics", "--web.max-requests=0"])
        .arg(format!(
            "--collector.textfile.directory={}",
            textfiles.display()
        ))
        .arg(format!("--web.listen-address={address}"));
    Peer::new(NODE_EXPORTER, address, command, folder)
}

/// Makes the push gateway with a file that keeps what was pushed over a restart.
fn pushgateway(folder: &Path) -> Peer {
    let (address, file) = (free_address(), folder.join("pushgateway"));
    let mut command = command(tools::program(PUSHGATEWAY));
    command
        .arg(format!("--web.listen-address={address}"))
        .arg(format!("--persistence.file={}", file.display()));
    Peer::new(PUSHGATEWAY, address, command, folder)
}

/// Makes the Python server without `_created` lines, which no other peer serves.
fn python(folder: &Path, list: &Path) -> Peer {
    let address = free_address();
    let mut command = command(tools::python());
    command
        .env("PROMETHEUS_DISABLE_CREATED_SERIES", "true")
        .arg(tools::script("python.py"))
        .arg(list)
        .arg(address.port().to_string());
    Peer::new(PYTHON, address, command, folder)
}

fn node(folder: &Path, list: &Path) -> Peer {
    let address = free_address();
    let mut command = command(tools::program("node"));
    command
        .env("NODE_PATH", tools::node_modules())
        .arg(tools::script("serve.cjs"))
        .arg(list)
        .arg(address.port().to_string());
    Peer::new(NODE, address, command, folder)
}

/// Pushes to a gateway that may not listen yet.
fn push(url: &str, family: &str) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let client = reqwest::Client::builder().tls_certs_only([]).no_proxy();
    let client = client.build().expect("a client");
    let put = async || {
        let request = client.put(format!("{url}/job/audit"));
        let answer = request.body(family.to_owned()).send().await?;
        answer.error_for_status()
    };
    eventually("push gateway", Duration::from_secs(10), || {
        let answer = runtime.block_on(put());
        answer.map_err(|error| format!("{error:?}"))
    });
}

/// Returns the lines of the family that all peers serve.
fn family(page: &[u8]) -> String {
    let page = std::str::from_utf8(page).expect("text");
    let head = [format!("# HELP {FAMILY} "), format!("# TYPE {FAMILY} ")];
    let belongs =
        |line: &&str| is_series(line.as_bytes()) || head.iter().any(|head| line.starts_with(head));
    page.split_inclusive('\n').filter(belongs).collect()
}

/// Writes the same series for the scripts, as a file of types, sources, countries and
/// values. None of the labels has characters that need escaping.
fn list(family: &str, folder: &Path) -> PathBuf {
    let path = folder.join("series.tsv");
    let mut list = std::io::BufWriter::new(File::create(&path).expect("a file"));
    let values = family.lines().filter(|line| is_series(line.as_bytes()));
    for line in values {
        let mut parts = line.split('"').skip(1).step_by(2);
        let value = line.rsplit(' ').next().unwrap_or_default();
        let mut part = || parts.next().expect("a label");
        let labels = [part(), part(), part()].join("\t");
        writeln!(list, "{labels}\t{value}").expect("a file");
    }
    list.flush().expect("a file");
    path
}
