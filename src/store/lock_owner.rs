//! Which process holds a file that is in use.

use std::fs;

use super::{error::StoreError, file_identity::FileIdentity};

/// Adds who holds the file to an error that says that someone does.
pub(super) fn added(error: StoreError, identity: FileIdentity) -> StoreError {
    match error {
        StoreError::AlreadyOpen { path, pid: None } => StoreError::AlreadyOpen {
            path,
            pid: find(identity),
        },
        other => other,
    }
}

/// Asks the kernel's list of locks; `None` where there is no such list, or no
/// process of ours in it.
fn find(identity: FileIdentity) -> Option<u32> {
    let locks = fs::read_to_string("/proc/locks").ok()?;
    locks.lines().find_map(|line| owner(line, identity))
}

/// The process of a line such as `3: FLOCK  ADVISORY  WRITE 4711 fe:00:1234 0 EOF`.
/// The database takes two kinds of lock; this is the one that names its owner.
fn owner(line: &str, identity: FileIdentity) -> Option<u32> {
    let mut fields = line.split_whitespace().skip(1);
    let kind = fields.next()?;
    let pid = fields.nth(2)?;
    let place = fields.next()?;
    let FileIdentity { device, inode } = identity;
    let wanted = format!("{:02x}:{:02x}:{inode}", major(device), minor(device));
    (kind == "FLOCK" && place == wanted).then(|| pid.parse().ok())?
}

/// Linux keeps both numbers of a device in one, in pieces.
fn major(device: u64) -> u64 {
    (device >> 8 & 0xfff) | (device >> 32 & !0xfff)
}

fn minor(device: u64) -> u64 {
    (device & 0xff) | (device >> 12 & 0xff_ff00)
}
