//! The way to each tenant: its client, and everybody's logins where people sign in by themselves.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::future::BoxFuture;
use graph::{Client, GraphError};
use store::Store;

use super::{AccountSearch, Logins, LoginsOf, SignIn, TeamsOptions};
use crate::{clock::Clock, context::PeopleObserver, people_index::Person, vault::Vault};

/// The way to one tenant. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TenantClient {
    /// Its name here.
    pub name: Arc<str>,
    /// Its client.
    pub client: Arc<Client>,
    /// Where people sign in by themselves.
    pub logins: Option<Logins>,
    /// Searches for accounts of people without one.
    pub search: AccountSearch,
}

/// All of them, by name. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct TenantClients(Arc<BTreeMap<Arc<str>, TenantClient>>);

impl TenantClients {
    /// Opens none yet: nothing is sent.
    ///
    /// # Errors
    /// The TLS library could not be set up.
    pub fn new(
        tenants: &[TeamsOptions],
        store: &Store,
        vault: Option<&Arc<Vault>>,
        clock: &Clock,
    ) -> Result<Self, GraphError> {
        let mut doors = BTreeMap::new();
        for tenant in tenants {
            let client = Arc::new(Client::new(tenant.client.clone())?);
            let logins = (tenant.sign_in == SignIn::People).then(|| {
                Logins::new(
                    LoginsOf::People,
                    &tenant.name,
                    client.clone(),
                    store.clone(),
                    vault.cloned(),
                    clock.clone(),
                )
            });
            let name = tenant.name.clone();
            let door = TenantClient {
                name: name.clone(),
                client,
                logins,
                search: AccountSearch::default(),
            };
            doors.insert(name, door);
        }
        Ok(Self(Arc::new(doors)))
    }

    /// That of one tenant.
    pub fn get(&self, name: &str) -> Option<&TenantClient> {
        self.0.get(name)
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &TenantClient> {
        self.0.values()
    }

    /// The names of all tenants.
    pub fn names(&self) -> Vec<Arc<str>> {
        self.0.keys().cloned().collect()
    }
}

impl PeopleObserver for TenantClients {
    fn account_left(&self, person: Arc<Person>) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let door = self.get(&person.tenant);
            let Some(logins) = door.and_then(|door| door.logins.as_ref()) else {
                return;
            };
            if let Err(error) = logins.forget(&person.id.to_string()).await {
                tracing::warn!(person = %person.id, %error, "the login of an account that the person has no longer could not be forgotten; end it on the page My account");
            }
        })
    }
}
