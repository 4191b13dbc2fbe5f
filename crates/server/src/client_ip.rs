//! Whose request it is where a proxy stands before the server: guesses are counted by that address, not by the proxy's.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::HeaderMap,
    middleware::Next,
    response::{IntoResponse, Response},
};
use ipnet::IpNet;

use crate::{connections::Connection, problem::Problem};

/// Each proxy adds to its end from whom it had the request.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// Reverse proxies whose `X-Forwarded-For` is trusted. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TrustedProxies(pub(crate) Arc<[IpNet]>);

/// Puts the asker's address where handlers look for the peer's.
pub async fn find(
    State(TrustedProxies(proxies)): State<TrustedProxies>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    if let Some(ConnectInfo(peer)) = peer.filter(|_| !proxies.is_empty()) {
        let asker = asker(peer.ip(), request.headers(), &proxies);
        let connection = request.extensions().get::<Connection>();
        if connection.is_some_and(|connection| !connection.is_from(asker)) {
            return Problem::too_many_requests("too many connections from your address")
                .into_response();
        }
        let asker = ConnectInfo(SocketAddr::new(asker, peer.port()));
        request.extensions_mut().insert(asker);
    }
    next.run(request).await
}

/// The last address that is no proxy of ours: what stands before it anybody may have written.
fn asker(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let values = headers.get_all(FORWARDED_FOR).iter();
    let hops: Vec<&str> = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    let mut asker = peer.to_canonical();
    for hop in hops.into_iter().rev() {
        let is_proxy = proxies.iter().any(|proxy| proxy.contains(&asker));
        match hop.trim().parse::<IpAddr>() {
            Ok(address) if is_proxy => asker = address.to_canonical(),
            _ => break,
        }
    }
    asker
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(peer: &str, forwarded: &[&'static str], proxies: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, value.parse().unwrap());
        }
        let proxies: Vec<IpNet> = proxies.iter().map(|proxy| proxy.parse().unwrap()).collect();
        asker(peer.parse().unwrap(), &headers, &proxies).to_string()
    }

    #[test]
    fn a_proxy_is_believed_and_nobody_else() {
        let proxies = ["127.0.0.1/32", "10.0.0.0/8"];
        let told = ["192.0.2.7"];
        assert_eq!(asks("127.0.0.1", &told, &proxies), "192.0.2.7");
        assert_eq!(asks("::ffff:127.0.0.1", &told, &proxies), "192.0.2.7");
        assert_eq!(asks("192.0.2.1", &told, &proxies), "192.0.2.1");
        assert_eq!(asks("127.0.0.1", &told, &[]), "127.0.0.1");
        assert_eq!(asks("127.0.0.1", &[], &proxies), "127.0.0.1");
    }

    #[test]
    fn what_the_asker_wrote_before_counts_for_nothing() {
        let proxies = ["127.0.0.1/32", "10.0.0.0/8"];
        let invented = ["198.51.100.9, 192.0.2.7"];
        assert_eq!(asks("127.0.0.1", &invented, &proxies), "192.0.2.7");
        let two = ["198.51.100.9", "192.0.2.7, 10.1.2.3"];
        assert_eq!(asks("127.0.0.1", &two, &proxies), "192.0.2.7");
        let nonsense = ["192.0.2.7, unknown"];
        assert_eq!(asks("127.0.0.1", &nonsense, &proxies), "127.0.0.1");
    }
}
