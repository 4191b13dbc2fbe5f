//! The SIP connector: watches the extensions of one phone system (RFC 4235, RFC 6665).
//!
//! One task owns one socket or connection and one subscription for each extension or list. All decisions are pure: `lines`
//! (subscriptions, rate), `publications` (documents for the PBX's own presence server), `gate` (credentials) and `probe`
//! (reachability). `task` moves bytes and time. An unreachable phone system is no error: the task retries for as long as it
//! runs.

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

use std::{net::SocketAddr, sync::Arc};

#[cfg(feature = "fuzzing")]
pub use lines::random_notifier::play as play_random_notifier;
use secrecy::SecretString;
use tokio::task::JoinHandle;

use crate::{
    phone_system::{PhoneSystem, StartError, TaskChannels, UnregisteredExtensions, host_and_port},
    tls::Trust,
};

/// The transport to the phone system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// UDP.
    Udp,
    /// One connection, opened by Offhook.
    Tcp,
    /// One encrypted connection, opened by Offhook.
    Tls,
}

/// A SIP phone system and Offhook's account there.
#[derive(Clone, Debug)]
pub struct SipConnectorConfig {
    /// The administrator's name for the phone system, for logs and health.
    pub name: String,
    /// Servers in the order of preference: `host:port`, or a host name alone, which the DNS resolves (RFC 3263). While a
    /// server does not answer, the connector uses the next.
    pub servers: Vec<String>,
    /// The transport; `None`: chosen by the DNS, otherwise UDP.
    pub transport: Option<Transport>,
    /// Certificate authorities for TLS; `None`: those of this machine.
    pub trust: Option<Trust>,
    /// Name server for host names without a port; `None`: this machine's name servers.
    pub name_server: Option<SocketAddr>,
    /// Domain of the phone system's addresses: extension 1001 is `sip:1001@domain`.
    pub domain: String,
    /// User name of the account that may watch extensions; also the user in From.
    pub username: String,
    /// Password of the account.
    pub password: SecretString,
    /// Addresses of lists (RFC 4662) with all extensions, such as `sip:blf@pbx.example`: the connector subscribes to each
    /// list. Empty: the connector subscribes to each extension.
    pub lists: Vec<String>,
    /// Local address; `None`: the operating system picks one.
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

/// The user part of a SIP address, with all other characters escaped (RFC 3261 §25.1).
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
