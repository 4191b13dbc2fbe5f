//! Addresses of the phone system: the configured servers in their order, and for a host name without a port the DNS records
//! (RFC 3263).

use std::{
    hash::{BuildHasher as _, RandomState},
    net::{IpAddr, SocketAddr},
    sync::OnceLock,
    time::Duration,
};

use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolverConfig},
    net::runtime::TokioRuntimeProvider,
    proto::rr::{RData, RecordType},
};
use tokio::net::lookup_host;

use super::{SipConnectorConfig, Transport};
use crate::phone_system::host_and_port;

/// Timeout of one query to a name server.
const ANSWER_MAX: Duration = Duration::from_secs(1);
/// Longest resolution of one configured server; the others must not wait for it.
const FIND_MAX: Duration = Duration::from_secs(4);

/// One address of the phone system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The host name that a certificate must have.
    pub(super) host: String,
    pub(super) address: SocketAddr,
    pub(super) transport: Transport,
    pub(super) rank: Rank,
}

/// A target's position in the order of preference, independent of the other targets: smaller numbers are preferred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    /// The number of the configured server.
    server: usize,
    /// The number of the address among those of the server.
    address: usize,
}

impl Transport {
    const ALL: [Self; 3] = [Self::Udp, Self::Tcp, Self::Tls];

    const fn default_port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5_060,
            Self::Tls => 5_061,
        }
    }

    /// The service in the DNS (RFC 3263 §4.2).
    const fn service(self) -> &'static str {
        match self {
            Self::Udp => "_sip._udp",
            Self::Tcp => "_sip._tcp",
            Self::Tls => "_sips._tcp",
        }
    }

    fn of_naptr(services: &[u8]) -> Option<Self> {
        let named = |name: &[u8]| services.eq_ignore_ascii_case(name);
        match () {
            () if named(b"SIP+D2U") => Some(Self::Udp),
            () if named(b"SIP+D2T") => Some(Self::Tcp),
            () if named(b"SIPS+D2T") => Some(Self::Tls),
            () => None,
        }
    }
}

/// All addresses, in the order of preference.
///
/// # Errors
/// In words: no address was found.
pub(super) async fn find(config: &SipConnectorConfig) -> Result<Vec<Target>, String> {
    let finding = config
        .servers
        .iter()
        .enumerate()
        .map(|(number, server)| async move {
            let found = tokio::time::timeout(FIND_MAX, one(config, server)).await;
            let found =
                found.unwrap_or_else(|_| Err(format!("host name {server} is unknown (no answer)")));
            found.map(|found| {
                let numbered = found.into_iter().enumerate();
                let target = |(address, target)| Target {
                    rank: Rank {
                        server: number,
                        address,
                    },
                    ..target
                };
                numbered.map(target).collect::<Vec<_>>()
            })
        });
    let mut targets = Vec::new();
    let mut trouble = String::new();
    for found in futures_util::future::join_all(finding).await {
        match found {
            Ok(found) => targets.extend(found),
            Err(why) => trouble = why,
        }
    }
    match targets.is_empty() {
        true if trouble.is_empty() => Err("no usable address".into()),
        true => Err(trouble),
        false => Ok(targets),
    }
}

async fn one(config: &SipConnectorConfig, server: &str) -> Result<Vec<Target>, String> {
    let (host, port) = host_and_port(server);
    match port.and_then(|port| port.parse().ok()) {
        Some(port) => plain(config, host, port).await,
        None if host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() => {
            let transport = config.transport.unwrap_or(Transport::Udp);
            plain(config, host, transport.default_port()).await
        }
        None => by_service(config, host).await,
    }
}

/// A host with a port: its address alone.
async fn plain(config: &SipConnectorConfig, host: &str, port: u16) -> Result<Vec<Target>, String> {
    let transport = config.transport.unwrap_or(Transport::Udp);
    at(config, host, port, transport).await
}

async fn at(
    config: &SipConnectorConfig,
    host: &str,
    port: u16,
    transport: Transport,
) -> Result<Vec<Target>, String> {
    let addresses = lookup_host(format!("{host}:{port}"))
        .await
        .map_err(|error| format!("host name {host} is unknown ({error})"))?;
    let target = |address| Target {
        host: host.to_owned(),
        address,
        transport,
        rank: Rank::default(),
    };
    let bound = config.bind.as_ref();
    let fits = |address: &SocketAddr| bound.is_none_or(|b| b.is_ipv4() == address.is_ipv4());
    // The second address of a host is no second server: one is enough.
    Ok(addresses.filter(fits).take(1).map(target).collect())
}

/// A name without a port: NAPTR where no transport is configured, then SRV, then the address (RFC 3263 §4).
async fn by_service(config: &SipConnectorConfig, host: &str) -> Result<Vec<Target>, String> {
    let plain = plain(
        config,
        host,
        config.transport.unwrap_or(Transport::Udp).default_port(),
    );
    let Some(resolver) = resolver(config.name_server) else {
        return plain.await;
    };
    let mut services: Vec<(Transport, String)> = match config.transport {
        Some(transport) => vec![(transport, format!("{}.{host}.", transport.service()))],
        None => offered_transports(&resolver, host).await,
    };
    if services.is_empty() {
        let named = |transport: Transport| (transport, format!("{}.{host}.", transport.service()));
        services = Transport::ALL.map(named).into();
    }
    for (transport, service) in services {
        let mut targets = Vec::new();
        for (name, port) in servers(&resolver, &service).await {
            // A certificate must have the configured name, even if the DNS returns another (RFC 5922 §4).
            let found = at(config, &name, port, transport).await;
            let found = found.unwrap_or_default();
            targets.extend(found.into_iter().map(|target| Target {
                host: host.to_owned(),
                ..target
            }));
        }
        if !targets.is_empty() {
            return Ok(targets);
        }
    }
    plain.await
}

/// The transports that a domain offers, in its order.
async fn offered_transports(resolver: &TokioResolver, host: &str) -> Vec<(Transport, String)> {
    let Ok(found) = resolver.lookup(format!("{host}."), RecordType::NAPTR).await else {
        return Vec::new();
    };
    let records = found
        .answers()
        .iter()
        .filter_map(|record| match &record.data {
            RData::NAPTR(naptr) => Some(naptr),
            _ => None,
        });
    let mut offered: Vec<_> = records
        .filter(|naptr| naptr.flags.eq_ignore_ascii_case(b"s"))
        .filter_map(|naptr| {
            let transport = Transport::of_naptr(&naptr.services)?;
            let order = (naptr.order, naptr.preference);
            Some((order, transport, naptr.replacement.to_string()))
        })
        .collect();
    offered.sort_by_key(|(order, ..)| *order);
    let without_order = |(_, transport, name)| (transport, name);
    offered.into_iter().map(without_order).collect()
}

/// The servers of a service, in the order of attempts.
async fn servers(resolver: &TokioResolver, service: &str) -> Vec<(String, u16)> {
    let Ok(found) = resolver.lookup(service, RecordType::SRV).await else {
        return Vec::new();
    };
    let records = found
        .answers()
        .iter()
        .filter_map(|record| match &record.data {
            // A single dot: the domain does not offer the service (RFC 2782).
            RData::SRV(srv) if !srv.target.is_root() => Some(Server {
                priority: srv.priority,
                weight: srv.weight,
                host: srv.target.to_string().trim_end_matches('.').to_owned(),
                port: srv.port,
            }),
            _ => None,
        });
    // Different for each process and constant within one: the preference must not change while a server is used.
    let mut drawn = chance().hash_one(service);
    let draw = |limit: u32| {
        drawn = drawn.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
        u32::try_from(drawn >> 33).unwrap_or_default() % limit.max(1)
    };
    let ordered = in_order(records.collect(), draw);
    ordered.into_iter().map(|s| (s.host, s.port)).collect()
}

fn chance() -> &'static RandomState {
    static CHANCE: OnceLock<RandomState> = OnceLock::new();
    CHANCE.get_or_init(RandomState::new)
}

/// An SRV record (RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq)]
struct Server {
    priority: u16,
    weight: u16,
    host: String,
    port: u16,
}

/// Sorts servers by priority; within a priority at random, heavier ones first more often (RFC 2782). `draw` returns a number
/// below its argument.
fn in_order(mut servers: Vec<Server>, mut draw: impl FnMut(u32) -> u32) -> Vec<Server> {
    servers.sort_by_key(|server| (server.priority, server.weight));
    let mut ordered = Vec::with_capacity(servers.len());
    while let Some(first) = servers.first() {
        let priority = first.priority;
        let same = servers.iter().take_while(|s| s.priority == priority);
        let weights: Vec<u32> = same.map(|server| server.weight.into()).collect();
        let total: u32 = weights.iter().sum();
        let mut left = draw(total + 1);
        let chosen = weights.iter().position(|weight| {
            let is_it = left <= *weight;
            left = left.saturating_sub(*weight);
            is_it
        });
        ordered.push(servers.remove(chosen.unwrap_or(0)));
    }
    ordered
}

fn resolver(name_server: Option<SocketAddr>) -> Option<TokioResolver> {
    let mut builder = match name_server {
        None => TokioResolver::builder_tokio().ok()?,
        Some(address) => {
            let mut udp = ConnectionConfig::udp();
            udp.port = address.port();
            let server = NameServerConfig::new(address.ip(), true, vec![udp]);
            let config = ResolverConfig::from_name_servers(vec![server]);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
    };
    let options = builder.options_mut();
    (options.timeout, options.attempts) = (ANSWER_MAX, 1);
    builder.build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(priority: u16, weight: u16, host: &str) -> Server {
        Server {
            priority,
            weight,
            host: host.into(),
            port: 5_060,
        }
    }

    fn names(servers: &[Server]) -> Vec<&str> {
        servers.iter().map(|server| &*server.host).collect()
    }

    #[test]
    fn lower_priorities_come_first_and_heavier_servers_more_often() {
        let all = vec![
            server(20, 0, "last"),
            server(10, 1, "light"),
            server(10, 9, "heavy"),
        ];
        assert_eq!(
            names(&in_order(all.clone(), |_| 0)),
            ["light", "heavy", "last"]
        );
        assert_eq!(
            names(&in_order(all.clone(), |limit| limit - 1)),
            ["heavy", "light", "last"]
        );
        let first = |number: u32| {
            in_order(all.clone(), |limit| number % limit)[0]
                .host
                .clone()
        };
        let heavy = (0..11).filter(|number| first(*number) == "heavy").count();
        assert_eq!(heavy, 9);
        assert_eq!(in_order(Vec::new(), |_| 0), []);
    }

    #[test]
    fn hosts_ports_and_addresses_are_distinguished() {
        for (server, host, port) in [
            ("pbx.example.com:5060", "pbx.example.com", Some("5060")),
            ("pbx.example.com", "pbx.example.com", None),
            ("[2001:db8::1]:5060", "[2001:db8::1]", Some("5060")),
            ("[2001:db8::1]", "[2001:db8::1]", None),
        ] {
            assert_eq!(host_and_port(server), (host, port));
        }
    }
}
