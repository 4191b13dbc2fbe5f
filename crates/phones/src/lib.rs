//! Desk phones over SIP: the presence of people for phones that watch it (BLF keys, PIDF), and the routing of calls.
//!
//! A phone, or its PBX, subscribes to an extension here; each document shows what the watcher may see of the person, as on the
//! board. A PBX that sends an INVITE before it lets a phone ring is answered by the forwarding of the profile in force.

mod changes;
pub mod config;
mod document_cache;
mod documents;
mod lists;
mod options;
pub mod pbx;
mod presence_server;
mod publications;
mod publishing;
mod resources;
mod routing;
mod sender;
mod untrusted;
mod watcher_policy;

use std::{net::SocketAddr, sync::Arc};

use changes::Changes;
use options::ContactAddresses;
pub use options::{PhoneAccount, PhonesOptions};
use presence_server::PresenceServer;
pub use publishing::{Publishing, publish};
pub use routing::{forwarded_to, name_unusable_targets, origin, route};
use runtime::context::Context;
use telephony::sip_server::{Sockets, serve};
use tokio::task::JoinSet;
pub use watcher_policy::OnWatched;
use watcher_policy::WatcherPolicy;

/// An address for phones cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen for phones on {address}: {cause}")]
pub struct ListenError {
    /// The address.
    pub address: SocketAddr,
    /// The error of the operating system.
    pub cause: std::io::Error,
}

/// Starts to serve phones; returns the address for UDP and TCP.
///
/// # Errors
/// A port is taken or not permitted, or the operating system gives no random numbers.
pub async fn start(
    context: &Context,
    options: PhonesOptions,
    on_watched: OnWatched,
    connections_max: usize,
    tasks: &mut JoinSet<()>,
) -> Result<SocketAddr, ListenError> {
    let refused = |cause| ListenError {
        address: options.listen,
        cause,
    };
    let mut sockets = Sockets::bind(options.listen).await.map_err(refused)?;
    sockets.limit_connections(connections_max);
    let address = sockets.address().map_err(refused)?;
    let refused_at = |address| move |cause| ListenError { address, cause };
    let (mut tls, mut websocket) = (None, None);
    if let Some((listen, identity)) = &options.tls {
        let added = sockets.add_tls(*listen, identity.clone()).await;
        tls = Some(added.map_err(refused_at(*listen))?);
    }
    if let Some((listen, identity)) = &options.websocket {
        let added = sockets.add_websocket(*listen, identity.clone()).await;
        websocket = Some(added.map_err(refused_at(*listen))?);
    }
    for account in &options.accounts {
        if context.people.by_extension(&account.extension).is_none() {
            let (username, extension) = (&account.credentials.username, &account.extension);
            tracing::warn!(%username, %extension, "no person has the extension of a [[sip.account]]: its phone sees what sip.others allows; give the extension to a person, or correct it");
        }
    }
    let addresses = ContactAddresses::new(&options, address, tls, websocket);
    let changes = Arc::new(Changes::default());
    let [mut seed, mut key] = [[0; 32]; 2];
    for secret in [&mut seed, &mut key] {
        getrandom::fill(secret)
            .map_err(|error| refused(std::io::Error::other(error.to_string())))?;
    }
    let policy = WatcherPolicy::new(context.clone(), options, on_watched, key);
    let server = PresenceServer::new(policy, addresses, seed, changes.clone());
    tasks.spawn(serve(server, sockets, changes.wake.clone()));
    context.events.observe(move |event| changes.record(event));
    Ok(address)
}
