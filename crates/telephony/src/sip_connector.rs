//! The SIP connector: watches the extensions of one telephone system (RFC 4235, RFC 6665).
//!
//! One task owns one socket or connection and one subscription per extension. Everything that
//! decides is pure and lives in `lines` (subscriptions, pace), `publications` (what is published there) and `probe` (is the system there);
//! `task` moves bytes and time. A telephone system that cannot be reached is no error: the task
//! keeps trying, and everything heals by itself.

mod gate;
mod lines;
mod link;
mod long_calls;
mod probe;
mod publications;
mod reconnect;
mod registrations;
mod scout;
mod stopping;
mod targets;
mod task;
mod trouble;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::Password;
use crate::phone_system::{PhoneSystem, StartError, TaskChannels, UnregisteredExtensions};
use crate::tls::Trust;
#[cfg(feature = "fuzzing")]
pub use lines::random_notifier::play as play_random_notifier;
pub use targets::host_and_port;

/// How the telephone system is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// One connection, opened by us.
    Tcp,
    /// The same, encrypted.
    Tls,
}

/// One telephone system and our account there.
#[derive(Clone, Debug)]
pub struct SipConnectorConfig {
    /// What people call it, for logs.
    pub name: String,
    /// Where it is, the preferred first: `host:port`, or a name alone, of which the DNS says the rest (RFC 3263). While one
    /// does not answer, the next is used.
    pub servers: Vec<String>,
    /// How it is reached; `None`: as the DNS says, else by datagrams.
    pub transport: Option<Transport>,
    /// Whose certificates are believed; `None`: those of this machine's authorities.
    pub trust: Option<Trust>,
    /// Who is asked about names without a port; `None`: this machine's own name servers.
    pub name_server: Option<SocketAddr>,
    /// The domain of its addresses: extension 1001 is `sip:1001@domain`.
    pub domain: String,
    /// The account that may watch extensions; also the user in From.
    pub username: String,
    /// Its password.
    pub password: Password,
    /// The addresses of lists (RFC 4662) on which all its extensions are, such as `sip:blf@pbx.example`: one subscription to
    /// each does for all. Empty: each extension is subscribed to.
    pub lists: Vec<String>,
    /// The local address, if the system's own choice does not do.
    pub bind: Option<SocketAddr>,
}

impl PhoneSystem for SipConnectorConfig {
    fn name(&self) -> &str {
        &self.name
    }

    fn domain(&self) -> &str {
        &self.domain
    }

    fn servers(&self) -> &[String] {
        &self.servers
    }

    fn spawn(
        &self,
        extensions: Vec<Arc<str>>,
        channels: TaskChannels,
    ) -> Result<JoinHandle<()>, StartError> {
        check(self)?;
        let mut config = self.clone();
        if config.trust.is_none()
            && !matches!(config.transport, Some(Transport::Udp | Transport::Tcp))
        {
            match Trust::system() {
                Ok(trust) => config.trust = Some(trust),
                Err(why) if config.transport.is_some() => return Err(StartError::Trust(why)),
                // Needed only if the DNS names a TLS server.
                Err(_) => {}
            }
        }
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|e| StartError::Random(e.to_string()))?;
        let udp = link::bind(&config)
            .map_err(|(address, source)| StartError::Bind { address, source })?;
        let TaskChannels {
            commands,
            events,
            health,
        } = channels;
        let task = task::Task::new(config, seed, udp, events, health);
        Ok(tokio::spawn(task.run(extensions, commands)))
    }

    fn unregistered_extensions<'a>(
        &'a self,
        extensions: &'a [Arc<str>],
    ) -> UnregisteredExtensions<'a> {
        Box::pin(registrations::unregistered_extensions(self, extensions))
    }
}

fn check(config: &SipConnectorConfig) -> Result<(), StartError> {
    if config.servers.is_empty() {
        return Err(StartError::NoServer);
    }
    for server in &config.servers {
        let (host, port) = host_and_port(server);
        let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
        if host.is_empty() || host.contains(char::is_whitespace) || !port.is_none_or(is_port) {
            return Err(StartError::Server(server.clone()));
        }
    }
    let is_domain = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
    if config.domain.is_empty() || !config.domain.chars().all(is_domain) {
        return Err(StartError::Name {
            field: "domain",
            value: config.domain.clone(),
        });
    }
    for list in &config.lists {
        let is_address = sip::uri::user(list).is_some();
        if !is_address
            || list
                .chars()
                .any(|c| c.is_control() || c.is_whitespace() || c == '>')
        {
            return Err(StartError::Name {
                field: "list",
                value: list.clone(),
            });
        }
    }
    if config.username.is_empty()
        || config
            .username
            .chars()
            .any(|c| c.is_control() || c.is_whitespace())
    {
        return Err(StartError::Name {
            field: "username",
            value: config.username.clone(),
        });
    }
    Ok(())
}

/// The user part of a SIP address, with everything escaped that may not stand there (RFC 3261 §25.1).
fn escape_user(user: &str) -> String {
    let mut escaped = String::with_capacity(user.len());
    for byte in user.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
