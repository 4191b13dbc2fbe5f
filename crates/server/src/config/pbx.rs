//! The telephone systems: `[[pbx]]`.

use std::path::Path;

use telephony::{
    Password,
    sip_connector::{SipConnectorConfig, Transport, host_and_port},
    tls::Trust,
};

use super::{
    Check, ConfigError,
    raw::{OneOrMany, RawPbx},
};
use crate::PbxOptions;

impl Check<'_> {
    pub(super) fn pbxs(&self, raw: Vec<RawPbx>) -> Result<Vec<PbxOptions>, ConfigError> {
        let mut pbxs = Vec::new();
        for (at, raw) in raw.into_iter().enumerate() {
            let key = |name: &str| format!("pbx.{at}.{name}");
            let pbx = self.pbx(&key, raw)?;
            self.tell_apart(&key, &pbxs, &pbx)?;
            pbxs.push(pbx);
        }
        Ok(pbxs)
    }

    /// Several telephone systems need names of their own, and every extension one that has it.
    fn tell_apart(
        &self,
        key: &impl Fn(&str) -> String,
        others: &[PbxOptions],
        pbx: &PbxOptions,
    ) -> Result<(), ConfigError> {
        let name = &pbx.connector.name;
        if others.iter().any(|other| other.connector.name == *name) {
            let problem = format!("{name:?} is there twice; give each [[pbx]] a name of its own");
            return Err(self.error(&key("name"), problem));
        }
        let takes_the_rest = |pbx: &PbxOptions| pbx.extensions.is_empty();
        if takes_the_rest(pbx) && others.iter().any(takes_the_rest) {
            let problem = "is missing: of several [[pbx]] only one may have all extensions that no other names; expected for example [\"2\", \"30\"], how its extensions begin";
            return Err(self.error(&key("extensions"), problem));
        }
        Ok(())
    }

    /// The lists of all extensions, each once.
    fn lists(&self, key: &str, lists: Option<OneOrMany>) -> Result<Vec<String>, ConfigError> {
        let lists = match lists {
            None => Vec::new(),
            Some(OneOrMany::One(list)) => vec![list],
            Some(OneOrMany::Many(lists)) => lists,
        };
        let is_twice = |(at, list): (usize, &String)| lists[..at].contains(list);
        match lists.iter().enumerate().any(is_twice) {
            true => Err(self.error(key, "has an address twice; name each list once")),
            false => Ok(lists),
        }
    }

    fn pbx(&self, key: &impl Fn(&str) -> String, raw: RawPbx) -> Result<PbxOptions, ConfigError> {
        let servers = match raw.server {
            None => Vec::new(),
            Some(OneOrMany::One(server)) => vec![server],
            Some(OneOrMany::Many(servers)) => servers,
        };
        if servers.is_empty() {
            return Err(self.error(&key("server"), "is missing or empty"));
        }
        for server in &servers {
            let is_fine = match host_and_port(server) {
                (host, Some(port)) => {
                    !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
                }
                (host, None) => !host.trim().is_empty(),
            };
            if !is_fine {
                let problem = format!(
                    "{server:?} is neither a host with a port nor a name; expected for example pbx.example.com:5060, or example.com where the DNS knows its servers"
                );
                return Err(self.error(&key("server"), problem));
            }
        }
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
        let lists = self.lists(&key("list"), raw.list)?;
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
            domain: self.required(&key("domain"), raw.domain)?,
            username: self.required(&key("username"), raw.username)?,
            password: Password::new(self.required(&key("password (or password_file)"), password)?),
            bind: bind.transpose()?,
        };
        Ok(PbxOptions {
            connector,
            publish: publish.transpose()?,
            extensions: raw.extensions,
        })
    }
}
