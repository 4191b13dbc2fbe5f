//! A person's Teams account (`/people/{id}/teams-account`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::closed_list::closed_list;

closed_list! {
    /// Kind of sign-in in a tenant.
    TenantSignIn {
        /// The application reads and writes the presence of all people.
        Application = "application",
        /// Each person signs in.
        People = "people",
    }
}

/// State of a person's Teams account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TeamsAccount {
    /// The tenant of the person's location.
    pub tenant: String,
    /// Kind of sign-in in the tenant: `application` or `people`; null if the tenant is not configured.
    #[schema(value_type = Option<String>)]
    pub sign_in: Option<TenantSignIn>,
    /// Entra object id of the linked account.
    pub account: Option<String>,
    /// Sign-in name (UPN) of the linked account, if known.
    pub sign_in_name: Option<String>,
    /// Display name of the linked account, if known.
    pub display_name: Option<String>,
    /// Whether the person's own login is valid; null if there is none.
    pub signed_in: Option<bool>,
    /// Whether the login is kept across restarts.
    pub remembered: Option<bool>,
    /// Problem and remedy.
    pub trouble: Option<String>,
    /// A pending sign-in by code.
    pub waiting: Option<TeamsAccountCode>,
    /// An account that signed in and waits for confirmation.
    pub question: Option<TeamsAccountQuestion>,
}

/// Code and address of a pending sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TeamsAccountCode {
    /// The code to enter.
    pub user_code: String,
    /// The address at Microsoft where the code is entered.
    pub verification_uri: String,
    /// End of the code's validity.
    pub until: String,
}

/// An account that signed in at Microsoft and does not match the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TeamsAccountQuestion {
    /// Entra object id.
    pub account: String,
    /// Sign-in name (UPN) of the account.
    pub sign_in_name: Option<String>,
    /// Display name of the account.
    pub display_name: Option<String>,
    /// Name of another person who has the account's sign-in name in Offhook.
    pub name_of: Option<String>,
    /// Time until which the question can be answered.
    pub until: String,
    /// Value for the answer, valid in this session only.
    pub confirmation: String,
}

/// Answer to a [`TeamsAccountQuestion`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TeamsAccountAnswer {
    /// `confirmation` of the question.
    pub confirmation: String,
    /// True: link the account to the person; false: discard the sign-in.
    pub link: bool,
}

/// Request for a sign-in at Microsoft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TeamsAccountSignIn {
    /// Whether to keep the login across restarts ("Stay signed in"), sealed.
    #[serde(default)]
    pub remember: bool,
}

/// An account to link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TeamsAccountLink {
    /// Object id or sign-in name of the account in Entra; null only if no account is linked: DELETE unlinks one.
    pub account: Option<String>,
}
