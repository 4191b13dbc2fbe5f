//! The discovery document: the provider's addresses, and how clients authenticate there (OpenID Connect Discovery 1.0, 3).
//! Fields that are not used may hold anything.

use reqwest::Url;
use serde_json::Value;

use super::{issuer::Issuer, shown};

/// How Offhook authenticates at the token endpoint (OpenID Connect Core 1.0, 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientAuthentication {
    /// Id and secret in the `Authorization` header.
    Basic,
    /// Id and secret in the body.
    Post,
}

impl ClientAuthentication {
    /// Its name in discovery documents.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
        }
    }
}

/// The provider's description of itself.
#[derive(Clone, Debug)]
pub(super) struct Discovery {
    pub(super) issuer: Issuer,
    pub(super) authorization_endpoint: Url,
    pub(super) token_endpoint: Url,
    pub(super) jwks_uri: Url,
    pub(super) userinfo_endpoint: Option<Url>,
    /// At least one, the first to be tried first.
    pub(super) client_authentication: Vec<ClientAuthentication>,
}

impl Discovery {
    /// Reads the document of the configured issuer. Errors name the field, its value and the remedy.
    pub(super) fn read(
        document: &Value,
        configured: &str,
        tenants: &[String],
    ) -> Result<Self, String> {
        let required = |field: &str| match address(document, field, configured)? {
            Some(url) => Ok(url),
            None => Err(format!(
                "its {field} is missing; check that open_id_connect.issuer is the address of an OpenID Connect provider"
            )),
        };
        let named = document.get("issuer").and_then(Value::as_str);
        let named = named.ok_or(
            "its issuer is missing; check that open_id_connect.issuer is the address of an OpenID Connect provider",
        )?;
        Ok(Self {
            issuer: Issuer::read(named, configured, tenants)?,
            authorization_endpoint: required("authorization_endpoint")?,
            token_endpoint: required("token_endpoint")?,
            jwks_uri: required("jwks_uri")?,
            userinfo_endpoint: address(document, "userinfo_endpoint", configured)?,
            client_authentication: client_authentication(document)?,
        })
    }
}

/// An address of the document: https, or http on this machine if the issuer is there too.
fn address(document: &Value, field: &str, configured: &str) -> Result<Option<Url>, String> {
    let value = document.get(field).unwrap_or(&Value::Null);
    if value.is_null() || value.as_str() == Some("") {
        return Ok(None);
    }
    let url = value.as_str().and_then(|text| Url::parse(text).ok());
    let mut url = url.ok_or_else(|| {
        let value = shown::value(value);
        format!("its {field} is {value}, which is no address; correct it there")
    })?;
    let is_here = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    if url.scheme() != "https" && !(configured.starts_with("http://") && is_here) {
        let value = shown::address(url.as_str());
        return Err(format!(
            "its {field} is {value}, which would send secrets in the clear; set the provider's public https address there (behind a proxy: forward X-Forwarded-Proto and let the provider trust it)"
        ));
    }
    url.set_fragment(None);
    Ok(Some(url))
}

/// The ways to authenticate that the document and Offhook share. Without a list it is `client_secret_basic` (Discovery 1.0, 3),
/// and then `client_secret_post`, because some providers list nothing and take only that.
fn client_authentication(document: &Value) -> Result<Vec<ClientAuthentication>, String> {
    const FIELD: &str = "token_endpoint_auth_methods_supported";
    let ours = [ClientAuthentication::Basic, ClientAuthentication::Post];
    let listed: Vec<&str> = match document.get(FIELD) {
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(one)) => vec![one],
        None | Some(_) => Vec::new(),
    };
    if listed.is_empty() {
        return Ok(ours.into());
    }
    let both: Vec<_> = ours
        .into_iter()
        .filter(|method| listed.contains(&method.name()))
        .collect();
    if both.is_empty() {
        let listed = shown::text(&listed.join(", "));
        return Err(format!(
            "clients authenticate there with {listed} only ({FIELD}), and Offhook with client_secret_basic or client_secret_post; allow one of these there, for a confidential client with a secret"
        ));
    }
    Ok(both)
}
