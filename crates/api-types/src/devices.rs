//! Machines of a person with a desktop agent (`/people/{id}/devices`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The machines of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Devices {
    /// The machines.
    pub items: Vec<DeviceBody>,
}

/// A machine with an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Device)]
pub struct DeviceBody {
    /// Id, which is no secret.
    pub id: String,
    /// Name of the machine.
    pub name: String,
    /// `linux`, `macos` or `windows`.
    pub system: String,
    /// Time of the pairing.
    pub created: String,
    /// Time when the agent connected; null if it is not connected.
    pub connected_since: Option<String>,
    /// The agent's version.
    pub version: Option<String>,
    /// Programs that use the microphone, the first to start first.
    pub reporting: Vec<String>,
    /// End of the pause that the person asked for.
    pub paused_until: Option<String>,
}

/// A code to enter on the machine that is being paired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = PairingCode)]
pub struct CodeBody {
    /// The code, which can be used once.
    pub code: String,
    /// End of its validity.
    pub until: String,
    /// Command to enter on the machine.
    pub command: String,
}

/// A pause of the reports of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DevicePause)]
pub struct PauseBody {
    /// End of the pause; null: reports continue now.
    pub paused_until: Option<String>,
}
