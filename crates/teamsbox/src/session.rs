//! A presence session of a Teams client or an application, with its fade and its expiry.
//!
//! A session is a stated pair and two times. Its visible pair at a given time is computed, never stored.

use crate::{
    duration::{MINUTE, Milliseconds},
    value::{Availability, Device, IdleSpelling, Shown},
};

/// Time without activity after which `Available` becomes the idle stage.
pub(crate) const FADE_TO_IDLE: Milliseconds = 5 * MINUTE;
/// Time without activity after which `Available` becomes `Away`.
pub(crate) const FADE_TO_AWAY: Milliseconds = 10 * MINUTE;

/// The owner of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A Teams client of the person.
    Client {
        /// Kind of the client.
        device: Device,
        /// Use of the client.
        attention: Attention,
    },
    /// An application, named by its session id.
    App(Box<str>),
}

/// The use of a client by its person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attention {
    /// Keyboard or mouse in use.
    Active,
    /// Idle since this time; shows the idle stage at once and `Away` later.
    Idle(Milliseconds),
    /// Locked: `Away` at once.
    Locked,
}

/// A presence session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    /// Owner of the session.
    pub(crate) origin: Origin,
    /// The pair of the last statement, before any fading.
    pub(crate) stated: Shown,
    /// Start of the session.
    pub(crate) since: Milliseconds,
    /// Time at which a statement last changed the visible pair.
    pub(crate) changed_at: Milliseconds,
    /// Orders changes of the same millisecond.
    pub(crate) order: u64,
    /// Start of the fade of `Available`; `None` if the session does not fade.
    pub(crate) fades_from: Option<Milliseconds>,
    /// End of the session: expiry of an application's session, or end of the grace period after a client's sign-out.
    pub(crate) ends: Option<Milliseconds>,
}

/// The statement of an application about a person.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement {
    /// The pair.
    pub(crate) shown: Shown,
    /// Expiry.
    pub(crate) ends: Milliseconds,
}

impl Session {
    /// A new session of an application.
    pub(crate) fn app(
        session_id: &str,
        statement: Statement,
        now: Milliseconds,
        order: u64,
    ) -> Self {
        Self {
            origin: Origin::App(session_id.into()),
            stated: statement.shown,
            since: now,
            changed_at: now,
            order,
            fades_from: fades(statement.shown).then_some(now),
            ends: Some(statement.ends),
        }
    }

    /// The session of a newly signed-in client.
    pub(crate) fn client(device: Device, now: Milliseconds, order: u64) -> Self {
        Self {
            origin: Origin::Client {
                device,
                attention: Attention::Active,
            },
            stated: Shown::AVAILABLE,
            since: now,
            changed_at: now,
            order,
            fades_from: None,
            ends: None,
        }
    }

    /// Applies a new statement: fade and expiry start again. An identical statement is not a change.
    pub(crate) fn restate(
        &mut self,
        statement: Statement,
        now: Milliseconds,
        order: u64,
        idle: IdleSpelling,
    ) {
        if self.shown(now, idle) != statement.shown {
            self.changed_at = now;
            self.order = order;
        }
        self.stated = statement.shown;
        self.fades_from = fades(statement.shown).then_some(now);
        self.ends = Some(statement.ends);
    }

    /// Derives a client's pair from its use; `doing` is the pair of a call or of sharing on this client.
    pub(crate) fn derive(
        &mut self,
        doing: Option<Shown>,
        now: Milliseconds,
        order: u64,
        idle: IdleSpelling,
    ) {
        let Origin::Client { attention, .. } = self.origin else {
            return;
        };
        let before = self.shown(now, idle);
        (self.stated, self.fades_from) = match (doing, attention) {
            (Some(shown), _) => (shown, None),
            (None, Attention::Active) => (Shown::AVAILABLE, None),
            (None, Attention::Idle(since)) => (Shown::AVAILABLE, Some(since - FADE_TO_IDLE)),
            (None, Attention::Locked) => (Shown::AWAY, None),
        };
        if self.shown(now, idle) != before {
            self.changed_at = now;
            self.order = order;
        }
    }

    /// The visible pair of the session at a time before its end.
    pub(crate) fn shown(&self, now: Milliseconds, idle: IdleSpelling) -> Shown {
        match self.fades_from {
            Some(from) if now >= from.saturating_add(FADE_TO_AWAY) => Shown::AWAY,
            Some(from) if now >= from.saturating_add(FADE_TO_IDLE) => idle.shown(),
            _ => self.stated,
        }
    }

    /// Returns true if the session has ended.
    pub(crate) fn ended(&self, now: Milliseconds) -> bool {
        self.ends.is_some_and(|ends| ends <= now)
    }

    /// The next deadline: a stage of the fade, or the end.
    pub(crate) fn next_deadline(&self, now: Milliseconds) -> Option<Milliseconds> {
        let stages = self.fades_from.into_iter().flat_map(|from| {
            [
                from.saturating_add(FADE_TO_IDLE),
                from.saturating_add(FADE_TO_AWAY),
            ]
        });
        stages.chain(self.ends).filter(|moment| *moment > now).min()
    }

    /// The device, for a client's session.
    pub(crate) fn device(&self) -> Option<Device> {
        match self.origin {
            Origin::Client { device, .. } => Some(device),
            Origin::App(_) => None,
        }
    }

    /// Returns true if this is the application session with an id.
    pub(crate) fn is_app(&self, session_id: &str) -> bool {
        matches!(&self.origin, Origin::App(own) if **own == *session_id)
    }

    /// Device name or application id.
    pub(crate) fn name(&self) -> &str {
        match &self.origin {
            Origin::Client { device, .. } => device.name(),
            Origin::App(session_id) => session_id,
        }
    }
}

/// Returns true for `Available`, the only pair that fades.
fn fades(shown: Shown) -> bool {
    shown.availability == Availability::Available
}
