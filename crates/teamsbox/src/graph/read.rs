//! Reading presence: one person, or up to 650 in one request.

use std::fmt;

use axum::body::Bytes;
use percent_encoding::percent_decode_str;
use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};

use super::error::GraphError;
use super::{Reply, write};
use crate::guid::Guid;
use crate::keys::Caller;
use crate::shell::Shell;
use crate::user::sequence_text;
use crate::value::{Activity, Availability};

/// People per bulk read.
pub(crate) const IDS_MAX: usize = 650;

/// About what one person takes in a bulk reply; the buffer is made once for all.
const ITEM_BYTES: usize = 192;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Presence<'a> {
    #[serde(rename = "@odata.context")]
    context: String,
    id: &'a str,
    availability: Availability,
    activity: Activity,
    out_of_office_settings: OutOfOffice,
    status_message: Option<()>,
    work_location: WorkLocation,
    sequence_number: String,
}

/// Nobody is out of office yet; calendars are not emulated.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OutOfOffice {
    message: Option<()>,
    is_out_of_office: bool,
}

/// The body of a person who never said where the work is done.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WorkLocation {
    place_id: Option<()>,
    source: &'static str,
    work_location_type: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DirectoryUser<'a> {
    #[serde(rename = "@odata.context")]
    context: &'static str,
    id: &'a str,
    display_name: &'a str,
    user_principal_name: &'a str,
    mail: &'a str,
}

/// `GET /users/{id}`: unlike presence, the directory also takes the sign-in name. `$select` is not needed: there are no
/// other fields yet.
pub(super) fn user(shell: &Shell, caller: &Caller, id: &str) -> Result<Reply, GraphError> {
    if !caller.reads_directory {
        return Err(GraphError::forbidden("User.ReadBasic.All or User.Read.All"));
    }
    let name = percent_decode_str(id).decode_utf8_lossy();
    shell.with(|world, _| {
        let index = world.tenant.find_any(&name).ok();
        let found = index.and_then(|index| world.tenant.user(index));
        let user = found.ok_or_else(|| GraphError::unknown_user(&name))?;
        let reply = DirectoryUser {
            context: "https://graph.microsoft.com/v1.0/$metadata#users/$entity",
            id: &user.id,
            display_name: &user.display_name,
            user_principal_name: &user.user_principal_name,
            mail: &user.user_principal_name,
        };
        let body = serde_json::to_vec(&reply)
            .map_err(|error| GraphError::unreadable(error.to_string()))?;
        Ok(Reply::ok(body))
    })
}

/// `GET /users/{id}/presence`
pub(super) fn presence(shell: &Shell, caller: &Caller, id: &str) -> Result<Reply, GraphError> {
    may_read(caller)?;
    let guid: Guid = id.parse().map_err(|_| GraphError::unknown_user(id))?;
    shell.with(|world, now| {
        let moment = world.faults.lag().map(|lag| now - lag);
        let index = world.tenant.find(guid);
        let found = index
            .and_then(|index| Some((world.tenant.user(index)?, world.tenant.read(index, moment)?)));
        let (user, (shown, sequence)) = found.ok_or_else(|| GraphError::unknown_user(id))?;
        let presence = Presence {
            context: format!(
                "https://graph.microsoft.com/v1.0/$metadata#users('{}')/presence/$entity",
                user.id
            ),
            id: &user.id,
            availability: shown.availability,
            activity: shown.activity,
            out_of_office_settings: OutOfOffice {
                message: None,
                is_out_of_office: false,
            },
            status_message: None,
            work_location: WorkLocation {
                place_id: None,
                source: "none",
                work_location_type: "unspecified",
            },
            sequence_number: sequence_text(sequence),
        };
        let body = serde_json::to_vec(&presence)
            .map_err(|error| GraphError::unreadable(error.to_string()))?;
        Ok(Reply::ok(body).of_user(guid))
    })
}

#[derive(Deserialize)]
struct BulkRequest {
    ids: Option<Vec<ListedId>>,
}

/// An id of the list; what is no GUID names nobody.
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

/// `POST /communications/getPresencesByUserId`. Ids that name nobody are left out of the reply.
pub(super) fn presences(shell: &Shell, caller: &Caller, body: &Bytes) -> Result<Reply, GraphError> {
    may_read(caller)?;
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
    let with_sequence = shell.knobs.bulk_sequence_number;
    let mut separator: &[u8] = b"";
    shell.with(|world, now| {
        let moment = world.faults.lag().map(|lag| now - lag);
        for index in ids.iter().filter_map(|id| world.tenant.find(id.0?)) {
            let (Some(user), Some((shown, sequence))) =
                (world.tenant.user(index), world.tenant.read(index, moment))
            else {
                continue;
            };
            // Ids are GUIDs and the words are fixed, so nothing here needs escaping.
            for part in [
                separator,
                br#"{"id":""#,
                user.id.as_bytes(),
                br#"","availability":""#,
                shown.availability.as_str().as_bytes(),
                br#"","activity":""#,
                shown.activity.as_str().as_bytes(),
                br#"","outOfOfficeSettings":{"message":null,"isOutOfOffice":false}"#,
            ] {
                reply.extend_from_slice(part);
            }
            if with_sequence {
                reply.extend_from_slice(
                    format!(r#","sequenceNumber":"{}""#, sequence_text(sequence)).as_bytes(),
                );
            }
            reply.push(b'}');
            separator = b",";
        }
    });
    reply.extend_from_slice(b"]}");
    Ok(Reply {
        count: Some(ids.len()),
        ..Reply::ok(reply)
    })
}

fn may_read(caller: &Caller) -> Result<(), GraphError> {
    if caller.reads {
        Ok(())
    } else {
        Err(GraphError::forbidden(
            "Presence.Read.All or Presence.ReadWrite.All",
        ))
    }
}
