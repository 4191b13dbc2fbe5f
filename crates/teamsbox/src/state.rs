//! The complete state of a person, in the form of control plane and library.

use serde::{Serialize, Serializer};

use crate::{
    calendar::CalendarKind,
    duration::{self, Milliseconds},
    knobs::{Knobs, milliseconds},
    tenant::Tenant,
    user::{CallKind, User, sequence_text},
    value::{Activity, Availability, Shown},
};

/// A time in UTC milliseconds since 1970, in JSON as RFC 3339.
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
    /// Sign-in name (UPN).
    pub user_principal_name: String,
    /// Display name.
    pub display_name: String,
}

/// The complete state of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserState {
    /// Object id.
    pub id: String,
    /// Sign-in name (UPN).
    pub user_principal_name: String,
    /// Display name.
    pub display_name: String,
    /// The visible availability.
    pub availability: Availability,
    /// The visible activity.
    pub activity: Activity,
    /// Sequence number of the visible state.
    pub sequence_number: String,
    /// Clients and application sessions.
    pub sessions: Vec<SessionState>,
    /// The preferred slot.
    pub preferred: Option<PreferredState>,
    /// The call.
    pub call: Option<CallState>,
    /// True if the person is out of office.
    pub out_of_office: bool,
    /// Entries of the calendar that are not over.
    pub calendar: Vec<CalendarState>,
    /// The status message, if it has not expired.
    pub status_message: Option<String>,
    /// The presence in other people's Teams clients, which refresh it at intervals.
    pub views: Views,
}

/// An entry of a calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CalendarState {
    /// Number, ascending for each person.
    pub id: u64,
    /// Kind of the entry.
    pub kind: CalendarKind,
    /// Start.
    pub starts: Moment,
    /// End.
    pub ends: Moment,
    /// Subject; for time out of office, the automatic reply.
    pub subject: String,
}

/// The presence of a person in other people's Teams clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Views {
    /// In desktop clients.
    pub desktop: Shown,
    /// In web clients.
    pub web: Shown,
    /// In mobile clients.
    pub phone: Shown,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionState {
    /// Owner of the session: a Teams client or an application.
    pub kind: SessionKind,
    /// Device name or session id of the application.
    pub name: String,
    /// The session's present availability.
    pub availability: Availability,
    /// The session's present activity.
    pub activity: Activity,
    /// Start of the session.
    pub since: Moment,
    /// Time at which a statement last changed the pair. The latest of several sessions of one rank is shown.
    pub changed_at: Moment,
    /// Expiry.
    pub expires: Option<Moment>,
}

/// The owner of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionKind {
    /// A Teams client.
    Client,
    /// An application.
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
    /// Expiry.
    pub expires: Option<Moment>,
}

/// A call from one person's side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallState {
    /// Its kind.
    pub kind: CallKind,
    /// Object id of the other side; `None` for an external party.
    pub with: Option<String>,
    /// True if this person shares the screen.
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
