//! The tenants of an emulator: the first one and the further ones.

use std::{
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
};

use axum::extract::FromRef;

use crate::{
    clock::Agenda,
    config::{Config, NewTenant},
    courier,
    duration::Milliseconds,
    error::{ControlError, ControlErrorKind},
    guid::Guid,
    host::Host,
    keys::Keys,
    shell::{Shell, Template},
};

/// The most tenants.
const TENANTS_MAX: usize = 100;

/// All tenants of an emulator, in the order in which they were added. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Tenants(Arc<List>);

struct List {
    host: Arc<Host>,
    /// The settings of new tenants.
    template: Template,
    /// The tenant of requests that name none.
    first: Arc<Shell>,
    further: RwLock<Vec<Arc<Shell>>>,
}

impl Tenants {
    /// Starts the first tenant at `address`.
    ///
    /// # Errors
    /// The id is not a GUID, or a setting is invalid.
    pub(crate) fn start(
        config: &Config,
        first: &NewTenant,
        keys: Keys,
        address: SocketAddr,
    ) -> Result<Self, ControlError> {
        let host = Arc::new(Host::new(config, keys, address));
        let template = Template {
            knobs: config.knobs.clone(),
            register_unknown_apps: config.register_unknown_apps,
        };
        let first = Arc::new(Shell::new(Arc::clone(&host), &template, first)?);
        let list = Arc::new(List {
            host,
            template,
            first,
            further: RwLock::default(),
        });
        let agenda = Arc::downgrade(&list);
        list.host.clock.set_agenda(agenda);
        start(&list.first);
        Ok(Self(list))
    }

    /// Adds a tenant and starts its tasks.
    ///
    /// # Errors
    /// The id is not a GUID or is taken, a setting is invalid, or there are too many tenants.
    pub(crate) fn add(&self, new: &NewTenant) -> Result<Arc<Shell>, ControlError> {
        let shell = Arc::new(Shell::new(Arc::clone(&self.0.host), &self.0.template, new)?);
        let mut further = self
            .0
            .further
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let clash = |other: &Arc<Shell>| other.guid == shell.guid || other.domain == shell.domain;
        if clash(&self.0.first) || further.iter().any(clash) {
            return Err(ControlError::new(
                ControlErrorKind::Conflict,
                "tenant",
                &new.tenant_id,
                "or its domain is already taken",
                "choose another id and domain",
            ));
        }
        if further.len() + 1 >= TENANTS_MAX {
            let remedy = "start another emulator";
            return Err(ControlError::invalid(
                "tenant",
                &new.tenant_id,
                "exceeds the limit",
                remedy,
            ));
        }
        further.push(Arc::clone(&shell));
        drop(further);
        start(&shell);
        Ok(shell)
    }

    /// The tenant of requests that name none.
    pub(crate) fn first(&self) -> &Arc<Shell> {
        &self.0.first
    }

    /// All tenants, the first one first.
    pub(crate) fn all(&self) -> Vec<Arc<Shell>> {
        self.0.all()
    }

    /// The tenant with an id.
    pub(crate) fn by_id(&self, id: Guid) -> Option<Arc<Shell>> {
        self.all().into_iter().find(|shell| shell.guid == id)
    }

    /// The tenant that a segment of an address names: by id or domain. With a single tenant every segment names it.
    pub(crate) fn by_segment(&self, segment: &str) -> Option<Arc<Shell>> {
        let tenants = self.all();
        let named = |shell: &&Arc<Shell>| {
            shell.tenant_id.eq_ignore_ascii_case(segment)
                || shell.domain.eq_ignore_ascii_case(segment)
        };
        let found = tenants.iter().find(named);
        let general = ["common", "organizations"]
            .iter()
            .any(|word| word.eq_ignore_ascii_case(segment));
        let fallback = if general || tenants.len() == 1 {
            tenants.first()
        } else {
            None
        };
        found.or(fallback).cloned()
    }

    /// Stops the tasks of all tenants.
    pub(crate) fn stop(&self) {
        for shell in self.all() {
            shell.stop();
        }
    }
}

impl FromRef<Tenants> for Arc<Shell> {
    /// Handlers that know a single tenant get the first one.
    fn from_ref(tenants: &Tenants) -> Self {
        Arc::clone(tenants.first())
    }
}

impl List {
    fn all(&self) -> Vec<Arc<Shell>> {
        let further = self.further.read().unwrap_or_else(PoisonError::into_inner);
        std::iter::once(&self.first)
            .chain(&*further)
            .cloned()
            .collect()
    }
}

/// Starts the tasks of a tenant: deadlines, and delivery of notifications.
fn start(shell: &Arc<Shell>) {
    shell.own(tokio::spawn(Arc::clone(shell).keep_time()).abort_handle());
    shell.own(tokio::spawn(courier::run(Arc::clone(shell))).abort_handle());
}

impl Agenda for List {
    fn outstanding(&self) -> usize {
        let count = |shell: &Arc<Shell>| shell.with(|world, now| world.outbox.outstanding(now));
        self.all().iter().map(count).sum()
    }

    fn next_due(&self) -> Option<Milliseconds> {
        let next = |shell: &Arc<Shell>| shell.with(|world, _| world.next_delivery());
        self.all().iter().filter_map(next).min()
    }

    fn abandon(&self) {
        for shell in self.all() {
            shell.with(|world, _| world.outbox.abandon());
        }
    }
}
