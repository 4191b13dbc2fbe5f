//! One person: sessions, preferred slot, call, and the visible pair that follows from them.
//!
//! The visible pair and the next deadline are kept up to date by [`crate::tenant::Tenant`], so that reading costs a
//! lookup. Nothing here reads a clock.

use std::collections::VecDeque;

use crate::aggregate::{Inputs, Seen, aggregate};
use crate::calendar::Calendar;
use crate::change::{Cause, Lapse};
use crate::directory::{Account, Names, Profile, Removal};
use crate::duration::Milliseconds;
use crate::guid::Guid;
use crate::preferred::Preferred;
use crate::rules::Rules;
use crate::session::{FADE_TO_AWAY, FADE_TO_IDLE, Origin, Session};
use crate::status::{StatusMessage, WorkLocation};
use crate::value::{Device, IdleSpelling, Shown};

/// How many visible states a lagging read can look back to. More than this many changes within the lag reads as the
/// oldest kept one: still a state the person was in.
const PAST_MAX: usize = 64;

/// What kind of call a person is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CallKind {
    /// Voice only.
    Audio,
    /// With camera.
    Video,
    /// A meeting that was joined.
    Meeting,
    /// No call at all: the screen is shared with somebody, or with nobody in particular.
    Sharing,
}

impl CallKind {
    /// The word in JSON.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Meeting => "meeting",
            Self::Sharing => "sharing",
        }
    }
}

/// A call from one person's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Call {
    /// Its kind.
    pub(crate) kind: CallKind,
    /// The other side, as an index into the tenant; `None` for somebody outside.
    pub(crate) with: Option<usize>,
    /// Whether this person shares the screen.
    pub(crate) sharing: bool,
    /// The client it runs on.
    pub(crate) device: Device,
}

/// A visible state and since when it held.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Past {
    /// Since when.
    pub(crate) at: Milliseconds,
    /// What.
    pub(crate) shown: Shown,
    /// Whether the person was out of office.
    pub(crate) out_of_office: bool,
    /// Its stamp.
    pub(crate) sequence: u64,
}

/// A person.
#[derive(Debug)]
pub(crate) struct User {
    /// Object id.
    pub(crate) guid: Guid,
    /// Object id as text, ready for the wire.
    pub(crate) id: Box<str>,
    /// Sign-in name.
    pub(crate) user_principal_name: Box<str>,
    /// Name for people.
    pub(crate) display_name: Box<str>,
    /// Clients and application sessions.
    pub(crate) sessions: Vec<Session>,
    /// The preferred slot.
    pub(crate) preferred: Option<Preferred>,
    /// The call, if any.
    pub(crate) call: Option<Call>,
    /// Appointments, meetings and time out of office.
    pub(crate) calendar: Calendar,
    /// The status message.
    pub(crate) status: Option<StatusMessage>,
    /// Where the person works.
    pub(crate) location: WorkLocation,
    /// What the directory holds.
    pub(crate) profile: Profile,
    /// How the person signs in.
    pub(crate) account: Account,
    /// Set once the person has left the directory.
    pub(crate) removed: Option<Removal>,
    /// The next moment time alone changes something.
    pub(crate) deadline: Option<Milliseconds>,
    past: VecDeque<Past>,
}

impl User {
    /// A person with nothing signed in.
    pub(crate) fn new(
        guid: Guid,
        display_name: &str,
        user_principal_name: &str,
        now: Milliseconds,
        sequence: u64,
    ) -> Self {
        Self {
            guid,
            id: guid.to_string().into(),
            user_principal_name: user_principal_name.into(),
            display_name: display_name.into(),
            sessions: Vec::new(),
            preferred: None,
            call: None,
            calendar: Calendar::default(),
            status: None,
            location: WorkLocation::default(),
            profile: Profile::default(),
            account: Account::default(),
            removed: None,
            deadline: None,
            past: VecDeque::from([Past {
                at: now,
                shown: Shown::OFFLINE,
                out_of_office: false,
                sequence,
            }]),
        }
    }

    /// What everybody sees now.
    pub(crate) fn current(&self) -> Past {
        // The ring is never empty: it starts with one entry and drops the oldest only when it holds several.
        self.past.back().copied().unwrap_or(Past {
            at: 0,
            shown: Shown::OFFLINE,
            out_of_office: false,
            sequence: 0,
        })
    }

    /// What everybody saw at a moment.
    pub(crate) fn seen_at(&self, moment: Milliseconds) -> Past {
        let then = self.past.iter().rev().find(|past| past.at <= moment);
        then.or(self.past.front())
            .copied()
            .unwrap_or_else(|| self.current())
    }

    /// The names, for the fields that follow from them.
    pub(crate) fn names(&self) -> Names<'_> {
        Names {
            id: &self.id,
            display_name: &self.display_name,
            user_principal_name: &self.user_principal_name,
        }
    }

    /// Computes what everybody sees anew; `Some` with the former state if it changed. A write that changes nothing can
    /// be made to count as a change.
    pub(crate) fn refresh(
        &mut self,
        now: Milliseconds,
        rules: &Rules,
        even_if_alike: bool,
    ) -> Option<Past> {
        let sessions = self
            .sessions
            .iter()
            .filter_map(|session| session.next_deadline(now));
        self.deadline = sessions
            .chain(self.preferred.map(|preferred| preferred.ends))
            .chain(self.calendar.next_deadline(now))
            .min();
        let inputs = Inputs {
            sessions: &self.sessions,
            preferred: self.preferred.as_ref(),
            calendar: &self.calendar,
        };
        let Seen {
            shown,
            out_of_office,
        } = aggregate(&inputs, now, rules);
        let before = self.current();
        if (shown, out_of_office) == (before.shown, before.out_of_office) && !even_if_alike {
            return None;
        }
        if self.past.len() == PAST_MAX {
            self.past.pop_front();
        }
        self.past.push_back(Past {
            at: now,
            shown,
            out_of_office,
            sequence: before.sequence + 1,
        });
        Some(before)
    }

    /// Lets time pass up to a deadline: drops what is over and says what happened.
    pub(crate) fn lapse(&mut self, now: Milliseconds) -> Cause {
        let mut cause = None;
        if self.preferred.is_some_and(|preferred| preferred.ended(now)) {
            self.preferred = None;
            cause = Some(Lapse::PreferredExpired);
        }
        self.sessions.retain(|session| {
            let ended = session.ended(now);
            if ended {
                cause = Some(match session.origin {
                    Origin::Client { device, .. } => Lapse::ClientLeft(device),
                    Origin::App(_) => Lapse::SessionExpired(session.name().into()),
                });
            }
            !ended
        });
        let fades_now = |session: &Session| {
            session
                .fades_from
                .is_some_and(|from| [FADE_TO_IDLE, FADE_TO_AWAY].contains(&(now - from)))
        };
        if cause.is_none() && !self.sessions.iter().any(fades_now) {
            cause = Some(Lapse::Calendar);
        }
        let faded = || {
            let fading = self
                .sessions
                .iter()
                .filter(|session| session.fades_from.is_some());
            let youngest =
                fading.max_by_key(|session| session.fades_from.filter(|from| *from <= now));
            Lapse::Faded(youngest.map_or("", Session::name).into())
        };
        Cause::Lapse(cause.unwrap_or_else(faded))
    }

    /// The session of a client.
    pub(crate) fn client(&mut self, device: Device) -> Option<&mut Session> {
        self.sessions
            .iter_mut()
            .find(|session| session.device() == Some(device))
    }

    /// The client a call would be taken on: the first that is signed in and not about to leave.
    pub(crate) fn call_device(&self) -> Option<Device> {
        [Device::Desktop, Device::Web, Device::Mobile]
            .into_iter()
            .find(|device| {
                self.sessions
                    .iter()
                    .any(|session| session.device() == Some(*device) && session.ends.is_none())
            })
    }

    /// Derives every client's pair from call and sharing.
    pub(crate) fn derive_clients(&mut self, now: Milliseconds, order: u64, idle: IdleSpelling) {
        let call = self.call;
        for session in &mut self.sessions {
            let on_this_device = call.filter(|call| session.device() == Some(call.device));
            let doing = on_this_device.map(|call| {
                if call.sharing {
                    Shown::PRESENTING
                } else {
                    Shown::IN_A_CALL
                }
            });
            session.derive(doing, now, order, idle);
        }
    }
}

/// The stamp of a visible state as Graph writes it: a letter and ten digits, so that the order of bytes is the order of
/// numbers.
pub(crate) fn sequence_text(sequence: u64) -> String {
    format!("A{sequence:010}")
}
