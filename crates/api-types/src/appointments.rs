//! Appointments of a person (`/people/{id}/appointments`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::closed_list::closed_list;

closed_list! {
    /// Origin of an appointment.
    AppointmentOrigin {
        /// Entered in Offhook.
        Manual = "manual",
        /// Read from the person's calendar feed.
        Calendar = "calendar",
        /// A call in Teams, which lasts.
        Teams = "teams",
    }
}

impl From<presence::AppointmentOrigin> for AppointmentOrigin {
    fn from(origin: presence::AppointmentOrigin) -> Self {
        match origin {
            presence::AppointmentOrigin::Manual => Self::Manual,
            presence::AppointmentOrigin::Calendar => Self::Calendar,
        }
    }
}

/// A page of appointments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Appointments {
    /// The appointments, by start.
    pub items: Vec<AppointmentBody>,
    /// Cursor of the next page.
    pub next: Option<String>,
}

/// An appointment. Fields that the viewer may not see are absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Appointment)]
pub struct AppointmentBody {
    /// Number, or `teams-call`.
    pub id: String,
    /// First moment.
    pub start: String,
    /// First moment after the appointment; null while a call lasts.
    pub end: Option<String>,
    /// Subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Colour in the timetable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<String>,
    /// Name of the profile during the appointment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Whether only assistants read the subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private: Option<bool>,
    /// Origin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub origin: Option<AppointmentOrigin>,
}

/// An appointment to enter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAppointment {
    /// First moment.
    pub start: String,
    /// First moment after the appointment.
    pub end: String,
    /// Subject.
    pub text: String,
    /// Name of one of the person's profiles. Default: `Appointment`.
    pub profile: Option<String>,
    /// Colour in the timetable, like `#0b5cad`.
    pub colour: Option<String>,
    /// Whether only assistants read the subject.
    #[serde(default)]
    pub private: bool,
}
