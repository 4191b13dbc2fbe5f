//! Presence server for phones: access, ports and domain.

use std::{
    io::ErrorKind,
    net::{SocketAddr, TcpListener, UdpSocket},
};

use phones::PhonesOptions;
use presence::Extension;

use super::{Fault, Report};

const CHECK: &str = "telephones";
/// Maximum number of extensions named in a finding.
const NAMED_MAX: usize = 5;

/// State of the ports for phones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ports {
    /// Occupied by the server.
    InUse,
    /// Free, because no server of this installation runs.
    Free,
}

/// Checks the configuration, and the ports if no server uses them. Whether phones subscribe is not checked.
pub(super) fn check(
    report: &mut Report,
    options: &PhonesOptions,
    domains: &[&str],
    extensions: &[&Extension],
    ports: Ports,
) {
    let unusable = match ports {
        Ports::Free => unusable(options),
        Ports::InUse => Vec::new(),
    };
    let mut well = unusable.is_empty();
    for (fault, what) in unusable {
        report.fail(CHECK, fault, what);
    }
    let mut warn = |fault, what: String| {
        well = false;
        report.warn(CHECK, fault, what);
    };
    if options.trusted.is_empty() && options.accounts.is_empty() {
        warn(
            Fault::SipNobody,
            format!("{} answers nobody", options.listen),
        );
    }
    let accounts = options.accounts.iter();
    let mut nobodys: Vec<&str> = accounts
        .map(|account| &account.extension)
        .filter(|extension| !extensions.contains(extension))
        .map(|extension| &**extension)
        .collect();
    nobodys.sort();
    nobodys.dedup();
    // Without people no extension belongs to a person, which another check reports.
    if !extensions.is_empty() && !nobodys.is_empty() {
        let count = nobodys.len();
        nobodys.truncate(NAMED_MAX);
        let what = format!("{count} of [[sip.account]] ({})", nobodys.join(", "));
        warn(Fault::SipExtension, what);
    }
    let elsewhere = options
        .trusted
        .iter()
        .find(|network| !network.addr().is_loopback());
    if let Some(elsewhere) = elsewhere.filter(|_| options.listen.ip().is_loopback()) {
        let what = format!("{elsewhere} cannot reach {}", options.listen);
        warn(Fault::SipLoopback, what);
    }
    // One matching domain is enough: the PBX reaches the extensions of the others through it.
    if let Some(other) = domains.first()
        && !domains.contains(&&*options.domain)
    {
        let what = format!("{} here, {other} there", options.domain);
        warn(Fault::SipDomain, what);
    }
    if well {
        report.fine(
            CHECK,
            format!("{} serves {}", options.listen, options.domain),
        );
    }
}

/// Addresses that cannot be bound.
fn unusable(options: &PhonesOptions) -> Vec<(Fault, String)> {
    let listen = options.listen;
    let mut tried = vec![
        ("sip.listen", listen, UdpSocket::bind(listen).err()),
        ("sip.listen", listen, TcpListener::bind(listen).err()),
    ];
    let tls = options.tls.as_ref().map(|(at, _)| *at);
    let websocket = options.websocket.as_ref().map(|(at, _)| *at);
    for (key, at) in [("sip.tls_listen", tls), ("sip.websocket_listen", websocket)] {
        tried.extend(at.map(|at| (key, at, TcpListener::bind(at).err())));
    }
    let mut found: Vec<(Fault, String)> = Vec::new();
    for (key, at, error) in tried {
        let Some(error) = error else { continue };
        let (fault, what) = named(key, at, &error);
        // UDP and TCP of one address have the same cause.
        if !found.iter().any(|(_, other)| *other == what) {
            found.push((fault, what));
        }
    }
    found
}

fn named(key: &str, at: SocketAddr, error: &std::io::Error) -> (Fault, String) {
    match error.kind() {
        ErrorKind::AddrNotAvailable => {
            let what = format!("{key}: {} is no address of this machine", at.ip());
            (Fault::SipForeign, what)
        }
        _ => (Fault::SipPortTaken, format!("{key}: {at}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use presence::Relationship;

    use super::*;

    fn options(listen: SocketAddr) -> PhonesOptions {
        PhonesOptions {
            listen,
            tls: None,
            websocket: None,
            address: None,
            domain: "pbx.test".into(),
            trusted: Vec::new(),
            others: Relationship::Unknown,
            algorithms: None,
            accounts: Vec::new(),
        }
    }

    #[test]
    fn a_port_that_is_taken_and_an_address_of_another_machine_are_named() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = taken.local_addr().unwrap();
        let found = unusable(&options(at));
        let [(Fault::SipPortTaken, what)] = &*found else {
            panic!("{found:?}");
        };
        assert!(what.starts_with(&format!("sip.listen: {at}: ")), "{what}");
        let foreign = unusable(&options("192.0.2.1:5080".parse().unwrap()));
        let what = "sip.listen: 192.0.2.1 is no address of this machine";
        assert_eq!(foreign, [(Fault::SipForeign, what.to_owned())]);
    }
}
