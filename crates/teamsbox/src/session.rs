//! One presence session: a Teams client or an application's, with its fade and its end.
//!
//! A session is a stated pair plus two moments; what it shows at a given time is computed from them, never stored.

use crate::duration::{MINUTE, Milliseconds};
use crate::value::{Availability, Device, IdleSpelling, Shown};

/// After this long without a sign of life `Available` becomes the idle stage, …
pub(crate) const FADE_TO_IDLE: Milliseconds = 5 * MINUTE;
/// … and after this long `Away`.
pub(crate) const FADE_TO_AWAY: Milliseconds = 10 * MINUTE;

/// Whose session it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A Teams client of the person.
    Client {
        /// Which one.
        device: Device,
        /// Whether the person uses it.
        attention: Attention,
    },
    /// An application's session, named by its session id.
    App(Box<str>),
}

/// Whether a person uses a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attention {
    /// Keyboard or mouse in use.
    Active,
    /// Found idle at this moment; shows the idle stage at once and `Away` later.
    Idle(Milliseconds),
    /// Locked: `Away` at once.
    Locked,
}

/// One session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    /// Whose.
    pub(crate) origin: Origin,
    /// The pair last stated, before any fading.
    pub(crate) stated: Shown,
    /// When the session began.
    pub(crate) since: Milliseconds,
    /// When a statement last changed what it shows.
    pub(crate) changed_at: Milliseconds,
    /// Settles ties between changes of the same millisecond.
    pub(crate) order: u64,
    /// From when on `Available` fades; `None` for what never fades.
    pub(crate) fades_from: Option<Milliseconds>,
    /// When the session ends: expiry of an application's, end of the grace of a client that signed out.
    pub(crate) ends: Option<Milliseconds>,
}

/// What an application states about a person.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement {
    /// The pair.
    pub(crate) shown: Shown,
    /// When the statement lapses.
    pub(crate) ends: Milliseconds,
}

impl Session {
    /// The session of an application that states something for the first time.
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

    /// The session of a client that has just signed in.
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

    /// Takes a new statement: the fade and the expiry start again. Saying the same once more is not a change.
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

    /// Derives a client's pair from what its person does on it: `doing` is a call or sharing on this very client.
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

    /// What the session shows at a moment before its end.
    pub(crate) fn shown(&self, now: Milliseconds, idle: IdleSpelling) -> Shown {
        match self.fades_from {
            Some(from) if now >= from.saturating_add(FADE_TO_AWAY) => Shown::AWAY,
            Some(from) if now >= from.saturating_add(FADE_TO_IDLE) => idle.shown(),
            _ => self.stated,
        }
    }

    /// Whether the session is over.
    pub(crate) fn ended(&self, now: Milliseconds) -> bool {
        self.ends.is_some_and(|ends| ends <= now)
    }

    /// The next moment at which time alone changes the session.
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

    /// Whether this is the application session of that id.
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

/// Only `Available` fades.
fn fades(shown: Shown) -> bool {
    shown.availability == Availability::Available
}
