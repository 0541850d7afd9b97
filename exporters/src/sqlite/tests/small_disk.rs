//! A disk that fills up soon.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// A `tmpfs` of 8 MiB, until it is dropped.
pub(in crate::sqlite) struct SmallDisk(TempDir);

impl SmallDisk {
    /// Nothing where this user may not mount: then `PRAGMA max_page_count` has to do, in other tests.
    pub(in crate::sqlite) fn mount() -> Option<SmallDisk> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"]);
        let mounted = mount.arg(folder.path()).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(SmallDisk(folder));
        }
        eprintln!("a tmpfs cannot be mounted here: this test needs a user who may");
        None
    }

    pub(in crate::sqlite) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a connection may still be closing.
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}
