//! The service manager that has started the process: the sockets that it hands over, and the
//! messages that it asks for by the protocol of `sd_notify(3)`.

use std::{
    env,
    ffi::OsStr,
    io,
    os::{
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStrExt,
            net::{SocketAddr, UnixDatagram},
        },
    },
    process,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use exporter_web::InheritedSocket;
use rustix::time::{ClockId, clock_gettime};

/// The longest time that a message waits for a service manager that is busy.
const LONGEST_SEND: Duration = Duration::from_secs(1);

/// The service manager that has started the process, or none, which is told nothing.
#[derive(Debug, Default)]
pub struct ServiceManager {
    /// The sockets that it hands over.
    pub(super) sockets: Vec<InheritedSocket>,
    /// The socket for messages, and the address of the service manager; `None` if it has not
    /// asked for messages.
    socket: Option<(UnixDatagram, SocketAddr)>,
    /// The longest time between two signs of life; `None` if there is no watchdog.
    watchdog: Option<Duration>,
    /// `true` once a message could not be sent, which is logged once.
    has_failed: AtomicBool,
}

impl ServiceManager {
    /// Returns the service manager that the environment names, which hands over `sockets`. What
    /// cannot be used is logged.
    pub(crate) fn of_environment(sockets: Vec<InheritedSocket>) -> Self {
        Self {
            sockets,
            socket: notify_socket(),
            watchdog: watchdog(),
            has_failed: AtomicBool::new(false),
        }
    }

    /// Returns the longest time between two signs of life; `None` if there is no watchdog.
    pub(super) fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    /// Returns `true` if the service manager has asked for messages.
    pub(super) fn listens(&self) -> bool {
        self.socket.is_some()
    }

    /// Says that the start goes on, and may take so long.
    pub(crate) fn starting(&self, at_most: Duration) {
        let time = at_most.as_micros();
        self.send(&format!(
            "STATUS=Opening the stored state\nEXTEND_TIMEOUT_USEC={time}"
        ));
    }

    /// Says that the start or a reload has ended.
    pub(super) fn ready(&self, status: &str) {
        self.send(&format!("READY=1\nSTATUS={status}"));
    }

    /// Says that a reload begins. systemd looks for a time after that of its request.
    pub(super) fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let now = now.tv_sec * 1_000_000 + now.tv_nsec / 1000;
        self.send(&format!(
            "RELOADING=1\nMONOTONIC_USEC={now}\nSTATUS=Reading the configuration"
        ));
    }

    /// Says that the process ends, which may take so long.
    pub(super) fn stopping(&self, at_most: Duration) {
        let time = at_most.as_micros();
        self.send(&format!(
            "STOPPING=1\nSTATUS=Waiting until servers that scrape have fetched the last counts\nEXTEND_TIMEOUT_USEC={time}"
        ));
    }

    /// Says how it goes, in one line.
    pub(super) fn status(&self, status: &str) {
        self.send(&format!("STATUS={status}"));
    }

    /// Gives the watchdog a sign of life.
    pub(super) fn alive(&self) {
        self.send("WATCHDOG=1");
    }

    fn send(&self, message: &str) {
        let Some((socket, manager)) = &self.socket else {
            return;
        };
        // Not connected, since the socket may be made anew while the process runs.
        let sent = socket.send_to_addr(message.as_bytes(), manager);
        if let Err(error) = sent
            && !self.has_failed.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                %error,
                "the service manager could not be told how the exporter does; it may take the exporter for one that hangs"
            );
        }
    }
}

/// Returns a socket for messages, and the address of `NOTIFY_SOCKET`.
fn notify_socket() -> Option<(UnixDatagram, SocketAddr)> {
    let name = env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty())?;
    connect(&name)
        .inspect_err(|error| {
            let socket = name.display();
            tracing::warn!(
                %error,
                %socket,
                "NOTIFY_SOCKET cannot be used, so the service manager is told nothing"
            );
        })
        .ok()
}

/// Returns the time of the watchdog, if it watches this process.
fn watchdog() -> Option<Duration> {
    let watched = env::var("WATCHDOG_PID").ok();
    let is_watched = watched.is_none_or(|watched| watched == process::id().to_string());
    let time = env::var("WATCHDOG_USEC").ok().filter(|_| is_watched)?;
    let time = time.parse().ok().filter(|time| *time > 0)?;
    Some(Duration::from_micros(time))
}

/// Returns a socket, and the address that a name stands for: a path, or an abstract name after
/// an `@`.
fn connect(name: &OsStr) -> io::Result<(UnixDatagram, SocketAddr)> {
    let address = match name.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(name)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_write_timeout(Some(LONGEST_SEND))?;
    Ok((socket, address))
}

#[cfg(test)]
impl ServiceManager {
    /// Returns a service manager that listens at this path and has a watchdog.
    pub(super) fn at(path: &std::path::Path, watchdog: Duration) -> Self {
        Self {
            sockets: Vec::new(),
            socket: connect(path.as_os_str()).ok(),
            watchdog: Some(watchdog),
            has_failed: AtomicBool::new(false),
        }
    }
}
