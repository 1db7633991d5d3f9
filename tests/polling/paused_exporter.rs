//! The exporter in the runtime of a test whose clock is paused: hours pass in moments,
//! over real sockets.

use std::fmt::Debug;
use std::future::pending;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use exporter_web::WebConfigFile;
use nexmo_audit_exporter::cli::{self, Action};
use nexmo_audit_exporter::config::{EnvironmentCredentials, Settings};
use nexmo_audit_exporter::exporter::{Exporter, ServiceManager};
use tempfile::TempDir;
use test_support::exposition;
use test_support::program::{API_KEY, API_SECRET};
use test_support::scripted_api::{Request, ScriptedApi};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::task::yield_now;
use tokio::time::{Instant, advance};
use tracing::field::{Field, Visit};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// The number of turns of the runtime in which all that is due is done, except for
/// sockets.
const TURNS: u32 = 20;

/// A real time that is longer than any answer takes.
const STUCK: Duration = Duration::from_secs(30);

/// An exporter that polls `api`, and the clock of the runtime.
pub(crate) struct PausedExporter {
    pub(crate) api: ScriptedApi,
    address: SocketAddr,
    begun: Instant,
    requests: Requests,
    _listening: DefaultGuard,
    _folder: TempDir,
}

impl PausedExporter {
    /// Starts in a runtime with a paused clock, with settings such as
    /// `--poll.interval=30s`.
    pub(crate) async fn polling(api: ScriptedApi, settings: &[&str]) -> Self {
        // An idle runtime would advance its paused clock by itself, past the time limit
        // of a request whose answer is on its way.
        tokio::spawn(async {
            loop {
                yield_now().await;
            }
        });
        let requests = Requests::default();
        let listening = tracing_subscriber::registry().with(requests.clone());
        let begun = Instant::now();
        let guard = listening.set_default();
        let folder = tempfile::tempdir().expect("a folder");
        let web = WebConfigFile::read(None).expect("no configuration");
        let exporter = Exporter::bind(
            &read(settings, &api, folder.path()),
            web,
            ServiceManager::default(),
        )
        .await
        .expect("an exporter");
        let addresses = exporter.local_addresses().expect("addresses");
        let address = addresses[0].port().expect("a port");
        // The exporter runs in the runtime of the test, and so with its clock.
        tokio::spawn(async move { exporter.run(&Handle::current(), pending).await });
        Self {
            api,
            address,
            begun,
            requests,
            _listening: guard,
            _folder: folder,
        }
    }

    /// Waits until everything is done that takes no time. A request takes none, unless
    /// it is never answered.
    async fn settle(&self) {
        let begun = std::time::Instant::now();
        let mut quiet = 0;
        while quiet < TURNS {
            yield_now().await;
            let open = self.requests.open() > self.api.silences();
            quiet = if open { 0 } else { quiet + 1 };
            assert!(begun.elapsed() < STUCK, "{:?}", self.api.requests());
        }
    }

    /// Advances the clock in such steps until `done`, and fails after `limit`.
    pub(crate) async fn pass_until(
        &self,
        step: Duration,
        limit: Duration,
        done: impl Fn(&ScriptedApi) -> bool,
    ) {
        let begun = Instant::now();
        loop {
            self.settle().await;
            if done(&self.api) {
                return;
            }
            let requests = self.api.requests();
            assert!(begun.elapsed() <= limit, "after {limit:?}: {requests:?}");
            advance(step).await;
        }
    }

    /// Advances the clock by `time`, in such steps.
    pub(crate) async fn pass(&self, step: Duration, time: Duration) {
        let end = Instant::now() + time;
        self.pass_until(step, 2 * time, |_| Instant::now() >= end)
            .await;
    }

    /// Returns the times since the start of the requests that `accept` agrees with.
    pub(crate) fn times(&self, accept: impl Fn(&Request) -> bool) -> Vec<Duration> {
        let requests = self.api.requests();
        let accepted = requests.iter().filter(|request| accept(request));
        accepted.map(|request| request.at - self.begun).collect()
    }

    /// Returns `/metrics`.
    pub(crate) async fn metrics(&self) -> String {
        self.page("/metrics").await
    }

    /// Returns the body of the answer to a request for `path`.
    pub(crate) async fn page(&self, path: &str) -> String {
        self.settle().await;
        let mut stream = TcpStream::connect(self.address).await.expect("a server");
        let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        let request = request.as_bytes();
        stream.write_all(request).await.expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a head");
        body.to_owned()
    }

    pub(crate) async fn value(&self, name: &str) -> f64 {
        exposition::value(&self.metrics().await, name, &[]).unwrap_or(0.0)
    }

    /// Returns every warning so far, with its fields.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let warnings = self.requests.0.warnings.lock();
        warnings.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the number of events counted in all series together.
    pub(crate) async fn counted(&self) -> f64 {
        exposition::samples(&self.metrics().await)
            .into_iter()
            .filter(|sample| sample.name == "nexmo_audit_events_total")
            .map(|sample| sample.value)
            .sum()
    }
}

/// The requests without an answer, and the commits that have not ended, according to
/// the log: on a paused clock nothing else tells an exporter that waits for time from
/// one that waits for a socket. A request that is never answered stays open for the API
/// even after the client has given up.
#[derive(Clone, Default)]
struct Requests(Arc<Counts>);

#[derive(Default)]
struct Counts {
    begun: AtomicUsize,
    ended: AtomicUsize,
    timed_out: AtomicUsize,
    warnings: Mutex<Vec<String>>,
}

impl Requests {
    /// Returns the number of open requests and commits, with those that the client gave
    /// up.
    fn open(&self) -> usize {
        let Counts {
            begun,
            ended,
            timed_out,
            ..
        } = &*self.0;
        let count = |number: &AtomicUsize| number.load(Ordering::SeqCst);
        count(begun) + count(timed_out) - count(ended)
    }
}

impl<S: Subscriber> Layer<S> for Requests {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let target = event.metadata().target();
        if !target.starts_with("nexmo_audit_exporter::") {
            return;
        }
        let mut said = Said::default();
        event.record(&mut said);
        let add = |number: &AtomicUsize| number.fetch_add(1, Ordering::SeqCst);
        match &*said.message {
            "request" | "commit" => add(&self.0.begun),
            "answer" | "commit ended" => add(&self.0.ended),
            _ => 0,
        };
        if said.code == "timeout" {
            add(&self.0.timed_out);
        }
        if *event.metadata().level() == Level::WARN {
            let warnings = self.0.warnings.lock();
            let mut warnings = warnings.unwrap_or_else(PoisonError::into_inner);
            warnings.push(format!("{}{}", said.message, said.others));
        }
    }
}

/// The fields of a log line.
#[derive(Default)]
struct Said {
    message: String,
    code: String,
    others: String,
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "code" => self.code = format!("{value:?}"),
            name => self.others.extend([" ", name, "=", &format!("{value:?}")]),
        }
    }
}

fn read(settings: &[&str], api: &ScriptedApi, folder: &Path) -> Settings {
    let storage = format!("--storage.path={}", folder.display());
    let base_url = format!("--api.base-url={}", api.base_url());
    let fixed = [
        "nexmo-audit-exporter",
        "--web.listen-address=127.0.0.1:0",
        "--api.timeout=10m",
        "--api.max-requests-per-second=1000",
        &base_url,
        &storage,
    ];
    let arguments = fixed.iter().chain(settings).map(Into::into);
    let request = cli::parse(arguments, |_| panic!("there is no file"));
    let Action::Serve(options) = request.expect("settings").action else {
        panic!("{settings:?}")
    };
    let found = EnvironmentCredentials {
        key: Some(API_KEY.into()),
        secret: Some(Ok(API_SECRET.into())),
    };
    Settings::check(&options, found).expect("settings")
}
