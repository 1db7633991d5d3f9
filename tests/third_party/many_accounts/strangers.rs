//! Requests that no server sends.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// The number of slow connections that are kept open at once.
const KEPT: usize = 16;

/// Strangers that keep some of their connections open.
#[derive(Debug, Default)]
pub(super) struct Strangers {
    kept: Vec<TcpStream>,
    number: usize,
}

impl Strangers {
    /// Sends the next request. The exporter may be down.
    pub(super) fn send(&mut self, exporter: SocketAddr) {
        let requests: [(&[u8], bool); 6] = [
            // One that looks like a scrape, and states an hour.
            (
                b"GET /metrics HTTP/1.1\r\nHost: a\r\nX-Prometheus-Scrape-Timeout-Seconds: 3600\r\n\r\n",
                false,
            ),
            // One that never reads its answer.
            (b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", true),
            // One that never ends.
            (b"GET /metrics HTTP/1.1\r\nHost: ", true),
            (b"POST /-/reload HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", false),
            (b"\x16\x03\x01 this is no request\r\n\r\n", false),
            (b"GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n", false),
        ];
        let (request, is_kept) = requests[self.number % requests.len()];
        self.number += 1;
        let Ok(mut stream) = TcpStream::connect_timeout(&exporter, Duration::from_secs(1)) else {
            return;
        };
        let limit = Some(Duration::from_secs(1));
        // The exporter may die, or close the connection, at any time.
        let _ = stream.set_read_timeout(limit);
        let _ = stream.set_write_timeout(limit);
        let _ = stream.write_all(request);
        if is_kept {
            self.kept.push(stream);
            if self.kept.len() > KEPT {
                self.kept.remove(0);
            }
        } else {
            let _ = stream.read(&mut [0; 4096]);
        }
    }
}
