//! Requests to Entra.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::support::Tenant;

/// Sends a form to an endpoint of Entra; returns status and body.
pub(crate) async fn ask(tenant: &Tenant, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
    let url = format!("{}/{path}", tenant.url);
    let response = tenant.http.post(url).form(form).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

pub(crate) async fn token(tenant: &Tenant, form: &[(&str, &str)]) -> (u16, Value) {
    ask(tenant, "contoso.example/oauth2/v2.0/token", form).await
}

pub(crate) fn claims(token: &Value) -> Value {
    let part = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

pub(crate) fn refused(answer: &(u16, Value)) -> (u16, &str, u64) {
    let (status, body) = answer;
    assert!(
        body["error_description"]
            .as_str()
            .unwrap()
            .starts_with(&format!("AADSTS{}: ", body["error_codes"][0]))
    );
    assert!(
        body["trace_id"].is_string()
            && body["correlation_id"].is_string()
            && body["timestamp"].is_string()
    );
    (
        *status,
        body["error"].as_str().unwrap(),
        body["error_codes"][0].as_u64().unwrap(),
    )
}
