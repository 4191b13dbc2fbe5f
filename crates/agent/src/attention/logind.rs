//! Linux: what the desktop tells systemd-logind of its session, which passes it on over the system bus.

use std::time::Duration;

use agent_protocol::{Attention, Report};
use futures_util::StreamExt;
use tokio::sync::{mpsc::Sender, watch};
use zbus::{Connection, fdo::PropertiesProxy, zvariant::OwnedObjectPath};

use super::Told;
use crate::clock::wall_clock;

const LOGIND: &str = "org.freedesktop.login1";
/// Where there is no logind, or no session yet, it is looked for again after so long.
const RETRY: Duration = Duration::from_secs(60);

// The traits' members are named as logind names them:
// https://www.freedesktop.org/software/systemd/man/latest/org.freedesktop.login1.html
#[zbus::proxy(
    interface = "org.freedesktop.login1.Manager",
    default_service = "org.freedesktop.login1",
    default_path = "/org/freedesktop/login1",
    gen_blocking = false
)]
trait Manager {
    fn get_session(&self, id: &str) -> zbus::Result<OwnedObjectPath>;
    #[zbus(signal)]
    fn session_new(&self, id: &str, path: OwnedObjectPath) -> zbus::Result<()>;
    #[zbus(signal)]
    fn session_removed(&self, id: &str, path: OwnedObjectPath) -> zbus::Result<()>;
}

#[zbus::proxy(
    interface = "org.freedesktop.login1.Session",
    default_service = "org.freedesktop.login1",
    gen_blocking = false
)]
trait Session {
    #[zbus(property(emits_changed_signal = "false"))]
    fn locked_hint(&self) -> zbus::Result<bool>;
    #[zbus(property(emits_changed_signal = "false"))]
    fn idle_hint(&self) -> zbus::Result<bool>;
    /// When `idle_hint` changed, in microseconds since 1970.
    #[zbus(property(emits_changed_signal = "false"))]
    fn idle_since_hint(&self) -> zbus::Result<u64>;
}

/// Tells at the beginning and whenever it changes, until nobody listens any more. Nothing needs to be asked again when a
/// report was made: logind says what changes.
pub async fn watch(told: Sender<Told>, _: watch::Receiver<Report>) {
    while !told.is_closed() {
        match until_another_session(&told).await {
            Ok(()) => {}
            Err(error) => {
                tracing::debug!(%error, "nobody tells whether somebody is at the computer");
                let _ = told.send(Told::default()).await;
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

/// Watches this user's session until there are other sessions than before.
async fn until_another_session(told: &Sender<Told>) -> zbus::Result<()> {
    let bus = Connection::system().await?;
    let manager = ManagerProxy::new(&bus).await?;
    let mut came = manager.receive_session_new().await?;
    let mut went = manager.receive_session_removed().await?;
    // A service of the user has no session of its own; this finds the one with the screen.
    let path = manager.get_session("auto").await?;
    let properties = PropertiesProxy::new(&bus, LOGIND, &path).await?;
    let mut changes = properties.receive_properties_changed().await?;
    let session = SessionProxy::new(&bus, &path).await?;
    loop {
        let now = read(&session).await?;
        if told.send(now).await.is_err() {
            return Ok(());
        }
        tokio::select! {
            change = changes.next() => if change.is_none() {
                return Err(zbus::Error::Failure("the system bus went away".into()));
            },
            _ = came.next() => return Ok(()),
            _ = went.next() => return Ok(()),
            () = told.closed() => return Ok(()),
        }
    }
}

async fn read(session: &SessionProxy<'_>) -> zbus::Result<Told> {
    if session.locked_hint().await? {
        return Ok(Told::now(Attention::Locked));
    }
    if !session.idle_hint().await? {
        return Ok(Told::now(Attention::Active));
    }
    let since = session.idle_since_hint().await? / 1_000;
    Ok(Told {
        attention: Attention::Idle,
        // A clock that was set back must not make it negative.
        lasting: wall_clock().saturating_sub(since),
    })
}
