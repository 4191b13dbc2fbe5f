//! The running emulator: start, stop, and the actions of the library.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{Method, Uri},
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::{
    calendar::CalendarKind,
    clock::Clock,
    config::{Config, DEFAULT_DOMAIN, NewTenant, NewUser, StartError},
    connection::{Cut, Listener},
    control, entra,
    error::{ControlError, ControlErrorKind},
    graph,
    keys::Keys,
    knobs::{Knobs, milliseconds},
    shell::Shell,
    state::{UserState, UserSummary},
    tenants::Tenants,
    tls::Identity,
    user::CallKind,
    value::Device,
};

/// Timeout for open requests when the emulator stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// A running tenant in a box. Dropping it stops it.
pub struct Teamsbox {
    tenants: Tenants,
    shell: Arc<Shell>,
    stop: Stop,
    server: Option<JoinHandle<()>>,
    authority: Option<String>,
}

/// The way to stop the listener.
enum Stop {
    Plain(Option<oneshot::Sender<()>>),
    Tls(axum_server::Handle<SocketAddr>),
}

impl Teamsbox {
    /// Starts listening.
    ///
    /// # Errors
    /// The address is in use, a setting is invalid, or the operating system returned no random numbers for keys.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let listen = config.listen;
        let in_use = |source| StartError::Listen {
            address: listen,
            source,
        };
        let listener = TcpListener::bind(listen).await.map_err(in_use)?;
        let address = listener.local_addr().map_err(in_use)?;
        let keys = tokio::task::spawn_blocking(Keys::generate).await;
        let keys = keys.map_err(|error| StartError::Key(error.to_string()))??;
        let first = NewTenant {
            tenant_id: config.tenant_id.clone(),
            domain: DEFAULT_DOMAIN.to_owned(),
            apps: config.apps.clone(),
            users: config.users.clone(),
        };
        let tenants = Tenants::start(&config, &first, keys, address)?;
        for tenant in &config.further_tenants {
            tenants.add(tenant).inspect_err(|_| tenants.stop())?;
        }
        let routes = routes(tenants.clone());
        if config.tls {
            let identity = Identity::new(listen.ip()).inspect_err(|_| tenants.stop())?;
            let listener = listener.into_std().map_err(in_use)?;
            let handle = axum_server::Handle::new();
            let server = identity.serve(listener, handle.clone(), routes)?;
            return Ok(Self {
                shell: Arc::clone(tenants.first()),
                tenants,
                stop: Stop::Tls(handle),
                server: Some(server),
                authority: Some(identity.authority),
            });
        }
        let (stop, stopped) = oneshot::channel::<()>();
        let routes = routes.into_make_service_with_connect_info::<Cut>();
        let server = axum::serve(Listener(listener), routes).with_graceful_shutdown(async {
            // A dropped sender also means stop.
            let _ = stopped.await;
        });
        let server = tokio::spawn(async {
            if let Err(error) = server.await {
                tracing::error!(%error, "the emulator stopped listening");
            }
        });
        Ok(Self {
            shell: Arc::clone(tenants.first()),
            tenants,
            stop: Stop::Plain(Some(stop)),
            server: Some(server),
            authority: None,
        })
    }

    /// The address of the listener.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.shell.host.address
    }

    /// The base URL, such as `http://127.0.0.1:8300`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.shell.host.scheme, self.address())
    }

    /// The certificate of the TLS authority in PEM, which clients are to trust; `None` without TLS.
    #[must_use]
    pub fn authority_pem(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// The clock of all tenants.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        self.shell.clock()
    }

    /// Id of the first tenant.
    #[must_use]
    pub fn tenant_id(&self) -> &str {
        &self.shell.tenant_id
    }

    /// All people of the first tenant.
    #[must_use]
    pub fn users(&self) -> Vec<UserSummary> {
        self.shell.users()
    }

    /// The complete state of a person of the first tenant, by object id or user principal name, as in all calls below.
    ///
    /// # Errors
    /// There is no such person, also in all calls below.
    pub fn user_state(&self, id: &str) -> Result<UserState, ControlError> {
        self.shell.user_state(id)
    }

    /// Creates a person.
    ///
    /// # Errors
    /// Id or name are taken or invalid.
    pub fn create_user(&self, new: &NewUser) -> Result<UserState, ControlError> {
        self.shell.create_user(new)
    }

    /// Signs a client in.
    ///
    /// # Errors
    /// There is no such person.
    pub fn sign_in(&self, id: &str, device: Device) -> Result<UserState, ControlError> {
        self.shell.sign_in(id, device)
    }

    /// Signs one client or all clients out. Their sessions end after the grace period, or at once.
    ///
    /// # Errors
    /// There is no such person.
    pub fn sign_out(
        &self,
        id: &str,
        device: Option<Device>,
        at_once: bool,
    ) -> Result<UserState, ControlError> {
        self.shell.sign_out(id, device, at_once)
    }

    /// Starts an audio or video call, or changes the running one.
    ///
    /// # Errors
    /// There is no such person, or both sides are the same.
    pub fn start_call(
        &self,
        id: &str,
        kind: CallKind,
        with: Option<&str>,
    ) -> Result<UserState, ControlError> {
        self.shell.start_call(id, kind, with)
    }

    /// Ends the call for both sides; nothing happens without one.
    ///
    /// # Errors
    /// There is no such person.
    pub fn end_call(&self, id: &str) -> Result<UserState, ControlError> {
        self.shell.end_call(id)
    }

    /// Shares the screen, in the running call or without one.
    ///
    /// # Errors
    /// There is no such person, or both sides are the same.
    pub fn start_sharing(&self, id: &str, with: Option<&str>) -> Result<UserState, ControlError> {
        self.shell.start_sharing(id, with)
    }

    /// Stops sharing; nothing happens without it.
    ///
    /// # Errors
    /// There is no such person.
    pub fn stop_sharing(&self, id: &str) -> Result<UserState, ControlError> {
        self.shell.stop_sharing(id)
    }

    /// Sets the status manually, as the Teams menu does.
    ///
    /// # Errors
    /// There is no such person, the pair cannot be set, or the duration is not ISO 8601.
    pub fn set_manual(
        &self,
        id: &str,
        availability: &str,
        activity: Option<&str>,
        expiration_duration: Option<&str>,
    ) -> Result<UserState, ControlError> {
        self.shell
            .set_manual(id, availability, activity, expiration_duration)
    }

    /// Resets the manual status.
    ///
    /// # Errors
    /// There is no such person.
    pub fn clear_manual(&self, id: &str) -> Result<UserState, ControlError> {
        self.shell.clear_manual(id)
    }

    /// Adds an entry to a person's calendar that begins now; returns its id.
    ///
    /// # Errors
    /// There is no such person, or the calendar is full.
    pub fn plan(
        &self,
        id: &str,
        kind: CalendarKind,
        lasts: Duration,
        subject: &str,
    ) -> Result<u64, ControlError> {
        let planned = self
            .shell
            .plan(id, kind, None, milliseconds(lasts), subject)?;
        Ok(planned.0)
    }

    /// The present knobs.
    #[must_use]
    pub fn knobs(&self) -> Knobs {
        self.shell.with(|world, _| world.knobs.clone())
    }

    /// Sets the knobs.
    ///
    /// # Errors
    /// A value is invalid.
    pub fn set_knobs(&self, knobs: Knobs) -> Result<(), ControlError> {
        knobs.check()?;
        self.shell.set_knobs(knobs);
        Ok(())
    }

    /// Stops the emulator. Open requests have two seconds to finish.
    pub async fn stop(mut self) {
        self.ask_to_stop();
        if let Some(mut server) = self.server.take()
            && tokio::time::timeout(STOP_TIMEOUT, &mut server)
                .await
                .is_err()
        {
            server.abort();
        }
    }

    fn ask_to_stop(&mut self) {
        match &mut self.stop {
            Stop::Plain(stop) => drop(stop.take()),
            Stop::Tls(handle) => handle.graceful_shutdown(Some(STOP_TIMEOUT)),
        }
        self.tenants.stop();
    }
}

impl Drop for Teamsbox {
    fn drop(&mut self) {
        self.ask_to_stop();
    }
}

fn routes(tenants: Tenants) -> Router {
    Router::new()
        .merge(control::router(Arc::clone(tenants.first())))
        .merge(graph::router())
        .merge(entra::router(tenants.clone()))
        .fallback(nothing_here)
        .layer(DefaultBodyLimit::max(graph::BODY_BYTES_MAX))
        .with_state(tenants)
}

async fn nothing_here(method: Method, uri: Uri) -> ControlError {
    ControlError::new(
        ControlErrorKind::NotFound,
        "path",
        uri.path(),
        format!("takes no {method} here"),
        "Graph is at /v1.0, Entra at /{tenant}/oauth2/v2.0/token, the control plane at /box/v1, the page at /",
    )
}
