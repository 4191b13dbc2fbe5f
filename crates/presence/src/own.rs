//! What Offhook itself has written to Teams for one person: two slots, each tracked from the first write to the end
//! of its echo, so that our own words never come back as news (domain rules 3.3 and 3.4).

use std::time::Duration;

use crate::{Meaning, Timestamp, settings::Timing};

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

/// The state of one slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Own {
    /// Nothing of ours.
    #[default]
    None,
    /// Ours and in force (or on its way).
    Held(Held),
    /// Taken back, or run out; its echo may still be seen.
    Withdrawn(Withdrawn),
    /// Wanted here, but the slot in Teams is not ours: never written again, never cleared.
    Yielded(Yielded),
    /// Wanted and written, but Microsoft refuses it: not in force, and tried again.
    Refused(Held),
}

/// A write in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// When it was first written.
    pub since: Timestamp,
    /// When it was last written.
    pub written_at: Timestamp,
    /// When Teams drops it by itself.
    pub expires_at: Timestamp,
    /// When Teams first acknowledged it.
    pub acknowledged_at: Option<Timestamp>,
    /// When Teams was first seen to show it; only where nothing else could look like it when it was written.
    pub echoed_at: Option<Timestamp>,
    /// Nothing that looks like it was to be seen when it was written, so that its echo can be told.
    pub distinct: bool,
    /// Adopted after a start: kept until this moment while the lines have not reported.
    pub adopted_until: Option<Timestamp>,
}

/// A write that was taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Withdrawn {
    /// When it was taken back.
    pub requested_at: Timestamp,
    /// When Teams acknowledged that.
    pub acknowledged_at: Option<Timestamp>,
    /// When Teams said that there was nothing to take back: not believed by itself.
    pub denied_at: Option<Timestamp>,
    /// When Teams drops it even if the request never arrives.
    pub expires_at: Timestamp,
    /// How long it took until the write was seen; `None` if it never was.
    pub echo_lag: Option<Duration>,
    /// Since when Teams has shown something else than the echo without a break.
    pub silent_since: Option<Timestamp>,
}

/// Why the slot is not ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Yielded {
    /// What happened.
    pub reason: YieldReason,
    /// When.
    pub at: Timestamp,
}

/// Why Offhook left the preferred slot alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum YieldReason {
    /// The person chose something else in Teams.
    Overridden,
    /// Microsoft dropped it after 24 hours.
    Expired,
    /// Teams was in Do not disturb already, by the person's own choice there.
    AlreadyThere,
}

impl YieldReason {
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
}

impl Held {
    pub(crate) fn new(now: Timestamp, lifetime: Duration, distinct: bool) -> Self {
        Self {
            since: now,
            written_at: now,
            expires_at: now + lifetime,
            acknowledged_at: None,
            echoed_at: None,
            distinct,
            adopted_until: None,
        }
    }
}

impl Yielded {
    /// Whether Teams dropped our write so recently that Graph may still show it.
    pub(crate) fn may_echo(&self, timing: &Timing, now: Timestamp) -> bool {
        self.reason == YieldReason::Expired && now < self.at + timing.settle
    }
}

impl Withdrawn {
    /// Teams dropped it by itself.
    pub(crate) fn dropped(at: Timestamp) -> Self {
        Self {
            requested_at: at,
            acknowledged_at: Some(at),
            denied_at: None,
            expires_at: at,
            echo_lag: None,
            silent_since: None,
        }
    }

    pub(crate) fn from_held(held: &Held, now: Timestamp) -> Self {
        Self {
            requested_at: now,
            acknowledged_at: None,
            denied_at: None,
            expires_at: held.expires_at,
            echo_lag: held
                .echoed_at
                .map(|at| at.since(held.acknowledged_at.unwrap_or(held.since))),
            silent_since: None,
        }
    }

    /// The moment from which Teams no longer holds the write.
    fn gone_at(&self) -> Timestamp {
        self.acknowledged_at
            .map_or(self.expires_at, |at| at.min(self.expires_at))
    }

    /// When the echo can no longer be seen. It ends early where Teams demonstrably showed the write and then, for
    /// longer than the write had taken to appear, something else.
    pub(crate) fn settled_at(&self, timing: &Timing) -> Timestamp {
        let latest = self.gone_at() + timing.settle;
        let answered = self.acknowledged_at.or(self.denied_at).is_some();
        match (self.echo_lag, self.silent_since) {
            (Some(lag), Some(silent)) if answered => {
                latest.min(silent + timing.settle_early.max(lag * 2))
            }
            // Teams denies having it and does not show it: together that is believed.
            (None, Some(silent)) if self.denied_at.is_some() => latest.min(silent + timing.settle),
            _ => latest,
        }
    }
}

impl Own {
    /// Whether Teams may at this moment show our own write.
    pub fn may_echo(&self) -> bool {
        matches!(self, Self::Held(_) | Self::Withdrawn(_))
    }

    /// Whether the write is in force.
    pub fn is_held(&self) -> bool {
        matches!(self, Self::Held(_))
    }

    /// An answer of Graph that was asked for before this moment says nothing: our write may or may not be in it.
    pub(crate) fn changed_at(&self) -> Option<Timestamp> {
        match self {
            Self::None | Self::Yielded(_) | Self::Refused(_) => None,
            Self::Held(held) => Some(held.acknowledged_at.unwrap_or(held.since)),
            Self::Withdrawn(withdrawn) => {
                Some(withdrawn.acknowledged_at.unwrap_or(withdrawn.requested_at))
            }
        }
    }

    /// Notes what Teams shows, for the echo's sake.
    pub(crate) fn observe(&mut self, now: Timestamp, shows_echo: bool) {
        match self {
            Self::Held(held) if shows_echo && held.distinct => {
                held.echoed_at.get_or_insert(now);
            }
            Self::Withdrawn(withdrawn) if shows_echo => withdrawn.silent_since = None,
            Self::Withdrawn(withdrawn) => {
                withdrawn.silent_since.get_or_insert(now);
            }
            _ => {}
        }
    }

    /// The moment at which the slot changes by itself.
    pub(crate) fn deadline(&self, timing: &Timing) -> Option<Timestamp> {
        match self {
            Self::None | Self::Yielded(_) => None,
            Self::Refused(held) => Some(held.written_at + timing.session_renewal),
            Self::Held(held) => Some(held.expires_at),
            Self::Withdrawn(withdrawn) => Some(withdrawn.settled_at(timing)),
        }
    }
}
