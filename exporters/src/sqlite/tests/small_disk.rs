//! A disk that fills up soon.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A `tmpfs` of [`SmallDisk::BYTES`], until it is dropped.
pub(in crate::sqlite) struct SmallDisk(TempDir);

impl SmallDisk {
    pub(in crate::sqlite) const BYTES: usize = 8 << 20;

    /// Fails the test where this user may not mount.
    pub(in crate::sqlite) fn mount() -> SmallDisk {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args([
            "-t",
            "tmpfs",
            "-o",
            &format!("size={}", SmallDisk::BYTES),
            "tmpfs",
        ]);
        let mounted = mount.arg(folder.path()).output().expect("mount runs");
        assert!(
            mounted.status.success(),
            "this test mounts a tmpfs: run it as root, or in `unshare --map-root-user --mount`: {}",
            String::from_utf8_lossy(&mounted.stderr)
        );
        SmallDisk(folder)
    }

    pub(in crate::sqlite) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Of the graph.
    pub(in crate::sqlite) fn database(&self) -> PathBuf {
        self.path().join("graph.db")
    }

    /// Takes up so many bytes, or all that there are where these are fewer.
    pub(in crate::sqlite) fn fill(&self, bytes: usize) {
        let mut space = vec![1; bytes];
        while fs::write(self.filler(), &space).is_err() {
            space.truncate(space.len() - (16 << 10));
        }
    }

    /// Gives back what `fill` took.
    pub(in crate::sqlite) fn empty(&self) {
        fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a connection may still be closing.
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}
