//! What all tenants of the emulator share: clock, keys, address, the way out, and the list of the tenants.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use axum::http::{HeaderMap, header};

use crate::clock::{Agenda, Clock};
use crate::config::{Config, NewTenant};
use crate::courier;
use crate::duration::Milliseconds;
use crate::error::{ControlError, ControlErrorKind};
use crate::guid::Guid;
use crate::keys::Keys;
use crate::shell::{Shell, Template};

/// Tenants at most.
const TENANTS_MAX: usize = 100;

/// Everything tenants share.
pub(crate) struct Estate {
    /// Time.
    pub(crate) clock: Clock,
    /// Token keys.
    pub(crate) keys: Keys,
    /// `http` or `https`.
    pub(crate) scheme: &'static str,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Further host names of the control plane, in lower case.
    pub(crate) allowed_hosts: Vec<String>,
    /// What later tenants start with.
    template: Template,
    /// The first is the one that is meant when none is named. Emptied at the end: tenants hold the estate.
    tenants: RwLock<Vec<Arc<Shell>>>,
    http: OnceLock<Option<reqwest::Client>>,
}

impl Estate {
    /// Sets up what tenants share; the tenants come with [`Estate::add`].
    pub(crate) fn new(config: &Config, keys: Keys, address: SocketAddr) -> Arc<Self> {
        let estate = Arc::new(Self {
            clock: Clock::new(config.clock, config.clock_start),
            keys,
            scheme: if config.tls { "https" } else { "http" },
            address,
            allowed_hosts: config
                .allowed_hosts
                .iter()
                .map(|host| host.to_lowercase())
                .collect(),
            template: Template {
                knobs: config.knobs.clone(),
                register_unknown_apps: config.register_unknown_apps,
            },
            tenants: RwLock::default(),
            http: OnceLock::new(),
        });
        let agenda = Arc::downgrade(&estate);
        estate.clock.set_agenda(agenda);
        estate
    }

    /// Adds a tenant and starts what runs for it.
    ///
    /// # Errors
    /// When the id is no GUID or taken, a setting makes no sense, or there are too many.
    pub(crate) fn add(self: &Arc<Self>, new: &NewTenant) -> Result<Arc<Shell>, ControlError> {
        let shell = Arc::new(Shell::new(Arc::clone(self), &self.template, new)?);
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        let clash = |other: &Arc<Shell>| other.guid == shell.guid || other.domain == shell.domain;
        if tenants.iter().any(clash) {
            return Err(ControlError::new(
                ControlErrorKind::Conflict,
                "tenant",
                &new.tenant_id,
                "or its domain is already taken",
                "choose another id and domain",
            ));
        }
        if tenants.len() >= TENANTS_MAX {
            let remedy = "start another emulator";
            return Err(ControlError::invalid(
                "tenant",
                &new.tenant_id,
                "is one too many",
                remedy,
            ));
        }
        tenants.push(Arc::clone(&shell));
        drop(tenants);
        Shell::start(&shell);
        Ok(shell)
    }

    /// All tenants, the first one first.
    pub(crate) fn tenants(&self) -> Vec<Arc<Shell>> {
        self.tenants
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The tenant with an id.
    pub(crate) fn by_id(&self, id: Guid) -> Option<Arc<Shell>> {
        self.tenants().into_iter().find(|shell| shell.guid == id)
    }

    /// The tenant an address segment stands for: id or domain. With one tenant alone every segment stands for it.
    pub(crate) fn by_segment(&self, segment: &str) -> Option<Arc<Shell>> {
        let tenants = self.tenants();
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

    /// The base address as a request named it.
    pub(crate) fn base(&self, headers: &HeaderMap) -> String {
        let host = headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok());
        match host {
            Some(host) => format!("{}://{host}", self.scheme),
            None => format!("{}://{}", self.scheme, self.address),
        }
    }

    /// The way out, made when it is first needed; `None` if it cannot be made.
    pub(crate) fn http(&self) -> Option<&reqwest::Client> {
        let made = self.http.get_or_init(|| {
            courier::http_client()
                .inspect_err(|error| tracing::error!(%error, "notifications cannot be sent"))
                .ok()
        });
        made.as_ref()
    }

    /// The end: nothing runs any more, and nothing is held.
    pub(crate) fn stop(&self) {
        for shell in
            std::mem::take(&mut *self.tenants.write().unwrap_or_else(PoisonError::into_inner))
        {
            shell.stop();
        }
    }
}

impl Agenda for Estate {
    fn outstanding(&self) -> usize {
        let count = |shell: &Arc<Shell>| shell.with(|world, now| world.outbox.outstanding(now));
        self.tenants().iter().map(count).sum()
    }

    fn next_due(&self) -> Option<Milliseconds> {
        let next = |shell: &Arc<Shell>| shell.with(|world, _| world.next_delivery());
        self.tenants().iter().filter_map(next).min()
    }

    fn abandon(&self) {
        for shell in self.tenants() {
            shell.with(|world, _| world.outbox.abandon());
        }
    }
}
