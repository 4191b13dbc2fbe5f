//! A person's presence and why it is so.

use axum::{
    Json,
    extract::{Path, State},
};
use presence::{Activity, Presence, Reason, Source};
use serde::Serialize;

use crate::{app::Shared, clock::rfc3339, directory::Person, problem::Problem};

/// A presence on the wire.
#[derive(Debug, Serialize)]
pub(crate) struct PresenceBody {
    status: &'static str,
    activity: Option<ActivityBody>,
    profile: String,
    text: String,
    since: String,
    confidence: &'static str,
}

#[derive(Debug, Serialize)]
struct ActivityBody {
    kind: &'static str,
    label: &'static str,
    via: &'static str,
}

impl From<&Presence> for PresenceBody {
    fn from(presence: &Presence) -> Self {
        let activity = |activity: Activity| ActivityBody {
            kind: activity.kind(),
            label: activity.label(),
            via: activity.via(),
        };
        Self {
            status: presence.status.name(),
            activity: presence.activity.map(activity),
            profile: presence.profile.to_string(),
            text: presence.text().to_owned(),
            since: rfc3339(presence.since),
            confidence: presence.confidence.name(),
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Explanation {
    person: String,
    presence: PresenceBody,
    reasons: Vec<ReasonBody>,
}

#[derive(Debug, Serialize)]
struct ReasonBody {
    rule: &'static str,
    source: String,
    says: String,
    since: String,
    lease_end: Option<String>,
    counted: bool,
    confidence: &'static str,
    note: Option<String>,
}

impl ReasonBody {
    fn new(reason: Reason, person: &Person) -> Self {
        let source = match reason.source {
            Source::Line(line) => person.lines.iter().find(|(id, _)| *id == line).map_or_else(
                || "line".into(),
                |(_, extension)| format!("line {extension}"),
            ),
            Source::Teams => "Teams".into(),
            Source::Person => "the person".into(),
            Source::Offhook => "Offhook".into(),
        };
        Self {
            rule: reason.rule.name(),
            source,
            says: reason.says,
            since: rfc3339(reason.since),
            lease_end: reason.lease_end.map(rfc3339),
            counted: reason.counted,
            confidence: reason.confidence.name(),
            note: reason.note,
        }
    }
}

/// `GET /people/{id}/presence`.
pub(crate) async fn read(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<PresenceBody>, Problem> {
    let person = super::person(&shared, &id)?;
    let presence = shared.events.presence(person.id);
    let presence = presence
        .ok_or_else(|| Problem::unavailable("the server is starting; try again in a moment"))?;
    Ok(Json(PresenceBody::from(&presence)))
}

/// `GET /people/{id}/explanation`.
pub(crate) async fn explain(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<Explanation>, Problem> {
    let person = super::person(&shared, &id)?;
    let explained = shared.shard.explain(person.id).await;
    let (presence, reasons) = explained
        .ok_or_else(|| Problem::unavailable("the server is starting; try again in a moment"))?;
    Ok(Json(Explanation {
        person: person.id.to_string(),
        presence: PresenceBody::from(&presence),
        reasons: reasons
            .into_iter()
            .map(|reason| ReasonBody::new(reason, &person))
            .collect(),
    }))
}
