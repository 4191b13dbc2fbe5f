//! The ground truth about a person, as the control plane and the library show it.

use serde::{Serialize, Serializer};

use crate::calendar::CalendarKind;
use crate::duration::{self, Milliseconds};
use crate::knobs::{Knobs, milliseconds};
use crate::tenant::Tenant;
use crate::user::{CallKind, User, sequence_text};
use crate::value::{Activity, Availability, Shown};

/// A moment in UTC milliseconds since 1970; in JSON it is RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub i64);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&duration::timestamp(self.0))
    }
}

/// A user in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserSummary {
    /// Object id.
    pub id: String,
    /// Sign-in name.
    pub user_principal_name: String,
    /// Name for people.
    pub display_name: String,
}

/// Everything the emulator knows about a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserState {
    /// Object id.
    pub id: String,
    /// Sign-in name.
    pub user_principal_name: String,
    /// Name for people.
    pub display_name: String,
    /// The visible availability.
    pub availability: Availability,
    /// The visible activity.
    pub activity: Activity,
    /// The stamp of the visible state.
    pub sequence_number: String,
    /// Clients and application sessions.
    pub sessions: Vec<SessionState>,
    /// The preferred slot.
    pub preferred: Option<PreferredState>,
    /// The call.
    pub call: Option<CallState>,
    /// Whether the person is out of office.
    pub out_of_office: bool,
    /// Entries of the calendar that are not over.
    pub calendar: Vec<CalendarState>,
    /// The status message, as long as it stands.
    pub status_message: Option<String>,
    /// What Teams shows to others, who look again only now and then.
    pub views: Views,
}

/// An entry of a calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CalendarState {
    /// Counts up per person.
    pub id: u64,
    /// What it says.
    pub kind: CalendarKind,
    /// When it begins.
    pub starts: Moment,
    /// When it ends.
    pub ends: Moment,
    /// What it is called; of time out of office, the automatic reply.
    pub subject: String,
}

/// What Teams shows of a person to others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Views {
    /// On a desktop.
    pub desktop: Shown,
    /// In a browser.
    pub web: Shown,
    /// On a phone.
    pub phone: Shown,
}

/// One session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionState {
    /// Whose: a Teams client's or an application's.
    pub kind: SessionKind,
    /// Device name or session id of the application.
    pub name: String,
    /// What it shows now.
    pub availability: Availability,
    /// What it shows now.
    pub activity: Activity,
    /// When it began.
    pub since: Moment,
    /// When a statement last changed what it shows; this settles ties between sessions of one rank.
    pub changed_at: Moment,
    /// When it ends.
    pub expires: Option<Moment>,
}

/// Whose session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionKind {
    /// A Teams client's.
    Client,
    /// An application's.
    App,
}

/// The preferred presence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PreferredState {
    /// The chosen availability.
    pub availability: Availability,
    /// The chosen activity.
    pub activity: Activity,
    /// When the choice lapses.
    pub expires: Option<Moment>,
}

/// A call from one person's side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallState {
    /// Its kind.
    pub kind: CallKind,
    /// Object id of the other side; `None` for somebody outside the tenant.
    pub with: Option<String>,
    /// Whether this person shares the screen.
    pub sharing: bool,
}

impl UserSummary {
    pub(crate) fn of(user: &User) -> Self {
        Self {
            id: user.id.to_string(),
            user_principal_name: user.user_principal_name.to_string(),
            display_name: user.display_name.to_string(),
        }
    }
}

impl UserState {
    pub(crate) fn of(tenant: &Tenant, user: &User, knobs: &Knobs, now: Milliseconds) -> Self {
        let current = user.current();
        let seen = |lag| user.seen_at(now - milliseconds(lag)).shown;
        let idle = tenant.rules.idle_spelling;
        let sessions = user.sessions.iter().map(|session| {
            let Shown {
                availability,
                activity,
            } = session.shown(now, idle);
            SessionState {
                kind: if session.device().is_some() {
                    SessionKind::Client
                } else {
                    SessionKind::App
                },
                name: session.name().to_owned(),
                availability,
                activity,
                since: Moment(session.since),
                changed_at: Moment(session.changed_at),
                expires: session.ends.map(Moment),
            }
        });
        Self {
            id: user.id.to_string(),
            user_principal_name: user.user_principal_name.to_string(),
            display_name: user.display_name.to_string(),
            availability: current.shown.availability,
            activity: current.shown.activity,
            sequence_number: sequence_text(current.sequence),
            sessions: sessions.collect(),
            preferred: user.preferred.map(|preferred| PreferredState {
                availability: preferred.shown.availability,
                activity: preferred.shown.activity,
                expires: Some(Moment(preferred.ends)),
            }),
            call: user.call.map(|call| CallState {
                kind: call.kind,
                with: call
                    .with
                    .and_then(|with| tenant.user(with))
                    .map(|with| with.id.to_string()),
                sharing: call.sharing,
            }),
            out_of_office: current.out_of_office,
            calendar: user
                .calendar
                .entries(now)
                .map(|entry| CalendarState {
                    id: entry.id,
                    kind: entry.kind,
                    starts: Moment(entry.starts),
                    ends: Moment(entry.ends),
                    subject: entry.subject.to_string(),
                })
                .collect(),
            status_message: user
                .status
                .as_ref()
                .filter(|status| status.stands(now))
                .map(|status| status.text.to_string()),
            views: Views {
                desktop: seen(knobs.desktop_lag),
                web: seen(knobs.web_lag),
                phone: seen(knobs.phone_lag),
            },
        }
    }
}
