//! A person's Teams account, as far as it can be reached.

/// State of a person's Teams account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TeamsAccount {
    /// None was found.
    #[default]
    None,
    /// The person's presence is read and written there.
    Linked,
    /// It was found, and cannot be reached.
    Unreachable(Unreachable),
}

/// Why a Teams account that was found cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unreachable {
    /// The person's own login is gone: it was not remembered over a restart, or Microsoft asks for a new one.
    LoginEnded,
    /// Complete answers of Microsoft leave the account out (domain section 5).
    Missing,
}

impl TeamsAccount {
    /// Of a person with or without an account, before anything else is known.
    pub const fn found(is_linked: bool) -> Self {
        if is_linked { Self::Linked } else { Self::None }
    }

    /// Whether an account was found.
    pub const fn is_linked(self) -> bool {
        !matches!(self, Self::None)
    }

    /// Whether Teams is a source about the person. A missing account is none, like no account.
    pub const fn is_source(self) -> bool {
        match self {
            Self::None | Self::Unreachable(Unreachable::Missing) => false,
            Self::Linked | Self::Unreachable(Unreachable::LoginEnded) => true,
        }
    }
}
