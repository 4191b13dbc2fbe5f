//! The audit log: author, target, old and new values of each change, stored in the transaction of the change.

mod entry;

use api_types::audit::{AuditPage, AuditRow};
use axum::{Json, extract::State};
pub(crate) use entry::{new_entry, own_entry};
use runtime::{clock::rfc3339, context::Context, organisation::ORGANISATION};
use serde::Deserialize;
use serde_json::Value;
use store::{AuditFilter, Concern};

use super::calendar_feed::FEED;
use crate::{Query, caller::Caller, limit_checks::moment, problem::Problem};

/// Rows of a page by default.
const PAGE: u32 = 100;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditQuery {
    cursor: Option<i64>,
    limit: Option<u32>,
    who: Option<String>,
    what: Option<String>,
    target: Option<String>,
    /// The earliest time.
    from: Option<String>,
    /// The time before which the entries were written.
    to: Option<String>,
}

/// Lists entries of the audit log, the newest first.
#[utoipa::path(
    get,
    path = "/audit",
    tag = "Administration",
    params(AuditQuery),
    responses((status = OK, description = "The requested data.", body = AuditPage)),
)]
pub async fn list(
    State(context): State<Context>,
    caller: Caller,
    Query(query): Query<AuditQuery>,
) -> Result<Json<AuditPage>, Problem> {
    caller.require_admin_to_read(&context.organisation, ORGANISATION)?;
    let limit = query.limit.unwrap_or(PAGE).clamp(1, 1_000);
    let time = |field, text: Option<&str>| text.map(|text| moment(field, text)).transpose();
    let filter = AuditFilter {
        from: time("from", query.from.as_deref())?,
        to: time("to", query.to.as_deref())?,
        who: query.who,
        what: query.what,
        target: query.target,
    };
    let mut rows = context
        .store
        .audit(query.cursor, limit + 1, &filter)
        .await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| row.id.to_string());
    let json = |text: Option<String>| {
        let mut value: Value = serde_json::from_str(&text?).ok()?;
        // The address of a calendar feed is a secret, which keys that read the log must not have.
        if let (false, Some(feed)) = (caller.is_admin(), value.get_mut(FEED)) {
            *feed = Value::Null;
        }
        Some(value)
    };
    let items = rows.into_iter().map(|row| AuditRow {
        id: row.id.to_string(),
        at: rfc3339(row.at),
        who: row.who,
        what: row.what,
        target: row.target,
        before: json(row.before),
        after: json(row.after),
        own: row.concern == Concern::Own,
    });
    Ok(Json(AuditPage {
        items: items.collect(),
        next,
    }))
}
