//! Preview of an edit of a template: the affected people.

use axum::extract::{Path, State};
use runtime::{context::Context, organisation::TemplateEdit};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{
    named_uses, of_scope,
    request::{Start, TemplateChange, checked, merged},
    stored,
};
use crate::{Json, caller::Caller, problem::Problem};

/// Largest number of names in a preview.
const NAMED_MAX: usize = 50;

/// The previewed edit: a change of fields, or a deletion.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateEditBody {
    /// Deletes the template.
    #[serde(default)]
    delete: bool,
    /// Changes the template, or adds it if there is none of this name.
    #[schema(value_type = Option<TemplateChange>)]
    change: Option<Map<String, Value>>,
}

/// Effects of an edit.
#[derive(Debug, Serialize, ToSchema)]
pub struct TemplatePreview {
    /// Number of people with another profile of this name after the edit.
    people: usize,
    /// Names of the first of these people in the caller's administration.
    names: Vec<String>,
    /// Uses that would be left without a profile of this name: the edit is refused while there are any.
    lost_uses: Vec<String>,
}

/// Previews an edit of a scope's template: the affected people. Changes nothing.
#[utoipa::path(
    post,
    path = "/scopes/{scope}/templates/{name}/preview",
    tag = "Profiles",
    responses((status = OK, description = "The effects of the edit.", body = TemplatePreview)),
)]
pub async fn preview(
    State(context): State<Context>,
    caller: Caller,
    Path((scope, name)): Path<(String, String)>,
    Json(body): Json<TemplateEditBody>,
) -> Result<axum::Json<TemplatePreview>, Problem> {
    caller.require_admin(&context.organisation, &scope)?;
    let edit = match (body.delete, body.change) {
        (true, None) => TemplateEdit::Delete(of_scope(&context, &scope, &name)?),
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
    (scope, name): (&str, &str),
    change: Map<String, Value>,
) -> Result<TemplateEdit, Problem> {
    let Ok(before) = of_scope(context, scope, name) else {
        let body = merged(json!({}), change)?;
        let made = checked(context, caller, body, Start::In(scope, name))?;
        return Ok(TemplateEdit::Make(made));
    };
    let body = merged(json!(stored(&before)), change)?;
    let after = checked(context, caller, body, Start::From(&before))?;
    Ok(TemplateEdit::Replace(before, after))
}
