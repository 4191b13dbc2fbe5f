//! Tenants: list, addition, and the control plane of each.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Request, State},
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{calls, nothing_here, object, wrong_method};
use crate::{
    config::{App, NewTenant},
    error::{ControlError, ControlErrorKind},
    guid::Guid,
    shell::Shell,
    tenants::Tenants,
};

/// `GET /box/v1/tenants`
pub(super) async fn list(State(tenants): State<Tenants>) -> Json<Vec<Value>> {
    Json(tenants.all().iter().map(|shell| describe(shell)).collect())
}

fn describe(shell: &Shell) -> Value {
    let people = shell.with(|world, _| world.tenant.people().count());
    json!({ "id": shell.tenant_id, "domain": shell.domain, "people": people })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TenantBody {
    id: Option<String>,
    domain: String,
}

/// `POST /box/v1/tenants`: an empty tenant, with the default application.
pub(super) async fn create(
    State(tenants): State<Tenants>,
    body: Bytes,
) -> Result<Response, ControlError> {
    let body: TenantBody = object(&body)?;
    let plain = |letter: char| letter.is_ascii_alphanumeric() || ".-".contains(letter);
    if body.domain.is_empty() || body.domain.len() > 253 || !body.domain.chars().all(plain) {
        let remedy = "give a domain such as fabrikam.example";
        return Err(ControlError::invalid(
            "domain",
            &body.domain,
            "is not a domain",
            remedy,
        ));
    }
    let id = body
        .id
        .unwrap_or_else(|| Guid::random().map(|id| id.to_string()).unwrap_or_default());
    let new = NewTenant {
        tenant_id: id,
        domain: body.domain,
        apps: vec![App::default()],
        users: Vec::new(),
    };
    let shell = tenants.add(&new)?;
    Ok((StatusCode::CREATED, Json(describe(&shell))).into_response())
}

/// `/box/v1/tenants/{tenant}/…`: every call of the control plane for one tenant.
pub(super) async fn dispatch(
    State(tenants): State<Tenants>,
    Path((tenant, rest)): Path<(String, String)>,
    mut request: Request,
) -> Result<Response, ControlError> {
    let named = |shell: &Arc<Shell>| {
        [&shell.tenant_id, &shell.domain]
            .iter()
            .any(|name| name.eq_ignore_ascii_case(&tenant))
    };
    let shell = tenants.all().into_iter().find(named).ok_or_else(|| {
        let remedy = "take an id or domain from GET /box/v1/tenants";
        ControlError::new(
            ControlErrorKind::NotFound,
            "tenant",
            &tenant,
            "is not known",
            remedy,
        )
    })?;
    let query = request
        .uri()
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    let path = format!("/box/v1/{rest}{query}");
    *request.uri_mut() = path.parse::<Uri>().map_err(|_| {
        ControlError::invalid(
            "path",
            &path,
            "is not an address",
            "encode what is not a plain letter or digit",
        )
    })?;
    // The path parameters of the old address would count as those of the new one.
    request.extensions_mut().clear();
    let routes = calls()
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .with_state(shell);
    match routes.oneshot(request).await {
        Ok(response) => Ok(response),
        Err(never) => match never {},
    }
}
