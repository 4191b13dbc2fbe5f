//! My Profiles (`/people/{id}/profiles`).

use presence::{Origin, Profile, Status};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::core_name;

/// A person's profiles, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Profiles {
    /// The profiles.
    pub items: Vec<ProfileBody>,
    /// Each name once, in order, as PUT accepts them.
    pub names: Vec<String>,
}

/// A profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Profile)]
pub struct ProfileBody {
    /// The name, which never changes.
    pub name: String,
    /// Status while the profile is in effect.
    #[serde(with = "core_name")]
    #[schema(value_type = String)]
    pub status: Status,
    /// Call forwarding while the profile is in effect.
    pub forwarding: ForwardingBody,
    /// Text beside the status; null: the name.
    pub text: Option<String>,
    /// Whether the person or an administrator made the profile.
    #[serde(with = "core_name")]
    #[schema(value_type = String)]
    pub origin: Origin,
    /// Whether the profile can be chosen.
    pub active: bool,
}

/// The call forwarding of a profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Forwarding)]
#[serde(deny_unknown_fields)]
pub struct ForwardingBody {
    /// One of [`presence::Forwarding::KINDS`]; the server explains other words.
    pub kind: String,
    /// Extension, number or SIP address, for the kinds `all`, `internal` and `external`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// Fields of a profile that a request sets. The name never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProfile {
    /// The name; taken from the path where the path has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Status, as entered: the server explains unknown words.
    pub status: String,
    /// Call forwarding. Default: off.
    pub forwarding: Option<ForwardingBody>,
    /// Text beside the status.
    pub text: Option<String>,
    /// Default: a new profile is active, a changed one stays as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
}

impl From<&Profile> for ProfileBody {
    fn from(profile: &Profile) -> Self {
        let target = profile.forwarding.target();
        Self {
            name: profile.name.to_string(),
            status: profile.status,
            forwarding: ForwardingBody {
                kind: profile.forwarding.kind().into(),
                target: target.map(|target| target.name().to_owned()),
            },
            text: profile.text.as_deref().map(str::to_owned),
            origin: profile.origin,
            active: profile.is_usable(),
        }
    }
}

/// The order of profiles or templates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Order)]
#[serde(deny_unknown_fields)]
pub struct OrderBody {
    /// All names, the first first.
    pub names: Vec<String>,
}
