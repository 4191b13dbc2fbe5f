//! A person's presence and its reasons, as the caller may see them.

use api_types::presence::{
    ActivityBody, Explanation, HistoryBody, PastBody, PresenceBody, ReasonBody,
};
use axum::{
    Json,
    extract::{Path, State},
};
use presence::{
    MicrophoneLayer, Permission, Reason, ReasonDetail, Relationship, Source, View, reasons_for,
    view,
};
use runtime::{clock::rfc3339, context::Context, people_index::Person};
use serde::Deserialize;
use teams::TeamsHandle;

use super::paging::Paging;
use crate::{Query, caller::Caller, problem::Problem};

/// The body of a presence as a viewer sees it.
pub fn presence_body(view: &View) -> PresenceBody {
    PresenceBody {
        status: view.status,
        activity: view.activity.as_ref().map(ActivityBody::from),
        profile: view.profile.as_deref().map(str::to_owned),
        text: view.text.to_string(),
        since: view.since.map(rfc3339),
        until: view.until.map(rfc3339),
        confidence: view.confidence,
    }
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExplanationQuery {
    /// True: reasons have the trace id of their fact, for the person and administrators of the person's location.
    #[serde(default)]
    trace: bool,
}

/// The body of a reason for the presence of this person.
fn reason_body(reason: Reason, person: &Person) -> ReasonBody {
    let source = match reason.source {
        Source::Line(line) => person.lines.iter().find(|(id, _)| *id == line).map_or_else(
            || "line".into(),
            |(_, extension)| format!("line {extension}"),
        ),
        Source::Teams => "Teams".into(),
        Source::Person => "the person".into(),
        Source::Meeting => "meeting server".into(),
        Source::Agent => "desktop agent".into(),
        Source::Calendar => "calendar".into(),
        Source::Client => "clients".into(),
        Source::Offhook => "Offhook".into(),
    };
    ReasonBody {
        rule: reason.rule.name().into(),
        source,
        says: reason.kind.to_string(),
        code: reason.kind.code().into(),
        value: reason.kind.value(),
        since: rfc3339(reason.since),
        lease_end: reason.lease_end.map(rfc3339),
        counted: reason.counted,
        confidence: reason.confidence,
        note_code: reason.detail.as_ref().map(|detail| detail.code().into()),
        note_value: reason.detail.as_ref().and_then(ReasonDetail::value),
        note: reason.detail.map(|note| note.to_string()),
        about: reason.appointment.map(|about| about.text.to_string()),
        party: reason.party.as_deref().map(str::to_owned),
        trace: reason.trace.map(|trace| trace.to_string()),
    }
}

fn starting() -> Problem {
    Problem::unavailable("the server is starting; try again in a moment")
}

/// The presence of a person, as the caller may see it.
#[utoipa::path(
    get,
    path = "/people/{id}/presence",
    tag = "Presence",
    responses((status = OK, description = "The requested data.", body = PresenceBody)),
)]
pub async fn read(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<PresenceBody>, Problem> {
    let person = super::person(&context.people, &id)?;
    let presence = context.events.presence(person.id).ok_or_else(starting)?;
    let view = view(&presence, caller.level(&context.organisation, person.id));
    Ok(Json(presence_body(&view)))
}

/// The explanation of the presence: all reasons in order, counted or overruled.
#[utoipa::path(
    get,
    path = "/people/{id}/explanation",
    tag = "Presence",
    params(ExplanationQuery),
    responses((status = OK, description = "The requested data.", body = Explanation)),
)]
pub async fn explain(
    State(context): State<Context>,
    State(teams): State<TeamsHandle>,
    caller: Caller,
    Path(id): Path<String>,
    Query(ExplanationQuery { trace }): Query<ExplanationQuery>,
) -> Result<Json<Explanation>, Problem> {
    let person = super::person(&context.people, &id)?;
    super::schedule_account_search(&teams, &context.organisation, &person);
    let level = caller.level(&context.organisation, person.id);
    let mut explanation = explanation(&context, &person, level).await?;
    if !trace || !caller.may_see_traces(&context.organisation, person.id) {
        for reason in &mut explanation.reasons {
            reason.trace = None;
        }
    }
    Ok(Json(explanation))
}

/// The explanation as a viewer of this level may see it, with trace ids.
///
/// # Errors
/// The server is starting.
pub async fn explanation(
    context: &Context,
    person: &Person,
    level: Relationship,
) -> Result<Explanation, Problem> {
    let microphone = MicrophoneLayer::for_viewer(level);
    let explained = context.engine.explain(person.id, microphone).await;
    let (presence, reasons) = explained.ok_or_else(starting)?;
    Ok(Explanation {
        person: person.id.to_string(),
        name: person.name.clone(),
        presence: presence_body(&view(&presence, level)),
        reasons: reasons_for(&presence, reasons, level)
            .into_iter()
            .map(|reason| reason_body(reason, person))
            .collect(),
    })
}

/// Past presence of the last 24 hours, as the caller may see it now, the oldest first.
#[utoipa::path(
    get,
    path = "/people/{id}/history",
    tag = "Presence",
    params(Paging),
    responses((status = OK, description = "The requested data.", body = HistoryBody)),
)]
pub async fn history(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<String>,
    paging: Paging,
) -> Result<Json<HistoryBody>, Problem> {
    let person = super::person(&context.people, &id)?.id;
    let level = caller.level(&context.organisation, person);
    if !level.may(Permission::SeeActivity) {
        // Not even the times of changes; a wrong cursor is refused for every viewer.
        let (items, next) = paging.page(Vec::<(i64, PastBody)>::new())?;
        return Ok(Json(HistoryBody { items, next }));
    }
    let mut rows = Vec::new();
    // A person who was always offline has no history: a blocked viewer must see the same.
    let mut last = Some(View::offline());
    for (at, presence) in context.events.history(person) {
        let seen = view(&presence, level);
        // Changes that the caller may not see are skipped, as are those of times and confidence alone.
        if !last.as_ref().is_some_and(|last| last.looks_like(&seen)) {
            let row = PastBody {
                at: rfc3339(at),
                presence: presence_body(&seen),
            };
            rows.push((at.milliseconds(), row));
            last = Some(seen);
        }
    }
    let (items, next) = paging.page(rows)?;
    Ok(Json(HistoryBody { items, next }))
}
