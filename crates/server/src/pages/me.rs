//! A person's own pages.

mod appointments;
mod devices;
mod now;
mod password;
mod profiles;
mod settings;
mod sharing;
mod timetable;

use axum::Router;

pub(super) use profiles::{moved, movers};
pub(super) use sharing::{SharingOf, levels};

use super::place;
use crate::app::Shared;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/me", place::<now::Now>())
        .route("/me/profiles", place::<profiles::Profiles>())
        .route("/me/appointments", place::<appointments::Appointments>())
        .route("/me/sharing", place::<sharing::Sharing>())
        .route("/me/password", place::<password::Password>())
        .route("/me/devices", place::<devices::Devices>())
        .route("/me/settings", place::<settings::Settings>())
}
