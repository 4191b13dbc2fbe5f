//! The words that knobs have as their values.

use serde::{Deserialize, Serialize};

/// Declares an enum of the words a knob may have, spelled in camel case in JSON; the first is the default.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $(#[$first_meta:meta])* $first:ident, $($(#[$variant_meta:meta])* $variant:ident),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[non_exhaustive]
        pub enum $name { $(#[$first_meta])* #[default] $first, $($(#[$variant_meta])* $variant),* }
    };
}

choice! {
    /// What happens to something the sources disagree about.
    Policy {
        /// Taken as it is.
        Accept,
        /// Refused.
        Refuse,
    }
}
choice! {
    /// Which of several sessions of one rank is shown.
    TieBreak {
        /// The one whose statement changed last.
        Latest,
        /// The one whose statement has stood longest.
        Earliest,
    }
}
choice! {
    /// What `setPresence` does with pairs that only Teams itself shows (`InAMeeting`, `OutOfOffice`).
    CalendarPairs {
        /// 400 `InvalidArgument`.
        Refuse,
        /// 200 without any effect, as the prose of the documentation has it.
        Ignore,
    }
}
choice! {
    /// What a bulk read does with ids that name nobody or are no GUIDs.
    UnknownId {
        /// Leaves them out.
        Omit,
        /// Lists them as `PresenceUnknown`.
        PresenceUnknown,
        /// Refuses the whole call with 404.
        NotFound,
        /// Refuses the whole call with 400.
        BadRequest,
    }
}
choice! {
    /// What happens to an expiry that lies too far ahead.
    LongExpiry {
        /// 400.
        Refuse,
        /// It is cut to the longest.
        Clamp,
    }
}
choice! {
    /// What an identical write does.
    IdenticalWrite {
        /// Nothing anybody sees.
        Silent,
        /// Moves `sequenceNumber` and notifies.
        Notify,
    }
}
choice! {
    /// How an application's `Busy/InACall` is read back.
    EchoActivity {
        /// As it was written.
        InACall,
        /// As `Busy/Busy`, as before March 2025.
        Busy,
    }
}
choice! {
    /// The activity that focus time is read as, beside `DoNotDisturb`.
    Focusing {
        /// Its own word, as listed since 2025.
        Focusing,
        /// `DoNotDisturb`, as seen in 2023.
        DoNotDisturb,
    }
}
choice! {
    /// Whether calendars show while nobody is signed in.
    CalendarAlone {
        /// They do not: `Offline`.
        Offline,
        /// They do.
        Show,
    }
}
choice! {
    /// How presence calls take a user principal name in place of the object id.
    PrincipalName {
        /// 404.
        NotFound,
        /// 400.
        BadRequest,
        /// Like the id.
        Accept,
    }
}
choice! {
    /// Which list of values reads and notifications take their words from.
    ValueList {
        /// `Busy/InACall`: every example there is.
        Pascal,
        /// The list of December 2025: lower camel case, calls under availability.
        List2025,
    }
}
choice! {
    /// The shape of validation tokens.
    TokenStyle {
        /// Issuer of version 2.0 and `azp`.
        V2,
        /// Issuer of version 1.0 and `appid`.
        V1,
    }
}
choice! {
    /// The form of `Retry-After`.
    RetryAfter {
        /// Whole seconds.
        Integer,
        /// With a fraction.
        Decimal,
        /// No header.
        Missing,
    }
}
choice! {
    /// How latencies of notifications are spread.
    Spread {
        /// Many short ones, few long ones.
        Exponential,
        /// All alike.
        Fixed,
    }
}
choice! {
    /// The cloud the tenant is in.
    Cloud {
        /// The worldwide one.
        Global,
        /// US Government L4: presence, but no notifications.
        UsGov,
        /// US Government L5: presence, but no notifications.
        UsGovDod,
        /// 21Vianet: no presence at all.
        China,
    }
}
choice! {
    /// What a later round of a delta lists of a person who has changed.
    DeltaItems {
        /// All fields that are selected.
        Whole,
        /// The id and the fields that have changed, as for `Prefer: return=minimal`.
        Changed,
    }
}
choice! {
    /// How a delta link that has expired is refused.
    ExpiredDelta {
        /// 410 with the address to start over at.
        Gone,
        /// 400 `Directory_ExpiredPageToken`.
        BadRequest,
        /// 404.
        NotFound,
    }
}
choice! {
    /// What calls about the presence of people without Teams are answered.
    WithoutTeams {
        /// As those about everybody else.
        Accept,
        /// 404; bulk reads list them as `PresenceUnknown`.
        NotFound,
        /// 403; bulk reads list them as `PresenceUnknown`.
        Forbidden,
    }
}
choice! {
    /// The type of `expires_in` beside tokens.
    ExpiresIn {
        /// A number, as RFC 6749 has it.
        Number,
        /// A text, as Entra's older endpoint writes it.
        Text,
    }
}
