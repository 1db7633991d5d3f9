//! What a service manager is told: the protocol of `sd_notify(3)`.

use std::fs;
use std::net::TcpStream;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process::Command;
use std::time::{Duration, Instant};

use test_support::process::Process;
use test_support::scripted_answer::Answer;

use crate::setup::{END, Setup};

/// The time from a cause to its message, on a busy machine.
const MESSAGE: Duration = Duration::from_secs(30);
/// The time of the watchdog.
const WATCHDOG: Duration = Duration::from_secs(2);

/// A service manager that listens for messages.
struct Manager {
    socket: UnixDatagram,
    name: String,
}

impl Manager {
    /// Listens at a path in the folder of `setup`.
    fn at_path(setup: &Setup) -> Self {
        let path = setup.path("notify.sock");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        Self::with(socket, path.display().to_string())
    }

    /// Listens at an abstract name, as `systemd --user` may.
    fn abstract_name() -> Self {
        let name = format!("nexmo-audit-test/{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).expect("an address");
        let socket = UnixDatagram::bind_addr(&address).expect("a socket");
        Self::with(socket, format!("@{name}"))
    }

    fn with(socket: UnixDatagram, name: String) -> Self {
        socket.set_read_timeout(Some(MESSAGE)).expect("a socket");
        Self { socket, name }
    }

    /// Starts an exporter that is told to send messages here.
    fn start(&self, setup: &Setup, more: &[&str]) -> Process {
        let mut command = setup.command("serve", "state", more);
        Process::start("exporter", self.ask(&mut command))
    }

    fn ask<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        let time = WATCHDOG.as_micros().to_string();
        command
            .env("NOTIFY_SOCKET", &self.name)
            .env("WATCHDOG_USEC", time)
    }

    fn receive(&self) -> Vec<String> {
        let mut buffer = [0; 4096];
        let length = self.socket.recv(&mut buffer).expect("a message");
        let text = String::from_utf8(buffer[..length].to_vec()).expect("text");
        text.lines().map(str::to_owned).collect()
    }

    /// Returns the next message that is no sign of life and no mere status.
    fn next(&self) -> Vec<String> {
        loop {
            let message = self.receive();
            let is_state =
                |line: &String| !line.starts_with("WATCHDOG=") && !line.starts_with("STATUS=");
            if message.iter().any(is_state) {
                return message;
            }
        }
    }

    /// Waits until the exporter is ready, and returns the status line.
    fn wait_until_ready(&self) -> String {
        loop {
            let message = self.next();
            if message[0] == "READY=1" {
                return message[1].clone();
            }
            assert!(!message.contains(&"STOPPING=1".to_owned()), "{message:?}");
        }
    }

    /// Waits until the status line holds `text`.
    fn wait_for_status(&self, text: &str) {
        while !self.receive().iter().any(|line| line.contains(text)) {}
    }
}

/// Returns microseconds since the machine was started, by the clock of `MONOTONIC_USEC`.
fn monotonic() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let micros = now.tv_sec * 1_000_000 + now.tv_nsec / 1000;
    u64::try_from(micros).expect("a time")
}

#[test]
fn a_start_a_reload_and_the_end_are_told() {
    let setup = Setup::new();
    let manager = Manager::at_path(&setup);
    let mut exporter = manager.start(&setup, &["--web.shutdown-timeout=35s"]);
    let starting = manager.next();
    assert_eq!(starting[1], "EXTEND_TIMEOUT_USEC=600000000");
    let status = manager.wait_until_ready();
    assert_eq!(status, "STATUS=Counting 1 account");
    // A unit that waits for READY can scrape.
    let address = exporter.wait_for_address(|_| true);
    TcpStream::connect(address).expect("a connection");
    let before = monotonic();
    exporter.signal("HUP");
    let reloading = manager.next();
    assert_eq!(reloading[0], "RELOADING=1");
    let time = reloading[1]
        .strip_prefix("MONOTONIC_USEC=")
        .expect("a time");
    let time: u64 = time.parse().expect("a number");
    assert!((before..=monotonic()).contains(&time), "{before} {time}");
    assert_eq!(manager.next()[0], "READY=1");
    exporter.signal("TERM");
    let stopping = manager.next();
    assert_eq!(stopping[0], "STOPPING=1");
    assert!(stopping[1].starts_with("STATUS="), "{stopping:?}");
    // The last call, and what comes after it.
    assert_eq!(stopping[2], "EXTEND_TIMEOUT_USEC=60000000");
    let status = exporter.wait_for_end(END);
    assert_eq!(status.code(), Some(0), "{}", exporter.log());
}

#[test]
fn a_reload_that_fails_ends_too_and_is_named() {
    let setup = Setup::new();
    let config = setup.path("config.yml");
    let write = |text: &str| fs::write(&config, text).expect("a file");
    write("log: {level: debug}\n");
    let manager = Manager::at_path(&setup);
    let file = format!("--config.file={}", config.display());
    let exporter = manager.start(&setup, &[&file]);
    manager.wait_until_ready();
    write("log: {level: loud}\n");
    exporter.signal("HUP");
    assert_eq!(manager.next()[0], "RELOADING=1");
    let ready = manager.next();
    assert_eq!(ready[0], "READY=1");
    assert!(ready[1].contains("the last reload failed"), "{ready:?}");
    write("log: {level: debug}\n");
    exporter.signal("HUP");
    assert_eq!(manager.next()[0], "RELOADING=1");
    assert_eq!(manager.next(), ["READY=1", "STATUS=Counting 1 account"]);
}

/// An outage of the API delays neither the start nor a sign of life.
#[test]
fn the_watchdog_gets_signs_of_life_also_while_the_api_is_down() {
    let setup = Setup::new();
    setup.api.follow(|_| Answer::error(503, "gone"));
    let manager = Manager::abstract_name();
    let _exporter = manager.start(&setup, &[]);
    manager.wait_until_ready();
    manager.wait_for_status("polls of 1 fail, see the landing page");
    let mut last = Instant::now();
    for _ in 0..4 {
        while manager.receive() != ["WATCHDOG=1"] {}
        assert!(last.elapsed() < WATCHDOG, "{:?}", last.elapsed());
        last = Instant::now();
    }
}

/// A process that hangs as a whole gives no sign of life.
#[test]
fn the_watchdog_of_another_process_and_a_stopped_process_get_nothing() {
    let setup = Setup::new();
    let manager = Manager::at_path(&setup);
    let exporter = manager.start(&setup, &[]);
    manager.wait_until_ready();
    while manager.receive() != ["WATCHDOG=1"] {}
    exporter.signal("STOP");
    let time = Some(2 * WATCHDOG);
    manager.socket.set_read_timeout(time).expect("a socket");
    // Ends once nothing has come for twice the time of the watchdog.
    while manager.socket.recv(&mut [0; 4096]).is_ok() {}
    exporter.signal("CONT");
    manager
        .socket
        .set_read_timeout(Some(MESSAGE))
        .expect("a socket");
    while manager.receive() != ["WATCHDOG=1"] {}
    drop(exporter);

    let mut command = setup.command("serve", "other", &[]);
    manager.ask(&mut command).env("WATCHDOG_PID", "1");
    let _exporter = Process::start("exporter", &mut command);
    manager.wait_until_ready();
    manager
        .socket
        .set_read_timeout(Some(WATCHDOG))
        .expect("a socket");
    let mut buffer = [0; 4096];
    while let Ok(length) = manager.socket.recv(&mut buffer) {
        assert!(!buffer[..length].starts_with(b"WATCHDOG"));
    }
}

#[test]
fn a_service_manager_that_cannot_be_reached_keeps_nothing_from_working() {
    let setup = Setup::new();
    let mut command = setup.command("serve", "state", &[]);
    command.env("NOTIFY_SOCKET", setup.path("nobody"));
    let exporter = Process::start("exporter", &mut command);
    let address = exporter.wait_for_address(|_| true);
    TcpStream::connect(address).expect("a connection");
    let warnings = exporter.lines();
    let warnings = warnings
        .iter()
        .filter(|line| line.contains("the service manager could not be told"));
    assert_eq!(warnings.count(), 1, "{}", exporter.log());
}
