//! Finds the process that has locked a file.

use std::fs;

use super::{error::StoreError, file_identity::FileIdentity};

/// Adds the process to the error of a file that another process uses.
pub(super) fn add_to(error: StoreError, identity: FileIdentity) -> StoreError {
    match error {
        StoreError::AlreadyOpen { path, pid: None } => StoreError::AlreadyOpen {
            path,
            pid: find(identity),
        },
        other => other,
    }
}

/// Looks for the file in the kernel's list of locks. Returns `None` if there is no such
/// list, or if the process is not visible, as in another container.
fn find(identity: FileIdentity) -> Option<u32> {
    let locks = fs::read_to_string("/proc/locks").ok()?;
    locks.lines().find_map(|line| owner(line, identity))
}

/// Reads the process from a line such as `3: FLOCK  ADVISORY  WRITE 4711 fe:00:1234 0 EOF`.
/// The database takes two kinds of lock; only `FLOCK` names the process.
fn owner(line: &str, identity: FileIdentity) -> Option<u32> {
    let mut fields = line.split_whitespace().skip(1);
    let kind = fields.next()?;
    let pid = fields.nth(2)?;
    let place = fields.next()?;
    let FileIdentity { device, inode } = identity;
    let wanted = format!("{:02x}:{:02x}:{inode}", major(device), minor(device));
    (kind == "FLOCK" && place == wanted).then(|| pid.parse().ok())?
}

/// Returns the major number of a device. Linux interleaves the bits of the major and the
/// minor number: see `gnu_dev_major` of the C library.
fn major(device: u64) -> u64 {
    (device >> 8 & 0xfff) | (device >> 32 & !0xfff)
}

fn minor(device: u64) -> u64 {
    (device & 0xff) | (device >> 12 & 0xff_ff00)
}
