//! The presence server for phones: `[sip]` with its `[[sip.account]]`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use phones::{PhoneAccount, PhonesOptions};
use presence::Relationship;
use sip::digest::{Algorithm, Credentials};
use telephony::tls::Identity;

use super::{
    Check, ConfigError,
    raw::{OneOrMany, RawSip, RawSipAccount},
};

/// Default port over UDP and TCP.
const PORT: u16 = 5_080;
/// Port over TLS in examples of messages.
const TLS_PORT: u16 = 5_061;
const WEBSOCKET_PORT: u16 = 5_066;

impl Check<'_> {
    /// A relationship by its name in the configuration.
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
            let problem = "is missing: phones need one address, and the server listens on all; expected for example \"192.0.2.20:5080\"";
            return Err(self.error("sip.address", problem));
        }
        let others = match raw.others.as_deref() {
            None => Relationship::Unknown,
            Some(name) => self.relationship("sip.others", name)?,
        };
        let algorithms = self.algorithms("sip.algorithms", raw.algorithms)?;
        let mut accounts: Vec<PhoneAccount> = Vec::new();
        for (at, account) in raw.account.into_iter().enumerate() {
            let account = self.phone_account(at, account)?;
            let name = &account.credentials.username;
            let has_it = |other: &PhoneAccount| other.credentials.username == *name;
            if let Some(other) = accounts.iter().position(has_it) {
                let problem = format!(
                    "{name:?} is in {} too; phones of one person need a username each, with the same extension",
                    self.place(&format!("sip.account.{other}.username"))
                );
                return Err(self.error(&format!("sip.account.{at}.username"), problem));
            }
            accounts.push(account);
        }
        Ok(PhonesOptions {
            listen,
            tls,
            websocket: websocket.map(|websocket| (websocket, identity)),
            address: raw.address,
            domain: self.domain("sip.domain", raw.domain)?,
            trusted: self.networks("sip.trusted", &raw.trusted)?,
            others,
            algorithms,
            accounts,
        })
    }

    fn phone_account(&self, at: usize, raw: RawSipAccount) -> Result<PhoneAccount, ConfigError> {
        let key = |name: &str| format!("sip.account.{at}.{name}");
        let file = raw.password_file.map(Into::into);
        let password = self.secret(&key("password"), raw.password, file)?;
        let credentials = Credentials {
            username: self.required(&key("username"), raw.username)?,
            password: self.required_secret(&key("password"), password)?,
        };
        let extension = match raw.extension {
            None => credentials.username.clone(),
            Some(extension) if presence::is_extension(&extension) => extension,
            Some(extension) => {
                let problem = format!(
                    "{extension:?} is no extension: letters, digits and + * # - _ . (at most 64); expected for example \"1001\""
                );
                return Err(self.error(&key("extension"), problem));
            }
        };
        Ok(PhoneAccount {
            credentials,
            extension,
            algorithms: self.algorithms(&key("algorithms"), raw.algorithms)?,
        })
    }

    /// Digest algorithms; refuses duplicates.
    fn algorithms(
        &self,
        key: &str,
        names: Option<OneOrMany>,
    ) -> Result<Option<Vec<Algorithm>>, ConfigError> {
        let known = Algorithm::ALL.map(Algorithm::name).join(", ");
        let Some(names) = names else {
            return Ok(None);
        };
        let mut algorithms = Vec::new();
        for name in names.into_list() {
            let Some(algorithm) = Algorithm::of_name(&name) else {
                let problem = format!("{name:?} is none of {known}");
                return Err(self.error(key, problem));
            };
            if algorithms.contains(&algorithm) {
                let problem = format!("{name:?} is there twice; give each of {known} once");
                return Err(self.error(key, problem));
            }
            algorithms.push(algorithm);
        }
        if algorithms.is_empty() {
            let problem = format!("is empty: no phone could sign in; give some of {known}");
            return Err(self.error(key, problem));
        }
        Ok(Some(algorithms))
    }
}
