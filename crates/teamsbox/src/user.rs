//! A person: sessions, preferred slot, call, and the visible state that is computed from them.
//!
//! The tenant updates the visible state and the next deadline after each change, so that a read is a lookup.

use std::collections::VecDeque;

use crate::{
    aggregate::{Aggregate, Inputs, aggregate},
    calendar::Calendar,
    change::{Cause, Lapse},
    directory::{Account, Names, Profile, Removal},
    duration::Milliseconds,
    guid::Guid,
    preferred::Preferred,
    rules::Rules,
    session::{FADE_TO_AWAY, FADE_TO_IDLE, Origin, Session},
    status::{StatusMessage, WorkLocation},
    value::{Device, IdleSpelling, Shown},
};

/// The most past states of a person for lagging reads. After more changes within the lag, reads return the oldest of
/// them.
const PAST_MAX: usize = 64;

/// The kind of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CallKind {
    /// Voice only.
    Audio,
    /// With camera.
    Video,
    /// A joined meeting.
    Meeting,
    /// Screen sharing without a call, with or without another party.
    Sharing,
}

impl CallKind {
    /// The name in JSON.
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
    /// Kind of the call.
    pub(crate) kind: CallKind,
    /// Index of the other side in the tenant; `None` for an external party.
    pub(crate) with: Option<usize>,
    /// True if this person shares the screen.
    pub(crate) sharing: bool,
    /// The client of the call.
    pub(crate) device: Device,
}

/// A visible state with its start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Past {
    /// Start of the state.
    pub(crate) at: Milliseconds,
    /// The visible pair.
    pub(crate) shown: Shown,
    /// True if the person was out of office.
    pub(crate) out_of_office: bool,
    /// Sequence number.
    pub(crate) sequence: u64,
}

/// A person.
#[derive(Debug)]
pub(crate) struct User {
    /// Object id.
    pub(crate) guid: Guid,
    /// Object id as text.
    pub(crate) id: Box<str>,
    /// Sign-in name (UPN).
    pub(crate) user_principal_name: Box<str>,
    /// Display name.
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
    /// The work location.
    pub(crate) location: WorkLocation,
    /// The directory fields.
    pub(crate) profile: Profile,
    /// The sign-in data.
    pub(crate) account: Account,
    /// The deletion from the directory, if the person was deleted.
    pub(crate) removed: Option<Removal>,
    /// The next deadline.
    pub(crate) deadline: Option<Milliseconds>,
    past: VecDeque<Past>,
}

impl User {
    /// A person without a signed-in client.
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

    /// The present visible state.
    pub(crate) fn current(&self) -> Past {
        // The queue is never empty: it starts with one entry, and the oldest is dropped only if there are several.
        self.past.back().copied().unwrap_or(Past {
            at: 0,
            shown: Shown::OFFLINE,
            out_of_office: false,
            sequence: 0,
        })
    }

    /// The visible state at a time.
    pub(crate) fn seen_at(&self, moment: Milliseconds) -> Past {
        let then = self.past.iter().rev().find(|past| past.at <= moment);
        then.or(self.past.front())
            .copied()
            .unwrap_or_else(|| self.current())
    }

    /// The names, for fields that are derived from them.
    pub(crate) fn names(&self) -> Names<'_> {
        Names {
            id: &self.id,
            display_name: &self.display_name,
            user_principal_name: &self.user_principal_name,
        }
    }

    /// Computes the visible state; returns the previous one if it changed. With `even_if_alike` an identical state counts
    /// as a change.
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
        let Aggregate {
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

    /// Applies a deadline: removes expired sessions and choices; returns the cause of the change.
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

    /// The client for a new call: the first one that is signed in and has not signed out since.
    pub(crate) fn call_device(&self) -> Option<Device> {
        [Device::Desktop, Device::Web, Device::Mobile]
            .into_iter()
            .find(|device| {
                self.sessions
                    .iter()
                    .any(|session| session.device() == Some(*device) && session.ends.is_none())
            })
    }

    /// Derives the pairs of all clients from call and sharing.
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

/// A sequence number in Graph's form: a letter and ten digits, so that the order of texts is the order of numbers.
pub(crate) fn sequence_text(sequence: u64) -> String {
    format!("A{sequence:010}")
}
