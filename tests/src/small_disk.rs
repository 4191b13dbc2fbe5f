//! A small file system, to be filled in tests.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Set in the second run of a test, inside its own mount namespace.
const UNSHARED: &str = "OFFHOOK_UNSHARED";

/// A file system in memory, mounted at a folder. Dropping it unmounts.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts 3 MB of memory. Without the right to mount, runs `test` again in a mount namespace of its own, and
    /// returns `None`; without the right to that either, prints a warning.
    ///
    /// # Panics
    /// The test failed in the namespace.
    pub fn mount(folder: &Path, test: &str) -> Option<Self> {
        std::fs::create_dir_all(folder).unwrap();
        if mount(folder, "size=3m") {
            return Some(Self(folder.to_owned()));
        }
        let may_unshare = Command::new("unshare").args(["-rm", "true"]).status();
        if std::env::var_os(UNSHARED).is_some() || !may_unshare.is_ok_and(|done| done.success()) {
            eprintln!("NOT TESTED: {test} needs to mount a file system, which is not allowed here");
            return None;
        }
        let mut again = Command::new("unshare");
        again.arg("-rm").arg(std::env::current_exe().unwrap());
        let status = again.args(["--exact", test]).env(UNSHARED, "1").status();
        assert!(status.unwrap().success(), "{test} failed with a small disk");
        None
    }

    /// Adds much more space.
    ///
    /// # Panics
    /// The file system cannot be enlarged.
    pub fn enlarge(&self) {
        assert!(mount(&self.0, "remount,size=60m"));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A killed process may still use the file system while it exits.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

fn mount(folder: &Path, options: &str) -> bool {
    let mut mount = Command::new("mount");
    mount
        .args(["-t", "tmpfs", "-o", options, "tmpfs"])
        .arg(folder);
    mount.status().is_ok_and(|status| status.success())
}
