//! Central templates (`/templates`, `/scopes/{scope}/templates`).

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    closed_list::closed_list,
    given::given,
    profile::{ForwardingBody, ProfileBody},
};

closed_list! {
    /// A state in Teams that uses a template.
    TeamsState {
        /// A call.
        Call = "call",
        /// Do not disturb, or presenting.
        DoNotDisturb = "do_not_disturb",
    }
}

/// Templates, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Templates {
    /// The templates.
    pub items: Vec<Template>,
    /// Each name once, in order, as PUT accepts them.
    pub names: Vec<String>,
}

/// A template and its scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Template {
    /// Name and content.
    #[serde(flatten)]
    pub profile: ProfileBody,
    /// The scope of the template.
    pub scope: String,
    /// The scope as a list; empty if only assigned people have the template.
    pub offers: Vec<String>,
    /// Assigned people; for administrators. Location administrators see only people of their location.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub people: Option<Vec<String>>,
    /// Settings that name this template; for administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uses: Option<Vec<String>>,
    /// States in Teams that use this template; for administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub teams_uses: Option<Vec<TeamsUse>>,
}

/// A state in Teams that uses a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TeamsUse {
    /// A call, or Do not disturb.
    #[serde(rename = "use")]
    #[schema(value_type = String)]
    pub state: TeamsState,
    /// The uppermost scopes in which the state uses this template.
    pub scopes: Vec<String>,
    /// Number of people who have the template only by assignment.
    pub people: usize,
}

/// A complete template, to add or to replace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTemplate {
    /// The name; taken from the path where the path has one.
    pub name: Option<String>,
    /// Default: Busy for a new template; a changed one keeps its status.
    pub status: Option<String>,
    /// Call forwarding, a [`ForwardingBody`]. Default: off.
    pub forwarding: Option<Value>,
    /// Text beside the status.
    pub text: Option<String>,
    /// Whether the template can be chosen. Default: yes for a new template; a changed one stays.
    pub active: Option<bool>,
    /// The scope of the template. Default: the organisation for a new template; a changed one stays.
    pub scope: Option<String>,
    /// One entry: the scope. An empty list offers the template only to assigned people.
    pub offers: Option<Vec<String>>,
    /// Ids of the people to assign the template to.
    pub people: Option<Vec<String>>,
}

/// Changes of a template. Absent fields stay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TemplateChange {
    /// Status while the template is in effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Call forwarding while the template is in effect; null: off.
    #[serde(
        default,
        deserialize_with = "given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<Value>)]
    pub forwarding: Option<Option<ForwardingBody>>,
    /// Text beside the status; null: the name.
    #[serde(
        default,
        deserialize_with = "given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>)]
    pub text: Option<Option<String>>,
    /// Whether the template can be chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// The scope to move the template to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// One entry: the scope. An empty list offers the template only to assigned people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offers: Option<Vec<String>>,
    /// Ids of the people to assign the template to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub people: Option<Vec<String>>,
}

/// An edit to preview: a change of fields, or a deletion.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = TemplateEditBody)]
#[serde(deny_unknown_fields)]
pub struct TemplateEdit {
    /// Deletes the template.
    #[serde(default)]
    pub delete: bool,
    /// Changes the template, or adds it if there is none of this name.
    pub change: Option<TemplateChange>,
}

/// Effects of an edit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TemplatePreview {
    /// Number of people with another profile of this name after the edit.
    pub people: usize,
    /// Names of the first of these people in the caller's administration.
    pub names: Vec<String>,
    /// Uses that would be left without a profile of this name: the edit is refused while there are any.
    pub lost_uses: Vec<String>,
}

/// Scope of the template for Teams.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TeamsTemplate {
    /// Default: the organisation.
    pub scope: Option<String>,
}
