//! An HTTP client whose caller decides what to send and when to read.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use tokio::net::TcpSocket;

/// The time limit of a read: a slower answer is a defect.
const READ_LIMIT: Duration = Duration::from_secs(20);

/// A receive buffer so small that a large answer is still in flight when its reader
/// pauses.
const SMALL_BUFFER: u32 = 64 * 1024;

/// A connection, and the bytes that were read from it.
pub struct RawHttp {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// The head of an answer.
#[derive(Debug)]
pub struct Head {
    pub status: u16,
    /// The headers, with names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Head {
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    pub fn length(&self) -> usize {
        self.header("content-length").parse().expect("a length")
    }
}

impl RawHttp {
    pub fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).expect("a server"))
    }

    /// Connects with a small receive buffer, so that little is received ahead of the
    /// reads.
    pub fn connect_narrow(address: SocketAddr) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .expect("a runtime");
        let stream = runtime.block_on(async {
            let socket = TcpSocket::new_v4().expect("a socket");
            socket.set_recv_buffer_size(SMALL_BUFFER).expect("a size");
            let stream = socket.connect(address).await.expect("a server");
            stream.into_std().expect("a stream")
        });
        stream.set_nonblocking(false).expect("a stream");
        Self::over(stream)
    }

    fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(READ_LIMIT)).expect("a stream");
        Self {
            stream,
            unread: Vec::new(),
        }
    }

    pub fn send(&mut self, method: &str, path: &str) {
        self.send_with(method, path, &[]);
    }

    pub fn send_with(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) {
        let headers = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"));
        let headers: String = headers.collect();
        let request = format!("{method} {path} HTTP/1.1\r\nHost: test\r\n{headers}\r\n");
        self.stream
            .write_all(request.as_bytes())
            .expect("a request");
    }

    /// Sends these bytes. A failure shows in what the server answers.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Reads until the server closes the connection, in whatever way.
    pub fn read_to_end(&mut self) -> String {
        let _ = self.stream.read_to_end(&mut self.unread);
        String::from_utf8_lossy(&std::mem::take(&mut self.unread)).into_owned()
    }

    /// Closes the sending side of the connection.
    pub fn finish(&mut self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Write);
    }

    pub fn read_head(&mut self) -> Head {
        let end = loop {
            let end = self.unread.windows(4).position(|four| four == b"\r\n\r\n");
            match end {
                Some(end) => break end,
                None => assert!(self.read_more() > 0, "the connection was closed"),
            }
        };
        let rest = self.unread.split_off(end + 4);
        let head = std::mem::replace(&mut self.unread, rest);
        let head = String::from_utf8(head).expect("text");
        let status = head.split(' ').nth(1).expect("a status");
        let pairs = head.lines().filter_map(|line| line.split_once(": "));
        Head {
            status: status.parse().expect("a status"),
            headers: pairs
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect(),
        }
    }

    /// Reads `length` bytes of a body, or fewer if the connection ends before.
    pub fn read_body(&mut self, length: usize) -> String {
        String::from_utf8_lossy(&self.read_bytes(length)).into_owned()
    }

    fn read_bytes(&mut self, length: usize) -> Vec<u8> {
        while self.unread.len() < length && self.read_more() > 0 {}
        let rest = self.unread.split_off(length.min(self.unread.len()));
        std::mem::replace(&mut self.unread, rest)
    }

    /// Sends a request with these headers, and returns the answer as it was sent.
    pub fn get_as(&mut self, path: &str, headers: &[(&str, &str)]) -> (Head, Vec<u8>) {
        self.send_with("GET", path, headers);
        let head = self.read_head();
        let body = self.read_bytes(head.length());
        (head, body)
    }

    /// Sends a request, and returns the answer.
    pub fn get(&mut self, path: &str) -> (Head, String) {
        self.send("GET", path);
        let head = self.read_head();
        let body = self.read_body(head.length());
        (head, body)
    }

    /// Returns `true` if the server has closed the connection and nothing is left to
    /// read.
    pub fn is_at_its_end(&mut self) -> bool {
        self.unread.is_empty() && self.read_more() == 0
    }

    fn read_more(&mut self) -> usize {
        let mut piece = [0; 16 * 1024];
        let read = self.stream.read(&mut piece).expect("an answer in time");
        self.unread.extend_from_slice(&piece[..read]);
        read
    }
}
