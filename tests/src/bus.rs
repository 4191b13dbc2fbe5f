//! A separate D-Bus session bus.

use std::time::Duration;

use tokio::process::Child;

use crate::{eventually, program::apart};

/// Longest start of `dbus-daemon` on a busy machine.
const START_MAX: Duration = Duration::from_secs(20);

/// A bus that allows everything. Dropping it ends the daemon.
pub struct Bus {
    folder: tempfile::TempDir,
    _daemon: Child,
}

impl Bus {
    /// Starts a bus.
    ///
    /// # Panics
    /// `dbus-daemon` is missing, or does not start.
    pub async fn start() -> Self {
        Self::begin("").await
    }

    /// Starts a bus that activates the desktop's services on demand.
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
        let daemon = apart("dbus-daemon", folder.path())
            .arg(format!("--config-file={}", file.display()))
            .args(["--nofork", "--nopidfile", "--nosyslog"])
            .env_remove("DISPLAY")
            .spawn()
            .expect("dbus-daemon is missing: apt-get install dbus-daemon");
        let is_there = async || socket.exists();
        eventually("the bus", START_MAX, true, is_there).await;
        Self {
            folder,
            _daemon: daemon,
        }
    }

    /// The bus address, as in `DBUS_SESSION_BUS_ADDRESS`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("unix:path={}", self.folder.path().join("bus").display())
    }

    /// Opens a connection to the bus.
    ///
    /// # Panics
    /// The bus has ended.
    pub async fn connect(&self) -> zbus::Connection {
        let address = self.address();
        let builder = zbus::connection::Builder::address(address.as_str());
        builder.unwrap().build().await.unwrap()
    }
}
