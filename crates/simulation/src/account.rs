//! A small model of one person's account in Teams: the person's own actions, our writes, and the state that
//! follows.

use std::collections::VecDeque;

use presence::{Action, Slot, Timestamp, Timing};

/// Availability and activity, in Graph's words.
pub type Words = (&'static str, &'static str);

/// State of a Do not disturb that the person chose or we wrote.
pub const DO_NOT_DISTURB: Words = ("DoNotDisturb", "DoNotDisturb");
const OFFLINE: Words = ("Offline", "Offline");
const CALL: Words = ("Busy", "InACall");

/// Seconds of the past that are kept: Graph's lag is at most a minute here.
const PAST: u64 = 180;

/// The preferred presence: one slot, shared by the person's own choice in Teams and our Do not disturb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preferred {
    /// The state.
    pub words: Words,
    /// Whether we wrote it.
    pub ours: bool,
    /// Time at which Teams drops it.
    pub until: Timestamp,
}

/// A stretch of time; without an end while it lasts.
pub type Stretch = (Timestamp, Option<Timestamp>);

/// The true state of one person's account in Teams.
#[derive(Clone, Debug)]
pub struct Account {
    /// A Teams client runs.
    pub client: bool,
    /// The state of the person's Teams call, if there is one.
    pub call: Option<Words>,
    /// The person shares the screen in that call.
    pub sharing: bool,
    /// State of the client without call, session and preferred presence.
    pub base: Words,
    /// End of our session.
    pub session_until: Option<Timestamp>,
    /// The preferred presence.
    pub preferred: Option<Preferred>,
    /// Past states, each with its start and version number.
    past: VecDeque<(Timestamp, Words, u64)>,
    /// The person's real calls.
    pub calls: Vec<Stretch>,
    /// Stretches of the person's own Do not disturb.
    pub do_not_disturbs: Vec<Stretch>,
    /// Start of the time for which the person's choice over our Do not disturb has been visible.
    pub overridden_since: Option<Timestamp>,
    overridden: bool,
    /// Teams answered a clear of our session with a wrong 404.
    denied: bool,
    /// A state that the person chose by hand hid that session.
    denied_and_hidden: bool,
    /// End of the time for which that session may be shown. By the rules the hiding state proves its end, so
    /// that the session may be believed to be a Teams call when that state ends.
    pub excused_until: Timestamp,
}

impl Account {
    /// An account with a client, without a call.
    pub fn new(now: Timestamp) -> Self {
        Self {
            client: true,
            call: None,
            sharing: false,
            base: ("Available", "Available"),
            session_until: None,
            preferred: None,
            past: VecDeque::from([(now, ("Available", "Available"), 0)]),
            calls: Vec::new(),
            do_not_disturbs: Vec::new(),
            overridden_since: None,
            overridden: false,
            denied: false,
            denied_and_hidden: false,
            excused_until: now,
        }
    }

    /// State that Teams shows. Sharing precedes the preferred presence, which precedes calls, which precede
    /// the rest; without any session an account is offline.
    pub fn shows(&self) -> Words {
        if !self.client && self.session_until.is_none() {
            return OFFLINE;
        }
        if self.client && self.sharing && self.call.is_some() {
            return ("DoNotDisturb", "Presenting");
        }
        if let Some(preferred) = &self.preferred {
            return preferred.words;
        }
        match self.call {
            Some(words) if self.client => words,
            _ if self.session_until.is_some() => CALL,
            _ => self.base,
        }
    }

    /// Whether the person's own actions show as Do not disturb.
    fn is_in_own_do_not_disturb(&self) -> bool {
        let chosen = self
            .preferred
            .is_some_and(|preferred| !preferred.ours && preferred.words == DO_NOT_DISTURB);
        // A choice holds without a client too, and shows as soon as our session does.
        chosen || (self.client && self.base.0 == "DoNotDisturb")
    }

    /// State at `at`, with its version number.
    pub fn showed(&self, at: Timestamp) -> (Words, u64) {
        self.past
            .iter()
            .rev()
            .find(|(since, ..)| *since <= at)
            .or(self.past.front())
            .map_or((OFFLINE, 0), |(_, words, version)| (*words, *version))
    }

    /// Every state since `at`.
    pub fn shown_since(&self, at: Timestamp) -> impl Iterator<Item = Words> {
        let ends = self.past.iter().skip(1).map(|(since, ..)| Some(*since));
        self.past
            .iter()
            .zip(ends.chain([None]))
            .filter(move |(_, end)| end.is_none_or(|end| end >= at))
            .map(|((_, words, _), _)| *words)
    }

    /// Time at which a state ends without an action.
    pub fn deadline(&self) -> Option<Timestamp> {
        let preferred = self.preferred.map(|preferred| preferred.until);
        self.session_until.into_iter().chain(preferred).min()
    }

    /// Whether Teams holds our Do not disturb.
    pub fn holds_ours(&self, now: Timestamp) -> bool {
        self.preferred
            .is_some_and(|preferred| preferred.ours && preferred.until > now)
    }

    /// Ends expired states.
    pub fn expire(&mut self, now: Timestamp) {
        self.session_until = self.session_until.filter(|until| *until > now);
        self.preferred = self.preferred.filter(|preferred| preferred.until > now);
    }

    /// Applies a write of ours.
    pub fn land(&mut self, slot: Slot, action: Action, timing: &Timing, now: Timestamp) {
        let until = now + slot.lifetime(timing);
        let set = action != Action::Clear;
        match slot {
            Slot::Session => self.session_until = set.then_some(until),
            Slot::Preferred => {
                self.overridden = false;
                self.preferred = set.then_some(Preferred {
                    words: DO_NOT_DISTURB,
                    ours: true,
                    until,
                });
            }
        }
    }

    /// The person chooses a state in Teams, or resets it.
    pub fn choose(&mut self, words: Option<Words>, until: Timestamp) {
        let had_ours = self.preferred.is_some_and(|preferred| preferred.ours);
        // A choice of Do not disturb over ours looks like ours, and Offline is no override by the rules.
        self.overridden = (self.overridden || had_ours)
            && words.is_some_and(|words| words != DO_NOT_DISTURB && words.0 != OFFLINE.0);
        self.preferred = words.map(|words| Preferred {
            words,
            ours: false,
            until,
        });
    }

    /// Teams answers a clear of our session with a wrong 404.
    pub fn deny(&mut self, now: Timestamp) {
        self.denied = true;
        // Answers may still show the state that hid the session before.
        let lately = now - std::time::Duration::from_secs(65);
        let hidden = self.shown_since(lately).any(hides);
        self.denied_and_hidden = hidden;
    }

    /// Records the present state. Returns true if it differs from the last one.
    pub fn record(&mut self, now: Timestamp) -> bool {
        let words = self.shows();
        self.denied &= self.session_until.is_some();
        self.denied_and_hidden = self.denied && (self.denied_and_hidden || hides(words));
        if self.denied_and_hidden {
            let ends_at = self.session_until.unwrap_or(now);
            self.excused_until = ends_at + std::time::Duration::from_secs(65);
        }
        mark(&mut self.calls, self.client && self.call.is_some(), now);
        let quiet = self.is_in_own_do_not_disturb();
        mark(&mut self.do_not_disturbs, quiet, now);
        let visible = self.overridden
            && self.preferred.is_some()
            && words.0 != "DoNotDisturb"
            && words.0 != OFFLINE.0;
        self.overridden_since = visible.then(|| self.overridden_since.unwrap_or(now));
        let last = self.past.back().copied();
        let changed = last.is_none_or(|(_, last, _)| last != words);
        if changed {
            let version = last.map_or(0, |(.., version)| version + 1);
            self.past.push_back((now, words, version));
            let keep = now - std::time::Duration::from_secs(PAST);
            while self.past.get(1).is_some_and(|(since, ..)| *since < keep) {
                self.past.pop_front();
            }
        }
        changed
    }
}

/// Whether a state hides our session and does not look like it.
fn hides(words: Words) -> bool {
    words != CALL && words.0 != "DoNotDisturb"
}

fn mark(stretches: &mut Vec<Stretch>, lasts: bool, now: Timestamp) {
    match (stretches.last_mut(), lasts) {
        (Some((_, None)), true) => {}
        (Some((_, end @ None)), false) => *end = Some(now),
        (_, true) => stretches.push((now, None)),
        _ => {}
    }
}
