//! Settings of scopes, by group, and people's own values.

use api_types::settings::{FeedState, PersonSettings, ScopeSettings, UnreadPart};
use axum::extract::{Path, State};
use gateway::calendars::{Calendars, Unread};
use presence::{EffectiveSettings, PersonId, SettingValues, SettingsGroup, UserOverride};
use runtime::{
    audit::{Administration, Details, Own},
    context::Context,
    events::Reset,
    organisation::{Membership, ORGANISATION, PRODUCT, ScopeId, Snapshot},
    values,
};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{
    Json,
    audit::{new_entry, own_entry},
    bounds,
    calendar_feed::{FEED, hide_feed, refuse_feed, refuse_feed_of_others, refuse_feed_of_scope},
};
use crate::{
    caller::{Access, Caller},
    limit_checks,
    preconditions::Comparison,
    problem::Problem,
};

/// Whether a scope has its own settings in this group.
pub(super) const INDIVIDUAL: &str = "individual";
/// A person's own values.
pub(super) const OWN: &str = "own";
/// Name of the scope to copy when a scope gets its own settings.
pub(super) const COPY_FROM: &str = "copy_from";

/// Settings of a group in the OpenAPI document; `openapi.rs` completes them from the table of settings.
#[derive(ToSchema)]
#[schema(as = Settings)]
#[expect(dead_code, reason = "only its name is used, by the document")]
struct SettingsBody(Value);

fn page(name: &str) -> Result<SettingsGroup, Problem> {
    SettingsGroup::from_name(name).ok_or_else(|| {
        let known = SettingsGroup::ALL.map(SettingsGroup::name).join(", ");
        Problem::not_found("settings page", name, &format!("the pages are {known}"))
    })
}

fn place(context: &Context, scope: &ScopeId) -> Result<Membership, Problem> {
    let place = context
        .organisation
        .read(|snapshot| snapshot.membership_of_scope(scope));
    place
        .ok_or_else(|| Problem::not_found("scope", scope.as_str(), "GET /api/v1/scopes lists them"))
}

/// The name of the scope that decides a group.
fn decided_by(snapshot: &Snapshot, place: &Membership, page: SettingsGroup) -> String {
    let scope = snapshot.decided_by(place, page);
    scope.map_or_else(|| PRODUCT.to_owned(), ScopeId::to_string)
}

/// Values of a group as one object.
fn flat<'a>(
    values: impl IntoIterator<Item = (&'a str, &'a presence::Value)>,
) -> Map<String, Value> {
    let values = values.into_iter();
    values
        .map(|(key, value)| (key.to_owned(), values::json(value)))
        .collect()
}

/// The values in effect as one object.
fn effective(settings: &EffectiveSettings) -> Map<String, Value> {
    flat(settings.values.iter().map(|(key, value)| (*key, value)))
}

fn scope_body(
    context: &Context,
    scope: &ScopeId,
    page: SettingsGroup,
) -> Result<ScopeSettings, Problem> {
    let place = place(context, scope)?;
    Ok(context.organisation.read(|snapshot| {
        let way = snapshot.scope_chain(&place, page);
        let defaults = SettingValues::default();
        let decided = way.effective().0.unwrap_or(&defaults);
        let may_change = page
            .settings()
            .map(|setting| (setting.key.to_owned(), decided.user_may_change(setting)));
        ScopeSettings {
            values: effective(&snapshot.resolve_scope(&place, page)),
            user_may_change: may_change.collect(),
            individual: snapshot.overrides(scope, page).is_some(),
            decided_by: decided_by(snapshot, &place, page),
        }
    }))
}

/// The settings in effect in a scope.
#[utoipa::path(
    get,
    path = "/scopes/{scope}/settings/{page}",
    tag = "Scopes and settings",
    responses((status = OK, description = "The requested data.", body = SettingsBody)),
)]
pub async fn read(
    State(context): State<Context>,
    caller: Caller,
    Path((scope, name)): Path<(String, String)>,
) -> Result<axum::Json<ScopeSettings>, Problem> {
    let scope = ScopeId::from(scope);
    let mut body = scope_body(&context, &scope, page(&name)?)?;
    // The address of a feed is a secret at most providers.
    if caller.require_admin(&context.organisation, &scope).is_err() {
        hide_feed(&mut body.values);
    }
    Ok(axum::Json(body))
}

/// Sets values of a scope; stored and applied when answered. Absent values stay. A scope with inherited settings gets its
/// own, which begin as the product's defaults or as those of the scope in `copy_from`. `{"individual": false}` inherits
/// again.
#[utoipa::path(
    put,
    path = "/scopes/{scope}/settings/{page}",
    tag = "Scopes and settings",
    request_body = SettingsBody,
    responses((status = OK, description = "The requested data.", body = SettingsBody)),
)]
pub async fn write(
    State(context): State<Context>,
    State(calendars): State<Calendars>,
    caller: Caller,
    Path((scope, name)): Path<(String, String)>,
    comparison: Comparison,
    Json(mut body): Json<Map<String, Value>>,
) -> Result<axum::Json<ScopeSettings>, Problem> {
    let (scope, page) = (ScopeId::from(scope), page(&name)?);
    place(&context, &scope)?;
    caller.require_admin(&context.organisation, &scope)?;
    let one_at_a_time = context.settings_lock.lock().await;
    match comparison {
        Comparison::Same => return Ok(axum::Json(scope_body(&context, &scope, page)?)),
        Comparison::ChangedCopy(read) => keep_changes_of_scope(page, &read, &mut body),
        Comparison::Values => {}
    }
    refuse_feed_of_scope(page, &body)?;
    let individual = body.remove(INDIVIDUAL);
    let copy_from = body.remove(COPY_FROM);
    let present = present(&context, &scope, page);
    let after = if individual == Some(json!(false)) {
        if !body.is_empty() {
            let detail = "individual is false, so that no other value can be set; set it to true, or leave the other values out";
            return Err(Problem::invalid(INDIVIDUAL, detail));
        }
        None
    } else {
        let mut after = match copy_from {
            None | Some(Value::Null) => present.clone().unwrap_or_default(),
            Some(from) => copied(&context, &caller, &from, page)?,
        };
        merge(page, body, &mut after)?;
        Some(after)
    };
    let wanted = (&scope, page);
    bounds::refuse_of_scope(&context, &caller, wanted, after.as_ref())?;
    let stored = after
        .as_ref()
        .map(|after| values::page_json(after).to_string());
    let entry = new_entry(
        &context.clock,
        &caller,
        Administration::SettingsSet,
        format!("{scope}/{name}"),
    )
    .before(present.as_ref().map(values::page_json))
    .after(after.as_ref().map(values::page_json));
    let written = context
        .store
        .set_settings(&scope, page.name(), stored.as_deref(), &entry.change())
        .await;
    written?;
    let here = place(&context, &scope)?;
    let visibility = || {
        context
            .organisation
            .read(|snapshot| snapshot.default_visibility(&here))
    };
    let before = visibility();
    let changed = context
        .organisation
        .update(|snapshot| snapshot.set_overrides(&scope, page, after));
    context.apply_policies(changed).await;
    if visibility() != before {
        // Every viewer's view of the people here may have changed.
        context.events.reset(Reset::Everyone, context.clock.now());
    }
    drop(one_at_a_time);
    if page == SettingsGroup::Calendar {
        calendars.read_now();
    }
    Ok(axum::Json(scope_body(&context, &scope, page)?))
}

/// Reduces a copy of a scope's settings to the changed values. A scope that gets its own settings keeps the whole copy, so
/// that inherited values stay as they were read.
fn keep_changes_of_scope(
    page: SettingsGroup,
    read: &Map<String, Value>,
    copy: &mut Map<String, Value>,
) {
    let is_individual = read.get(INDIVIDUAL) != Some(&json!(false));
    let stays_inherited = copy.get(INDIVIDUAL) == Some(&json!(false));
    if is_individual || stays_inherited {
        keep_changes(read, copy);
        if stays_inherited {
            copy.insert(INDIVIDUAL.into(), json!(false));
        }
        return;
    }
    let may_change = copy.get_mut(values::USER_MAY_CHANGE);
    if let Some(may_change) = may_change.and_then(Value::as_object_mut) {
        may_change.retain(|key, may| {
            let setting = page.setting(key);
            let is_never =
                setting.is_some_and(|setting| setting.user_override == UserOverride::Never);
            !(is_never && *may == json!(false))
        });
    }
}

/// Reduces a copy to the values that differ from those read.
fn keep_changes(read: &Map<String, Value>, copy: &mut Map<String, Value>) {
    copy.retain(|key, value| read.get(key) != Some(value));
    let read = read.get(values::USER_MAY_CHANGE).and_then(Value::as_object);
    let copy = copy.get_mut(values::USER_MAY_CHANGE);
    if let (Some(read), Some(copy)) = (read, copy.and_then(Value::as_object_mut)) {
        copy.retain(|key, may| read.get(key) != Some(may));
    }
}

fn present(context: &Context, scope: &ScopeId, page: SettingsGroup) -> Option<SettingValues> {
    context
        .organisation
        .read(|snapshot| snapshot.overrides(scope, page).cloned())
}

/// The settings in effect in another scope, as a beginning.
fn copied(
    context: &Context,
    caller: &Caller,
    from: &Value,
    page: SettingsGroup,
) -> Result<SettingValues, Problem> {
    let Some(from) = from.as_str() else {
        let detail = format!("{from} is no scope; name one, for example \"{ORGANISATION}\"");
        return Err(Problem::invalid(COPY_FROM, detail));
    };
    let from = &ScopeId::from(from);
    let place = place(context, from)?;
    // Settings of the organisation are visible in its locations; those of another location are not.
    if from != ORGANISATION {
        caller.require_admin(&context.organisation, from)?;
    }
    Ok(context.organisation.read(|snapshot| {
        let decided = snapshot.scope_chain(&place, page).effective().0;
        decided.cloned().unwrap_or_default()
    }))
}

fn merge(
    page: SettingsGroup,
    body: Map<String, Value>,
    after: &mut SettingValues,
) -> Result<(), Problem> {
    values::merge(page, body, after).map_err(|refusal| {
        let code = limit_checks::code_of_setting(page, &refusal.key);
        Problem::refused(refusal.key, refusal.detail).with_code(code)
    })
}

/// The audit log's record of a person's values, without the address of the feed, which is a secret at most providers.
fn audit_record(values: &SettingValues) -> Value {
    let mut noted = values::page_json(values);
    if let Some(feed) = noted.get_mut(FEED) {
        *feed = json!("not recorded");
    }
    noted
}

fn person_body(
    (context, calendars): (&Context, &Calendars),
    caller: &Caller,
    person: PersonId,
    page: SettingsGroup,
) -> PersonSettings {
    let mut body = whole_person_body((context, calendars), person, page);
    // The address of a feed is a secret at most providers.
    if !caller.may_read_secrets(person) {
        hide_feed(&mut body.values);
        hide_feed(&mut body.own);
    }
    body
}

fn whole_person_body(
    (context, calendars): (&Context, &Calendars),
    person: PersonId,
    page: SettingsGroup,
) -> PersonSettings {
    context.organisation.read(|snapshot| {
        let resolved = snapshot.resolve(person, page);
        let may_change = page.settings().map(|setting| {
            let may = resolved.changeable.contains(setting.key);
            (setting.key.to_owned(), may)
        });
        let own = snapshot.personal_settings.get(&(person, page));
        let place = snapshot.membership(person);
        PersonSettings {
            feed_state: (page == SettingsGroup::Calendar).then(|| feed_state(calendars, person)),
            values: effective(&resolved),
            user_may_change: may_change.collect(),
            own: flat(
                own.into_iter()
                    .flat_map(|own| &own.values)
                    .map(|(key, value)| (*key, value)),
            ),
            decided_by: decided_by(snapshot, &place, page),
        }
    })
}

fn feed_state(calendars: &Calendars, person: PersonId) -> FeedState {
    let trouble = calendars.trouble(person);
    let unread = calendars.unread(person);
    let (text, code) = match (trouble, &unread) {
        (Some(trouble), _) => (Some(trouble.to_string()), Some(trouble.code())),
        (None, Some(unread)) => (Some(unread.text()), Some(Unread::CODE)),
        (None, None) => (None, None),
    };
    let parts = unread.into_iter().flat_map(|unread| unread.first);
    let parts = parts.map(|problem| UnreadPart {
        code: problem.fault.code().to_owned(),
        event: problem.event,
        line: problem.line,
        property: problem.fault.property().map(str::to_owned),
        detail: problem.to_string(),
    });
    FeedState {
        trouble: text,
        trouble_code: code.map(str::to_owned),
        unread: parts.collect(),
    }
}

/// The settings in effect for the person, and the person's own values.
#[utoipa::path(
    get,
    path = "/people/{id}/settings/{page}",
    tag = "Scopes and settings",
    responses((status = OK, description = "The requested data.", body = SettingsBody)),
)]
pub(crate) async fn read_own(
    State(context): State<Context>,
    State(calendars): State<Calendars>,
    caller: Caller,
    Path((id, name)): Path<(String, String)>,
) -> Result<axum::Json<PersonSettings>, Problem> {
    let person = super::person(&context.people, &id)?;
    caller.require_self_or_admin(&context.organisation, person.id, Access::Read)?;
    let page = page(&name)?;
    Ok(axum::Json(person_body(
        (&context, &calendars),
        &caller,
        person.id,
        page,
    )))
}

/// Sets the person's own values; null removes one. A person cannot set locked values; administrators can, and they take
/// effect once unlocked. Refuses values that people can never set, and profiles with forwarding by a location administrator
/// without the permission to change forwarding.
#[utoipa::path(
    put,
    path = "/people/{id}/settings/{page}",
    tag = "Scopes and settings",
    request_body = SettingsBody,
    responses((status = OK, description = "The requested data.", body = SettingsBody)),
)]
pub(crate) async fn write_own(
    State(context): State<Context>,
    State(calendars): State<Calendars>,
    caller: Caller,
    Path((id, name)): Path<(String, String)>,
    comparison: Comparison,
    Json(mut body): Json<Map<String, Value>>,
) -> Result<axum::Json<Value>, Problem> {
    let person = super::person(&context.people, &id)?.id;
    let page = page(&name)?;
    caller.require_self_or_admin(&context.organisation, person, Access::Change)?;
    match comparison {
        Comparison::Same => {
            let present = person_body((&context, &calendars), &caller, person, page);
            return Ok(axum::Json(json!(present)));
        }
        Comparison::ChangedCopy(read) => keep_changes(&read, &mut body),
        Comparison::Values => {}
    }
    let one_at_a_time = context.settings_lock.lock().await;
    let resolved = context
        .organisation
        .read(|snapshot| snapshot.resolve(person, page));
    let locked = body
        .keys()
        .find(|key| page.setting(key).is_some() && !resolved.changeable.contains(key.as_str()));
    if let Some(key) = locked
        && caller
            .require_admin_of(&context.organisation, person)
            .is_err()
    {
        return Err(Problem::locked(key));
    }
    if body.contains_key(values::USER_MAY_CHANGE) {
        let detail = "belongs to scopes; set it at PUT /api/v1/scopes/{scope}/settings/{page}";
        return Err(Problem::invalid(values::USER_MAY_CHANGE, detail));
    }
    if page == SettingsGroup::Calendar && body.contains_key(FEED) {
        refuse_feed_of_others(&caller, person)?;
    }
    refuse_feed(&calendars, &caller, page, &body)?;
    let sent: Vec<String> = body.keys().cloned().collect();
    let before = context
        .organisation
        .read(|snapshot| snapshot.personal_settings.get(&(person, page)).cloned());
    let mut after = before.clone().unwrap_or_default();
    for (key, value) in body {
        match page.setting(&key) {
            Some(setting) if value.is_null() => {
                after.values.remove(setting.key);
            }
            _ => merge(page, Map::from_iter([(key, value)]), &mut after)?,
        }
    }
    let of = (person, page);
    bounds::refuse_of_person(&context, &caller, of, before.as_ref(), &after)?;
    let after = Some(after).filter(|after| !after.values.is_empty());
    let stored = after
        .as_ref()
        .map(|after| values::page_json(after).to_string());
    let details = Details::part(name)
        .before(before.as_ref().map(audit_record))
        .after(after.as_ref().map(audit_record));
    let entry = own_entry(&context, &caller, Own::SettingsSet, person, details);
    let written = context
        .store
        .set_personal_settings(person, page.name(), stored.as_deref(), &entry.change())
        .await;
    written?;
    context
        .update_person(person, |snapshot| {
            let key = (person, page);
            match after {
                Some(after) => snapshot.personal_settings.insert(key, after),
                None => snapshot.personal_settings.remove(&key),
            };
        })
        .await;
    drop(one_at_a_time);
    if page == SettingsGroup::Calendar {
        calendars.read_person_now(person);
    }
    let mut body = json!(person_body((&context, &calendars), &caller, person, page));
    if let (false, Some(body)) = (caller.may_read(), body.as_object_mut()) {
        body.retain(|key, _| sent.contains(key));
    }
    Ok(axum::Json(body))
}
