//! People (`/people`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A page of people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PeoplePage {
    /// The people, in a fixed order.
    pub items: Vec<PersonBody>,
    /// Cursor of the next page.
    pub next: Option<String>,
}

/// A person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Person)]
#[serde(rename_all = "camelCase")]
pub struct PersonBody {
    /// Number, never reused.
    pub id: String,
    /// The name that people see.
    pub name: String,
    /// Mail address; empty if unknown.
    pub mail: String,
    /// Sign-in name at Microsoft; empty if unknown.
    pub user_principal_name: String,
    /// The person's lines on the PBX.
    pub lines: Vec<LineBody>,
}

/// A line on the PBX.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Line)]
pub struct LineBody {
    /// Extension.
    pub extension: String,
}

/// Fields of a person. In a change, absent fields stay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewPerson {
    /// The name that people see. Required for a new person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    /// Sign-in name at Microsoft.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_principal_name: Option<String>,
    /// All lines of the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<NewLine>>,
}

/// A line on the PBX to give to a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLine {
    /// Extension.
    pub extension: String,
}

/// Data of the event `person-removed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PersonRemoved {
    /// Id of the person.
    pub person: String,
}
