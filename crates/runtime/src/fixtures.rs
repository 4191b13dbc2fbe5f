//! Values that unit tests of several modules need.

use presence::{Confidence, Presence, Status, Timestamp};

/// A person who is Busy by the profile of that name, since the epoch.
pub fn busy() -> Presence {
    Presence {
        status: Status::Busy,
        profile: "Busy".into(),
        profile_status: Status::Busy,
        confidence: Confidence::Certain,
        ..Presence::initial(Timestamp::default())
    }
}
