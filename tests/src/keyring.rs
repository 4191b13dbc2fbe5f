//! A person's keyring: a real gnome-keyring on a session's bus.

use std::{process::Stdio, time::Duration};

use tokio::{
    io::AsyncWriteExt,
    process::{Child, Command},
};

use crate::{bus::Bus, eventually, program::apart};

/// Longest start of the keyring on a busy machine.
const START_MAX: Duration = Duration::from_secs(20);

/// An unlocked keyring. Dropping it ends the daemon.
pub struct Keyring {
    folder: tempfile::TempDir,
    bus: Bus,
    daemon: Option<Child>,
}

impl Keyring {
    /// Starts a keyring.
    ///
    /// # Panics
    /// gnome-keyring is not installed or does not start.
    pub async fn start() -> Self {
        let mut keyring = Self {
            folder: tempfile::tempdir().unwrap(),
            bus: Bus::start().await,
            daemon: None,
        };
        keyring.restart().await;
        keyring
    }

    fn command(&self, name: &str) -> Command {
        let mut command = apart(name, self.folder.path());
        command.env("DBUS_SESSION_BUS_ADDRESS", self.bus.address());
        command
    }

    /// Restarts the keyring, unlocked, after [`Self::kill`].
    ///
    /// # Panics
    /// The keyring does not start.
    pub async fn restart(&mut self) {
        let mut daemon = self.start_daemon(&["--unlock"]);
        let mut password = daemon.stdin.take().unwrap();
        password.write_all(b"only for this test").await.unwrap();
        drop(password);
        self.started(daemon).await;
    }

    /// Restarts the keyring, locked, after [`Self::kill`].
    ///
    /// # Panics
    /// The keyring does not start.
    pub async fn restart_locked(&mut self) {
        let daemon = self.start_daemon(&[]);
        self.started(daemon).await;
    }

    fn start_daemon(&self, arguments: &[&str]) -> Child {
        self.command("gnome-keyring-daemon")
            .args(["--foreground", "--components=secrets"])
            .args(arguments)
            .stdin(Stdio::piped())
            .spawn()
            .expect("the keyring is missing: apt-get install gnome-keyring")
    }

    async fn started(&mut self, daemon: Child) {
        self.daemon = Some(daemon);
        let is_there = async || self.is_there().await;
        eventually("a keyring", START_MAX, true, is_there).await;
    }

    async fn is_there(&self) -> bool {
        let hand = self.bus.connect().await;
        let bus = zbus::fdo::DBusProxy::new(&hand).await.unwrap();
        let name = "org.freedesktop.secrets".try_into().unwrap();
        bus.name_has_owner(name).await.unwrap()
    }

    /// Kills the keyring, like a crash.
    ///
    /// # Panics
    /// The keyring is not running.
    pub async fn kill(&mut self) {
        self.daemon.take().unwrap().kill().await.unwrap();
    }

    /// Address of the keyring's bus.
    #[must_use]
    pub fn address(&self) -> String {
        self.bus.address()
    }

    /// The secret that another program, `secret-tool`, finds under a name.
    ///
    /// # Panics
    /// The program cannot run.
    pub async fn find(&self, name: &str) -> String {
        let mut command = self.command("secret-tool");
        command.args(["lookup", "service", "Offhook agent", "username", name]);
        command.stdout(Stdio::piped());
        let found = command
            .output()
            .await
            .expect("apt-get install libsecret-tools");
        String::from_utf8(found.stdout).unwrap()
    }
}
