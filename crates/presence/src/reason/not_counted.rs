//! Reasons why a state of Teams, or a request in Offhook, does not count (docs/presence-rules.md, "What does not
//! count").

use std::fmt;

use crate::Slot;

/// Reason why a signal or a request does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NotCounted {
    /// The mode is `none`: nothing crosses between Teams and Offhook.
    ModeNone,
    /// The mode is `telephony_only`, and Teams shows Do not disturb.
    DoNotDisturbInTeams,
    /// The mode is `telephony_only`, and a choice or an appointment in Offhook requests Do not disturb.
    DoNotDisturbHere,
    /// No Teams account was found for the person.
    NoAccount,
    /// The person's sign-in at Microsoft has ended.
    LoginEnded,
    /// Microsoft's answers leave the account out.
    AccountMissing,
    /// Microsoft refused a write to the slot.
    WriteRefused(Slot),
}

impl NotCounted {
    /// Every reason.
    pub const ALL: [Self; 8] = [
        Self::ModeNone,
        Self::DoNotDisturbInTeams,
        Self::DoNotDisturbHere,
        Self::NoAccount,
        Self::LoginEnded,
        Self::AccountMissing,
        Self::WriteRefused(Slot::Session),
        Self::WriteRefused(Slot::Preferred),
    ];

    /// Stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::ModeNone => "mode-none",
            Self::DoNotDisturbInTeams => "do-not-disturb-in-teams-not-carried",
            Self::DoNotDisturbHere => "do-not-disturb-here-not-carried",
            Self::NoAccount => "no-teams-account",
            Self::LoginEnded => "teams-login-ended",
            Self::AccountMissing => "teams-account-missing",
            Self::WriteRefused(Slot::Session) => "session-refused",
            Self::WriteRefused(Slot::Preferred) => "preferred-refused",
        }
    }
}

impl fmt::Display for NotCounted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ModeNone => {
                "the synchronisation mode of this person is none: nothing crosses between Teams and Offhook"
            }
            Self::DoNotDisturbInTeams => {
                "Do not disturb in Teams does not count in the mode telephony_only"
            }
            Self::DoNotDisturbHere => {
                "Do not disturb is not written to Teams in the mode telephony_only"
            }
            Self::NoAccount => "no Teams account was found for this person",
            Self::LoginEnded => {
                "the person's sign-in at Microsoft has ended: it was not kept over a restart, or Microsoft asks for a new one; sign in again under My Teams account"
            }
            Self::AccountMissing => {
                "Teams account missing: Microsoft's answers leave it out; it was probably deleted in Entra"
            }
            Self::WriteRefused(Slot::Session) => {
                "Microsoft refused our app session Busy/InACall: it is not in force in Teams, and Offhook retries"
            }
            Self::WriteRefused(Slot::Preferred) => {
                "Microsoft refused our Do not disturb: it is not in force in Teams, and Offhook retries"
            }
        })
    }
}
