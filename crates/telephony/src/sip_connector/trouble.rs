//! Troubles in words for an administrator: what happened, and what to do about it.

use sip::dialog_info::DocumentError;
use sip::subscriber;

use super::{SipConnectorConfig, Trouble};

/// Names the account and the system in every trouble.
#[derive(Clone, Debug)]
pub(super) struct Words {
    pub(super) server: String,
    pub(super) domain: String,
    pub(super) username: String,
}

impl Words {
    pub(super) fn new(config: &SipConnectorConfig) -> Self {
        Self {
            server: config.servers.join(", "),
            domain: config.domain.clone(),
            username: config.username.clone(),
        }
    }

    pub(super) fn unreachable(&self, why: &str) -> Trouble {
        Trouble {
            what: format!("telephone system {} cannot be reached: {why}", self.server),
            remedy:
                "Check that it runs, that host and port are right and that no firewall is between; \
                     Offhook keeps trying every few seconds."
                    .into(),
        }
    }

    /// Wrong credentials concern every line: they are one account's.
    pub(super) fn credentials(&self, code: u16) -> Trouble {
        let reason = if code == 407 {
            "407 Proxy Authentication Required"
        } else {
            "401 Unauthorized"
        };
        Trouble {
            what: format!("{reason} for account {} at {}: the password was refused", self.username, self.domain),
            remedy: "Correct user name and password of the telephone system in Offhook's settings, or allow this \
                     account to watch extensions. Offhook tries again every few minutes, so that the account is not locked."
                .into(),
        }
    }

    pub(super) fn subscription(&self, extension: &str, trouble: &subscriber::Trouble) -> Trouble {
        use subscriber::Trouble as T;
        let at = format!("extension {extension} at {}", self.domain);
        let (what, remedy) = match trouble {
            T::WrongCredentials { code } => {
                let reason = if *code == 407 {
                    "407 Proxy Authentication Required"
                } else {
                    "401 Unauthorized"
                };
                (
                    format!("{reason} for {at}"),
                    "Correct user name and password of the telephone system in Offhook's settings.",
                )
            }
            T::UnusableChallenge { code, .. } => (
                format!("{code} for {at} without a digest challenge that Offhook can answer"),
                "Let the telephone system offer digest authentication with MD5 or SHA-256 and qop=auth.",
            ),
            T::Refused {
                code: 404 | 410 | 604,
            } => (
                format!("404 Not Found: the telephone system does not know {at}"),
                "Correct the person's extension in Offhook, or create it on the telephone system.",
            ),
            T::Refused { code: 403 } => (
                format!(
                    "403 Forbidden: account {} may not watch {at}",
                    self.username
                ),
                "Allow this account to subscribe to the extension's dialog events (BLF) on the telephone system.",
            ),
            T::Refused {
                code: 489 | 405 | 501,
            } => (
                format!("the telephone system does not offer dialog events for {at}"),
                "Switch on the dialog event package (RFC 4235, often called BLF) on the telephone system.",
            ),
            T::Refused { code } => (
                format!("SUBSCRIBE for {at} was refused with {code}"),
                "Look into the telephone system's log for the reason; Offhook tries again by itself.",
            ),
            T::Timeout => (
                format!("no answer to SUBSCRIBE for {at}"),
                "Check the network and the load of the telephone system; Offhook tries again by itself.",
            ),
            T::NoNotify => (
                format!("SUBSCRIBE for {at} was accepted, but no NOTIFY came"),
                "Check that the telephone system can send to Offhook's address; behind NAT use TCP.",
            ),
            T::Interval { minimum } => (
                format!(
                    "the telephone system wants subscriptions of at least {} s for {at}",
                    minimum.unwrap_or(0)
                ),
                "Lower the smallest subscription time on the telephone system to 3600 s or less.",
            ),
            T::Ended { reason } => (
                format!("the telephone system ended the subscription for {at} ({reason})"),
                "For \"rejected\" or \"noresource\" check the extension and the account's rights; otherwise Offhook \
                 subscribes again by itself.",
            ),
            T::Pending => (
                format!("the subscription for {at} waits for authorization"),
                "Allow the account to watch the extension on the telephone system.",
            ),
            T::Unwritable(_) => (
                format!("{at} cannot be written as a SIP address"),
                "Correct the person's extension in Offhook.",
            ),
            other => (
                format!("{at}: {other}"),
                "Offhook subscribes again by itself.",
            ),
        };
        Trouble {
            what,
            remedy: remedy.into(),
        }
    }

    pub(super) fn publication(
        &self,
        extension: &str,
        package: &str,
        trouble: &subscriber::Trouble,
    ) -> Trouble {
        use subscriber::Trouble as T;
        let at = format!("{package} of extension {extension} at {}", self.domain);
        let (what, remedy) = match trouble {
            T::WrongCredentials { code } | T::UnusableChallenge { code, .. } => (
                format!("{code} for account {} publishing {at}", self.username),
                "Allow this account to publish for other extensions on the telephone system.",
            ),
            T::Refused { code: 403 } => (
                format!(
                    "403 Forbidden: account {} may not publish {at}",
                    self.username
                ),
                "Allow this account to publish for other extensions on the telephone system.",
            ),
            T::Refused {
                code: 405 | 489 | 501,
            } => (
                format!("the telephone system takes no publications (PUBLISH, RFC 3903) of {at}"),
                "Leave out the key publish of the telephone system in Offhook's configuration, or switch on its presence server; telephones can watch people at Offhook itself instead.",
            ),
            T::Refused { code } => (
                format!("PUBLISH of {at} was refused with {code}"),
                "Look into the telephone system's log for the reason; Offhook tries again by itself.",
            ),
            T::Timeout => (
                format!("no answer to PUBLISH of {at}"),
                "Check the network and the load of the telephone system; Offhook tries again by itself.",
            ),
            other => (
                format!("{at}: {other}"),
                "Offhook publishes again by itself.",
            ),
        };
        Trouble {
            what,
            remedy: remedy.into(),
        }
    }

    /// The list cannot be read.
    pub(super) fn list(&self, list: &str, error: &str) -> Trouble {
        Trouble {
            what: format!("NOTIFY for the list {list} cannot be understood: {error}"),
            remedy: "Let the telephone system send lists as RFC 4662 has them, or leave out the key list: Offhook then \
                     subscribes to every extension by itself."
                .into(),
        }
    }

    /// The same trouble, and what else helps.
    pub(super) fn list_subscription(&self, trouble: Trouble) -> Trouble {
        Trouble {
            what: format!("the list of all lines: {}", trouble.what),
            remedy: format!(
                "{} Without the key list Offhook subscribes to every extension by itself.",
                trouble.remedy
            ),
        }
    }

    pub(super) fn not_listed(&self, extension: &str, list: &str) -> Trouble {
        Trouble {
            what: format!(
                "extension {extension} at {} is not on the list {list}",
                self.domain
            ),
            remedy: "Add it to the list on the telephone system.".into(),
        }
    }

    pub(super) fn document(&self, extension: &str, error: &DocumentError) -> Trouble {
        Trouble {
            what: format!(
                "NOTIFY for extension {extension} at {} cannot be understood: {error}",
                self.domain
            ),
            remedy:
                "The line's state is unknown until the telephone system sends a correct document; \
                     look for an update of the telephone system."
                    .into(),
        }
    }

    pub(super) fn content_type(&self, extension: &str, content_type: &str) -> Trouble {
        Trouble {
            what: format!(
                "NOTIFY for extension {extension} at {} has content type {:?} instead of {}",
                self.domain,
                content_type.chars().take(60).collect::<String>(),
                sip::dialog_info::CONTENT_TYPE
            ),
            remedy: "Let the telephone system send dialog-info documents (RFC 4235) for the event dialog.".into(),
        }
    }
}
