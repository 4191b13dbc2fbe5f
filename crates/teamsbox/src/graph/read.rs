//! Reads of presence: one person, or up to 650 in one request.

use std::fmt;

use axum::{body::Bytes, http::StatusCode};
use percent_encoding::percent_decode_str;
use serde::{
    Deserialize,
    de::{Deserializer, Error, Visitor},
};
use serde_json::{Value, json};

use super::{Reply, error::GraphError, route::Target, write};
use crate::{
    duration::{Milliseconds, timestamp},
    guid::Guid,
    knobs::{self, Cloud, Knobs, PrincipalName, UnknownId, WithoutTeams},
    permissions::Caller,
    shell::Shell,
    user::{Past, User, sequence_text},
    value::Shown,
    wording::{spell_activity, spell_availability},
    world::World,
};

/// The permissions for reads, for error texts.
const READ_NEEDS: &str = "Presence.Read.All or Presence.ReadWrite.All";

/// The most people of a bulk read.
pub(crate) const IDS_MAX: usize = 650;

/// Bytes of one person in a bulk answer, to allocate the buffer once.
const ITEM_BYTES: usize = 192;

/// The person that an id in the path or `/me` names.
pub(super) fn target(
    world: &World,
    caller: &Caller,
    target: Target<'_>,
) -> Result<(usize, Guid), GraphError> {
    let id = match target {
        Target::Me => return myself(world, caller),
        Target::Id(id) => id,
        Target::Nobody => "",
    };
    let text = percent_decode_str(id).decode_utf8_lossy();
    let found = match (text.parse::<Guid>(), world.knobs.principal_name) {
        (Ok(guid), _) => world.tenant.find(guid).map(|index| (index, guid)),
        (Err(_), PrincipalName::NotFound) => None,
        (Err(_), PrincipalName::BadRequest) => {
            let message = format!(
                "'{}' is not an object id.",
                text.chars().take(200).collect::<String>()
            );
            return Err(GraphError::unreadable(message));
        }
        (Err(_), PrincipalName::Accept) => {
            let found = world.tenant.find_any(&text).ok();
            found.and_then(|index| Some((index, world.tenant.user(index)?.guid)))
        }
    };
    let (index, guid) = found.ok_or_else(|| GraphError::unknown_user(&text))?;
    match without_teams(world, index) {
        WithoutTeams::Accept => Ok((index, guid)),
        WithoutTeams::NotFound => Err(GraphError::unknown_user(&text).of_user(guid)),
        WithoutTeams::Forbidden => {
            let message = "The user has no licence for Teams.";
            let error = GraphError::new(StatusCode::FORBIDDEN, "Forbidden", message);
            Err(error.of_user(guid))
        }
    }
}

/// The answer to calls about a person's presence, by the knobs for guests and for people without a licence.
fn without_teams(world: &World, index: usize) -> WithoutTeams {
    // Profiles are read only if a knob requires it: a bulk read calls this 650 times.
    if [world.knobs.guests, world.knobs.unlicensed] == [WithoutTeams::Accept; 2] {
        return WithoutTeams::Accept;
    }
    let Some(user) = world.tenant.user(index) else {
        return WithoutTeams::Accept;
    };
    let names = user.names();
    if user.profile.is_guest(&names) {
        world.knobs.guests
    } else if !user.profile.is_licensed(&names) {
        world.knobs.unlicensed
    } else {
        WithoutTeams::Accept
    }
}

fn myself(world: &World, caller: &Caller) -> Result<(usize, Guid), GraphError> {
    let user = caller.user.ok_or_else(GraphError::delegated_only)?;
    let index = world.tenant.find(user);
    Ok((index.ok_or_else(|| GraphError::unknown_user("me"))?, user))
}

/// `GET /users/{id}/presence`
pub(super) fn presence(
    shell: &Shell,
    caller: &Caller,
    id: Target<'_>,
) -> Result<Reply, GraphError> {
    shell.with(|world, now| {
        if id == Target::Me && caller.user.is_none() {
            return Err(GraphError::delegated_only());
        }
        if !caller.reads_all() && caller.user.is_none() {
            return Err(GraphError::forbidden(READ_NEEDS));
        }
        let (index, guid) = target(world, caller, id)?;
        if !caller.reads(guid) {
            return Err(GraphError::forbidden(READ_NEEDS).of_user(guid));
        }
        let (Some(user), Some(past)) = (
            world.tenant.user(index),
            world.tenant.read(index, moment(world, now)),
        ) else {
            return Err(GraphError::unknown_user(&guid.to_string()));
        };
        let context = format!(
            "https://graph.microsoft.com/v1.0/$metadata#users('{}')/presence/$entity",
            user.id
        );
        let message = user
            .calendar
            .out_of_office(now)
            .filter(|_| past.out_of_office);
        let mut body = json!({
            "@odata.context": context,
            "id": user.id,
            "availability": spell_availability(past.shown, &world.knobs),
            "activity": spell_activity(past.shown, &world.knobs),
            "statusMessage": status_message(user, caller.user == Some(guid), now),
        });
        if matches!(world.knobs.cloud, Cloud::Global) {
            body["outOfOfficeSettings"] =
                json!({ "message": message, "isOutOfOffice": past.out_of_office });
            body["workLocation"] = work_location(user, now);
            body["sequenceNumber"] = json!(sequence_text(past.sequence));
        }
        Ok(Reply::json(StatusCode::OK, &body).of_user(guid))
    })
}

/// The status message. Its times are shown to the person only.
fn status_message(user: &User, own: bool, now: Milliseconds) -> Value {
    let Some(status) = user.status.as_ref().filter(|status| status.stands(now)) else {
        return Value::Null;
    };
    let mut message = json!({ "message": { "content": status.text, "contentType": "text" } });
    if own {
        message["publishedDateTime"] = json!(timestamp(status.published).to_string());
        if let Some(expiry) = &status.expiry {
            message["expiryDateTime"] =
                json!({ "dateTime": expiry.date_time, "timeZone": expiry.time_zone });
        }
    }
    message
}

fn work_location(user: &User, now: Milliseconds) -> Value {
    match user.location.current(now) {
        Some((source, place)) => {
            json!({ "placeId": place.place_id, "source": source, "workLocationType": place.kind })
        }
        None => json!({ "placeId": null, "source": "none", "workLocationType": "unspecified" }),
    }
}

/// The time of the state that readers see; `None` for the present.
fn moment(world: &World, now: Milliseconds) -> Option<Milliseconds> {
    let lag = world
        .faults
        .lag()
        .unwrap_or(0)
        .max(knobs::milliseconds(world.knobs.read_lag));
    (lag > 0).then_some(now - lag)
}

#[derive(Deserialize)]
struct BulkRequest {
    ids: Option<Vec<ListedId>>,
}

/// An id of the list; `None` if it is not a GUID.
struct ListedId(Option<Guid>);

impl<'de> Deserialize<'de> for ListedId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = ListedId;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object id as a string")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<ListedId, E> {
                Ok(ListedId(text.parse().ok()))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// `POST /communications/getPresencesByUserId`
pub(super) fn presences(shell: &Shell, caller: &Caller, body: &Bytes) -> Result<Reply, GraphError> {
    if !caller.reads_all() {
        return Err(GraphError::forbidden(READ_NEEDS));
    }
    let ids = write::parse::<BulkRequest>(body)?.ids.unwrap_or_default();
    if ids.is_empty() || ids.len() > IDS_MAX {
        let message = format!(
            "ids must list between 1 and {IDS_MAX} object ids; the request lists {}.",
            ids.len()
        );
        return Err(GraphError::unreadable(message));
    }
    let mut reply = Vec::with_capacity(128 + ids.len() * ITEM_BYTES);
    reply.extend_from_slice(
        br#"{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#Collection(microsoft.graph.presence)","value":["#,
    );
    shell.with(|world, now| {
        let moment = moment(world, now);
        let mut first = true;
        for id in &ids {
            let Some(guid) = id.0 else {
                match world.knobs.bulk_unknown_id {
                    UnknownId::Omit | UnknownId::PresenceUnknown => continue,
                    UnknownId::NotFound => return Err(GraphError::unknown_user("no GUID")),
                    UnknownId::BadRequest => return Err(GraphError::unusable_ids()),
                }
            };
            let index = world.tenant.find(guid);
            let found = index.and_then(|index| {
                let past = match without_teams(world, index) {
                    WithoutTeams::Accept => world.tenant.read(index, moment)?,
                    WithoutTeams::NotFound | WithoutTeams::Forbidden => UNKNOWN,
                };
                Some((world.tenant.user(index)?, past))
            });
            let (user, past) = match (found, world.knobs.bulk_unknown_id) {
                (Some((user, past)), _) => (Some(user), past),
                (None, UnknownId::Omit) => continue,
                (None, UnknownId::PresenceUnknown) => (None, UNKNOWN),
                (None, UnknownId::NotFound) => {
                    return Err(GraphError::unknown_user(&guid.to_string()));
                }
                (None, UnknownId::BadRequest) => return Err(GraphError::unusable_ids()),
            };
            if !std::mem::take(&mut first) {
                reply.push(b',');
            }
            write_item(&mut reply, guid, user, &past, &world.knobs, now);
        }
        Ok(())
    })?;
    reply.extend_from_slice(b"]}");
    Ok(Reply {
        count: Some(ids.len()),
        ..Reply::ok(reply)
    })
}

/// The state for ids without a person.
const UNKNOWN: Past = Past {
    at: 0,
    shown: Shown::UNKNOWN,
    out_of_office: false,
    sequence: 0,
};

/// Writes one person of a bulk answer without a serialiser: 650 of them determine the cost of a request.
fn write_item(
    reply: &mut Vec<u8>,
    guid: Guid,
    user: Option<&User>,
    past: &Past,
    knobs: &Knobs,
    now: Milliseconds,
) {
    // Ids are GUIDs and the words are fixed: only the message needs escaping.
    reply.extend_from_slice(br#"{"id":""#);
    match user {
        Some(user) => reply.extend_from_slice(user.id.as_bytes()),
        None => reply.extend_from_slice(guid.to_string().as_bytes()),
    }
    reply.extend_from_slice(br#"","availability":""#);
    reply.extend_from_slice(spell_availability(past.shown, knobs).as_bytes());
    reply.extend_from_slice(br#"","activity":""#);
    reply.extend_from_slice(spell_activity(past.shown, knobs).as_bytes());
    reply.push(b'"');
    if knobs.cloud == Cloud::Global {
        let message = user
            .filter(|_| past.out_of_office)
            .and_then(|user| user.calendar.out_of_office(now));
        let message =
            message.map_or_else(|| "null".to_owned(), |message| json!(message).to_string());
        reply.extend_from_slice(br#","outOfOfficeSettings":{"message":"#);
        reply.extend_from_slice(message.as_bytes());
        let flag: &[u8] = if past.out_of_office {
            br#","isOutOfOffice":true}"#
        } else {
            br#","isOutOfOffice":false}"#
        };
        reply.extend_from_slice(flag);
    }
    if knobs.bulk_sequence_number {
        let stamp = format!(r#","sequenceNumber":"{}""#, sequence_text(past.sequence));
        reply.extend_from_slice(stamp.as_bytes());
    }
    reply.push(b'}');
}
