//! State of a person's Teams account.

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
