//! A D-Bus of its own, as desktops have.

use std::{process::Stdio, time::Duration};

use tokio::process::{Child, Command};

use crate::eventually;

/// How long it takes to start on a busy machine.
const START_MAX: Duration = Duration::from_secs(20);

/// A bus on which everything is allowed. Dropping it ends it.
pub struct Bus {
    folder: tempfile::TempDir,
    _daemon: Child,
}

impl Bus {
    /// Starts it.
    ///
    /// # Panics
    /// `dbus-daemon` is missing, or does not start.
    pub async fn start() -> Self {
        Self::begin("").await
    }

    /// Starts one that starts the desktop's services when they are asked for.
    ///
    /// # Panics
    /// `dbus-daemon` is missing, or does not start.
    pub async fn with_services() -> Self {
        Self::begin("<standard_session_servicedirs/>").await
    }

    async fn begin(services: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("bus");
        let settings = format!(
            r#"<busconfig><listen>unix:path={}</listen><auth>EXTERNAL</auth>{services}
            <policy context="default"><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>"#,
            socket.display()
        );
        let file = folder.path().join("bus.conf");
        std::fs::write(&file, settings).unwrap();
        let home = folder.path();
        let daemon = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", file.display()))
            .args(["--nofork", "--nopidfile", "--nosyslog"])
            // What it starts keeps nothing of this machine's user.
            .env("HOME", home)
            .env("XDG_RUNTIME_DIR", home)
            .env_remove("DISPLAY")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("dbus-daemon is missing: apt-get install dbus-daemon");
        let is_there = async || socket.exists();
        eventually("the bus", START_MAX, true, is_there).await;
        Self {
            folder,
            _daemon: daemon,
        }
    }

    /// Where it is, as programs are told.
    #[must_use]
    pub fn address(&self) -> String {
        format!("unix:path={}", self.folder.path().join("bus").display())
    }

    /// A connection to it.
    ///
    /// # Panics
    /// There is none.
    pub async fn connect(&self) -> zbus::Connection {
        let address = self.address();
        let builder = zbus::connection::Builder::address(address.as_str());
        builder.unwrap().build().await.unwrap()
    }
}
