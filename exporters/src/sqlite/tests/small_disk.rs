//! A small disk for tests that fill it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A `tmpfs` of [`SmallDisk::BYTES`], unmounted on drop.
pub(in crate::sqlite) struct SmallDisk(TempDir);

impl SmallDisk {
    pub(in crate::sqlite) const BYTES: usize = 8 << 20;

    /// Mounts the disk; panics if this user may not mount.
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

    /// The path of a graph file on the disk.
    pub(in crate::sqlite) fn database(&self) -> PathBuf {
        self.path().join("graph.db")
    }

    /// Takes up this many bytes of the disk, or all free bytes if fewer are free.
    pub(in crate::sqlite) fn fill(&self, bytes: usize) {
        let mut space = vec![1; bytes];
        while fs::write(self.filler(), &space).is_err() {
            space.truncate(space.len() - (16 << 10));
        }
    }

    /// Frees the bytes that `fill` took.
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
