//! State of the API's routes. A handler extracts the parts that it uses (`State<Context>`, `State<Jobs>`, …), so that its
//! signature shows its dependencies.

use std::{collections::BTreeMap, sync::Arc};

use ::directory::DirectorySync;
use axum::extract::FromRef;
use gateway::{
    agents::{Agents, PairingCodes},
    calendars::Calendars,
};
use ipnet::IpNet;
use presence::TenantName;
use runtime::{context::Context, store_health::StoreHealth};
use teams::TeamsHandle;
use tokio::sync::watch;

use super::{
    appointments::AppointmentLocks,
    directory::DirectorySyncs,
    doctor::Examination,
    events::{EventStreams, Tokens},
};
use crate::{
    access::Access, change_limit::ChangeLimit, client_ip::TrustedProxies,
    installation_check::Doctor, jobs::Jobs, preconditions::Preconditions, public_url::PublicUrl,
    restores::Restores, revocations::Revocations, sessions::Sessions, sign_in::WrongPasswords,
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

/// The parts from which an [`ApiState`] is made.
#[derive(Debug)]
pub struct ApiOptions<'a> {
    /// Store, clock, people, organisation, engine and events.
    pub context: Context,
    /// The connections to the tenants of Teams.
    pub teams: TeamsHandle,
    /// Synchronisations of people with directories, by tenant.
    pub directory_syncs: BTreeMap<TenantName, DirectorySync>,
    /// Calendars of people.
    pub calendars: Calendars,
    /// Connected desktop agents.
    pub agents: Agents,
    /// The API key in the configuration file.
    pub api_key: Option<&'a str>,
    /// The check of the installation, if the server has a configuration file.
    pub doctor: Option<Doctor>,
    /// Requests to restore a backup, if this process restores any.
    pub restores: Option<Restores>,
    /// Networks of reverse proxies in front of the server.
    pub proxies: Vec<IpNet>,
    /// The address at which people open the pages, without a slash at the end.
    pub public_url: String,
    /// True when the server stops.
    pub stopping: watch::Receiver<bool>,
}

impl ApiState {
    /// Makes the state of all routes.
    ///
    /// # Errors
    /// The operating system gave no random numbers.
    pub fn new(options: ApiOptions<'_>) -> Result<Self, getrandom::Error> {
        let context = options.context;
        let public_url = PublicUrl::new(options.public_url);
        let access = Access::new(&context, options.api_key);
        let (jobs, revocations) = (Jobs::default(), Revocations::default());
        Ok(Self(Arc::new(ApiParts {
            event_streams: EventStreams {
                tokens: Arc::new(Tokens::new()?),
                access: access.clone(),
                revocations: revocations.clone(),
                stopping: options.stopping,
            },
            sessions: Sessions::new(context.clone(), public_url.clone(), revocations.clone()),
            preconditions: Arc::new(Preconditions::new(context.clone(), jobs.clone())),
            examination: Arc::new(Examination::new(options.doctor)),
            codes: Arc::default(),
            wrong_passwords: Arc::default(),
            change_limit: Arc::default(),
            appointment_locks: AppointmentLocks::default(),
            proxies: TrustedProxies(options.proxies.into()),
            directory_syncs: Arc::new(options.directory_syncs),
            restores: options.restores,
            teams: options.teams,
            calendars: options.calendars,
            agents: options.agents,
            access,
            jobs,
            revocations,
            public_url,
            context,
        })))
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
