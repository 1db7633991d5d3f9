//! The vendor's API, played by a script over real HTTP, for answers that the simulator
//! does not give. A scripted API has no filters and no clock of its own.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;
use url::Url;

use crate::eventually::eventually;
use crate::scripted_answer::Answer;

/// The time from one request to the next one that a test waits for.
const NEXT_REQUEST: Duration = Duration::from_secs(20);

type Script = dyn Fn(&Request) -> Answer + Send + Sync;

/// A request as the API received it.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// The path and the query.
    pub target: String,
    headers: Vec<(String, String)>,
    /// The number of the connection, counted from 0.
    pub connection: usize,
    /// The time by the clock of the runtime, which a test may have paused.
    pub at: Instant,
}

impl Request {
    pub fn is_list(&self) -> bool {
        self.method == "GET"
    }

    pub fn is_types(&self) -> bool {
        self.method == "OPTIONS"
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub fn parameter(&self, name: &str) -> Option<String> {
        let url = Url::parse("http://api").and_then(|api| api.join(&self.target));
        let url = url.expect("a target");
        let mut pairs = url.query_pairs();
        pairs.find_map(|(known, value)| (known == name).then(|| value.into_owned()))
    }

    pub fn page(&self) -> u64 {
        let page = self.parameter("page").expect("a page");
        page.parse().expect("a number")
    }

    fn parse(head: &str, connection: usize) -> Self {
        let mut lines = head.split("\r\n");
        let mut request_line = lines.next().unwrap_or_default().split(' ');
        let mut word = || request_line.next().unwrap_or_default().to_owned();
        let headers = lines.filter_map(|line| line.split_once(": "));
        Self {
            method: word(),
            target: word(),
            headers: headers.map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
            connection,
            at: Instant::now(),
        }
    }
}

/// A running API that follows a script.
pub struct ScriptedApi {
    address: SocketAddr,
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

struct Shared {
    script: Mutex<Arc<Script>>,
    requests: Mutex<Vec<Request>>,
    connections: AtomicUsize,
    silences: AtomicUsize,
}

impl ScriptedApi {
    /// Starts in a runtime of its own, for a program that runs as a process.
    pub fn start(script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let mut api = runtime.block_on(Self::start_here(script));
        api.runtime = Some(runtime);
        api
    }

    /// Starts in the runtime of the test, and so with its clock.
    pub async fn start_here(script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            script: Mutex::new(Arc::new(script)),
            requests: Mutex::default(),
            connections: AtomicUsize::new(0),
            silences: AtomicUsize::new(0),
        });
        tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self {
            address,
            shared,
            runtime: None,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn base_url(&self) -> String {
        format!("http://{}/beta/audit", self.address)
    }

    /// Answers by this script from now on.
    pub fn follow(&self, script: impl Fn(&Request) -> Answer + Send + Sync + 'static) {
        *lock(&self.shared.script) = Arc::new(script);
    }

    /// Returns every request so far.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.shared.requests).clone()
    }

    /// Returns the number of connections so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Returns the number of requests that are never answered.
    pub fn silences(&self) -> usize {
        self.shared.silences.load(Ordering::SeqCst)
    }

    /// Waits until `accept` agrees with `number` requests, and returns them.
    pub fn wait_for_requests(
        &self,
        number: usize,
        accept: impl Fn(&Request) -> bool,
    ) -> Vec<Request> {
        eventually(&format!("request {number}"), NEXT_REQUEST, || {
            let all = self.requests();
            let found: Vec<_> = all.iter().filter(|r| accept(r)).cloned().collect();
            if found.len() < number {
                return Err(format!("{all:?}"));
            }
            Ok(found)
        })
    }
}

impl Drop for ScriptedApi {
    fn drop(&mut self) {
        // An ordinary shutdown would wait for the silent answers.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Returns a script that shows these events on one page.
pub fn healthy(events: Vec<Value>) -> impl Fn(&Request) -> Answer + Send + Sync {
    listing(move |request| match request.page() {
        1 => Answer::list(&events),
        _ => Answer::page(&[], json!(events.len()), json!(1)),
    })
}

/// Returns a script that answers list requests by `list`, and requests for the types as
/// the vendor does.
pub fn listing(
    list: impl Fn(&Request) -> Answer + Send + Sync,
) -> impl Fn(&Request) -> Answer + Send + Sync {
    move |request| {
        if request.is_types() {
            Answer::types(&["USER_STATUS", "NUMBER_ASSIGN"])
        } else {
            list(request)
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        // Head and body are sent one after the other.
        stream.set_nodelay(true).expect("a socket");
        let connection = shared.connections.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(converse(stream, connection, Arc::clone(&shared)));
    }
}

async fn converse(mut stream: TcpStream, connection: usize, shared: Arc<Shared>) {
    let mut unread = Vec::new();
    while let Some(head) = read_head(&mut stream, &mut unread).await {
        let request = Request::parse(&head, connection);
        lock(&shared.requests).push(request.clone());
        let script = Arc::clone(&lock(&shared.script));
        let answer = script(&request);
        let silences = usize::from(answer.is_silent());
        shared.silences.fetch_add(silences, Ordering::SeqCst);
        // The client may close the connection before the end of an answer.
        if !answer.send(&mut stream).await.unwrap_or(false) {
            return;
        }
    }
}

/// Reads up to the empty line. The client under test sends no body.
async fn read_head(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(end) = unread.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = unread.split_off(end + 4);
            let head = std::mem::replace(unread, rest);
            return String::from_utf8(head).ok();
        }
        if stream.read_buf(unread).await.ok()? == 0 {
            return None;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
