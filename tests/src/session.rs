//! A person's session in systemd-logind's D-Bus interface: a real D-Bus system bus, with the idle and lock states that
//! a desktop reports to logind.

use std::time::Duration;

use zbus::{Connection, connection, fdo, interface, zvariant::OwnedObjectPath};

use crate::bus::Bus;

const SESSION: &str = "/org/freedesktop/login1/session/_31";
const LOGIND: &str = "org.freedesktop.login1";

/// A session with a screen. Dropping it ends the bus.
pub struct Session {
    bus: Bus,
    logind: Connection,
}

struct Manager;

#[interface(name = "org.freedesktop.login1.Manager")]
impl Manager {
    fn get_session(&self, id: &str) -> fdo::Result<OwnedObjectPath> {
        assert_eq!(id, "auto", "a service has no session of its own");
        Ok(OwnedObjectPath::try_from(SESSION).unwrap())
    }
}

#[derive(Clone, Copy, Default)]
struct Hints {
    is_locked: bool,
    idle_since: Option<Duration>,
}

#[interface(name = "org.freedesktop.login1.Session")]
impl Hints {
    #[zbus(property)]
    fn locked_hint(&self) -> bool {
        self.is_locked
    }

    #[zbus(property)]
    fn idle_hint(&self) -> bool {
        self.idle_since.is_some()
    }

    #[zbus(property)]
    fn idle_since_hint(&self) -> u64 {
        let since = self.idle_since.unwrap_or_default();
        u64::try_from(since.as_micros()).unwrap()
    }
}

impl Session {
    /// Starts a bus with an active session.
    ///
    /// # Panics
    /// `dbus-daemon` is missing, or does not start.
    pub async fn start() -> Self {
        let bus = Bus::start().await;
        let address = bus.address();
        let logind = connection::Builder::address(address.as_str())
            .and_then(|builder| builder.name(LOGIND))
            .and_then(|builder| builder.serve_at("/org/freedesktop/login1", Manager))
            .and_then(|builder| builder.serve_at(SESSION, Hints::default()))
            .unwrap()
            .build()
            .await
            .unwrap();
        Self { bus, logind }
    }

    /// Address of the bus.
    #[must_use]
    pub fn address(&self) -> String {
        self.bus.address()
    }

    /// Sets whether the screen is locked.
    pub async fn lock(&self, is_locked: bool) {
        self.hint(|hints| hints.is_locked = is_locked).await;
    }

    /// Sets the session idle since a time, given since 1970; `None`: active.
    pub async fn idle(&self, since: Option<Duration>) {
        self.hint(|hints| hints.idle_since = since).await;
    }

    async fn hint(&self, change: impl FnOnce(&mut Hints)) {
        let objects = self.logind.object_server();
        let session = objects.interface::<_, Hints>(SESSION).await.unwrap();
        let mut hints = session.get_mut().await;
        change(&mut hints);
        let emitter = session.signal_emitter();
        hints.locked_hint_changed(emitter).await.unwrap();
        hints.idle_hint_changed(emitter).await.unwrap();
        hints.idle_since_hint_changed(emitter).await.unwrap();
    }
}
