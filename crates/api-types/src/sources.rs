//! Reports of sources by HTTP (`/people/{id}/meetings/{meeting}`, `/people/{id}/clients/{client}`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A meeting in which the person takes part, outside Teams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Meeting)]
#[serde(deny_unknown_fields)]
pub struct MeetingBody {
    /// Whether the person takes part with audio.
    pub audio: bool,
    /// Whether the person shares the screen.
    #[serde(default)]
    pub screen: bool,
}

/// A running client of the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Client)]
#[serde(deny_unknown_fields)]
pub struct ClientBody {
    /// One of [`presence::ClientState::ALL`] by name; the server explains other words.
    pub state: String,
    /// Start of the state. Default: now.
    pub since: Option<String>,
}
