//! Linux: attention by systemd-logind, to which the desktop reports it, over the system bus.

use std::time::Duration;

use agent_protocol::{Attention, Report};
use futures_util::StreamExt;
use tokio::sync::{mpsc::Sender, watch};
use zbus::{Connection, fdo::PropertiesProxy, zvariant::OwnedObjectPath};

use super::AttentionState;
use crate::clock::wall_clock;

const LOGIND: &str = "org.freedesktop.login1";
/// Interval between attempts to find logind or a session.
const RETRY: Duration = Duration::from_secs(60);

// Names of members follow the interface of logind:
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
    /// Time of the last change of `idle_hint`, in microseconds since 1970.
    #[zbus(property(emits_changed_signal = "false"))]
    fn idle_since_hint(&self) -> zbus::Result<u64>;
}

/// Sends the attention at the start and after each change, until the receiver is closed. Reports need no further read,
/// because logind signals changes.
pub async fn watch(states: Sender<AttentionState>, _: watch::Receiver<Report>) {
    while !states.is_closed() {
        match until_another_session(&states).await {
            Ok(()) => {}
            Err(error) => {
                tracing::debug!(%error, "the attention is unknown");
                let _ = states.send(AttentionState::default()).await;
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

/// Watches this user's session until a session starts or ends.
async fn until_another_session(states: &Sender<AttentionState>) -> zbus::Result<()> {
    let bus = Connection::system().await?;
    let manager = ManagerProxy::new(&bus).await?;
    let mut came = manager.receive_session_new().await?;
    let mut went = manager.receive_session_removed().await?;
    // A user service has no session of its own; "auto" is the session with the screen.
    let path = manager.get_session("auto").await?;
    let properties = PropertiesProxy::new(&bus, LOGIND, &path).await?;
    let mut changes = properties.receive_properties_changed().await?;
    let session = SessionProxy::new(&bus, &path).await?;
    loop {
        let now = read(&session).await?;
        if states.send(now).await.is_err() {
            return Ok(());
        }
        tokio::select! {
            change = changes.next() => if change.is_none() {
                return Err(zbus::Error::Failure("the system bus closed the connection".into()));
            },
            _ = came.next() => return Ok(()),
            _ = went.next() => return Ok(()),
            () = states.closed() => return Ok(()),
        }
    }
}

async fn read(session: &SessionProxy<'_>) -> zbus::Result<AttentionState> {
    if session.locked_hint().await? {
        return Ok(AttentionState::now(Attention::Locked));
    }
    if !session.idle_hint().await? {
        return Ok(AttentionState::now(Attention::Active));
    }
    let since = session.idle_since_hint().await? / 1_000;
    Ok(AttentionState {
        attention: Attention::Idle,
        // Zero if the clock was set back.
        lasting: wall_clock().saturating_sub(since),
    })
}
