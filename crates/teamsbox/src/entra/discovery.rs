//! Discovery: the addresses of the endpoints, and the signing keys.

use axum::{
    Json,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{TokenError, tenant};
use crate::{shell::Shell, tenants::Tenants};

/// The issuer of identity tokens, in discovery and in tokens.
pub(super) fn issuer(shell: &Shell, headers: &HeaderMap) -> String {
    format!("{}/{}/v2.0", shell.host.base(headers), shell.tenant_id)
}

/// `GET /{tenant}/v2.0/.well-known/openid-configuration`
pub(super) async fn configuration(
    State(tenants): State<Tenants>,
    Path(segment): Path<String>,
    headers: HeaderMap,
) -> Response {
    let shell = match tenant(&tenants, &segment) {
        Ok(shell) => shell,
        Err(error) => return refuse(tenants.first(), &error),
    };
    let base = shell.host.base(&headers);
    let general = ["common", "organizations"].contains(&segment.to_ascii_lowercase().as_str());
    let id = if general {
        segment.clone()
    } else {
        shell.tenant_id.clone()
    };
    let issuer = if general {
        format!("{base}/{{tenantid}}/v2.0")
    } else {
        issuer(&shell, &headers)
    };
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{base}/{id}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{base}/{id}/oauth2/v2.0/token"),
        "device_authorization_endpoint": format!("{base}/{id}/oauth2/v2.0/devicecode"),
        "end_session_endpoint": format!("{base}/{id}/oauth2/v2.0/logout"),
        "jwks_uri": format!("{base}/{id}/discovery/v2.0/keys"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "name", "preferred_username", "oid", "tid", "nonce"],
        "tenant_region_scope": null,
        "cloud_instance_name": "microsoftonline.com",
        "msgraph_host": "graph.microsoft.com",
    }))
    .into_response()
}

/// `GET /{tenant}/discovery/v2.0/keys`
pub(super) async fn keys(State(tenants): State<Tenants>, Path(segment): Path<String>) -> Response {
    let shell = match tenant(&tenants, &segment) {
        Ok(shell) => shell,
        Err(error) => return refuse(tenants.first(), &error),
    };
    let issuer = format!("https://login.microsoftonline.com/{}/v2.0", shell.tenant_id);
    // Making the second key takes a moment.
    let published = tokio::task::spawn_blocking(move || shell.keys().published(&issuer)).await;
    match published {
        Ok(Ok(keys)) => Json(keys).into_response(),
        Ok(Err(error)) => refuse(tenants.first(), &TokenError::internal(&error)),
        Err(error) => refuse(tenants.first(), &TokenError::internal(&error)),
    }
}

#[derive(Deserialize)]
pub(super) struct InstanceQuery {
    authorization_endpoint: Option<String>,
}

/// `GET /common/discovery/instance`: confirms the emulator's own host as an instance of Entra.
pub(super) async fn instance(
    State(tenants): State<Tenants>,
    headers: HeaderMap,
    Query(query): Query<InstanceQuery>,
) -> Json<Value> {
    let base = tenants.first().host.base(&headers);
    let asked = query.authorization_endpoint.unwrap_or_default();
    let segment = asked
        .split_once("://")
        .and_then(|(_, rest)| rest.split('/').nth(1))
        .filter(|segment| !segment.is_empty())
        .unwrap_or("common");
    let host = base.split_once("://").map_or("", |(_, host)| host);
    Json(json!({
        "tenant_discovery_endpoint": format!("{base}/{segment}/v2.0/.well-known/openid-configuration"),
        "api-version": "1.1",
        "metadata": [{ "preferred_network": host, "preferred_cache": host, "aliases": [host] }],
    }))
}

/// `GET /{tenant}/userrealm/{user}`: the identity provider of a user. Clients read it before they send a password.
pub(super) async fn realm(
    State(tenants): State<Tenants>,
    Path((segment, user)): Path<(String, String)>,
) -> Response {
    let shell = match tenant(&tenants, &segment) {
        Ok(shell) => shell,
        Err(error) => return refuse(tenants.first(), &error),
    };
    let account = shell.with(|world, _| {
        let index = world.tenant.find_any(&user).ok()?;
        world.tenant.user(index).map(|user| user.account.federated)
    });
    let kind = match account {
        None => "Unknown",
        Some(true) => "Federated",
        Some(false) => "Managed",
    };
    let domain = user.rsplit_once('@').map_or("", |(_, domain)| domain);
    Json(json!({ "ver": "1.0", "account_type": kind, "domain_name": domain })).into_response()
}

fn refuse(first: &Shell, error: &TokenError) -> Response {
    let status = if error.status == StatusCode::OK {
        StatusCode::BAD_REQUEST
    } else {
        error.status
    };
    (
        status,
        Json(error.body(None, first.clock().now_milliseconds())),
    )
        .into_response()
}
