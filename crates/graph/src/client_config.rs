//! Configuration of the client of a tenant.

use crate::credential::Credential;

/// Addresses of a tenant and credential of the application.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Address of the sign-in service, for example `https://login.microsoftonline.com`.
    pub login: String,
    /// Address of Graph, for example `https://graph.microsoft.com`.
    pub graph: String,
    /// Tenant id or domain.
    pub tenant: String,
    /// Application (client) id; also the id of the presence sessions.
    pub client_id: String,
    /// Credential of the application.
    pub credential: Credential,
}
