//! Appointments: entries in a person's list that put a profile in force (docs/presence-rules.md, "Appointments").

use std::sync::Arc;

use crate::{Status, Timestamp};

/// Number of an appointment in the store; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppointmentId(pub u64);

/// Origin of an appointment. The appointment of a Teams call is not stored: it follows from the call
/// ([`crate::TeamsCall`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AppointmentOrigin {
    /// Made by a person in Offhook.
    Manual,
    /// Read from a calendar; each reading replaces all appointments of the calendar.
    Calendar,
}

impl AppointmentOrigin {
    /// Every origin.
    pub const ALL: [Self; 2] = [Self::Manual, Self::Calendar];

    /// Name in the API and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Calendar => "calendar",
        }
    }
}

/// An appointment. Current from its start until just before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appointment {
    /// Number in the store.
    pub id: AppointmentId,
    /// First moment.
    pub start: Timestamp,
    /// First moment after the appointment.
    pub end: Timestamp,
    /// Subject.
    pub text: Arc<str>,
    /// Colour in a list, as `#rrggbb`.
    pub colour: Arc<str>,
    /// Name of the profile that the appointment puts in force.
    pub profile: Arc<str>,
    /// Status if no active profile has that name.
    pub fallback: Status,
    /// Only the person and assistants may read the text.
    pub private: bool,
    /// Origin.
    pub origin: AppointmentOrigin,
}

/// Colour of an appointment without one.
pub const APPOINTMENT_COLOUR: &str = "#3f51b5";
/// Colour of the appointment of a Teams call.
pub const TEAMS_CALL_COLOUR: &str = "#6264a7";

impl Appointment {
    /// Whether the appointment is current at `now`.
    pub fn is_current(&self, now: Timestamp) -> bool {
        self.start <= now && now < self.end
    }
}
