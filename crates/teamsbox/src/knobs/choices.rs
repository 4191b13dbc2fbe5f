//! Values of knobs.

use serde::{Deserialize, Serialize};

/// Declares an enum of the values of a knob, in camel case in JSON; the first one is the default.
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
    /// Treatment of a request about which the sources disagree.
    Policy {
        /// Accepted.
        Accept,
        /// Refused.
        Refuse,
    }
}
choice! {
    /// The shown session among several of one rank.
    TieBreak {
        /// The one that changed last.
        Latest,
        /// The one that has not changed for the longest time.
        Earliest,
    }
}
choice! {
    /// Treatment of `setPresence` with pairs that only Teams itself sets (`InAMeeting`, `OutOfOffice`).
    CalendarPairs {
        /// 400 `InvalidArgument`.
        Refuse,
        /// 200 without any effect, as in the text of the documentation.
        Ignore,
    }
}
choice! {
    /// Treatment of ids in a bulk read that name no person or are not GUIDs.
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
    /// Treatment of an expiry that is too late.
    LongExpiry {
        /// 400.
        Refuse,
        /// Reduced to the longest lifetime.
        Clamp,
    }
}
choice! {
    /// Effect of an identical write.
    IdenticalWrite {
        /// No visible effect.
        Silent,
        /// Moves `sequenceNumber` and notifies.
        Notify,
    }
}
choice! {
    /// The pair that is read for an application's `Busy/InACall`.
    EchoActivity {
        /// The written pair.
        InACall,
        /// `Busy/Busy`, as before March 2025.
        Busy,
    }
}
choice! {
    /// The activity that is read for focus time, with the availability `DoNotDisturb`.
    Focusing {
        /// `Focusing`, as documented since 2025.
        Focusing,
        /// `DoNotDisturb`, as seen in 2023.
        DoNotDisturb,
    }
}
choice! {
    /// Effect of the calendar while no client is signed in.
    CalendarAlone {
        /// None: the person is `Offline`.
        Offline,
        /// The calendar's pair is shown.
        Show,
    }
}
choice! {
    /// Treatment of a user principal name instead of the object id in presence calls.
    PrincipalName {
        /// 404.
        NotFound,
        /// 400.
        BadRequest,
        /// Accepted like the id.
        Accept,
    }
}
choice! {
    /// The list of values that reads and notifications use.
    ValueList {
        /// `Busy/InACall`, as in every documented example.
        Pascal,
        /// The list of December 2025: lower camel case, calls under availability.
        List2025,
    }
}
choice! {
    /// The version of validation tokens.
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
    /// The distribution of the latencies of notifications.
    Spread {
        /// Many short ones, few long ones.
        Exponential,
        /// All equal.
        Fixed,
    }
}
choice! {
    /// The cloud of the tenant.
    Cloud {
        /// The worldwide cloud.
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
    /// The fields of a changed person in a later round of a delta query.
    DeltaItems {
        /// All selected fields.
        Whole,
        /// The id and the changed fields, as with `Prefer: return=minimal`.
        Changed,
    }
}
choice! {
    /// The error of an expired delta link.
    ExpiredDelta {
        /// 410 with the address of a new first round.
        Gone,
        /// 400 `Directory_ExpiredPageToken`.
        BadRequest,
        /// 404.
        NotFound,
    }
}
choice! {
    /// The answer to calls about the presence of people without Teams.
    WithoutTeams {
        /// The same as for all other people.
        Accept,
        /// 404; bulk reads list them as `PresenceUnknown`.
        NotFound,
        /// 403; bulk reads list them as `PresenceUnknown`.
        Forbidden,
    }
}
choice! {
    /// The type of `expires_in` in token answers.
    ExpiresIn {
        /// A number (RFC 6749, section 5.1).
        Number,
        /// A text, as Entra's older endpoint writes it.
        Text,
    }
}
