//! State of the pages: that of the API, and parts that only pages use.

use std::sync::Arc;

use api::{
    ApiState, EventStreams, access::Access, open_id::OpenIdConnect, public_url::PublicUrl,
    sessions::Sessions, sign_in::WrongPasswords,
};
use axum::{
    Router,
    extract::FromRef,
    routing::{get, post},
};
use runtime::context::Context;
use teams::TeamsHandle;

use crate::demo::{self, Demo};

/// The state of all pages. Cheap to clone.
#[derive(Clone, Debug)]
pub struct WebState {
    /// The state of the API.
    pub api: ApiState,
    /// Sign-in with OpenID Connect; `None` if none is configured.
    pub open_id: Option<Arc<OpenIdConnect>>,
    /// The demo's controls; `None` outside the demo.
    pub demo: Option<Arc<Demo>>,
}

/// Lets handlers extract a part of the API's state.
macro_rules! part_of_api {
    ($($type:ty),+ $(,)?) => {
        $(impl FromRef<WebState> for $type {
            fn from_ref(state: &WebState) -> Self {
                FromRef::from_ref(&state.api)
            }
        })+
    };
}

part_of_api!(
    Access,
    Context,
    EventStreams,
    PublicUrl,
    Sessions,
    TeamsHandle,
    Arc<WrongPasswords>,
);

impl FromRef<WebState> for Option<Arc<OpenIdConnect>> {
    fn from_ref(state: &WebState) -> Self {
        state.open_id.clone()
    }
}

impl FromRef<WebState> for Option<Arc<Demo>> {
    fn from_ref(state: &WebState) -> Self {
        state.demo.clone()
    }
}

/// The routes of the demo's page. Other servers do not have them.
pub fn demo_routes() -> Router<WebState> {
    Router::new()
        .route("/demo", get(demo::page))
        .route("/demo/devices", get(demo::part))
        .route("/demo/phone", post(demo::press))
        .route("/demo/teams", post(demo::act))
        .route("/demo/view-as", post(demo::view_as))
        .route(
            "/demo/day",
            get(demo::day).put(demo::set_day).post(demo::choose_day),
        )
}
