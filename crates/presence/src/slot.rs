//! Our writes to Teams for one person: two slots, each tracked from the first write to the end of its echo, so
//! that the echo never counts as a signal (docs/presence-rules.md, "What Offhook writes to Teams", "Teams calls
//! and echoes").

use std::time::Duration;

use crate::{Meaning, Signals, Timestamp, timing::Timing};

/// The two states that Offhook writes to Teams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// The app session, `Busy/InACall`, during a call on the PBX or a meeting with audio.
    Session,
    /// The preferred presence, `DoNotDisturb/DoNotDisturb`, while a choice or an appointment requests Do not
    /// disturb.
    Preferred,
}

impl Slot {
    /// Both slots.
    pub const ALL: [Self; 2] = [Self::Session, Self::Preferred];

    /// Name in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Preferred => "preferred",
        }
    }

    /// Time for which Teams keeps a write to the slot.
    pub const fn lifetime(self, timing: &Timing) -> Duration {
        match self {
            Self::Session => timing.session_lifetime,
            Self::Preferred => timing.do_not_disturb_lifetime,
        }
    }

    /// State that Teams shows for our write.
    pub const fn echo(self) -> Meaning {
        match self {
            Self::Session => Meaning::Call,
            Self::Preferred => Meaning::DoNotDisturb,
        }
    }
}

/// State in an answer, compared with our write in one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnswerMatch {
    /// The state that we write to the slot.
    Echo,
    /// A state that Teams ranks above ours and that hides it.
    Hidden,
    /// Any other state.
    Other,
}

impl AnswerMatch {
    pub(crate) fn new(slot: Slot, meaning: Meaning) -> Self {
        match (slot, meaning) {
            _ if meaning == slot.echo() => Self::Echo,
            (Slot::Session, Meaning::DoNotDisturb) | (_, Meaning::Presenting) => Self::Hidden,
            _ => Self::Other,
        }
    }
}

/// State of a slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SlotState {
    /// The slot holds no write of ours.
    #[default]
    Empty,
    /// Our write is in force, or on its way.
    Written(SlotWrite),
    /// Our write was cleared or has expired; its echo may still be seen.
    Clearing(SlotClear),
    /// Requested, but the person's own state has the slot in Teams: not written again, and not cleared.
    Released(SlotRelease),
    /// Requested and written, but Microsoft refuses the write: not in force, and retried.
    Refused(SlotWrite),
}

/// A write in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotWrite {
    /// Time of the first write.
    pub since: Timestamp,
    /// Time of the last write.
    pub written_at: Timestamp,
    /// Time at which Teams drops it.
    pub expires_at: Timestamp,
    /// Time of the first acknowledgement.
    pub acknowledged_at: Option<Timestamp>,
    /// Teams has acknowledged the last write.
    pub is_answered: bool,
    /// Whether Teams has shown the write.
    pub echo: Echo,
    /// For a write from before the start of the process: kept until this time while the lines have not
    /// reported.
    pub adopted_until: Option<Timestamp>,
}

/// Whether answers of Graph have shown our write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    /// Teams may have shown the same state before the write: an answer with that state proves nothing.
    Indistinct,
    /// The same, and an earlier write, in effect from this time, may still be shown.
    IndistinctSince(Timestamp),
    /// No answer has shown the write yet.
    Awaited,
    /// No answer has shown the write yet, nor an earlier one, in effect from this time. The first echo may
    /// belong to either.
    AwaitedSince(Timestamp),
    /// An answer showed the write with this lag: the time from taking effect to the request for the answer.
    Seen(Duration),
    /// An answer showed this write or an earlier one; its lag is at most this.
    SeenOfEither(Duration),
    /// Only answers after the clear showed the write, and later ones showed another state.
    Past,
}

/// A cleared write; its echo may still be shown. `mirror/evidence.rs` draws the conclusions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotClear {
    /// Time of the clear.
    pub requested_at: Timestamp,
    /// Teams' answer to the clear.
    pub answer: ClearAnswer,
    /// Time at which Teams drops the write even if the clear never arrives.
    pub expires_at: Timestamp,
    /// Earliest time at which the write can have taken effect.
    pub in_effect_from: Timestamp,
    /// Whether Teams had shown the write before the clear.
    pub echo: Echo,
    /// Start of the unbroken run of answers that show the echo; `None` if the last answer showed another
    /// state. Time of the clear if the write was shown before it.
    pub shown_since: Option<Timestamp>,
    /// Teams showed the state of the write at the time of the clear, or later.
    pub was_shown: bool,
}

/// Teams' answer to a clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClearAnswer {
    /// No answer yet.
    Pending,
    /// Microsoft refused the clear, which is retried.
    Refused,
    /// 404 at this time: the write never arrived, or the answer is wrong.
    NotFound(Timestamp),
    /// Acknowledged at this time.
    Acknowledged(Timestamp),
}

/// A release of the slot to the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotRelease {
    /// The reason.
    pub reason: ReleaseReason,
    /// The time.
    pub at: Timestamp,
}

/// Reason why Offhook released the preferred slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReleaseReason {
    /// The person chose another state in Teams.
    Overridden,
    /// Microsoft dropped our Do not disturb after 24 hours.
    Expired,
    /// The person had already chosen Do not disturb in Teams.
    AlreadyThere,
}

impl ReleaseReason {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::Overridden, Self::Expired, Self::AlreadyThere];

    /// Name in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Overridden => "overridden",
            Self::Expired => "expired",
            Self::AlreadyThere => "already_there",
        }
    }

    /// Text of the explanation, in English.
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::Overridden => {
                "overridden in Teams: the person chose another state there, and Offhook leaves it alone"
            }
            Self::Expired => {
                "Teams dropped it after 24 hours; it stays in force in Offhook and is not renewed"
            }
            Self::AlreadyThere => {
                "the person had already chosen Do not disturb in Teams: Offhook wrote nothing and will clear nothing"
            }
        }
    }
}

/// Kind of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Write the state.
    Set,
    /// Write the state again before it expires.
    Renew,
    /// Clear the state.
    Clear,
    /// Stop the attempts to clear: Teams has dropped the write, and a state there now may be the person's.
    Abandon,
}

/// Longest time for which a write is assumed to have been in effect before its acknowledgement.
const REQUEST_LIMIT: Duration = Duration::from_secs(1);

impl Echo {
    /// Time at which an earlier write took effect, if its echo may still come.
    const fn earlier(self) -> Option<Timestamp> {
        match self {
            Self::AwaitedSince(earlier) | Self::IndistinctSince(earlier) => Some(earlier),
            Self::Indistinct
            | Self::Awaited
            | Self::Seen(_)
            | Self::SeenOfEither(_)
            | Self::Past => None,
        }
    }

    /// Whether the last answer may have shown the write.
    const fn may_be_shown(self) -> bool {
        match self {
            Self::Indistinct | Self::IndistinctSince(_) | Self::Seen(_) | Self::SeenOfEither(_) => {
                true
            }
            Self::Awaited | Self::AwaitedSince(_) | Self::Past => false,
        }
    }
}

impl ClearAnswer {
    /// Time of the acknowledgement.
    pub(crate) const fn acknowledged_at(self) -> Option<Timestamp> {
        match self {
            Self::Acknowledged(at) => Some(at),
            Self::Pending | Self::Refused | Self::NotFound(_) => None,
        }
    }
}

impl SlotWrite {
    pub(crate) fn new(now: Timestamp, lifetime: Duration, echo: Echo) -> Self {
        Self {
            since: now,
            written_at: now,
            expires_at: now + lifetime,
            acknowledged_at: None,
            is_answered: false,
            echo,
            adopted_until: None,
        }
    }

    /// Earliest time at which the write can have taken effect. Lags count from here: counted from the
    /// acknowledgement they would be too short by the time of the answer.
    pub(crate) fn in_effect_from(&self) -> Timestamp {
        let acknowledged = self.acknowledged_at.map(|at| at - REQUEST_LIMIT);
        self.since.max(acknowledged.unwrap_or(self.since))
    }
}

impl SlotRelease {
    /// Whether Teams dropped our write so recently that Graph may still show it.
    pub(crate) fn may_echo(&self, timing: &Timing, now: Timestamp) -> bool {
        self.reason == ReleaseReason::Expired && now < self.at + timing.settle
    }
}

impl SlotClear {
    /// A write that Teams dropped at `at`.
    pub(crate) fn dropped(at: Timestamp, lifetime: Duration) -> Self {
        Self {
            requested_at: at,
            answer: ClearAnswer::Acknowledged(at),
            expires_at: at,
            in_effect_from: at - lifetime,
            echo: Echo::Indistinct,
            shown_since: Some(at),
            was_shown: true,
        }
    }

    /// Clears a write that Teams keeps for `lifetime`.
    pub(crate) fn from_write(write: &SlotWrite, lifetime: Duration, now: Timestamp) -> Self {
        Self {
            requested_at: now,
            answer: ClearAnswer::Pending,
            // Without an answer to the last write, an attempt may have arrived at any time until now.
            expires_at: if write.is_answered {
                write.expires_at
            } else {
                now + lifetime
            },
            in_effect_from: write.echo.earlier().unwrap_or(write.in_effect_from()),
            echo: write.echo,
            shown_since: write.echo.may_be_shown().then_some(now),
            was_shown: matches!(write.echo, Echo::Seen(_) | Echo::SeenOfEither(_)),
        }
    }

    /// Records the acknowledgement of the clear; the first one counts.
    pub(crate) fn acknowledge(&mut self, now: Timestamp) {
        if self.answer.acknowledged_at().is_none() {
            self.answer = ClearAnswer::Acknowledged(now);
        }
    }

    /// Records a refusal of the clear, unless the clear has another answer.
    pub(crate) fn refuse(&mut self) {
        if self.answer == ClearAnswer::Pending {
            self.answer = ClearAnswer::Refused;
        }
    }

    /// Records a 404 to the clear, unless the clear has been acknowledged.
    pub(crate) fn deny(&mut self, now: Timestamp) {
        if self.answer.acknowledged_at().is_none() {
            self.answer = ClearAnswer::NotFound(now);
        }
    }
}

impl SlotState {
    /// Whether Teams may show our write now.
    pub fn may_echo(&self) -> bool {
        matches!(self, Self::Written(_) | Self::Clearing(_))
    }

    /// Whether the write is in force.
    pub fn is_written(&self) -> bool {
        matches!(self, Self::Written(_))
    }

    /// Time of our last change of the slot: an answer requested before it proves nothing about our write.
    pub(crate) fn changed_at(&self) -> Option<Timestamp> {
        match self {
            Self::Empty | Self::Released(_) | Self::Refused(_) => None,
            Self::Written(write) => Some(write.acknowledged_at.unwrap_or(write.since)),
            Self::Clearing(clear) => {
                let acknowledged_at = clear.answer.acknowledged_at();
                Some(acknowledged_at.unwrap_or(clear.requested_at))
            }
        }
    }

    /// Echo of a set that follows this state.
    pub(crate) fn next_echo(&self, slot: Slot, signals: &Signals) -> Echo {
        let shows_something_else = signals
            .observation
            .as_ref()
            .is_some_and(|seen| AnswerMatch::new(slot, seen.state.meaning()) == AnswerMatch::Other);
        let clear = match self {
            Self::Empty if shows_something_else => return Echo::Awaited,
            Self::Empty | Self::Written(_) | Self::Refused(_) | Self::Released(_) => {
                return Echo::Indistinct;
            }
            Self::Clearing(clear) => clear,
        };
        match (clear.echo, clear.shown_since) {
            (Echo::Seen(_) | Echo::Past, None) if shows_something_else => Echo::Awaited,
            (Echo::Seen(_) | Echo::Past, None) => Echo::Indistinct,
            _ if shows_something_else => Echo::AwaitedSince(clear.in_effect_from),
            _ => Echo::IndistinctSince(clear.in_effect_from),
        }
    }

    /// Time at which the slot changes without an input.
    pub(crate) fn deadline(&self, timing: &Timing) -> Option<Timestamp> {
        match self {
            Self::Empty | Self::Released(_) => None,
            Self::Refused(write) => Some(write.written_at + timing.session_renewal),
            Self::Written(write) => Some(write.expires_at),
            Self::Clearing(clear) => Some(clear.ends_at(timing)),
        }
    }
}
