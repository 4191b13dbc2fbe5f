//! The section `[open_id_connect]`.

use std::path::PathBuf;

use runtime::config::{ConfigError, ConfigReader};
use secrecy::SecretString;
use serde::Deserialize;

use super::provider::{CLAIM, OpenIdOptions};

/// The section `[open_id_connect]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenIdSection {
    name: Option<String>,
    issuer: Option<String>,
    client_id: Option<String>,
    client_secret: Option<SecretString>,
    client_secret_file: Option<PathBuf>,
    claim: Option<String>,
    scopes: Option<Vec<String>>,
    #[serde(default)]
    tenants: Vec<String>,
}

/// The options of the section.
///
/// # Errors
/// The first invalid value.
pub fn options(
    reader: &ConfigReader<'_>,
    raw: OpenIdSection,
) -> Result<OpenIdOptions, ConfigError> {
    let key = |name: &str| format!("open_id_connect.{name}");
    let issuer = issuer(reader, &key("issuer"), raw.issuer)?;
    let secret = key("client_secret");
    let client_secret = reader.secret(&secret, raw.client_secret, raw.client_secret_file)?;
    let usual = || ["openid", "email", "profile"].map(str::to_owned).into();
    let mut scopes: Vec<String> = raw.scopes.unwrap_or_else(usual);
    if !scopes.iter().any(|scope| scope == "openid") {
        scopes.insert(0, "openid".into());
    }
    Ok(OpenIdOptions {
        name: raw.name.unwrap_or_else(|| "OpenID Connect".into()),
        issuer,
        tenants: raw.tenants,
        scopes,
        client_id: reader.required(&key("client_id"), raw.client_id)?,
        client_secret: reader.required_secret(&secret, client_secret)?,
        claim: raw.claim.unwrap_or_else(|| CLAIM.into()),
    })
}

/// Address of an OpenID Connect issuer, without a slash at the end.
fn issuer(
    reader: &ConfigReader<'_>,
    key: &str,
    value: Option<String>,
) -> Result<String, ConfigError> {
    let issuer = reader.required(key, value)?;
    let issuer = issuer.trim();
    reader.url(key, Some(issuer.into()), "https://login.example.com")?;
    if issuer.contains(['?', '#', '{', '}']) {
        let problem = format!(
            "{issuer:?} holds a query, a fragment or a placeholder, which no issuer has; expected for example \"https://login.example.com/realms/main\""
        );
        return Err(reader.error(key, problem));
    }
    let issuer = issuer.trim_end_matches('/');
    // Many administrators paste the address of the discovery document.
    let of_document = issuer.strip_suffix("/.well-known/openid-configuration");
    Ok(of_document
        .unwrap_or(issuer)
        .trim_end_matches('/')
        .to_owned())
}
