//! Preview of an edit of a template: the affected people.

use api_types::templates::{TemplateEdit, TemplatePreview};
use axum::extract::{Path, State};
use runtime::{
    context::Context,
    organisation::{self, ScopeId},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    named_uses, of_scope,
    request::{Start, checked, merged},
    stored,
};
use crate::{Json, caller::Caller, problem::Problem};

/// Largest number of names in a preview.
const NAMED_MAX: usize = 50;

/// The edit as sent. The change stays a map, which completes the present template.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SentEdit {
    #[serde(default)]
    delete: bool,
    change: Option<Map<String, Value>>,
}

/// Previews an edit of a scope's template: the affected people. Changes nothing.
#[utoipa::path(
    post,
    path = "/scopes/{scope}/templates/{name}/preview",
    tag = "Profiles",
    request_body = TemplateEdit,
    responses((status = OK, description = "The effects of the edit.", body = TemplatePreview)),
)]
pub async fn preview(
    State(context): State<Context>,
    caller: Caller,
    Path((scope, name)): Path<(String, String)>,
    Json(body): Json<SentEdit>,
) -> Result<axum::Json<TemplatePreview>, Problem> {
    let scope = ScopeId::from(scope);
    caller.require_admin(&context.organisation, &scope)?;
    let edit = match (body.delete, body.change) {
        (true, None) => organisation::TemplateEdit::Delete(of_scope(&context, &scope, &name)?),
        (false, Some(change)) => wanted(&context, &caller, (&scope, &name), change)?,
        (true, Some(_)) | (false, None) => {
            let detail = "name either a change or \"delete\": true";
            return Err(Problem::invalid("change", detail));
        }
    };
    let (people, lost_uses) = context
        .organisation
        .read(|snapshot| (snapshot.affected(&edit), snapshot.lost_uses(&edit)));
    let administered = people
        .iter()
        .filter(|person| caller.may_read_as_admin_of(&context.organisation, **person));
    let names = administered.filter_map(|id| Some(context.people.person(*id)?.name.clone()));
    Ok(axum::Json(TemplatePreview {
        people: people.len(),
        names: names.take(NAMED_MAX).collect(),
        lost_uses: named_uses(&context, &caller, lost_uses),
    }))
}

/// The edit of a requested change.
fn wanted(
    context: &Context,
    caller: &Caller,
    (scope, name): (&ScopeId, &str),
    change: Map<String, Value>,
) -> Result<organisation::TemplateEdit, Problem> {
    let Ok(before) = of_scope(context, scope, name) else {
        let body = merged(json!({}), change)?;
        let made = checked(context, caller, body, Start::In(scope, name))?;
        return Ok(organisation::TemplateEdit::Make(made));
    };
    let body = merged(json!(stored(&before)), change)?;
    let after = checked(context, caller, body, Start::From(&before))?;
    Ok(organisation::TemplateEdit::Replace(before, after))
}
