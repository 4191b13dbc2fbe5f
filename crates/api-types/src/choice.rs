//! The profile that a person chose (`/people/{id}/profile`).

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// The choice of a profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Choice)]
#[serde(deny_unknown_fields)]
pub struct ChoiceBody {
    /// The name of one of the person's profiles; null: back to automatic, as GET answers if none is chosen.
    #[serde(deserialize_with = "required")]
    #[schema(required = true)]
    pub profile: Option<String>,
    /// End of the choice; null: until the person chooses again.
    pub until: Option<String>,
}

/// A field that may be null and may not be absent.
fn required<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(deserializer)
}

/// The chosen profile; all null if none is chosen and the profile is automatic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Chosen)]
pub struct CurrentChoice {
    /// Name of the chosen profile.
    pub profile: Option<String>,
    /// Time of the choice.
    pub since: Option<String>,
    /// End of the choice, if it has one.
    pub until: Option<String>,
}
