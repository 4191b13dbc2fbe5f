//! How telephones are served: `[sip]` with its `[[sip.account]]`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use presence::Relationship;
use sip::digest::Credentials;
use telephony::tls::Identity;

use super::{Check, ConfigError, raw::RawSip};
use crate::PhonesOptions;

/// Where telephones are served by default.
const PORT: u16 = 5_080;
/// Examples for the others.
const TLS_PORT: u16 = 5_061;
const WEBSOCKET_PORT: u16 = 5_066;

impl Check<'_> {
    /// A relationship by its name.
    pub(super) fn relationship(&self, key: &str, name: &str) -> Result<Relationship, ConfigError> {
        let known = Relationship::ALL
            .into_iter()
            .find(|level| level.name() == name);
        known.ok_or_else(|| {
            let names: Vec<&str> = Relationship::ALL.iter().map(|l| l.name()).collect();
            let problem = format!("{name:?} is none of {}", names.join(", "));
            self.error(key, problem)
        })
    }

    pub(super) fn sip(&self, raw: RawSip) -> Result<PhonesOptions, ConfigError> {
        let address = |key: &str, listen: Option<String>, example: u16| {
            let parse = |listen: String| {
                listen.parse::<SocketAddr>().map_err(|_| {
                    let problem = format!(
                        "{listen:?} is no address with a port; expected for example 0.0.0.0:{example}"
                    );
                    self.error(key, problem)
                })
            };
            listen.map(parse).transpose()
        };
        let listen = address("sip.listen", raw.listen, PORT)?
            .unwrap_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT));
        let tls = address("sip.tls_listen", raw.tls_listen, TLS_PORT)?;
        let websocket = address("sip.websocket_listen", raw.websocket_listen, WEBSOCKET_PORT)?;
        let identity = raw.certificate_file.map(|certificate| {
            let (public, private) = self.keyed("sip.", certificate, raw.private_key_file)?;
            Identity::from_pem(&public, &private)
                .map_err(|problem| self.error("sip.certificate_file", problem))
        });
        let identity = identity.transpose()?;
        let tls = match (tls, identity.clone()) {
            (None, _) => None,
            (Some(tls), Some(identity)) => Some((tls, identity)),
            (Some(_), None) => {
                let problem = "is missing: TLS needs a certificate; give certificate_file and private_key_file, both PEM";
                return Err(self.error("sip.certificate_file", problem));
            }
        };
        let listens = [Some(listen), tls.as_ref().map(|(at, _)| *at), websocket];
        let is_any = |at: SocketAddr| at.ip().is_unspecified();
        if listens.into_iter().flatten().any(is_any) && raw.address.is_none() {
            let problem = "is missing: telephones must be told one address of all that are listened on; expected for example \"192.0.2.20:5080\"";
            return Err(self.error("sip.address", problem));
        }
        let others = match raw.others.as_deref() {
            None => Relationship::Unknown,
            Some(name) => self.relationship("sip.others", name)?,
        };
        let mut accounts = Vec::new();
        for (at, account) in raw.account.into_iter().enumerate() {
            let key = &format!("sip.account.{at}.password");
            let file = account.password_file.map(Into::into);
            let password = self.secret(key, account.password, file)?;
            accounts.push(Credentials {
                username: self.required(&format!("sip.account.{at}.username"), account.username)?,
                password: self.required(key, password)?,
            });
        }
        Ok(PhonesOptions {
            listen,
            tls,
            websocket: websocket.map(|websocket| (websocket, identity)),
            address: raw.address,
            domain: self.required("sip.domain", raw.domain)?,
            trusted: self.networks("sip.trusted", &raw.trusted)?,
            others,
            accounts,
        })
    }
}
