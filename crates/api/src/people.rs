//! People.

use api_types::people::{LineBody, NewPerson, PeoplePage, PersonBody};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use presence::{Extension, PersonId};
use runtime::{
    audit::Administration,
    context::Context,
    limits::PERSON_TEXT_MAX,
    organisation::ORGANISATION,
    people_index::{PeopleIndex, Person},
};
use serde_json::json;
use store::{ImportPerson, PersonChange};
use teams::TeamsHandle;

use super::{Json, audit::new_entry, paging::Paging, templates};
use crate::{
    caller::Caller,
    preconditions::Comparison,
    problem::{Problem, ProblemCode},
    revocations::Revocations,
};

/// Largest number of extensions of a person.
pub(super) const LINES_MAX: usize = 64;

/// The body of a person that is being stored.
fn body_of_stored(id: PersonId, person: &ImportPerson) -> PersonBody {
    let extensions = person.extensions.iter().map(ToString::to_string);
    PersonBody {
        id: id.to_string(),
        name: person.name.clone(),
        mail: person.mail.clone(),
        user_principal_name: person.user_principal_name.clone(),
        lines: extensions.map(|extension| LineBody { extension }).collect(),
    }
}

/// The body of a person.
pub fn person_body(person: &Person) -> PersonBody {
    let lines = person.lines.iter().map(|(_, extension)| LineBody {
        extension: extension.to_string(),
    });
    PersonBody {
        id: person.id.to_string(),
        name: person.name.clone(),
        mail: person.mail.clone(),
        user_principal_name: person.user_principal_name.clone(),
        lines: lines.collect(),
    }
}

/// Lists the people in a fixed order, in pages.
#[utoipa::path(
    get,
    path = "/people",
    tag = "People",
    params(Paging),
    responses((status = OK, description = "The requested data.", body = PeoplePage)),
)]
pub async fn list(
    State(context): State<Context>,
    paging: Paging,
) -> Result<axum::Json<PeoplePage>, Problem> {
    let limit = paging.limit()?;
    let after = paging.after()?.map(PersonId);
    let mut people = context.people.page(after, limit + 1);
    let more = people.len() > limit;
    people.truncate(limit);
    let next = people
        .last()
        .filter(|_| more)
        .map(|person| person.id.to_string());
    let items = people.iter().map(|person| person_body(person)).collect();
    Ok(axum::Json(PeoplePage { items, next }))
}

/// A person.
#[utoipa::path(
    get,
    path = "/people/{id}",
    tag = "People",
    responses((status = OK, description = "The requested data.", body = PersonBody)),
)]
pub async fn read(
    State(context): State<Context>,
    State(teams): State<TeamsHandle>,
    Path(id): Path<String>,
) -> Result<axum::Json<PersonBody>, Problem> {
    let person = super::person(&context.people, &id)?;
    super::schedule_account_search(&teams, &context.organisation, &person);
    Ok(axum::Json(person_body(&person)))
}

/// Adds a person.
#[utoipa::path(
    post,
    path = "/people",
    tag = "People",
    responses((status = CREATED, description = "Added.", body = PersonBody)),
)]
pub async fn add(
    State(context): State<Context>,
    caller: Caller,
    Json(body): Json<NewPerson>,
) -> Result<(StatusCode, axum::Json<PersonBody>), Problem> {
    caller.require_admin(&context.organisation, ORGANISATION)?;
    let person = checked(body, None)?;
    refuse_name(&context.people, &person.name, None)?;
    let lines: Vec<&str> = person.extensions.iter().map(|line| &**line).collect();
    let after = json!({"name": person.name, "mail": person.mail,
        "userPrincipalName": person.user_principal_name, "lines": lines});
    let entry = new_entry(
        &context.clock,
        &caller,
        Administration::PersonAdd,
        &person.name,
    )
    .after(Some(after));
    let id = context.store.add_person(&person, &entry.change()).await?;
    context.apply_people().await;
    Ok((StatusCode::CREATED, axum::Json(body_of_stored(id, &person))))
}

/// Changes a person. Absent fields stay; `lines` replaces all lines. Location administrators may change the name; mail,
/// userPrincipalName and lines identify the person and are reserved to system administrators.
#[utoipa::path(
    patch,
    path = "/people/{id}",
    tag = "People",
    responses((status = OK, description = "The requested data.", body = PersonBody)),
)]
pub async fn change(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<String>,
    comparison: Comparison,
    Json(body): Json<NewPerson>,
) -> Result<axum::Json<PersonBody>, Problem> {
    let before = super::person(&context.people, &id)?;
    caller.require_admin_of(&context.organisation, before.id)?;
    if comparison.is_same() {
        return Ok(axum::Json(person_body(&before)));
    }
    let person = checked(body, Some(&before))?;
    caller.require_same_identity(&before, &person)?;
    // A name from before names were checked may stay.
    if person.name != before.name {
        refuse_name(&context.people, &person.name, Some(before.id))?;
    }
    let wanted = body_of_stored(before.id, &person);
    let entry = new_entry(
        &context.clock,
        &caller,
        Administration::PersonChange,
        before.id,
    )
    .before(Some(json!(person_body(&before))))
    .after(Some(json!(wanted)));
    // Writes only changed values, so that concurrent changes of other fields stay.
    let changed = |new: &String, old: &String| (new != old).then(|| new.clone());
    let change = PersonChange {
        name: changed(&person.name, &before.name),
        mail: changed(&person.mail, &before.mail),
        user_principal_name: changed(&person.user_principal_name, &before.user_principal_name),
        extensions: (!before.has_extensions(&person.extensions)).then_some(person.extensions),
    };
    let noted = entry.change();
    context
        .store
        .change_person(before.id, &change, &noted)
        .await?;
    let now = match context.apply_people().await {
        true => context.people.person(before.id),
        // Stored now, applied soon.
        false => None,
    };
    let now = now.map_or(wanted, |now| person_body(&now));
    Ok(axum::Json(now))
}

/// Deletes a person with all data. First clears Offhook's writes in Teams.
#[utoipa::path(
    delete,
    path = "/people/{id}",
    tag = "People",
    responses((status = NO_CONTENT, description = "Done.")),
)]
pub async fn delete(
    State(context): State<Context>,
    State(revocations): State<Revocations>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require_admin(&context.organisation, ORGANISATION)?;
    let person = super::person(&context.people, &id)?;
    // Clears the writes in Teams while the account is still known; all else follows from the store.
    context.retire(&[person.id]).await;
    let entry = new_entry(
        &context.clock,
        &caller,
        Administration::PersonDelete,
        person.id,
    )
    .before(Some(json!(person_body(&person))));
    let deleted = context
        .store
        .delete_person(person.id, &entry.change())
        .await;
    if deleted.is_err() {
        context.bring_back(person.id).await;
    }
    context.apply_people().await;
    deleted?;
    revocations.report();
    templates::forget(&context, person.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Refuses a name that looks like the address or extension of another person.
fn refuse_name(
    directory: &PeopleIndex,
    name: &str,
    person: Option<PersonId>,
) -> Result<(), Problem> {
    let detail = if name.contains('@') {
        "has an @, like an address; write the name that people see"
    } else if directory.is_of_another(name, person) {
        "is the mail address, the sign-in name or an extension of another person; write the name that people see"
    } else {
        return Ok(());
    };
    Err(Problem::invalid("name", detail).with_code(ProblemCode::new("name-like-an-address")))
}

fn checked(body: NewPerson, before: Option<&Person>) -> Result<ImportPerson, Problem> {
    let text = |field: &'static str, new: Option<String>, old: Option<&String>| {
        let text = new.or_else(|| old.cloned()).unwrap_or_default();
        let text = text.trim().to_owned();
        if text.chars().count() > PERSON_TEXT_MAX || text.chars().any(char::is_control) {
            let detail = format!("must be one line of at most {PERSON_TEXT_MAX} characters");
            let code = ProblemCode::new("too-long").with("most", PERSON_TEXT_MAX);
            return Err(Problem::invalid(field, detail).with_code(code));
        }
        Ok(text)
    };
    let name = text("name", body.name, before.map(|person| &person.name))?;
    if name.is_empty() {
        let problem = Problem::invalid("name", "is missing or empty");
        return Err(problem.with_code(ProblemCode::new("missing")));
    }
    let extensions = match body.lines {
        None => before.map_or_else(Vec::new, |person| {
            let lines = person.lines.iter();
            lines.map(|(_, extension)| extension.clone()).collect()
        }),
        Some(lines) if lines.len() > LINES_MAX => {
            let detail = format!("has more than {LINES_MAX} lines");
            let code = ProblemCode::new("too-many-entries").with("most", LINES_MAX);
            return Err(Problem::invalid("lines", detail).with_code(code));
        }
        Some(lines) => {
            let mut extensions = Vec::new();
            for line in lines {
                let text = text("lines", Some(line.extension), None)?;
                let known = before.into_iter().flat_map(|person| &person.lines);
                // Extensions from before extensions were checked may stay.
                let known = known
                    .map(|(_, known)| known)
                    .find(|known| ***known == *text);
                let extension = match known {
                    Some(known) => known.clone(),
                    None => Extension::parse(&text).map_err(|error| {
                        let code = ProblemCode::new("not-an-extension").with("value", &text);
                        Problem::invalid("lines", error.to_string()).with_code(code)
                    })?,
                };
                if !extensions.contains(&extension) {
                    extensions.push(extension);
                }
            }
            extensions
        }
    };
    Ok(ImportPerson {
        line: None,
        extension_lines: Vec::new(),
        name,
        mail: text("mail", body.mail, before.map(|person| &person.mail))?,
        user_principal_name: text(
            "userPrincipalName",
            body.user_principal_name,
            before.map(|person| &person.user_principal_name),
        )?,
        teams_id: None,
        extensions,
        location: None,
    })
}
