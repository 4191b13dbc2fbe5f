//! Scopes: the resource and the permissions of a token.

use axum::http::{HeaderMap, header};

use super::{TokenError, shorten};
use crate::{permissions::Permission, registrations::Registration};

/// The accepted resources of a token: Graph in its clouds, in addition to this emulator's own address.
const RESOURCES: [&str; 6] = [
    "https://graph.microsoft.com",
    "https://graph.microsoft.us",
    "https://dod-graph.microsoft.us",
    "https://microsoftgraph.chinacloudapi.cn",
    "00000003-0000-0000-c000-000000000000",
    "https://canary.graph.microsoft.com",
];

/// Scopes of the sign-in itself.
const SIGN_IN: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// The audience of an application's own token: one resource with `/.default`.
pub(super) fn audience(headers: &HeaderMap, scope: Option<&str>) -> Result<String, TokenError> {
    let scope = given(scope)?;
    let resource = scope
        .strip_suffix("/.default")
        .filter(|resource| !resource.contains(' '));
    let Some(resource) = resource else {
        return Err(TokenError::bad(
            "invalid_scope",
            70_011,
            format!(
                "The provided value for the input parameter 'scope' is not valid. The scope '{}' must be one resource with /.default, such as https://graph.microsoft.com/.default.",
                shorten(scope)
            ),
        ));
    };
    check_resource(headers, resource.trim_end_matches('/'), scope)
}

/// The audience and the short names of delegated scopes.
pub(super) fn delegated(
    headers: &HeaderMap,
    app: &Registration,
    scope: Option<&str>,
) -> Result<(String, Vec<String>), TokenError> {
    let scope = given(scope)?;
    let mut audience = RESOURCES[0].to_owned();
    let mut names: Vec<String> = Vec::new();
    for word in scope.split_whitespace() {
        if let Some(own) = SIGN_IN.iter().find(|own| own.eq_ignore_ascii_case(word)) {
            names.push((*own).to_owned());
            continue;
        }
        let name = match word.rsplit_once('/') {
            Some((resource, name)) => {
                audience = check_resource(headers, resource.trim_end_matches('/'), scope)?;
                name
            }
            None => word,
        };
        if name == ".default" {
            names.extend(app.scopes.iter().cloned());
            continue;
        }
        let known = Permission::ALL
            .iter()
            .find(|one| one.name().eq_ignore_ascii_case(name));
        let known = known.ok_or_else(|| {
            let text = format!(
                "The provided value for the input parameter 'scope' is not valid. The scope '{}' does not exist.",
                shorten(word)
            );
            TokenError::bad("invalid_scope", 70_011, text)
        })?;
        if !app.scopes.iter().any(|own| own == known.name()) {
            let text = format!(
                "The user or administrator has not consented to use the application with ID '{}' for the scope '{}'.",
                app.client_id,
                known.name()
            );
            return Err(TokenError::bad("invalid_grant", 65_001, text));
        }
        names.push(known.name().to_owned());
    }
    names.sort();
    names.dedup();
    Ok((audience, names))
}

/// The scopes of an access token: without those of the sign-in itself.
pub(super) fn permissions(scopes: &[String]) -> String {
    let kept = scopes
        .iter()
        .filter(|scope| !SIGN_IN.contains(&scope.as_str()));
    kept.map(String::as_str).collect::<Vec<_>>().join(" ")
}

fn given(scope: Option<&str>) -> Result<&str, TokenError> {
    let scope = scope.map(str::trim).filter(|text| !text.is_empty());
    scope.ok_or_else(|| TokenError::missing("scope"))
}

fn check_resource(headers: &HeaderMap, resource: &str, scope: &str) -> Result<String, TokenError> {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let own = host.is_some_and(|host| {
        let mut schemes = ["http://", "https://"].iter();
        schemes.any(|scheme| resource.strip_prefix(scheme) == Some(host))
    });
    if own || RESOURCES.contains(&resource) {
        return Ok(resource.to_owned());
    }
    let text = format!(
        "The resource principal named {} was not found in the tenant.",
        shorten(scope)
    );
    Err(TokenError::bad("invalid_resource", 500_011, text))
}
