//! What Offhook itself has written to Teams for one person: two slots, each tracked from the first write to the end
//! of its echo, so that our own words never come back as news (domain rules 3.3 and 3.4).

use std::time::Duration;

use crate::{Meaning, Signals, Timestamp, timing::Timing};

/// The two places in Teams that Offhook writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// Our app session, `Busy/InACall`, while the person is in a call on the telephone system.
    Session,
    /// The preferred presence, `DoNotDisturb/DoNotDisturb`, while the person chose Do not disturb here.
    Preferred,
}

impl Slot {
    /// Both slots.
    pub const ALL: [Self; 2] = [Self::Session, Self::Preferred];

    /// The name that the store uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Preferred => "preferred",
        }
    }

    /// How long Teams keeps what is written to the slot.
    pub const fn lifetime(self, timing: &Timing) -> Duration {
        match self {
            Self::Session => timing.session_lifetime,
            Self::Preferred => timing.do_not_disturb_lifetime,
        }
    }

    /// What Teams shows when it shows our own write.
    pub const fn echo(self) -> Meaning {
        match self {
            Self::Session => Meaning::Call,
            Self::Preferred => Meaning::DoNotDisturb,
        }
    }
}

/// The state in an answer, compared with our write in one slot.
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

/// The state of one slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SlotState {
    /// Nothing of ours.
    #[default]
    Empty,
    /// Ours and in force (or on its way).
    Written(SlotWrite),
    /// Taken back, or run out; its echo may still be seen.
    Clearing(SlotClear),
    /// Wanted here, but the slot in Teams is not ours: never written again, never cleared.
    Released(SlotRelease),
    /// Wanted and written, but Microsoft refuses it: not in force, and tried again.
    Refused(SlotWrite),
}

/// A write in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotWrite {
    /// When it was first written.
    pub since: Timestamp,
    /// When it was last written.
    pub written_at: Timestamp,
    /// When Teams drops it by itself.
    pub expires_at: Timestamp,
    /// When Teams first acknowledged it.
    pub acknowledged_at: Option<Timestamp>,
    /// Teams has acknowledged it since it was last written.
    pub is_answered: bool,
    /// Whether Teams has shown it.
    pub echo: Echo,
    /// Adopted after a start: kept until this moment while the lines have not reported.
    pub adopted_until: Option<Timestamp>,
}

/// Whether answers of Graph have shown our write: its echo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    /// Teams may have shown the same state since before the write, so that an answer with that state proves nothing.
    Indistinct,
    /// The same, and an earlier write, in effect from this moment, may still be shown.
    IndistinctSince(Timestamp),
    /// No answer has shown the write yet.
    Awaited,
    /// No answer has shown the write yet, nor an earlier one, in effect from this moment. The first echo may belong to either.
    AwaitedSince(Timestamp),
    /// An answer showed the write; this was its lag, from taking effect to the request for that answer.
    Seen(Duration),
    /// An answer showed this write or an earlier one; the lag of the one that it shows is at most this.
    SeenOfEither(Duration),
    /// Only answers after the clear showed the write, and later ones showed another state.
    Past,
}

/// A write that was cleared, whose echo may still be shown. What follows from its fields: `mirror/evidence.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotClear {
    /// When it was taken back.
    pub requested_at: Timestamp,
    /// What Teams answered to the request.
    pub answer: ClearAnswer,
    /// When Teams drops it even if the request never arrives.
    pub expires_at: Timestamp,
    /// The earliest time at which the write can have taken effect.
    pub in_effect_from: Timestamp,
    /// Whether Teams showed it before it was taken back.
    pub echo: Echo,
    /// Start of the unbroken run of answers that show the echo; `None` if the last answer showed another state. The time of the
    /// request if the write was shown before it.
    pub shown_since: Option<Timestamp>,
    /// Teams showed the state of the write when it was taken back, or has shown it since.
    pub was_shown: bool,
}

/// Teams' answer to the clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClearAnswer {
    /// No answer yet.
    Pending,
    /// Microsoft refused the clear, which is tried again.
    Refused,
    /// 404 at this moment: the write never arrived, or the answer is wrong.
    NotFound(Timestamp),
    /// Cleared at this moment.
    Acknowledged(Timestamp),
}

/// Why the slot is not ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotRelease {
    /// What happened.
    pub reason: ReleaseReason,
    /// When.
    pub at: Timestamp,
}

/// Why Offhook left the preferred slot alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReleaseReason {
    /// The person chose something else in Teams.
    Overridden,
    /// Microsoft dropped it after 24 hours.
    Expired,
    /// Teams was in Do not disturb already, by the person's own choice there.
    AlreadyThere,
}

impl ReleaseReason {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::Overridden, Self::Expired, Self::AlreadyThere];

    /// The name that the store uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Overridden => "overridden",
            Self::Expired => "expired",
            Self::AlreadyThere => "already_there",
        }
    }

    /// The explanation's words.
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::Overridden => {
                "overridden in Teams: the person chose something else there, so it is left alone"
            }
            Self::Expired => {
                "Teams dropped it after 24 hours; it stays here and is not renewed silently"
            }
            Self::AlreadyThere => {
                "Teams was in Do not disturb already, so nothing was written and nothing will be cleared"
            }
        }
    }
}

/// What is done to a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Write it.
    Set,
    /// Write it again before it ends.
    Renew,
    /// Take it back.
    Clear,
    /// Do not take it back any more: Teams does not have it, and what is there now may be the person's.
    Abandon,
}

/// The longest time for which a write is assumed to have been in effect before its acknowledgement.
const REQUEST_LIMIT: Duration = Duration::from_secs(1);

impl Echo {
    /// When an earlier write took effect whose echo may still come.
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
    /// When Teams acknowledged the clear.
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

    /// The earliest time at which the write can have taken effect. Lags are counted from here: counted from the
    /// acknowledgement they would be too short by the time that the answer took.
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
    /// Teams dropped it by itself.
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

    /// The write is taken back; Teams keeps it for `lifetime`.
    pub(crate) fn from_write(write: &SlotWrite, lifetime: Duration, now: Timestamp) -> Self {
        Self {
            requested_at: now,
            answer: ClearAnswer::Pending,
            // The last write has no answer: a try of it may have arrived at any time until now.
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

    /// Records that Microsoft refused the clear, unless it has been answered otherwise.
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
    /// Whether Teams may at this moment show our own write.
    pub fn may_echo(&self) -> bool {
        matches!(self, Self::Written(_) | Self::Clearing(_))
    }

    /// Whether the write is in force.
    pub fn is_written(&self) -> bool {
        matches!(self, Self::Written(_))
    }

    /// An answer of Graph that was asked for before this moment says nothing: our write may or may not be in it.
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

    /// The echo state of a set that follows this slot state.
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

    /// The moment at which the slot changes by itself.
    pub(crate) fn deadline(&self, timing: &Timing) -> Option<Timestamp> {
        match self {
            Self::Empty | Self::Released(_) => None,
            Self::Refused(write) => Some(write.written_at + timing.session_renewal),
            Self::Written(write) => Some(write.expires_at),
            Self::Clearing(clear) => Some(clear.ends_at(timing)),
        }
    }
}
