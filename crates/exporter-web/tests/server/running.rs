//! A server that runs in the test, and a client that speaks HTTP by hand.

use std::{
    fs,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use bytes::Bytes;
use exporter_web::{Peer, ResponseBody, Server, Site, WebConfigFile, bind};
use hyper::{Response, http::request};
use tempfile::TempDir;
use tokio::{
    io::{self, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    sync::{Semaphore, mpsc, oneshot},
    task::JoinHandle,
};

/// The length of `/large`: more than the buffers of both ends hold together.
pub(crate) const LARGE: usize = 32 << 20;

/// Answers `/large` with many bytes, and every other path with the path. Counts the
/// requests for `/counted` and `/held`, takes `/probe` for a probe, and answers `/held` once
/// it is let go. Reports the path of each answer that was sent.
#[derive(Clone)]
struct TestSite {
    counted: Arc<AtomicUsize>,
    held: Arc<Semaphore>,
    sent: mpsc::UnboundedSender<String>,
}

impl Site for TestSite {
    async fn respond(&self, request: &request::Parts, _: Peer) -> Response<ResponseBody> {
        let path = request.uri.path();
        if matches!(path, "/counted" | "/held") {
            self.counted.fetch_add(1, Relaxed);
        }
        if path == "/held" {
            // Resolves with an error once the semaphore is closed.
            let _ = self.held.acquire().await;
        }
        let body = if path == "/large" {
            let part = Bytes::from(vec![b'x'; 1 << 20]);
            ResponseBody::from(vec![part; LARGE >> 20])
        } else {
            ResponseBody::from(path.to_owned())
        };
        let (sent, path) = (self.sent.clone(), path.to_owned());
        Response::new(body.on_sent(move || {
            // The test may have ended.
            let _ = sent.send(path);
        }))
    }

    fn is_probe(&self, request: &request::Parts) -> bool {
        request.uri.path() == "/probe"
    }
}

/// A server with a web configuration file in a folder of its own.
pub(crate) struct Running {
    folder: TempDir,
    pub(crate) web_config: Arc<WebConfigFile>,
    counted: Arc<AtomicUsize>,
    held: Arc<Semaphore>,
    sent: mpsc::UnboundedReceiver<String>,
    address: SocketAddr,
    shutdown: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

impl Running {
    pub(crate) async fn start(web_config: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self::start_in(folder, web_config, |server| server).await
    }

    pub(crate) async fn start_bounded(max_requests: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self::start_in(folder, "", |server| server.max_requests(max_requests)).await
    }

    /// Writes the file into `folder`, which may hold what the file names.
    pub(crate) async fn start_with(folder: TempDir, web_config: &str) -> Self {
        Self::start_in(folder, web_config, |server| server).await
    }

    async fn start_in(
        folder: TempDir,
        web_config: &str,
        with: impl FnOnce(Server<TestSite>) -> Server<TestSite>,
    ) -> Self {
        let path = folder.path().join("web-config.yml");
        fs::write(&path, web_config).expect("a file");
        let web_config = Arc::new(WebConfigFile::read(Some(&path)).expect("settings"));
        let any_port = "127.0.0.1:0".parse().expect("an address");
        let listeners = bind(&[any_port]).await.expect("a port");
        let (counted, held) = (Arc::default(), Arc::new(Semaphore::new(0)));
        let (report, sent) = mpsc::unbounded_channel();
        let site = TestSite {
            counted: Arc::clone(&counted),
            held: Arc::clone(&held),
            sent: report,
        };
        let server = with(Server::new(listeners, site, Arc::clone(&web_config)));
        let address = server.local_addresses().expect("an address")[0].port();
        let address = address.expect("a port");
        let (shutdown, asked) = oneshot::channel();
        let ended = tokio::spawn(server.run(async {
            let _ = asked.await;
        }));
        Self {
            folder,
            web_config,
            counted,
            held,
            sent,
            address,
            shutdown,
            ended,
        }
    }

    /// The number of requests for `/counted` and `/held` that came to the site.
    pub(crate) fn counted(&self) -> usize {
        self.counted.load(Relaxed)
    }

    /// Lets the answers to `/held` go.
    pub(crate) fn let_go(&self) {
        self.held.close();
    }

    /// Returns the path of the next answer that is sent.
    pub(crate) async fn sent(&mut self) -> String {
        self.sent.recv().await.expect("a server that runs")
    }

    /// Returns `true` if no answer was sent whose path [`Running::sent`] did not return.
    pub(crate) fn has_sent_nothing(&mut self) -> bool {
        self.sent.try_recv().is_err()
    }

    /// Ends the server, and returns the paths of the answers that were sent and that
    /// [`Running::sent`] did not return.
    pub(crate) async fn sent_until_the_end(self) -> Vec<String> {
        self.shutdown.send(()).expect("a server that runs");
        self.ended.await.expect("a server that ends");
        let mut sent = self.sent;
        let mut paths = Vec::new();
        while let Some(path) = sent.recv().await {
            paths.push(path);
        }
        paths
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("web-config.yml")
    }

    /// Replaces the file at once: the server may be reading it.
    pub(crate) fn replace_web_config(&self, web_config: &str) {
        let new = self.folder.path().join("new.yml");
        fs::write(&new, web_config).expect("a file");
        fs::rename(&new, self.path()).expect("a file");
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).await;
        stream.expect("a server that listens")
    }

    /// Asks the server to end, waits until it accepts no connection any more, and
    /// returns what resolves when it has ended.
    pub(crate) async fn shut_down(self) -> JoinHandle<()> {
        self.shutdown.send(()).expect("a server that runs");
        while TcpStream::connect(self.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
        self.ended
    }
}

/// A whole response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The values of a header, by its name in small letters.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        let headers = self.head.lines().filter_map(|line| line.split_once(": "));
        let headers = headers.filter(|(known, _)| *known == name);
        headers.map(|(_, value)| value).collect()
    }
}

/// Asks for `path`; each of `headers` ends with a line break.
pub(crate) async fn send(
    stream: &mut (impl AsyncWrite + Unpin),
    path: &str,
    headers: &str,
) -> io::Result<()> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await
}

/// Reads up to the end of the head of a response.
pub(crate) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a head"));
    }
    String::from_utf8(head).expect("text")
}

/// Asks for `path` and reads the response, after which the connection ends.
pub(crate) async fn ask(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    path: &str,
    headers: &str,
) -> io::Result<Answer> {
    let headers = format!("Connection: close\r\n{headers}");
    send(&mut stream, path, &headers).await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).expect("a status");
    Ok(Answer {
        status: status.parse().expect("a status"),
        head: head.to_owned(),
        body: body.to_owned(),
    })
}
