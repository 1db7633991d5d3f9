//! The sockets that systemd holds for socket units.

use std::{fs, io, path::Path};

use crate::ListenAddress;

/// The state of a port that a process listens on, in the kernel's lists of connections.
const LISTENING: &str = "0A";

/// Returns `true` if the systemd of this machine listens on the address. Returns `false` if
/// that cannot be seen, which takes the rights of root.
pub(crate) fn holds(address: &ListenAddress) -> bool {
    found_in(Path::new("/proc"), address)
}

fn found_in(proc: &Path, address: &ListenAddress) -> bool {
    // Process 1 of a container may be any program.
    let init = proc.join("1");
    let name = fs::read_to_string(init.join("comm")).unwrap_or_default();
    if name.trim_end() != "systemd" {
        return false;
    }
    let wanted: Vec<String> = match address {
        ListenAddress::Port { port, .. } => ["tcp", "tcp6"]
            .iter()
            .flat_map(|list| lines(proc, list, |line| of_port(line, *port)))
            .collect(),
        ListenAddress::UnixSocket(path) => lines(proc, "unix", |line| of_path(line, path)),
    };
    open_files(&init).is_ok_and(|files| files.iter().any(|file| wanted.contains(file)))
}

/// Returns what `socket` finds in the lines of one of the kernel's lists.
fn lines(proc: &Path, list: &str, socket: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let list = fs::read_to_string(proc.join("net").join(list)).unwrap_or_default();
    list.lines().filter_map(socket).collect()
}

/// Returns the socket of a line such as `0: 0100007F:2972 00000000:0000 0A …`, whose tenth
/// field is the number of the socket, if a process listens on the port.
fn of_port(line: &str, port: u16) -> Option<String> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (_, own) = fields.get(1)?.rsplit_once(':')?;
    let is_wanted = *fields.get(3)? == LISTENING && u16::from_str_radix(own, 16) == Ok(port);
    is_wanted.then_some(socket(fields.get(9)?))
}

/// Returns the socket of a line such as `0000: 00000002 00000000 00010000 0001 01 4711 /path`.
fn of_path(line: &str, path: &Path) -> Option<String> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    (Path::new(fields.get(7)?) == path).then_some(socket(fields.get(6)?))
}

fn socket(number: &str) -> String {
    format!("socket:[{number}]")
}

fn open_files(process: &Path) -> io::Result<Vec<String>> {
    let files = fs::read_dir(process.join("fd"))?.flatten();
    let files = files.filter_map(|file| fs::read_link(file.path()).ok());
    Ok(files.map(|file| file.display().to_string()).collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_port_and_a_path_are_found_where_systemd_has_them_open() {
        let proc = tempfile::tempdir().expect("a folder");
        let proc = proc.path();
        fs::create_dir_all(proc.join("net")).expect("a folder");
        fs::create_dir_all(proc.join("1/fd")).expect("a folder");
        let tcp6 = "  sl  local_address remote_address st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:2972 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
   1: 00000000000000000000000000000000:2973 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0
   2: 00000000000000000000000000000000:2974 00000000000000000000000000000000:0000 01 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
";
        fs::write(proc.join("net/tcp6"), tcp6).expect("a file");
        let unix = "Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 4713 /run/a.sock
0000000000000000: 00000002 00000000 00010000 0001 01 4714
";
        fs::write(proc.join("net/unix"), unix).expect("a file");
        for number in [4711, 4713, 4714] {
            let link = proc.join(format!("1/fd/{number}"));
            symlink(format!("socket:[{number}]"), link).expect("a link");
        }
        let holds = |address: &str| found_in(proc, &address.parse().expect("an address"));
        assert!(!holds(":10610"), "process 1 is unknown");
        fs::write(proc.join("1/comm"), "nginx\n").expect("a file");
        assert!(!holds(":10610"), "process 1 is another program");
        fs::write(proc.join("1/comm"), "systemd\n").expect("a file");
        assert!(holds(":10610"));
        assert!(holds("unix:/run/a.sock"));
        for other in [":10611", ":10612", "unix:/run/b.sock"] {
            assert!(!holds(other), "{other}");
        }
    }
}
