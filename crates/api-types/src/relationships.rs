//! Relationships of viewers to a person, and workgroups (`/people/{id}/relationships`, `/workgroups`).

use presence::Relationship;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::core_name;

/// A page of relationships that the owner set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Relationships {
    /// The relationships.
    pub items: Vec<RelationshipBody>,
    /// Cursor of the next page.
    pub next: Option<String>,
}

/// The relationship of a viewer to the owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Relationship)]
pub struct RelationshipBody {
    /// Id of the viewer.
    pub viewer: String,
    /// The owner's own setting.
    #[serde(with = "core_name::optional")]
    #[schema(value_type = Option<String>)]
    pub own: Option<Relationship>,
    /// The relationship in effect, with workgroups and the default of the owner's scope.
    #[serde(with = "core_name")]
    #[schema(value_type = String)]
    pub level: Relationship,
}

/// A relationship to set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Level)]
#[serde(deny_unknown_fields)]
pub struct LevelBody {
    /// The relationship, as entered: the server explains unknown words.
    pub level: String,
}

/// A page of workgroups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Workgroups {
    /// The workgroups, by name.
    pub items: Vec<WorkgroupBody>,
    /// Cursor of the next page.
    pub next: Option<String>,
}

/// People who see each other at a level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Workgroup)]
pub struct WorkgroupBody {
    /// Number, never reused.
    pub id: String,
    /// Name, which members see as a heading of their board.
    pub name: String,
    /// Relationship of each member to each other.
    #[serde(with = "core_name")]
    #[schema(value_type = String)]
    pub level: Relationship,
    /// Ids of people.
    pub members: Vec<String>,
}

/// A workgroup to add, or to put in the place of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWorkgroup {
    /// Name.
    pub name: String,
    /// Relationship of each member to each other, as entered: the server explains unknown words.
    pub level: String,
    /// Ids of people.
    pub members: Vec<String>,
}

/// Permissions of the caller for an owner, for pages that show them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Permissions {
    /// The caller's relationship to the person from TeamColleague on; else null. For a blocked viewer, the relationship
    /// without the block, which the viewer must not notice; attempts are refused.
    #[serde(with = "core_name::optional")]
    #[schema(value_type = Option<String>)]
    pub level: Option<Relationship>,
    /// Whether the caller may pick up the person's ringing calls.
    pub pick_up: bool,
    /// Whether the caller may choose a profile for the person.
    pub change_profile: bool,
    /// Whether the caller may change the person's profiles and their forwarding.
    pub change_forwarding: bool,
    /// Whether the caller may change the person's appointments.
    pub change_appointments: bool,
}
