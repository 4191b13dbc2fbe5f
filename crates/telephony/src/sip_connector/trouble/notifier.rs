//! Texts for a PBX that accepts subscriptions but does not follow RFC 6665 and RFC 4235.

use sip::{remark::excerpt, subscriber::Trouble as T};

use super::{Trouble, TroubleTexts};

/// The trouble with the subscription to an extension, if the notifier causes it.
pub(super) fn subscription(at: &str, trouble: &T) -> Option<Trouble> {
    let (what, remedy) = match trouble {
        T::NoNotify => (
            format!("SUBSCRIBE for {at} was accepted, but no NOTIFY came"),
            "Check that the PBX can send to Offhook's address: a firewall or NAT between them stops NOTIFY over UDP, so use \
             TCP there. Over TCP and TLS the PBX must send NOTIFY over the connection that Offhook opened, because Offhook \
             accepts no connection from the PBX; if the PBX opens its own connection for NOTIFY, use UDP.",
        ),
        T::BadNotify { code } => (
            format!(
                "a NOTIFY for {at} was refused with {code}: a header or its length is missing or cannot be read"
            ),
            "Offhook asks for the state again. If this trouble stays, look for an update of the PBX, or of a firewall or proxy \
             between them that changes SIP messages (switch off SIP ALG).",
        ),
        T::RenewedWithoutNotify => (
            format!("the PBX sends no NOTIFY after the renewal of the subscription for {at}"),
            "Let the PBX send a NOTIFY after every SUBSCRIBE, also after a renewal (RFC 6665 section 4.2.1.2); look for an \
             update of it. Until then Offhook subscribes anew at each renewal, and the line is unknown for a moment.",
        ),
        T::Interval {
            minimum: Some(minimum),
        } => (
            format!("the PBX wants subscriptions of at least {minimum} s for {at}"),
            "Lower the smallest subscription time on the PBX to 3600 s or less.",
        ),
        T::Interval { minimum: None } => (
            format!(
                "the PBX refuses subscriptions of 600 s to a day for {at} as too brief (423) and does not name its minimum"
            ),
            "Lower the smallest subscription time on the PBX to 3600 s or less.",
        ),
        T::ShortLease { seconds } => (
            format!("the PBX grants subscriptions of only {seconds} s for {at}"),
            "Raise the longest subscription time on the PBX to at least 60 s; Offhook asks for 600 s.",
        ),
        T::Redirected { code, target } => {
            let target = target.as_deref();
            let target = target.map_or_else(|| "no SIP address".into(), excerpt);
            (
                format!("SUBSCRIBE for {at} was redirected with {code} to {target}"),
                "Set server in Offhook's configuration to the address that serves the extensions, or correct the redirection \
                 on the PBX; Offhook follows two SIP addresses and no proxy (305).",
            )
        }
        T::Numbering => (
            format!("the CSeq numbers of the NOTIFYs for {at} go back or stand still"),
            "Offhook subscribes again automatically. If this trouble stays, look for an update of the PBX or of a proxy before \
             it: CSeq must grow with every NOTIFY (RFC 3261 section 12.2.1.1).",
        ),
        T::Unconfirmed => (
            format!("NOTIFYs for {at} arrive, but none has the whole state, also after a refresh"),
            "Let the PBX send a full dialog-info document (state=\"full\", RFC 4235) after every SUBSCRIBE; look for an \
             update of it.",
        ),
        _ => return None,
    };
    let remedy = remedy.into();
    Some(Trouble { what, remedy })
}

impl TroubleTexts {
    /// Trouble: a partial document that does not continue the last one, in answer to a refresh.
    pub(in crate::sip_connector) fn no_full_document(&self, extension: &str) -> Trouble {
        Trouble {
            what: format!(
                "documents about extension {extension} at {} are missing, and the PBX sends no full one in answer to a refresh",
                self.domain
            ),
            remedy: "Let the PBX send a full dialog-info document (state=\"full\", RFC 4235) after every SUBSCRIBE. The line's \
                     state is unknown until then."
                .into(),
        }
    }

    /// Trouble: documents arrive, but never a full one.
    pub(in crate::sip_connector) fn partial_only(&self, extension: &str) -> Trouble {
        Trouble {
            what: format!(
                "the PBX sends only partial documents about extension {extension} at {}: earlier calls are unknown",
                self.domain
            ),
            remedy: "Let the PBX send a full dialog-info document (state=\"full\", RFC 4235) after every SUBSCRIBE.".into(),
        }
    }
}
