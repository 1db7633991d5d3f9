//! A small file system for disks that are full, read-only or gone.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::store::say;

/// A small file system in memory, which is unmounted when dropped.
pub struct Volume(PathBuf);

impl Volume {
    /// Mounts a volume at this folder with options of tmpfs; `None`, with a line in the
    /// output, if the tests may not mount one.
    pub fn mount(at: &Path, options: &str) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(at)
            .stderr(Stdio::null())
            .status();
        let volume = mounted.ok()?.success().then(|| Self(at.to_owned()));
        if volume.is_none() {
            say("no rights to mount: skipped");
        }
        volume
    }

    pub fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        let done = Command::new("mount")
            .args(["-o", &options])
            .arg(&self.0)
            .status();
        assert!(done.expect("mount").success());
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
