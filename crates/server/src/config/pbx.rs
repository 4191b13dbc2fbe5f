//! The PBXs: `[[pbx]]`.

use std::{net::Ipv6Addr, path::Path};

use phones::pbx::PbxOptions;
use sip::{message::Address, uri::user};
use telephony::{
    connector::{Connector, host_and_port},
    sip_connector::{SipConnectorConfig, Transport},
    tls::Trust,
};

use super::{
    Check, ConfigError,
    raw::{OneOrMany, RawPbx},
};

/// Longest part of an invalid value in a message, in characters.
const CLIPPED: usize = 60;

/// The beginning of an invalid value.
fn clipped(value: &str) -> String {
    value.chars().take(CLIPPED).collect()
}

/// The part of a SIP address after the scheme; `None` without a scheme.
fn without_scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once(':')?;
    let is_sip = ["sip", "sips"]
        .iter()
        .any(|sip| scheme.eq_ignore_ascii_case(sip));
    is_sip.then_some(rest)
}

/// Host and port of a SIP address, without scheme, user and parameters.
fn bare(address: &str) -> &str {
    let rest = without_scheme(address).unwrap_or(address);
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    host.split(';').next().unwrap_or(host)
}

/// True for a host, with or without a port.
fn is_server(server: &str) -> bool {
    let (host, port) = host_and_port(server);
    let is_name = |host: &str| {
        let allowed = |c: char| c.is_alphanumeric() || ".-_".contains(c);
        !host.is_empty() && host.chars().all(allowed)
    };
    let inner = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let is_host = match inner {
        Some(inner) => {
            let address = inner.split('%').next().unwrap_or(inner);
            address.parse::<Ipv6Addr>().is_ok()
        }
        None => is_name(host),
    };
    is_host && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

impl Check<'_> {
    pub(super) fn pbxs(&self, raw: Vec<RawPbx>) -> Result<Vec<PbxOptions>, ConfigError> {
        let mut pbxs = Vec::new();
        for (at, raw) in raw.into_iter().enumerate() {
            let key = |name: &str| format!("pbx.{at}.{name}");
            let pbx = self.pbx(&key, raw)?;
            self.check_unique(&pbxs, &pbx)?;
            pbxs.push(pbx);
        }
        Ok(pbxs)
    }

    /// Refuses a second PBX with the same name or with a prefix of another, and a second one without prefixes.
    fn check_unique(&self, others: &[PbxOptions], pbx: &PbxOptions) -> Result<(), ConfigError> {
        let key = |at: usize, name: &str| format!("pbx.{at}.{name}");
        let own = others.len();
        let name = pbx.connector.name();
        if let Some(other) = others.iter().position(|pbx| pbx.connector.name() == name) {
            let problem = format!(
                "{name:?} is in {} too; give each [[pbx]] a name of its own",
                self.place(&key(other, "name"))
            );
            return Err(self.error(&key(own, "name"), problem));
        }
        for (at, other) in others.iter().enumerate() {
            let place = || self.place(&key(at, "extensions"));
            let shared = |prefix: &&String| other.extensions.contains(prefix);
            let problem = match pbx.extensions.iter().find(shared) {
                Some(prefix) => format!(
                    "{prefix:?} is in {} too; give each prefix to one [[pbx]]",
                    place()
                ),
                None if pbx.extensions.is_empty() && other.extensions.is_empty() => format!(
                    "is missing, and in {} too; of several [[pbx]] only one may have all extensions that no other names; expected for example [\"2\", \"30\"], how its extensions begin",
                    place()
                ),
                None => continue,
            };
            return Err(self.error(&key(own, "extensions"), problem));
        }
        Ok(())
    }

    /// The addresses of the lists of all extensions; refuses duplicates.
    fn lists(
        &self,
        key: &str,
        lists: Option<OneOrMany>,
        domain: &str,
    ) -> Result<Vec<String>, ConfigError> {
        let lists = lists.map_or_else(Vec::new, OneOrMany::into_list);
        let is_address = |list: &str| {
            without_scheme(list).is_some() && user(list).is_some() && Address::parse(list).is_some()
        };
        if let Some(wrong) = lists.iter().find(|list| !is_address(list)) {
            let example = format!("sip:{wrong}@{domain}");
            let example = match is_address(&example) && user(&example).as_deref() == Some(wrong) {
                true => example,
                false => format!("sip:blf@{domain}"),
            };
            let problem = format!(
                "{:?} is no SIP address; expected for example {example:?}",
                clipped(wrong)
            );
            return Err(self.error(key, problem));
        }
        let is_twice = |(at, list): (usize, &String)| lists[..at].contains(list);
        match lists.iter().enumerate().any(is_twice) {
            true => Err(self.error(key, "has an address twice; name each list once")),
            false => Ok(lists),
        }
    }

    /// The domain of SIP addresses (after the `@`).
    pub(super) fn domain(&self, key: &str, domain: Option<String>) -> Result<String, ConfigError> {
        let domain = self.required(key, domain)?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
        let is_domain = |domain: &str| {
            !domain.is_empty() && without_scheme(domain).is_none() && domain.chars().all(allowed)
        };
        if is_domain(&domain) {
            return Ok(domain);
        }
        let bare = bare(&domain);
        let example = if is_domain(bare) { bare } else { "example.com" };
        let problem = format!(
            "{:?} is no domain; expected the part behind the @ alone, for example {example:?}",
            clipped(&domain)
        );
        Err(self.error(key, problem))
    }

    fn servers(&self, key: &str, servers: Option<OneOrMany>) -> Result<Vec<String>, ConfigError> {
        let servers = servers.map_or_else(Vec::new, OneOrMany::into_list);
        if servers.is_empty() {
            return Err(self.error(key, "is missing or empty"));
        }
        if let Some(wrong) = servers.iter().find(|server| !is_server(server)) {
            let bare = bare(wrong);
            let expected = match is_server(bare) {
                true => format!("expected {bare:?}"),
                false => {
                    "expected for example pbx.example.com:5060, or example.com where the DNS knows its servers"
                        .into()
                }
            };
            let problem = format!(
                "{:?} is neither a host with a port nor a name; {expected}",
                clipped(wrong)
            );
            return Err(self.error(key, problem));
        }
        Ok(servers)
    }

    fn pbx(&self, key: &impl Fn(&str) -> String, raw: RawPbx) -> Result<PbxOptions, ConfigError> {
        let servers = self.servers(&key("server"), raw.server)?;
        let transport = match raw.transport.as_deref() {
            None => None,
            Some("udp") => Some(Transport::Udp),
            Some("tcp") => Some(Transport::Tcp),
            Some("tls") => Some(Transport::Tls),
            Some(other) => {
                let problem =
                    format!("{other:?} is no transport; expected \"udp\", \"tcp\" or \"tls\"");
                return Err(self.error(&key("transport"), problem));
            }
        };
        let trust = raw.authority_file.map(|file| {
            let folder = self.path.parent().unwrap_or(Path::new("."));
            let file = folder.join(file);
            let problem = |problem: String| {
                self.error(
                    &key("authority_file"),
                    format!("{}: {problem}", file.display()),
                )
            };
            let text = self
                .read_file(&file)
                .map_err(|error| problem(error.to_string()))?;
            Trust::from_pem(&text).map_err(problem)
        });
        let password = self.secret(&key("password"), raw.password, raw.password_file)?;
        let bind = raw.bind.map(|bind| {
            bind.parse().map_err(|_| {
                let problem =
                    format!("{bind:?} is no address with a port; expected for example 0.0.0.0:0");
                self.error(&key("bind"), problem)
            })
        });
        if raw
            .extensions
            .iter()
            .any(|beginning| beginning.trim().is_empty())
        {
            let problem =
                "an empty text is the beginning of every extension; leave the key away instead";
            return Err(self.error(&key("extensions"), problem));
        }
        let domain = self.domain(&key("domain"), raw.domain)?;
        let lists = self.lists(&key("list"), raw.list, &domain)?;
        let publish = raw.publish.as_deref();
        let publish = publish.map(|name| self.relationship(&key("publish"), name));
        let first = servers.first().cloned();
        let connector = SipConnectorConfig {
            name: raw.name.or(first).unwrap_or_default(),
            servers,
            transport,
            trust: trust.transpose()?,
            name_server: None,
            lists,
            domain,
            username: self.required(&key("username"), raw.username)?,
            password: self.required_secret(&key("password (or password_file)"), password)?,
            bind: bind.transpose()?,
        };
        Ok(PbxOptions {
            connector: Connector::Sip(connector),
            publish: publish.transpose()?,
            extensions: raw.extensions,
        })
    }
}
