//! The receiver of the notifications of Alertmanager.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use serde_json::Value;

/// A webhook on loopback that keeps what it is sent.
pub(super) struct Receiver {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

/// A notification with the time at which it came.
#[derive(Clone)]
pub(super) struct Received {
    pub(super) at: Instant,
    pub(super) notification: Value,
}

impl Receiver {
    pub(super) fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let received = Arc::new(Mutex::default());
        let keep = Arc::clone(&received);
        // The thread ends with the test.
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let keep = Arc::clone(&keep);
                thread::spawn(move || while take(&connection, &keep).is_some() {});
            }
        });
        Self { address, received }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Returns the notifications about the alert of this name.
    pub(super) fn of(&self, alert: &str) -> Vec<Value> {
        let received = self.all().into_iter().map(|received| received.notification);
        let named = |notification: &Value| notification["commonLabels"]["alertname"] == alert;
        received.filter(named).collect()
    }

    /// Returns all notifications, in the order in which they came.
    pub(super) fn all(&self) -> Vec<Received> {
        let received = self.received.lock();
        received.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Reads one request and answers it. Returns `None` once the connection has ended.
fn take(connection: &TcpStream, keep: &Mutex<Vec<Received>>) -> Option<()> {
    let mut reader = BufReader::new(connection);
    let mut length = 0;
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let received = Received {
        at: Instant::now(),
        notification: serde_json::from_slice(&body).ok()?,
    };
    keep.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(received);
    let mut answer = connection;
    answer
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .ok()
}
