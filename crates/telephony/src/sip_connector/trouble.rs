//! Texts of troubles for an administrator: the fault and its remedy.

mod credentials;
mod notifier;

use std::sync::Arc;

use sip::{
    dialog_info::DocumentError,
    remark::{Remarks, excerpt},
    software::Software,
    stream::FrameError,
    subscriber,
};

use super::SipConnectorConfig;
use crate::phone_system::Trouble;

/// Remedy where Asterisk knows an extension but not its hint.
const ASTERISK_HINT: &str = "Give the extension a hint (exten => 1001,hint,PJSIP/1001) in a context of Offhook's own, not in FreePBX's ext-local, whose \
     hints show Do not disturb as a call, and name that context in subscribe_context at the account's endpoint (pjsip.conf), \
     with allow_subscribe=yes: docs/connect-asterisk.md. If the extension does not exist, correct it in Offhook.";

/// Builds the texts of troubles, which name the account and the phone system.
#[derive(Clone, Debug)]
pub(super) struct TroubleTexts {
    pub(super) server: String,
    pub(super) domain: String,
    pub(super) username: String,
}

impl TroubleTexts {
    pub(super) fn new(config: &SipConnectorConfig) -> Self {
        Self {
            server: config.servers.join(", "),
            domain: config.domain.clone(),
            username: config.username.clone(),
        }
    }

    pub(super) fn unreachable(&self, why: &str) -> Trouble {
        Trouble {
            what: format!("phone system {} cannot be reached: {why}", self.server),
            remedy:
                "Check that it runs, that host and port are right and that no firewall is between; \
                     Offhook keeps trying every few seconds."
                    .into(),
        }
    }

    /// Trouble: the PBX answers, but its connections end at once.
    pub(super) fn short_lived(&self, why: &str) -> Trouble {
        Trouble {
            what: format!("phone system {} answers, but the connection does not last: {why}", self.server),
            remedy: "Check the phone system's log for the reason: limits of connections or requests for each \
                     address, a blocklist such as fail2ban, or a crash. Offhook tries again after at most 60 s."
                .into(),
        }
    }

    /// Trouble: the bytes of a connection cannot be split into messages (RFC 3261 §18.3).
    pub(super) fn framing(&self, error: &FrameError) -> Trouble {
        let (what, remedy) = match error {
            FrameError::NoContentLength => (
                "a message without Content-Length over TCP".to_owned(),
                "Over TCP and TLS each message must have a Content-Length (RFC 3261 18.3): update the phone system, or \
                 set transport = \"udp\". Offhook tries again after at most 60 s.",
            ),
            FrameError::TooLong => (
                error.to_string(),
                "If the key list is set, make several lists of at most 100 extensions each and name them all: \
                 list = [\"sip:a@pbx\", \"sip:b@pbx\"]; else look for an update of the phone system. Offhook tries \
                 again every minute.",
            ),
            other => (
                other.to_string(),
                "Over TCP and TLS each message must have one correct Content-Length (RFC 3261 18.3): update the phone \
                 system, or set transport = \"udp\". Offhook tries again after at most 60 s.",
            ),
        };
        Trouble {
            what: format!("phone system {} sent {what}", self.server),
            remedy: remedy.into(),
        }
    }

    pub(super) fn subscription(
        &self,
        extension: &str,
        trouble: &subscriber::Trouble,
        software: Software,
    ) -> Trouble {
        use subscriber::Trouble as T;
        if let Some(refused) = self.login(extension, trouble) {
            return refused;
        }
        let at = format!("extension {extension} at {}", self.domain);
        if let Some(trouble) = notifier::subscription(&at, trouble) {
            return trouble;
        }
        let (what, remedy) = match trouble {
            T::Refused { code } => self.refused(*code, &at, software),
            T::Timeout => (
                format!("no answer to SUBSCRIBE for {at}"),
                "Check the network and the load of the phone system; Offhook tries again automatically.",
            ),
            T::Ended { reason } => (
                format!(
                    "the phone system ended the subscription for {at} ({})",
                    excerpt(reason)
                ),
                "For \"rejected\" or \"noresource\" check the extension and the account's rights; otherwise Offhook \
                 subscribes again automatically.",
            ),
            T::Pending => (
                format!("the subscription for {at} waits for authorization"),
                "Allow the account to watch the extension on the phone system.",
            ),
            T::Unwritable(_) => (
                format!("{at} cannot be written as a SIP address"),
                "Correct the person's extension in Offhook.",
            ),
            other => (
                format!("{at}: {other}"),
                "Offhook subscribes again automatically.",
            ),
        };
        Trouble {
            what,
            remedy: remedy.into(),
        }
    }

    fn refused(&self, code: u16, at: &str, software: Software) -> (String, &'static str) {
        match (code, software) {
            // Asterisk gives the same answer for an extension without a hint that this account sees.
            (404 | 410 | 604, Software::Asterisk) => (
                format!(
                    "{code} for {at}: Asterisk has no hint for it in the context that account {} sees",
                    self.username
                ),
                ASTERISK_HINT,
            ),
            (404 | 410 | 604, Software::FreeSwitch | Software::Other) => (
                format!("{code}: the phone system does not know {at}"),
                "Correct the person's extension in Offhook, or create it on the phone system.",
            ),
            (603, Software::Asterisk) => (
                format!(
                    "603 for {at}: Asterisk lets account {} subscribe to nothing",
                    self.username
                ),
                "Set allow_subscribe=yes and subscribe_context at the account's endpoint (pjsip.conf), then reload \
                 res_pjsip.so.",
            ),
            (403, _) => (
                format!(
                    "403 Forbidden: account {} may not watch {at}",
                    self.username
                ),
                "Allow this account to subscribe to the extension's dialog events (BLF) on the phone system.",
            ),
            (489 | 405 | 501, _) => (
                format!("the phone system does not offer dialog events for {at}"),
                "Switch on the dialog event package (RFC 4235, often called BLF) on the phone system.",
            ),
            (code, _) => (
                format!("SUBSCRIBE for {at} was refused with {code}"),
                "Check the phone system's log for the reason; Offhook tries again automatically.",
            ),
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
        if let Some(refused) = self.publication_login(&at, trouble) {
            return refused;
        }
        let (what, remedy) = match trouble {
            T::Refused { code: 403 } => (
                format!(
                    "403 Forbidden: account {} may not publish {at}",
                    self.username
                ),
                "Allow this account to publish for other extensions on the phone system.",
            ),
            T::Refused {
                code: 405 | 489 | 501,
            } => (
                format!("the phone system accepts no publications (PUBLISH, RFC 3903) of {at}"),
                "Leave out the key publish of the phone system in Offhook's configuration, or switch on its presence server; phones can watch people at Offhook itself instead.",
            ),
            T::Refused { code } => (
                format!("PUBLISH of {at} was refused with {code}"),
                "Check the phone system's log for the reason; Offhook tries again automatically.",
            ),
            T::Interval { .. } => (
                format!("{at}: {trouble}"),
                "Lower the smallest publication time on the PBX to 3600 s or less.",
            ),
            T::ShortLease { .. } => (
                format!("{at}: {trouble}"),
                "Raise the longest publication time on the PBX to at least 60 s; Offhook asks for 120 s.",
            ),
            T::Timeout => (
                format!("no answer to PUBLISH of {at}"),
                "Check the network and the load of the phone system; Offhook tries again automatically.",
            ),
            other => (
                format!("{at}: {other}"),
                "Offhook publishes again automatically.",
            ),
        };
        Trouble {
            what,
            remedy: remedy.into(),
        }
    }

    /// Trouble: the list cannot be read.
    pub(super) fn list(&self, list: &str, error: &str) -> Trouble {
        Trouble {
            what: format!("NOTIFY for the list {list} cannot be understood: {error}"),
            remedy: "Let the phone system send lists as RFC 4662 has them, or leave out the key list: Offhook then \
                     subscribes to every extension itself."
                .into(),
        }
    }

    /// Trouble with the subscription to a list.
    pub(super) fn list_subscription(
        &self,
        list: &str,
        trouble: &subscriber::Trouble,
        software: Software,
    ) -> Trouble {
        if let subscriber::Trouble::NoNotify = trouble {
            return Trouble {
                what: format!(
                    "SUBSCRIBE for the list {list} was accepted, but no NOTIFY came: the list may be too large"
                ),
                remedy: "Make several lists of at most 100 extensions each and name them all in the key list: Asterisk \
                         sends no NOTIFY that is longer than 64 KiB, which 140 extensions are. If the list is smaller, \
                         check that the phone system can send to Offhook's address; behind NAT use TCP."
                    .into(),
            };
        }
        if let subscriber::Trouble::Refused {
            code: code @ (404 | 410 | 604),
        } = trouble
        {
            return Trouble {
                what: format!("{code}: the phone system has no list {list} for account {}", self.username),
                remedy: "Correct the key list, or make the list on the phone system (Asterisk: type=resource_list in \
                         pjsip.conf, named like the part before the @). Without the key list Offhook subscribes to every \
                         extension itself."
                    .into(),
            };
        }
        let trouble = self.subscription(list, trouble, software);
        Trouble {
            what: format!("the list of all lines: {}", trouble.what),
            remedy: format!(
                "{} Without the key list Offhook subscribes to every extension itself.",
                trouble.remedy
            ),
        }
    }

    pub(super) fn not_listed(&self, extension: &str, lists: &[Arc<str>]) -> Trouble {
        Trouble {
            what: match lists {
                [list] => format!(
                    "extension {extension} at {} is not on the list {list}",
                    self.domain
                ),
                _ => format!(
                    "extension {extension} at {} is on none of the lists {}",
                    self.domain,
                    lists.join(", ")
                ),
            },
            remedy: "Add it to the list on the phone system.".into(),
        }
    }

    /// Trouble: parts of a list that concern no line were not understood.
    pub(super) fn list_remarks(&self, list: &str, remarks: &Remarks) -> Trouble {
        Trouble {
            what: format!("NOTIFY for the list {list} was read without some parts: {remarks}"),
            remedy: "The lines' states count all the same; look for an update of the PBX.".into(),
        }
    }

    /// Trouble: a line of the list waits for authorization.
    pub(super) fn list_pending(&self, extension: &str, list: &str) -> Trouble {
        Trouble {
            what: format!(
                "extension {extension} at {} is on the list {list}, but its subscription waits for authorization",
                self.domain
            ),
            remedy: "Allow the account to watch the extension on the PBX.".into(),
        }
    }

    /// Trouble: the PBX has ended the subscription to a line of the list.
    pub(super) fn list_ended(&self, extension: &str, list: &str, reason: &str) -> Trouble {
        let reason = excerpt(reason);
        Trouble {
            what: format!(
                "extension {extension} at {} is on the list {list}, but its subscription there has ended ({reason})",
                self.domain
            ),
            remedy: "Check on the PBX that the extension exists and that the account may watch it."
                .into(),
        }
    }

    /// Trouble: the lists are active, but no document of the line has come.
    pub(super) fn without_state(&self, extension: &str, lists: &[Arc<str>]) -> Trouble {
        let lists = match lists {
            [list] => format!("the list {list} has"),
            _ => format!("the lists {} have", lists.join(", ")),
        };
        Trouble {
            what: format!("{lists} no state of extension {extension} at {}", self.domain),
            remedy: "Let the PBX send a document for each extension of the list, also if there is no call (Kamailio: \
                     force_dummy_dialog of presence_dialoginfo). Without the key list Offhook subscribes to every \
                     extension itself."
                .into(),
        }
    }

    /// Trouble: the list refers to a document that is not in the message.
    pub(super) fn part_missing(&self, extension: &str, list: &str) -> Trouble {
        Trouble {
            what: format!(
                "NOTIFY for the list {list} lacks the document of extension {extension} at {}",
                self.domain
            ),
            remedy: "The line's state is unknown until the PBX sends it again. Divide long lists; without the key list Offhook \
                     subscribes to every extension itself."
                .into(),
        }
    }

    /// Trouble: parts of a document were not understood.
    pub(super) fn remarks(&self, extension: &str, remarks: &Remarks) -> Trouble {
        Trouble {
            what: format!(
                "NOTIFY for extension {extension} at {} was read without some parts: {remarks}",
                self.domain
            ),
            remedy: "The line's state counts all the same; look for an update of the PBX.".into(),
        }
    }

    /// Trouble: a document has only dialogs of unknown state.
    pub(super) fn unclear(&self, extension: &str, remarks: &Remarks) -> Trouble {
        let why = match remarks.is_empty() {
            true => "a dialog's state was not read".to_owned(),
            false => remarks.to_string(),
        };
        Trouble {
            what: format!(
                "NOTIFY for extension {extension} at {} does not say whether there is a call: {why}",
                self.domain
            ),
            remedy: "The line's state is unknown until the PBX sends a document that Offhook can read; look for an update \
                     of the PBX."
                .into(),
        }
    }

    pub(super) fn document(&self, extension: &str, error: &DocumentError) -> Trouble {
        Trouble {
            what: format!(
                "NOTIFY for extension {extension} at {} cannot be understood: {error}",
                self.domain
            ),
            remedy: "The line's state is unknown until the phone system sends a correct document; \
                     look for an update of the phone system."
                .into(),
        }
    }

    pub(super) fn content_type(&self, extension: &str, content_type: &str) -> Trouble {
        Trouble {
            what: format!(
                "NOTIFY for extension {extension} at {} has content type {:?} instead of {}",
                self.domain,
                excerpt(content_type),
                sip::dialog_info::CONTENT_TYPE
            ),
            remedy:
                "Let the phone system send dialog-info documents (RFC 4235) for the event dialog."
                    .into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // A23
    #[test]
    fn a_refusal_by_asterisk_names_what_asterisk_lacks() {
        use subscriber::Trouble::Refused;
        let words = TroubleTexts {
            server: "pbx:5060".into(),
            domain: "pbx.test".into(),
            username: "offhook".into(),
        };
        let told = |code, software| words.subscription("1001", &Refused { code }, software);
        for code in [404, 603] {
            let trouble = told(code, Software::Asterisk);
            assert!(trouble.what.contains(&code.to_string()), "{trouble:?}");
            for word in ["subscribe_context", "allow_subscribe"] {
                assert!(trouble.remedy.contains(word), "{trouble:?}");
            }
        }
        assert!(told(404, Software::Asterisk).remedy.contains("hint"));
        for software in [Software::FreeSwitch, Software::Other] {
            for code in [404, 603] {
                let trouble = told(code, software);
                assert!(!trouble.remedy.contains("subscribe_context"), "{trouble:?}");
                assert!(trouble.what.contains("extension 1001"), "{trouble:?}");
            }
        }
    }
}
