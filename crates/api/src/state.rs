//! State of the API's routes. A handler extracts the parts that it uses (`State<Context>`, `State<Jobs>`, …), so that its
//! signature shows its dependencies.

use std::sync::Arc;

use axum::extract::FromRef;

use super::{
    appointments::AppointmentLocks, directory::DirectorySyncs, doctor::Examination,
    events::EventStreams,
};
use gateway::{
    agents::{Agents, PairingCodes},
    calendars::Calendars,
};
use runtime::{context::Context, store_health::StoreHealth};
use teams::TeamsHandle;

use crate::{
    access::Access, change_limit::ChangeLimit, client_ip::TrustedProxies, jobs::Jobs,
    preconditions::Preconditions, public_url::PublicUrl, restores::Restores,
    revocations::Revocations, sessions::Sessions, sign_in::WrongPasswords,
};

/// The state of all routes of the API. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ApiState(Arc<ApiParts>);

/// The parts of [`ApiState`].
#[derive(Debug)]
pub struct ApiParts {
    /// Store, clock, people, organisation, engine and events.
    pub context: Context,
    /// The connections to the tenants of Teams.
    pub teams: TeamsHandle,
    /// Synchronisations of people with directories.
    pub directory_syncs: DirectorySyncs,
    /// Calendars of people.
    pub calendars: Calendars,
    /// Connected desktop agents.
    pub agents: Agents,
    /// Codes that pair desktop agents.
    pub codes: Arc<PairingCodes>,
    /// Authentication by API keys and sessions.
    pub access: Access,
    /// Sessions of browsers.
    pub sessions: Sessions,
    /// Revocations of credentials.
    pub revocations: Revocations,
    /// Wrong passwords by account and network.
    pub wrong_passwords: Arc<WrongPasswords>,
    /// Rate limit of changes by account and agent.
    pub change_limit: Arc<ChangeLimit>,
    /// ETags, conditional and repeated changes.
    pub preconditions: Arc<Preconditions>,
    /// Long operations that administrators started.
    pub jobs: Jobs,
    /// Streams of events.
    pub event_streams: EventStreams,
    /// Locks of changes of appointments.
    pub appointment_locks: AppointmentLocks,
    /// The check of the installation.
    pub examination: Arc<Examination>,
    /// Requests to restore a backup; `None` if this process restores none.
    pub restores: Option<Restores>,
    /// Reverse proxies in front of the server.
    pub proxies: TrustedProxies,
    /// The address at which people open the pages.
    pub public_url: PublicUrl,
}

impl ApiState {
    /// The state of these parts.
    pub fn new(parts: ApiParts) -> Self {
        Self(Arc::new(parts))
    }

    /// The parts.
    pub fn parts(&self) -> &ApiParts {
        &self.0
    }
}

/// Lets handlers extract a part of [`ApiState`].
macro_rules! part {
    ($type:ty, $($field:ident).+) => {
        impl FromRef<ApiState> for $type {
            fn from_ref(state: &ApiState) -> Self {
                state.0.$($field).+.clone()
            }
        }
    };
}

part!(Context, context);
part!(StoreHealth, context.store_health);
part!(TeamsHandle, teams);
part!(DirectorySyncs, directory_syncs);
part!(Calendars, calendars);
part!(Agents, agents);
part!(Arc<PairingCodes>, codes);
part!(Access, access);
part!(Sessions, sessions);
part!(Revocations, revocations);
part!(Arc<WrongPasswords>, wrong_passwords);
part!(Arc<ChangeLimit>, change_limit);
part!(Arc<Preconditions>, preconditions);
part!(Jobs, jobs);
part!(EventStreams, event_streams);
part!(AppointmentLocks, appointment_locks);
part!(Arc<Examination>, examination);
part!(Option<Restores>, restores);
part!(TrustedProxies, proxies);
part!(PublicUrl, public_url);
