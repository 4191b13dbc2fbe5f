//! Values that unit tests of several modules need.

use presence::{Confidence, Forwarding, Presence, Status, Timestamp};

/// A person who is Busy by the profile of that name, since the epoch.
pub fn busy() -> Presence {
    Presence {
        status: Status::Busy,
        activity: None,
        profile: "Busy".into(),
        forwarding: Forwarding::Off,
        chosen: false,
        appointment: None,
        since: Timestamp::default(),
        profile_since: Timestamp::default(),
        profile_until: None,
        profile_status: Status::Busy,
        confidence: Confidence::Certain,
        without_microphone: None,
    }
}
