//! Graph's JSON, as far as it is read. Unknown members are ignored; nothing but ids is required.

use serde::Deserialize;

/// One person's presence as `getPresencesByUserId` gives it. Availability and activity are Graph's own words.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct UserPresence {
    /// Entra object id.
    pub id: String,
    /// Base state; a person about whom Graph says nothing must not spoil the answer about the others.
    pub availability: Option<String>,
    /// Supplement to it.
    pub activity: Option<String>,
    /// Grows with each change of the person's, in the order of bytes.
    #[serde(rename = "sequenceNumber")]
    pub sequence_number: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Presences {
    pub(crate) value: Vec<UserPresence>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct ErrorBody {
    #[serde(default)]
    pub(crate) error: ErrorDetail,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct ErrorDetail {
    #[serde(default)]
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) message: String,
}
