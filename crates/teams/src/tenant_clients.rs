//! Clients of the tenants, with the logins of people where each person signs in.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::future::BoxFuture;
use graph::{Client, GraphError};
use presence::TenantName;
use runtime::{clock::Clock, context::PeopleObserver, people_index::Person, vault::Vault};
use store::Store;

use super::{
    SignIn, TeamsOptions,
    logins::{Logins, LoginsOf},
    search::AccountSearch,
};

/// Client of one tenant. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TenantClient {
    /// The tenant's name here.
    pub name: TenantName,
    /// The client of Graph and Entra.
    pub client: Arc<Client>,
    /// The logins of people, where each person signs in.
    pub logins: Option<Logins>,
    /// Searches for accounts of people without one.
    pub search: AccountSearch,
}

/// Clients of all tenants, by name. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct TenantClients(Arc<BTreeMap<TenantName, TenantClient>>);

impl TenantClients {
    /// Makes the clients. Nothing is sent yet.
    ///
    /// # Errors
    /// The TLS library could not be set up.
    pub fn new(
        tenants: &[TeamsOptions],
        store: &Store,
        vault: Option<&Arc<Vault>>,
        clock: &Clock,
    ) -> Result<Self, GraphError> {
        let mut clients = BTreeMap::new();
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
            let client = TenantClient {
                name: name.clone(),
                client,
                logins,
                search: AccountSearch::default(),
            };
            clients.insert(name, client);
        }
        Ok(Self(Arc::new(clients)))
    }

    /// The client of one tenant.
    pub fn get(&self, name: &TenantName) -> Option<&TenantClient> {
        self.0.get(name)
    }

    /// The clients of all tenants.
    pub fn all(&self) -> impl Iterator<Item = &TenantClient> {
        self.0.values()
    }

    /// The names of all tenants.
    pub fn names(&self) -> Vec<TenantName> {
        self.0.keys().cloned().collect()
    }
}

impl PeopleObserver for TenantClients {
    fn account_left(&self, person: Arc<Person>) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let client = self.get(&person.tenant);
            let Some(logins) = client.and_then(|client| client.logins.as_ref()) else {
                return;
            };
            if let Err(error) = logins.forget(&person.id.to_string()).await {
                tracing::warn!(person = %person.id, %error, "the login of an account that the person has no longer could not be forgotten; end it on the page My Teams account");
            }
        })
    }
}
