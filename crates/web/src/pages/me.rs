//! Personal pages.

mod appointments;
mod devices;
mod now;
mod password;
mod preview;
mod profiles;
mod settings;
mod sharing;
mod timetable;

use axum::Router;
pub(super) use profiles::{moved, movers};
pub(super) use sharing::{SharingOf, levels};

use super::page;
use crate::web_state::WebState;

pub(super) fn routes() -> Router<WebState> {
    Router::new()
        .route("/me", page::<now::Now>())
        .route("/me/profiles", page::<profiles::Profiles>())
        .route("/me/appointments", page::<appointments::Appointments>())
        .route("/me/sharing", page::<sharing::Sharing>())
        .route("/me/password", page::<password::Password>())
        .route("/me/devices", page::<devices::Devices>())
        .route("/me/settings", page::<settings::Settings>())
}
