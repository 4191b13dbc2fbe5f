//! A small model of the truth in Teams about one person: what the person does there, what we wrote there, and what
//! Graph makes of both.

use std::collections::VecDeque;

use presence::{Action, Slot, Timestamp, Timing};

/// Availability and activity.
pub type Words = (&'static str, &'static str);

/// What Teams shows of a Do not disturb that was chosen, by the person or by us.
pub const DO_NOT_DISTURB: Words = ("DoNotDisturb", "DoNotDisturb");
const OFFLINE: Words = ("Offline", "Offline");
const CALL: Words = ("Busy", "InACall");

/// How much of the past is kept: Graph never lags more than a minute here.
const PAST: u64 = 180;

/// The preferred presence: one slot, which the person's own choice in Teams and our Do not disturb share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preferred {
    /// What is preferred.
    pub words: Words,
    /// We wrote it.
    pub ours: bool,
    /// When Teams drops it.
    pub until: Timestamp,
}

/// A stretch of time; without an end while it lasts.
pub type Stretch = (Timestamp, Option<Timestamp>);

/// The truth in Teams about one person.
#[derive(Clone, Debug)]
pub struct Account {
    /// Some Teams client runs.
    pub client: bool,
    /// The person is in a Teams call, shown with these words.
    pub call: Option<Words>,
    /// The person shares the screen in that call.
    pub sharing: bool,
    /// What the client shows of its own accord.
    pub base: Words,
    /// Our session, until it runs out.
    pub session_until: Option<Timestamp>,
    /// The preferred presence.
    pub preferred: Option<Preferred>,
    /// What was shown, since when, and the number of that version.
    past: VecDeque<(Timestamp, Words, u64)>,
    /// The person's real calls.
    pub calls: Vec<Stretch>,
    /// When the person was in Do not disturb without us.
    pub do_not_disturbs: Vec<Stretch>,
    /// Since when the person's own choice, made over our Do not disturb, has been there for all to see.
    pub overridden_since: Option<Timestamp>,
    overridden: bool,
    /// Teams wrongly denied having our session.
    denied: bool,
    /// A state that was chosen by hand hid that session.
    denied_and_hidden: bool,
    /// Until when that session may be shown. The domain takes the hiding state for its end, so that it may be believed to be a
    /// Teams call when that state ends.
    pub excused_until: Timestamp,
}

impl Account {
    /// A person with a client who does nothing.
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

    /// What Teams shows. Sharing goes before the preferred presence, that before calls, those before the rest; without
    /// any session everybody is offline.
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

    /// Whether the person's own doing shows as Do not disturb.
    fn is_in_own_do_not_disturb(&self) -> bool {
        let chosen = self
            .preferred
            .is_some_and(|preferred| !preferred.ours && preferred.words == DO_NOT_DISTURB);
        // A choice is there without a client too, and shows as soon as our session does.
        chosen || (self.client && self.base.0 == "DoNotDisturb")
    }

    /// What Teams showed at `at`, and the number of that version.
    pub fn showed(&self, at: Timestamp) -> (Words, u64) {
        self.past
            .iter()
            .rev()
            .find(|(since, ..)| *since <= at)
            .or(self.past.front())
            .map_or((OFFLINE, 0), |(_, words, version)| (*words, *version))
    }

    /// Everything that Teams has shown since `at`.
    pub fn shown_since(&self, at: Timestamp) -> impl Iterator<Item = Words> {
        let ends = self.past.iter().skip(1).map(|(since, ..)| Some(*since));
        self.past
            .iter()
            .zip(ends.chain([None]))
            .filter(move |(_, end)| end.is_none_or(|end| end >= at))
            .map(|((_, words, _), _)| *words)
    }

    /// When something ends by itself.
    pub fn deadline(&self) -> Option<Timestamp> {
        let preferred = self.preferred.map(|preferred| preferred.until);
        self.session_until.into_iter().chain(preferred).min()
    }

    /// Whether Teams holds our Do not disturb.
    pub fn holds_ours(&self, now: Timestamp) -> bool {
        self.preferred
            .is_some_and(|preferred| preferred.ours && preferred.until > now)
    }

    /// Ends what has run out.
    pub fn expire(&mut self, now: Timestamp) {
        self.session_until = self.session_until.filter(|until| *until > now);
        self.preferred = self.preferred.filter(|preferred| preferred.until > now);
    }

    /// A write of ours arrives.
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

    /// The person chooses something in Teams, or takes the choice back.
    pub fn choose(&mut self, words: Option<Words>, until: Timestamp) {
        let had_ours = self.preferred.is_some_and(|preferred| preferred.ours);
        // A choice of Do not disturb over ours cannot be told from ours, and Offline is none by the domain.
        self.overridden = (self.overridden || had_ours)
            && words.is_some_and(|words| words != DO_NOT_DISTURB && words.0 != OFFLINE.0);
        self.preferred = words.map(|words| Preferred {
            words,
            ours: false,
            until,
        });
    }

    /// Teams answers, wrongly, that there is no session of ours.
    pub fn deny(&mut self, now: Timestamp) {
        self.denied = true;
        // What hid it a moment ago is still to be told.
        let lately = now - std::time::Duration::from_secs(65);
        let hidden = self.shown_since(lately).any(hides);
        self.denied_and_hidden = hidden;
    }

    /// Writes down what is now shown. Returns whether it is something else than before.
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

/// Whether a state, if our session is there, hides it and does not look like it.
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
