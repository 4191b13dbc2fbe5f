//! A file system that is soon full.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Set in the second run of a test, in a mount namespace of its own.
const UNSHARED: &str = "OFFHOOK_UNSHARED";

/// A file system in memory at some folder. It is detached when dropped.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one of 3 MB. Where this user may not mount, runs `test` again in a mount namespace of its own, and returns
    /// `None`; where that is not allowed either, prints a warning.
    ///
    /// # Panics
    /// The test failed there.
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

    /// Gives it much more space.
    ///
    /// # Panics
    /// It cannot be done.
    pub fn enlarge(&self) {
        assert!(mount(&self.0, "remount,size=60m"));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A process that is being killed may still use it.
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
