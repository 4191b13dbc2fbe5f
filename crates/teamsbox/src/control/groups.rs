//! Groups of people.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::object;
use crate::{
    directory::Group,
    error::{ControlError, ControlErrorKind},
    guid::Guid,
    shell::Shell,
    world::World,
};

/// The most groups of a tenant.
const GROUPS_MAX: usize = 10_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct GroupBody {
    id: Option<String>,
    display_name: String,
    #[serde(default)]
    members: Vec<String>,
    #[serde(default)]
    groups: Vec<String>,
}

/// `GET /box/v1/groups`
pub(super) async fn list(State(shell): State<Arc<Shell>>) -> Json<Vec<Value>> {
    Json(shell.with(|world, _| {
        world
            .tenant
            .groups
            .iter()
            .map(|group| describe(world, group))
            .collect()
    }))
}

/// `POST /box/v1/groups`
pub(super) async fn create(
    State(shell): State<Arc<Shell>>,
    body: Bytes,
) -> Result<Response, ControlError> {
    let body: GroupBody = object(&body)?;
    let described = shell.with(|world, _| {
        let id = match &body.id {
            Some(id) => id.clone(),
            None => Guid::random().map(|id| id.to_string()).unwrap_or_default(),
        };
        if find(world, &id).is_ok() || world.tenant.groups.len() >= GROUPS_MAX {
            let (kind, remedy) = (
                ControlErrorKind::Conflict,
                "choose another id, or change it with PUT",
            );
            return Err(ControlError::new(
                kind,
                "id",
                &id,
                "is already taken, or exceeds the limit",
                remedy,
            ));
        }
        let group = read(world, &id, &body)?;
        let described = describe(world, &group);
        world.tenant.groups.push(group);
        Ok(described)
    })?;
    Ok((StatusCode::CREATED, Json(described)).into_response())
}

/// `PUT /box/v1/groups/{id}`: replaces name and members.
pub(super) async fn replace(
    State(shell): State<Arc<Shell>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, ControlError> {
    let body: GroupBody = object(&body)?;
    shell.with(|world, _| {
        let index = find(world, &id)?;
        let group = read(world, &id, &body)?;
        let described = describe(world, &group);
        if let Some(slot) = world.tenant.groups.get_mut(index) {
            *slot = group;
        }
        Ok(Json(described))
    })
}

fn find(world: &World, id: &str) -> Result<usize, ControlError> {
    let guid = id.parse::<Guid>().ok();
    let found = world
        .tenant
        .groups
        .iter()
        .position(|group| Some(group.id) == guid);
    found.ok_or_else(|| {
        let remedy = "take one from GET /box/v1/groups, or create the group";
        ControlError::new(
            ControlErrorKind::NotFound,
            "group",
            id,
            "is not the id of a group",
            remedy,
        )
    })
}

fn read(world: &World, id: &str, body: &GroupBody) -> Result<Group, ControlError> {
    let id = id.parse().map_err(|_| {
        ControlError::invalid(
            "id",
            id,
            "is not a GUID",
            "give a GUID, or leave the id out to get a random one",
        )
    })?;
    let members: BTreeSet<_> = body
        .members
        .iter()
        .map(|member| world.tenant.find_any(member))
        .collect::<Result<_, _>>()?;
    let groups: BTreeSet<_> = body
        .groups
        .iter()
        .map(|group| find(world, group))
        .collect::<Result<_, _>>()?;
    Ok(Group {
        id,
        display_name: body
            .display_name
            .chars()
            .take(256)
            .collect::<String>()
            .into(),
        members,
        groups,
    })
}

fn describe(world: &World, group: &Group) -> Value {
    let members = group
        .members
        .iter()
        .filter_map(|index| world.tenant.user(*index));
    let groups = group
        .groups
        .iter()
        .filter_map(|index| world.tenant.groups.get(*index));
    json!({
        "id": group.id.to_string(),
        "displayName": group.display_name,
        "members": members.map(|user| &*user.id).collect::<Vec<_>>(),
        "groups": groups.map(|group| group.id.to_string()).collect::<Vec<_>>(),
    })
}
