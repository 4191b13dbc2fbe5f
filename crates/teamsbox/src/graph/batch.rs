//! Batches: several calls in one request.
//!
//! Items run one after the other, in an order that respects their dependencies. The answers are in reverse order: Graph
//! guarantees no order, and clients must not rely on one.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Call, Identity, Reply, answer, error::GraphError, query::Query, route::Route, write};
use crate::{permissions::Caller, shell::Shell};

/// The most calls of a batch.
const ITEMS_MAX: usize = 20;

#[derive(Deserialize)]
struct Batch {
    requests: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    id: String,
    method: String,
    url: String,
    #[serde(default)]
    headers: HashMap<String, String>,
    body: Option<Value>,
    #[serde(default)]
    depends_on: Vec<String>,
}

/// `POST /$batch`
pub(super) async fn handle(
    shell: &Arc<Shell>,
    caller: &Arc<Caller>,
    call: &Call<'_>,
) -> Result<Reply, GraphError> {
    let batch: Batch = write::parse(call.body)?;
    check(&batch.requests)?;
    let mut failed: HashSet<String> = HashSet::new();
    let mut responses = Vec::with_capacity(batch.requests.len());
    for item in &batch.requests {
        let key = item.id.to_ascii_lowercase();
        let unmet = item
            .depends_on
            .iter()
            .any(|on| failed.contains(&on.to_ascii_lowercase()));
        let reply = if unmet {
            let message = "The request depends on one that failed.";
            let error = GraphError::new(StatusCode::FAILED_DEPENDENCY, "FailedDependency", message);
            error.into_reply(
                &Identity::of(call.headers),
                shell.clock().now_milliseconds(),
            )
        } else {
            run(shell, caller, call, item).await
        };
        if !reply.status.is_success() {
            failed.insert(key);
        }
        if !reply.closed {
            responses.push(describe(item, &reply));
        }
    }
    responses.reverse();
    let reply = Reply::json(StatusCode::OK, &json!({ "responses": responses }));
    Ok(Reply {
        app: Some(Arc::clone(&caller.app)),
        count: Some(batch.requests.len()),
        ..reply
    })
}

/// Refuses a batch that is malformed as a whole.
fn check(items: &[Item]) -> Result<(), GraphError> {
    if items.is_empty() || items.len() > ITEMS_MAX {
        let message = format!(
            "A batch has between 1 and {ITEMS_MAX} requests; this one has {}.",
            items.len()
        );
        return Err(GraphError::unreadable(message));
    }
    let mut ids = HashSet::new();
    for item in items {
        if item.id.is_empty() || !ids.insert(item.id.to_ascii_lowercase()) {
            let message = "Each request of a batch needs a unique id, regardless of case.";
            return Err(GraphError::unreadable(message));
        }
        // An item can depend on earlier items only, so that dependencies are never circular.
        let unknown = item.depends_on.iter().find(|on| {
            let on = on.to_ascii_lowercase();
            on == item.id.to_ascii_lowercase() || !ids.contains(&on)
        });
        if unknown.is_some() {
            let message = format!(
                "The request '{}' depends on one that does not come before it.",
                shorten(&item.id)
            );
            return Err(GraphError::unreadable(message));
        }
        let typed = item
            .headers
            .keys()
            .any(|name| name.eq_ignore_ascii_case("content-type"));
        if item.body.is_some() && !typed {
            let message = format!(
                "The request '{}' has a body but no Content-Type header.",
                shorten(&item.id)
            );
            return Err(GraphError::unreadable(message));
        }
        if item.url.contains("://") {
            let message = format!(
                "The address of the request '{}' must be relative.",
                shorten(&item.id)
            );
            return Err(GraphError::unreadable(message));
        }
    }
    Ok(())
}

async fn run(shell: &Arc<Shell>, caller: &Arc<Caller>, batch: &Call<'_>, item: &Item) -> Reply {
    let (path, query) = item.url.split_once('?').unwrap_or((&item.url, ""));
    let version = batch
        .path
        .trim_start_matches('/')
        .split('/')
        .next()
        .unwrap_or("v1.0");
    let path = format!("/{version}/{}", path.trim_start_matches('/'));
    let method =
        Method::from_bytes(item.method.to_ascii_uppercase().as_bytes()).unwrap_or(Method::GET);
    let mut headers = HeaderMap::new();
    for (name, value) in &item.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    let body = item
        .body
        .as_ref()
        .map(|body| Bytes::from(body.to_string()))
        .unwrap_or_default();
    let call = Call {
        method: &method,
        path: &path,
        query: Query::parse(query),
        query_text: query,
        headers: &headers,
        body: &body,
        batched: true,
        base: batch.base,
    };
    let route = Route::parse(&method, &path);
    let identity = Identity::of(&headers);
    answer(shell, Ok(Arc::clone(caller)), &call, &route, &identity).await
}

fn describe(item: &Item, reply: &Reply) -> Value {
    let mut headers = Map::new();
    for (name, value) in [
        ("Retry-After", &reply.retry_after),
        ("Location", &reply.location),
        ("Allow", &reply.allow),
    ] {
        if let Some(value) = value {
            headers.insert(name.to_owned(), json!(value));
        }
    }
    let mut response = json!({ "id": item.id, "status": reply.status.as_u16() });
    if let Ok(body) = serde_json::from_slice::<Value>(&reply.body) {
        headers.insert("Content-Type".to_owned(), json!("application/json"));
        response["body"] = body;
    } else if let Some(content_type) = reply.content_type {
        headers.insert("Content-Type".to_owned(), json!(content_type));
        response["body"] = json!(String::from_utf8_lossy(&reply.body));
    }
    response["headers"] = Value::Object(headers);
    response
}

fn shorten(text: &str) -> String {
    text.chars().take(64).collect()
}
