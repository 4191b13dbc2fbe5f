//! IP address of the client behind reverse proxies: limits count requests by the client's address, not by the proxy's.

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
use connections::Connection;
use ipnet::IpNet;

use crate::problem::Problem;

/// Header to which each proxy appends the address of its peer.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// Reverse proxies with a trusted `X-Forwarded-For`. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TrustedProxies(pub Arc<[IpNet]>);

/// Middleware: replaces the peer's address of a request by the client's.
pub async fn set_client_ip(
    State(TrustedProxies(proxies)): State<TrustedProxies>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    if let Some(ConnectInfo(peer)) = peer.filter(|_| !proxies.is_empty()) {
        let client = client_ip(peer.ip(), request.headers(), &proxies);
        let connection = request.extensions().get::<Connection>();
        if connection.is_some_and(|connection| !connection.assign_to(client)) {
            return Problem::too_many_requests("too many connections from your address")
                .into_response();
        }
        let client = ConnectInfo(SocketAddr::new(client, peer.port()));
        request.extensions_mut().insert(client);
    }
    next.run(request).await
}

/// The last address that is not a trusted proxy: the client can forge all addresses before.
fn client_ip(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let values = headers.get_all(FORWARDED_FOR).iter();
    let hops: Vec<&str> = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    let mut client = peer.to_canonical();
    for hop in hops.into_iter().rev() {
        let is_proxy = proxies.iter().any(|proxy| proxy.contains(&client));
        match hop.trim().parse::<IpAddr>() {
            Ok(address) if is_proxy => client = address.to_canonical(),
            _ => break,
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&'static str], proxies: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, value.parse().unwrap());
        }
        let proxies: Vec<IpNet> = proxies.iter().map(|proxy| proxy.parse().unwrap()).collect();
        client_ip(peer.parse().unwrap(), &headers, &proxies).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let proxies = ["127.0.0.1/32", "10.0.0.0/8"];
        let forwarded = ["192.0.2.7"];
        assert_eq!(client("127.0.0.1", &forwarded, &proxies), "192.0.2.7");
        assert_eq!(
            client("::ffff:127.0.0.1", &forwarded, &proxies),
            "192.0.2.7"
        );
        assert_eq!(client("192.0.2.1", &forwarded, &proxies), "192.0.2.1");
        assert_eq!(client("127.0.0.1", &forwarded, &[]), "127.0.0.1");
        assert_eq!(client("127.0.0.1", &[], &proxies), "127.0.0.1");
    }

    #[test]
    fn addresses_that_the_client_forged_count_for_nothing() {
        let proxies = ["127.0.0.1/32", "10.0.0.0/8"];
        let invented = ["198.51.100.9, 192.0.2.7"];
        assert_eq!(client("127.0.0.1", &invented, &proxies), "192.0.2.7");
        let two = ["198.51.100.9", "192.0.2.7, 10.1.2.3"];
        assert_eq!(client("127.0.0.1", &two, &proxies), "192.0.2.7");
        let nonsense = ["192.0.2.7, unknown"];
        assert_eq!(client("127.0.0.1", &nonsense, &proxies), "127.0.0.1");
    }
}
