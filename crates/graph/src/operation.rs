//! The writes that Offhook makes, and which of them goes first.

use serde_json::json;

use crate::RequestKind;

/// The two places of a person's presence that an application may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// The application's own session.
    Session,
    /// The preferred presence, shared with the Teams clients.
    Preferred,
}

/// One write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `setPresence` Busy/InACall for five minutes, at the start of a call.
    SetSession,
    /// The same again before it ends.
    RenewSession,
    /// `clearPresence`. That there was no session is success.
    ClearSession,
    /// `setUserPreferredPresence` DoNotDisturb for Microsoft's own day.
    SetDoNotDisturb,
    /// `clearUserPreferredPresence`.
    ClearDoNotDisturb,
}

/// What became of a write that Graph did not refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteSuccess {
    /// It is done.
    Done,
    /// 404: there was nothing to take back.
    NothingToClear,
}

/// The order of writes; the first goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// The end of a call: a person who is free again must not be shown busy.
    CallEnd,
    /// The start of a call.
    CallStart,
    /// Do not disturb, set or cleared.
    DoNotDisturb,
    /// Renewals: they have a minute in hand.
    Renewal,
}

impl Priority {
    /// Number of further writes after which a write ranks with new starts of calls; `None`: it goes before all of the other
    /// kinds. So no write starves, and a renewal is sent before its session ends: 1,600 writes take 38 seconds at Microsoft's
    /// documented limit. Counted in writes and not in seconds, because no write overtakes another during an outage or a
    /// pause. Ends of calls cannot starve the others: there is at most one per start that was sent.
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
    /// Where it writes.
    pub const fn slot(self) -> Slot {
        match self {
            Self::SetSession | Self::RenewSession | Self::ClearSession => Slot::Session,
            Self::SetDoNotDisturb | Self::ClearDoNotDisturb => Slot::Preferred,
        }
    }

    /// Its place in the order.
    pub const fn priority(self) -> Priority {
        match self {
            Self::ClearSession => Priority::CallEnd,
            Self::SetSession => Priority::CallStart,
            Self::SetDoNotDisturb | Self::ClearDoNotDisturb => Priority::DoNotDisturb,
            Self::RenewSession => Priority::Renewal,
        }
    }

    /// The operation to send instead of one that was not sent: a renewal of a session that was never set sets it, and is as
    /// urgent.
    pub(crate) const fn instead_of(self, replaced: Self) -> Self {
        match (replaced, self) {
            (Self::SetSession, Self::RenewSession) => Self::SetSession,
            (_, newer) => newer,
        }
    }

    /// Graph's name of the call.
    pub const fn call(self) -> &'static str {
        match self {
            Self::SetSession | Self::RenewSession => "setPresence",
            Self::ClearSession => "clearPresence",
            Self::SetDoNotDisturb => "setUserPreferredPresence",
            Self::ClearDoNotDisturb => "clearUserPreferredPresence",
        }
    }

    /// True if it takes something away: that there was nothing is success.
    pub(crate) const fn clears(self) -> bool {
        matches!(self, Self::ClearSession | Self::ClearDoNotDisturb)
    }

    /// The kind by which its answers are judged.
    pub const fn kind(self) -> RequestKind {
        match self {
            Self::SetSession | Self::RenewSession | Self::SetDoNotDisturb => RequestKind::Set,
            Self::ClearSession | Self::ClearDoNotDisturb => RequestKind::Clear,
        }
    }

    /// The request's body. The session is named by the application's own id, so there is one per person.
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
