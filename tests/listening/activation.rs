//! Sockets that a service manager has opened: the protocol of `sd_listen_fds(3)`.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use test_support::eventually::eventually;
use test_support::process::{Process, START};
use test_support::program::{API_KEY, API_SECRET, executable};
use test_support::tools;

use crate::setup::{END, Setup};

/// The time limit of a scrape, restarts included.
const SCRAPE: Duration = Duration::from_secs(30);
/// The number of scrapes at each stage of a test.
const SCRAPES: usize = 5;

/// The address of a socket that another process keeps.
#[derive(Clone)]
enum Address {
    Port(SocketAddr),
    UnixSocket(PathBuf),
}

impl Address {
    /// Scrapes once over a connection of its own, and returns the answer.
    fn scrape(&self) -> io::Result<String> {
        match self {
            Self::Port(address) => {
                let stream = TcpStream::connect(address)?;
                stream.set_read_timeout(Some(SCRAPE))?;
                answer(stream)
            }
            Self::UnixSocket(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(SCRAPE))?;
                answer(stream)
            }
        }
    }
}

fn answer(mut stream: impl Read + Write) -> io::Result<String> {
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: test\r\nUser-Agent: Prometheus/3.5.0\r\nX-Prometheus-Scrape-Timeout-Seconds: 30\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// A client that scrapes without a pause.
struct Scraper {
    done: Arc<AtomicUsize>,
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<Vec<String>>,
}

impl Scraper {
    fn start(address: &Address) -> Self {
        let (done, is_over) = (
            Arc::new(AtomicUsize::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let (counter, end, address) = (Arc::clone(&done), Arc::clone(&is_over), address.clone());
        let thread = thread::spawn(move || {
            let mut refused = Vec::new();
            while !end.load(Relaxed) {
                match address.scrape() {
                    Ok(answer) if answer.starts_with("HTTP/1.1 200 OK") => {}
                    other => refused.push(format!("{other:?}")),
                }
                counter.fetch_add(1, Relaxed);
            }
            refused
        });
        Self {
            done,
            is_over,
            thread,
        }
    }

    /// Waits for some more scrapes.
    fn wait_for_more(&self) {
        let before = self.done.load(Relaxed);
        eventually("scrapes", SCRAPE, || {
            let done = self.done.load(Relaxed);
            (done >= before + SCRAPES)
                .then_some(())
                .ok_or(done.to_string())
        });
    }

    /// Returns the scrapes that were not answered.
    fn end(self) -> Vec<String> {
        self.is_over.store(true, Relaxed);
        self.thread.join().expect("scrapes")
    }
}

fn listens(exporter: &Process, address: &str) {
    let line = format!("listening address={address}");
    exporter.wait_for_line(&line, START, |found| found.contains(&line).then_some(()));
}

/// Restarts the exporter beside scrapes, none of which may be refused.
fn restarts_refuse_no_scrape(setup: &Setup, socket: &OwnedFd, address: &Address) {
    let start = || {
        let socket = socket.try_clone().expect("a socket");
        let mut command = setup.activated(&[]);
        Process::start_with_input("exporter", &mut command, socket.into())
    };
    // Connections wait from the first moment on.
    let scraper = Scraper::start(address);
    let mut exporter = start();
    for _ in 0..3 {
        scraper.wait_for_more();
        exporter.signal("TERM");
        let status = exporter.wait_for_end(END);
        assert_eq!(status.code(), Some(0), "{}", exporter.log());
        exporter = start();
    }
    scraper.wait_for_more();
    let refused = scraper.end();
    assert!(refused.is_empty(), "{refused:?}\n{}", exporter.log());
}

#[test]
fn a_restart_refuses_no_scrape_of_a_port_that_is_handed_over() {
    let setup = Setup::new();
    let socket = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let address = Address::Port(socket.local_addr().expect("an address"));
    restarts_refuse_no_scrape(&setup, &socket.into(), &address);
}

#[test]
fn a_restart_refuses_no_scrape_of_a_unix_socket_that_is_handed_over() {
    let setup = Setup::new();
    let socket = UnixListener::bind(setup.socket()).expect("a socket");
    let address = Address::UnixSocket(setup.socket());
    restarts_refuse_no_scrape(&setup, &socket.into(), &address);
    // The file belongs to the service manager.
    assert!(setup.socket().exists());
}

#[test]
fn a_socket_that_is_handed_over_takes_the_place_of_the_address_and_is_not_inherited() {
    let setup = Setup::new();
    let socket = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let address = socket.local_addr().expect("an address");
    let mut command = setup.activated(&["--web.listen-address=127.0.0.1:1"]);
    let exporter =
        Process::start_with_input("exporter", &mut command, OwnedFd::from(socket).into());
    listens(&exporter, &address.to_string());
    let log = exporter.log();
    assert!(log.contains("in place of --web.listen-address"), "{log}");
    assert!(log.contains("names=metrics"), "{log}");
    let descriptor = fs::read_to_string(format!("/proc/{}/fdinfo/3", exporter.id()));
    let descriptor = descriptor.expect("a descriptor");
    let flags = descriptor
        .lines()
        .find_map(|line| line.strip_prefix("flags:"));
    let flags = i64::from_str_radix(flags.expect("flags").trim(), 8).expect("a number");
    // O_CLOEXEC
    assert_ne!(flags & 0o2_000_000, 0, "{descriptor}");
}

#[test]
fn a_descriptor_that_does_not_listen_is_refused_with_what_to_do() {
    let setup = Setup::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let address = listener.local_addr().expect("an address");
    let connection = TcpStream::connect(address).expect("a connection");
    let datagrams = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    for (socket, told) in [
        (
            OwnedFd::from(connection),
            "set Accept=no in the socket unit",
        ),
        (OwnedFd::from(datagrams), "which is no stream socket"),
    ] {
        let mut command = setup.activated(&[]);
        let mut exporter = Process::start_with_input("exporter", &mut command, socket.into());
        assert_eq!(exporter.wait_for_end(END).code(), Some(1));
        let log = exporter.all_lines(END).join("\n");
        assert!(log.contains(told) && log.contains("descriptor 3"), "{log}");
    }
}

#[test]
fn sockets_of_another_process_are_left_alone() {
    let setup = Setup::new();
    let mut command = setup.command("serve", "state", &[]);
    command.envs([("LISTEN_FDS", "1"), ("LISTEN_PID", "1")]);
    let exporter = Process::start("exporter", &mut command);
    let address = exporter.wait_for_address(|_| true);
    TcpStream::connect(address).expect("a connection");
    assert!(!exporter.log().contains("service manager"));
}

/// systemd's own activator starts the program at the first connection, which is answered.
#[test]
fn an_activator_of_systemd_starts_the_exporter_with_a_port_and_a_unix_socket() {
    let Some(activate) = tools::require("systemd-socket-activate") else {
        return;
    };
    let setup = Setup::new();
    let port = test_support::restartable::free_port();
    let port = SocketAddr::from(([127, 0, 0, 1], port));
    let mut command = Command::new(activate);
    command.arg(format!("--listen={port}"));
    command.arg(format!("--listen={}", setup.socket().display()));
    command.arg("--fdname=port:unix");
    command.arg(format!("--setenv=NEXMO_API_KEY={API_KEY}"));
    command.arg(format!("--setenv=NEXMO_API_SECRET={API_SECRET}"));
    command.arg(executable());
    command.args(setup.command("serve", "state", &[]).get_args());
    let command = command.current_dir(setup.folder.path());
    let exporter = Process::start("systemd-socket-activate", command);
    exporter.wait_for_line("socket", START, |line| {
        line.contains("Listening on").then_some(())
    });
    for address in [Address::Port(port), Address::UnixSocket(setup.socket())] {
        let answer = eventually("an activator that listens", START, || {
            address.scrape().map_err(|error| error.to_string())
        });
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    }
    listens(&exporter, &format!("unix:{}", setup.socket().display()));
    let log = exporter.log();
    assert!(log.contains("names=\"port, unix\""), "{log}");
}
