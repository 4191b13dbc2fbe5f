//! Teams accounts: object id, tenant, and the state of a person's account.

use std::{
    fmt,
    sync::{Arc, LazyLock},
};

/// Entra object id of a Teams account, in lower case. Microsoft sends GUIDs in either case, and spreadsheets and
/// administrators copy them in either: two spellings of one id are equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TeamsUserId(Arc<str>);

impl TeamsUserId {
    /// The id with this text, with ASCII letters in lower case. The text is not checked to be a GUID: Entra decides which ids
    /// exist.
    pub fn new(text: &str) -> Self {
        Self(match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => text.to_ascii_lowercase().into(),
            false => text.into(),
        })
    }

    /// The id as text in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as shared text in lower case.
    pub const fn as_shared(&self) -> &Arc<str> {
        &self.0
    }
}

impl From<&str> for TeamsUserId {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Display for TeamsUserId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Name of a tenant in the configuration. Case is significant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantName(Arc<str>);

impl TenantName {
    /// Name of the tenant in `[teams]`. People in locations without a tenant belong to it.
    pub const MAIN: &'static str = "main";

    /// The tenant of this name. The configuration decides whether it exists.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The tenant in `[teams]`.
    pub fn main() -> &'static Self {
        static MAIN: LazyLock<TenantName> = LazyLock::new(|| TenantName::new(TenantName::MAIN));
        &MAIN
    }

    /// Whether this is the tenant in `[teams]`.
    pub fn is_main(&self) -> bool {
        *self.0 == *Self::MAIN
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for TenantName {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl fmt::Display for TenantName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// State of a person's Teams account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TeamsAccount {
    /// The person has no account.
    #[default]
    None,
    /// Offhook reads and writes the person's presence.
    Linked,
    /// The person has an account that cannot be reached.
    Unreachable(Unreachable),
}

/// Reason why a Teams account cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unreachable {
    /// The person's own sign-in has ended: it was not kept over a restart, or Microsoft asks for a new one.
    LoginEnded,
    /// Complete answers of Microsoft leave the account out (docs/presence-rules.md, "Accounts that are
    /// missing").
    Missing,
}

impl TeamsAccount {
    /// State at the start of the process.
    pub const fn found(is_linked: bool) -> Self {
        if is_linked { Self::Linked } else { Self::None }
    }

    /// Whether the person has an account.
    pub const fn is_linked(self) -> bool {
        !matches!(self, Self::None)
    }

    /// Whether Teams is a source about the person. A missing account is not, like no account.
    pub const fn is_source(self) -> bool {
        match self {
            Self::None | Self::Unreachable(Unreachable::Missing) => false,
            Self::Linked | Self::Unreachable(Unreachable::LoginEnded) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{TeamsUserId, TenantName};

    #[test]
    fn spellings_of_an_object_id_are_equal() {
        let id = TeamsUserId::new("8F2C7E11-0000-4ABC-9def-0123456789ab");
        assert_eq!(id, TeamsUserId::new("8f2c7e11-0000-4abc-9DEF-0123456789AB"));
        assert_eq!(id.to_string(), "8f2c7e11-0000-4abc-9def-0123456789ab");
        assert_ne!(id, TeamsUserId::new("8f2c7e11-0000-4abc-9def-0123456789ac"));
        // A Kelvin sign is no k: another text is another account.
        assert_ne!(TeamsUserId::new("\u{212A}"), TeamsUserId::new("k"));
    }

    #[test]
    fn only_the_tenant_in_teams_is_the_main_one() {
        assert!(TenantName::main().is_main() && TenantName::new("main").is_main());
        assert!(!TenantName::new("Main").is_main());
    }
}
