//! Appointments: entries in a person's list that put a profile in force while they last.

use std::sync::Arc;

use crate::{Status, Timestamp};

/// Names an appointment within the store; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppointmentId(pub u64);

/// Who made an appointment. Those of Teams calls are not kept as appointments: they follow from the call
/// ([`crate::TeamsCall`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AppointmentOrigin {
    /// A person, here.
    Manual,
    /// A calendar; replaced as a whole whenever the calendar is read.
    Calendar,
}

impl AppointmentOrigin {
    /// Every origin.
    pub const ALL: [Self; 2] = [Self::Manual, Self::Calendar];

    /// The name that API and store use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Calendar => "calendar",
        }
    }
}

/// One entry of the list. Current from its start until just before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appointment {
    /// Its name.
    pub id: AppointmentId,
    /// When it begins.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    /// What it is about.
    pub text: Arc<str>,
    /// Its colour in a list, as `#rrggbb`.
    pub colour: Arc<str>,
    /// The name of the profile that it puts in force.
    pub profile: Arc<str>,
    /// The status where no such profile exists (any more).
    pub fallback: Status,
    /// Only assistants and the person may read the text.
    pub private: bool,
    /// Who made it.
    pub origin: AppointmentOrigin,
}

/// The colour of an appointment that names none.
pub const APPOINTMENT_COLOUR: &str = "#3f51b5";
/// The colour of the appointment of a Teams call.
pub const TEAMS_CALL_COLOUR: &str = "#6264a7";

impl Appointment {
    /// Whether it lasts at `now`.
    pub fn is_current(&self, now: Timestamp) -> bool {
        self.start <= now && now < self.end
    }
}
