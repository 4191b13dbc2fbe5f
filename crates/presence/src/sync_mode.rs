//! Synchronisation mode of a person with Teams.

/// Kinds of presence that cross between Teams and Offhook (docs/presence-rules.md, "Teams synchronisation
/// modes").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SyncMode {
    /// Nothing crosses.
    #[default]
    None,
    /// Calls and Do not disturb, both ways.
    TelephonyAndPresence,
    /// Calls only, both ways.
    TelephonyOnly,
}

impl SyncMode {
    /// Every mode.
    pub const ALL: [Self; 3] = [Self::None, Self::TelephonyAndPresence, Self::TelephonyOnly];

    /// Name in the API and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::TelephonyAndPresence => "telephony_and_presence",
            Self::TelephonyOnly => "telephony_only",
        }
    }

    /// The mode called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }

    /// Whether calls cross.
    pub const fn telephony(self) -> bool {
        !matches!(self, Self::None)
    }

    /// Whether Do not disturb crosses.
    pub const fn presence(self) -> bool {
        matches!(self, Self::TelephonyAndPresence)
    }
}
