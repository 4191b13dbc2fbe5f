//! State of the pages: that of the API, and parts that only pages use.

use std::sync::Arc;

use api::{
    ApiState, EventStreams, access::Access, open_id::OpenIdConnect, public_url::PublicUrl,
    sessions::Sessions, sign_in::WrongPasswords,
};
use axum::extract::FromRef;
use runtime::context::Context;
use teams::TeamsHandle;

use crate::demo::Demo;

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
