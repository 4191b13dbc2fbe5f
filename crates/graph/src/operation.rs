//! Writes of presence, and their order.

use serde_json::json;

use crate::RequestKind;

/// The two parts of a person's presence that an application may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// The application's own presence session.
    Session,
    /// The preferred presence, shared with the Teams clients.
    Preferred,
}

/// A write of presence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `setPresence` Busy/InACall for five minutes, at the start of a call.
    SetSession,
    /// `setPresence` with the same values, before the session expires.
    RenewSession,
    /// `clearPresence`. Succeeds if there was no session.
    ClearSession,
    /// `setUserPreferredPresence` DoNotDisturb, which lasts as long as Microsoft's default: a day.
    SetDoNotDisturb,
    /// `clearUserPreferredPresence`.
    ClearDoNotDisturb,
}

/// Result of a write that Graph accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteSuccess {
    /// Graph applied the write.
    Done,
    /// Graph answered a clear with 404: there was nothing to clear.
    NothingToClear,
}

/// Priority of a write; the first variant is the most urgent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// End of a call: a person who is available again must not be shown busy.
    CallEnd,
    /// Start of a call.
    CallStart,
    /// Sets or clears Do not disturb.
    DoNotDisturb,
    /// Renewal of a session, which is due a minute before the session expires.
    Renewal,
}

impl Priority {
    /// Number of later writes after which a write ranks with new starts of calls; `None`: it precedes the other kinds at
    /// once. No write starves, and a renewal is sent before its session expires: 1,600 writes take 38 seconds at
    /// Microsoft's documented limit. The count is of writes and not of seconds, because no write overtakes another during
    /// an outage or a pause. Ends of calls cannot starve the others: there is at most one per start that was sent.
    pub(crate) const fn gives_way(self) -> Option<u64> {
        match self {
            Self::CallEnd => None,
            Self::CallStart => Some(0),
            Self::DoNotDisturb => Some(1_000),
            Self::Renewal => Some(1_600),
        }
    }
}

impl Operation {
    /// The part of the presence that the operation writes.
    pub const fn slot(self) -> Slot {
        match self {
            Self::SetSession | Self::RenewSession | Self::ClearSession => Slot::Session,
            Self::SetDoNotDisturb | Self::ClearDoNotDisturb => Slot::Preferred,
        }
    }

    /// Priority of the operation.
    pub const fn priority(self) -> Priority {
        match self {
            Self::ClearSession => Priority::CallEnd,
            Self::SetSession => Priority::CallStart,
            Self::SetDoNotDisturb | Self::ClearDoNotDisturb => Priority::DoNotDisturb,
            Self::RenewSession => Priority::Renewal,
        }
    }

    /// The operation to send when `self` replaces an unsent operation: a renewal of a session that was never set sets the
    /// session, with the priority of a start.
    pub(crate) const fn instead_of(self, replaced: Self) -> Self {
        match (replaced, self) {
            (Self::SetSession, Self::RenewSession) => Self::SetSession,
            (_, newer) => newer,
        }
    }

    /// Name of the call in Graph.
    pub const fn call(self) -> &'static str {
        match self {
            Self::SetSession | Self::RenewSession => "setPresence",
            Self::ClearSession => "clearPresence",
            Self::SetDoNotDisturb => "setUserPreferredPresence",
            Self::ClearDoNotDisturb => "clearUserPreferredPresence",
        }
    }

    /// True if the operation clears a slot, which succeeds if the slot is empty.
    pub(crate) const fn clears(self) -> bool {
        matches!(self, Self::ClearSession | Self::ClearDoNotDisturb)
    }

    /// Kind by which answers to the operation are judged.
    pub const fn kind(self) -> RequestKind {
        match self {
            Self::SetSession | Self::RenewSession | Self::SetDoNotDisturb => RequestKind::Set,
            Self::ClearSession | Self::ClearDoNotDisturb => RequestKind::Clear,
        }
    }

    /// Body of the request. The session id is the application's id, hence one session per person.
    pub(crate) fn body(self, client_id: &str) -> serde_json::Value {
        match self {
            Self::SetSession | Self::RenewSession => json!({
                "sessionId": client_id,
                "availability": "Busy",
                "activity": "InACall",
                "expirationDuration": "PT5M",
            }),
            Self::ClearSession => json!({ "sessionId": client_id }),
            Self::SetDoNotDisturb => json!({
                "availability": "DoNotDisturb",
                "activity": "DoNotDisturb",
            }),
            Self::ClearDoNotDisturb => json!({}),
        }
    }
}
