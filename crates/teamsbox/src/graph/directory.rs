//! The directory: people with paging, selection and filters, and groups.

use axum::http::StatusCode;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::{
    Call, Reply,
    error::GraphError,
    filter::Filter,
    query::Query,
    route::{Operation, Target},
};
use crate::{
    directory::{BASIC_FIELDS, DEFAULT_FIELDS, FIELDS, Group, transitive_members},
    guid::Guid,
    permissions::{Caller, Permission},
    shell::Shell,
    user::User,
    world::World,
};

/// The most people of a page.
const TOP_MAX: usize = 999;

/// Cost of a read, in Graph's resource units.
pub(super) fn units(operation: Operation, call: &Call<'_>) -> u64 {
    let base: i64 = match operation {
        Operation::ListUsers | Operation::UsersDelta => 2,
        Operation::ListTransitiveMembers => 5,
        Operation::ListMembers => 3,
        _ => 1,
    };
    let top = call
        .query
        .get("top")
        .and_then(|top| top.parse::<u64>().ok());
    let units = base - i64::from(call.query.get("select").is_some())
        + i64::from(call.query.get("expand").is_some())
        - i64::from(top.is_some_and(|top| top < 20));
    u64::try_from(units.max(1)).unwrap_or(1)
}

/// The selected fields that the caller's permissions allow.
pub(super) fn selected(caller: &Caller, query: &Query) -> Result<Vec<&'static str>, GraphError> {
    let full = caller.has_any(&[Permission::UserReadAll, Permission::DirectoryReadAll]);
    if !full && !caller.has(Permission::UserReadBasicAll) {
        return Err(GraphError::denied("User.ReadBasic.All or User.Read.All"));
    }
    let asked = match query.get("select") {
        None => DEFAULT_FIELDS.to_vec(),
        Some(list) => {
            let known = |name: &str| {
                let found = FIELDS
                    .iter()
                    .find(|field| field.eq_ignore_ascii_case(name.trim()));
                found.copied().ok_or_else(|| {
                    let name: String = name.chars().take(64).collect();
                    GraphError::query(format!(
                        "Could not find a property named '{name}' on type 'microsoft.graph.user'."
                    ))
                })
            };
            list.split(',').map(known).collect::<Result<Vec<_>, _>>()?
        }
    };
    let permitted = |name: &&str| full || BASIC_FIELDS.contains(name);
    Ok(asked.into_iter().filter(permitted).collect())
}

/// The given fields of a person, and always the id.
pub(super) fn show(user: &User, fields: &[&str]) -> Map<String, Value> {
    let names = user.names();
    let mut shown: Map<String, Value> = fields
        .iter()
        .map(|name| ((*name).to_owned(), user.profile.field(name, &names)))
        .collect();
    shown.insert("id".to_owned(), json!(user.id));
    shown
}

/// `GET /users/{id}` and `GET /me`. Unlike presence, the directory also accepts the sign-in name.
pub(super) fn user(
    shell: &Shell,
    caller: &Caller,
    target: Target<'_>,
    call: &Call<'_>,
) -> Result<Reply, GraphError> {
    let own = caller.user.is_some() && caller.has(Permission::UserRead);
    let fields = match (target, own) {
        (Target::Me, _) if caller.user.is_none() => return Err(GraphError::delegated_only()),
        (Target::Me, true) => match call.query.get("select") {
            None => DEFAULT_FIELDS.to_vec(),
            Some(list) => {
                let wanted = |field: &&&str| {
                    list.split(',')
                        .any(|name| name.trim().eq_ignore_ascii_case(field))
                };
                FIELDS.iter().filter(wanted).copied().collect()
            }
        },
        _ => selected(caller, &call.query)?,
    };
    shell.with(|world, _| {
        let (name, index) = match (target, caller.user) {
            (Target::Me, Some(user)) => (user.to_string(), world.tenant.find(user)),
            (Target::Id(id), _) => {
                let name = percent_decode_str(id).decode_utf8_lossy().into_owned();
                let index = world.tenant.find_any(&name).ok();
                (name, index)
            }
            _ => return Err(GraphError::delegated_only()),
        };
        let found = index.and_then(|index| world.tenant.user(index));
        let user = found.ok_or_else(|| GraphError::not_in_directory(&name))?;
        let mut body = show(user, &fields);
        let context = "https://graph.microsoft.com/v1.0/$metadata#users/$entity";
        body.insert("@odata.context".to_owned(), json!(context));
        Ok(Reply::json(StatusCode::OK, &Value::Object(body)))
    })
}

/// `GET /users`
pub(super) fn list(shell: &Shell, caller: &Caller, call: &Call<'_>) -> Result<Reply, GraphError> {
    let fields = selected(caller, &call.query)?;
    let known = ["select", "top", "filter", "count", "orderby", "skiptoken"];
    if let Some(name) = call.query.other_than(&known) {
        let name: String = name.chars().take(64).collect();
        return Err(GraphError::query(format!(
            "The query option '${name}' is not supported for users here."
        )));
    }
    let eventual = call
        .headers
        .get("consistencylevel")
        .is_some_and(|level| level.as_bytes().eq_ignore_ascii_case(b"eventual"));
    let counted = call.query.get("count") == Some("true");
    let filter = filter(call)?;
    let advanced = filter.as_ref().is_some_and(Filter::is_advanced);
    let ready = eventual && counted;
    if (advanced || counted) && !ready {
        let message =
            "The query needs the header ConsistencyLevel: eventual and the option $count=true.";
        return Err(GraphError::new(
            StatusCode::BAD_REQUEST,
            "Request_UnsupportedQuery",
            message,
        ));
    }
    let order = match call.query.get("orderby") {
        None => None,
        Some(field @ ("displayName" | "userPrincipalName")) => Some(field),
        Some(_) => {
            return Err(GraphError::query(
                "Users can be ordered by displayName or userPrincipalName only.",
            ));
        }
    };
    let start = skip(call)?;
    shell.with(|world, _| {
        let top = top(call, usize::from(world.knobs.page_size))?;
        let mut people: Vec<(usize, &User)> = matching(world, filter.as_ref());
        if let Some(field) = order {
            people.sort_by_cached_key(|(_, user)| {
                let value = user.profile.field(field, &user.names());
                value.as_str().unwrap_or_default().to_lowercase()
            });
        }
        let total = people.len();
        // Pages continue at an index, so that no person is missed or repeated when people are added or deleted; ordered lists
        // continue at a position.
        let rest: Vec<_> = match order {
            Some(_) => people.into_iter().skip(start).collect(),
            None => people
                .into_iter()
                .filter(|(index, _)| *index >= start)
                .collect(),
        };
        let page: Vec<Value> = rest
            .iter()
            .take(top)
            .map(|(_, user)| Value::Object(show(user, &fields)))
            .collect();
        let mut body = json!({
            "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users",
            "value": page,
        });
        if counted {
            body["@odata.count"] = json!(total);
        }
        if let Some((index, _)) = rest.get(top) {
            let next = if order.is_some() { start + top } else { *index };
            body["@odata.nextLink"] = json!(next_link(call, next));
        }
        Ok(Reply::json(StatusCode::OK, &body))
    })
}

fn matching<'a>(world: &'a World, filter: Option<&Filter>) -> Vec<(usize, &'a User)> {
    let people = world
        .tenant
        .users
        .iter()
        .enumerate()
        .filter(|(_, user)| user.removed.is_none());
    let passes = |(_, user): &(usize, &User)| {
        filter.is_none_or(|filter| filter.passes(|name| user.profile.field(name, &user.names())))
    };
    people.filter(passes).collect()
}

pub(super) fn filter(call: &Call<'_>) -> Result<Option<Filter>, GraphError> {
    let Some(text) = call.query.get("filter") else {
        return Ok(None);
    };
    let filter = Filter::parse(text);
    let known = |filter: &Filter| filter.fields().all(|name| FIELDS.contains(&name));
    filter.filter(known).map(Some).ok_or_else(|| {
        let message = "Invalid filter clause: the emulator understands eq, in, startswith and endswith on fields of users, joined by and or by or.";
        GraphError::query(message)
    })
}

fn top(call: &Call<'_>, default: usize) -> Result<usize, GraphError> {
    let Some(text) = call.query.get("top") else {
        return Ok(default);
    };
    let top = text.parse().ok().filter(|top| (1..=TOP_MAX).contains(top));
    top.ok_or_else(|| {
        GraphError::query(format!(
            "Invalid page size specified: give a $top from 1 to {TOP_MAX}."
        ))
    })
}

fn skip(call: &Call<'_>) -> Result<usize, GraphError> {
    let Some(token) = call.query.get("skiptoken") else {
        return Ok(0);
    };
    let bytes = URL_SAFE_NO_PAD.decode(token).unwrap_or_default();
    let text = String::from_utf8(bytes).unwrap_or_default();
    let start = text
        .strip_prefix("page ")
        .and_then(|number| number.parse().ok());
    start.ok_or_else(|| GraphError::query("Invalid page token: use @odata.nextLink unchanged."))
}

/// The link to the next page: the same query with the position.
fn next_link(call: &Call<'_>, start: usize) -> String {
    let mut link = format!("{}{}?", call.base, call.path);
    for name in ["select", "top", "filter", "count", "orderby"] {
        if let Some(value) = call.query.get(name) {
            link.push_str(&format!(
                "${name}={}&",
                utf8_percent_encode(value, NON_ALPHANUMERIC)
            ));
        }
    }
    link.push_str(&format!(
        "$skiptoken={}",
        URL_SAFE_NO_PAD.encode(format!("page {start}"))
    ));
    link
}

fn reads_groups(caller: &Caller) -> Result<(), GraphError> {
    use Permission::{DirectoryReadAll, GroupMemberReadAll, GroupReadAll};
    if caller.has_any(&[GroupMemberReadAll, GroupReadAll, DirectoryReadAll]) {
        Ok(())
    } else {
        Err(GraphError::denied("GroupMember.Read.All"))
    }
}

fn show_group(group: &Group) -> Value {
    json!({ "id": group.id.to_string(), "displayName": group.display_name })
}

/// `GET /groups`
pub(super) fn groups(shell: &Shell, caller: &Caller) -> Result<Reply, GraphError> {
    reads_groups(caller)?;
    let value: Vec<_> = shell.with(|world, _| world.tenant.groups.iter().map(show_group).collect());
    let body = json!({ "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#groups", "value": value });
    Ok(Reply::json(StatusCode::OK, &body))
}

/// `GET /groups/{id}`
pub(super) fn group(
    shell: &Shell,
    caller: &Caller,
    target: Target<'_>,
) -> Result<Reply, GraphError> {
    reads_groups(caller)?;
    shell.with(|world, _| {
        let index = find_group(world, target)?;
        let group = world.tenant.groups.get(index).map(show_group);
        Ok(Reply::json(StatusCode::OK, &group.unwrap_or_default()))
    })
}

/// `GET /groups/{id}/members` and `…/transitiveMembers`, with or without the cast to users.
pub(super) fn members(
    shell: &Shell,
    caller: &Caller,
    target: Target<'_>,
    call: &Call<'_>,
    transitive: bool,
) -> Result<Reply, GraphError> {
    reads_groups(caller)?;
    let users_only = call
        .path
        .to_ascii_lowercase()
        .ends_with("/microsoft.graph.user");
    let fields = selected(caller, &call.query).unwrap_or_else(|_| BASIC_FIELDS.to_vec());
    let start = skip(call)?;
    shell.with(|world, _| {
        let top = top(call, usize::from(world.knobs.page_size))?;
        let index = find_group(world, target)?;
        let own = world.tenant.groups.get(index);
        let members = if transitive {
            transitive_members(&world.tenant.groups, index)
        } else {
            own.map(|group| group.members.clone()).unwrap_or_default()
        };
        let people = members.iter().filter_map(|index| world.tenant.user(*index));
        let mut value: Vec<Value> = people
            .map(|user| {
                let mut shown = show(user, &fields);
                shown.insert("@odata.type".to_owned(), json!("#microsoft.graph.user"));
                Value::Object(shown)
            })
            .collect();
        let inner = own
            .into_iter()
            .flat_map(|group| &group.groups)
            .filter(|_| !users_only);
        value.extend(
            inner
                .filter_map(|index| world.tenant.groups.get(*index))
                .map(|group| {
                    let mut shown = show_group(group);
                    shown["@odata.type"] = json!("#microsoft.graph.group");
                    shown
                }),
        );
        let total = value.len();
        let page: Vec<_> = value.into_iter().skip(start).take(top).collect();
        let mut body = json!({
            "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#directoryObjects",
            "value": page,
        });
        if start.saturating_add(top) < total {
            body["@odata.nextLink"] = json!(next_link(call, start + top));
        }
        Ok(Reply::json(StatusCode::OK, &body))
    })
}

fn find_group(world: &World, target: Target<'_>) -> Result<usize, GraphError> {
    let Target::Id(id) = target else {
        return Err(GraphError::not_in_directory(""));
    };
    let guid = id.parse::<Guid>().ok();
    let found = world
        .tenant
        .groups
        .iter()
        .position(|group| Some(group.id) == guid);
    found.ok_or_else(|| GraphError::not_in_directory(id))
}
