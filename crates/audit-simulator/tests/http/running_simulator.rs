//! A simulator that runs beside the test, and clients for it.

use std::net::SocketAddr;

use audit_simulator::{Simulator, SimulatorHandle, SimulatorSettings};
use jiff::Timestamp;
use reqwest::{Client, Method, Response};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// `abcd1234:simulated-secret`
pub(crate) const AUTHORIZATION: &str = "Basic YWJjZDEyMzQ6c2ltdWxhdGVkLXNlY3JldA==";

/// Two hundred events of history on a free port, and nothing new.
pub(crate) fn settings() -> SimulatorSettings {
    SimulatorSettings {
        listen_address: SocketAddr::from(([127, 0, 0, 1], 0)),
        start: Some(time("2026-11-23T12:00:00Z")),
        rate: 0.0,
        history: 200,
        ..SimulatorSettings::default()
    }
}

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().expect("a timestamp")
}

/// An answer as it came over the wire.
pub(crate) struct RawAnswer {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

/// A running simulator; its clock stands at the start if one is set.
pub(crate) struct Api {
    pub(crate) client: Client,
    pub(crate) base_url: String,
    pub(crate) address: SocketAddr,
    pub(crate) handle: SimulatorHandle,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) run: JoinHandle<()>,
}

impl Api {
    pub(crate) async fn start(settings: SimulatorSettings) -> Self {
        // The first test of a process installs it; plain http has no use for it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Without CA certificates no TLS can be set up, and none is needed.
        let client = Client::builder().tls_certs_only([]).no_proxy().build();
        // Machine and API may disagree by years: the clock is set before anything happens.
        let offset = settings
            .start
            .map(|start| start.duration_since(Timestamp::now()));
        let start = settings.start;
        let settings = SimulatorSettings {
            clock_offset: offset.unwrap_or(settings.clock_offset),
            ..settings
        };
        let simulator = Simulator::bind(settings).await.expect("a simulator");
        let handle = simulator.handle();
        if let Some(start) = start {
            handle.stop_clock(start);
        }
        let (stop, stopped) = oneshot::channel::<()>();
        Self {
            client: client.expect("a client"),
            base_url: simulator.base_url(),
            address: simulator.local_addr(),
            handle,
            stop,
            run: tokio::spawn(simulator.run(async move { drop(stopped.await) })),
        }
    }

    pub(crate) async fn request(&self, method: &str, path: &str) -> Response {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let request = self
            .client
            .request(method, format!("{}{path}", self.base_url));
        let request = request.header("authorization", AUTHORIZATION);
        request.send().await.expect("an answer")
    }

    /// The JSON of an answer with this status.
    pub(crate) async fn get(&self, path: &str, status: u16) -> Value {
        let answer = self.request("GET", path).await;
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert!(answer.headers().contains_key("date"));
        serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON")
    }

    pub(crate) async fn list(&self, query: &str) -> Value {
        self.get(&format!("/events?{query}"), 200).await
    }

    /// The events of all pages.
    pub(crate) async fn sweep(&self, query: &str) -> Vec<Value> {
        let mut all = Vec::new();
        for page in 1.. {
            let list = self.list(&format!("{query}&page={page}")).await;
            let Some(events) = list["_embedded"]["events"].as_array() else {
                break;
            };
            all.extend(events.iter().cloned());
            let next = page < list["page"]["totalPages"].as_u64().expect("a number");
            assert_eq!(next, list["_links"].get("next").is_some());
        }
        all
    }

    /// A request byte by byte, and all that comes back until the connection ends.
    pub(crate) async fn raw(&self, path: &str, headers: &str) -> RawAnswer {
        let bytes = self.exchange(path, headers).await.expect("an answer");
        let end = bytes
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .expect("a head");
        RawAnswer {
            head: String::from_utf8_lossy(&bytes[..end]).to_lowercase(),
            body: bytes[end + 4..].to_vec(),
        }
    }

    pub(crate) async fn exchange(&self, path: &str, headers: &str) -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(self.address).await?;
        let request = format!(
            "GET /beta/audit{path} HTTP/1.1\r\nHost: x\r\nAuthorization: {AUTHORIZATION}\r\n{headers}Connection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await?;
        Ok(bytes)
    }
}
