//! Names, refusals and headers of all operations of the OpenAPI document.

use presence::SettingsGroup;
use runtime::{limits, programs};
use serde_json::{Value, json};

use super::fields;
use crate::{paging, preconditions};

const IF_MATCH: &str = "IfMatch";
const IF_NONE_MATCH: &str = "IfNoneMatch";
const IDEMPOTENCY_KEY: &str = "IdempotencyKey";
const PREFER: &str = "Prefer";
const ETAG: &str = "ETag";

/// Refusals by status: name and meaning. Their bodies are problems.
const REFUSALS: [(u16, &str, &str); 9] = [
    (
        400,
        "Malformed",
        "The request cannot be read: its JSON, query or length.",
    ),
    (
        401,
        "NotSignedIn",
        "The request has no valid API key or session.",
    ),
    (403, "NotAllowed", "The caller may not do this."),
    (
        404,
        "NotFound",
        "A resource of the path does not exist, or is hidden from the caller.",
    ),
    (
        409,
        "Conflict",
        "The request contradicts the present state.",
    ),
    (
        412,
        "ChangedMeanwhile",
        "If-Match names an older state: read again, and repeat the change.",
    ),
    (422, "InvalidValue", "A value is invalid; `field` names it."),
    (
        429,
        "TooMany",
        "Too many attempts; the detail says when to try again.",
    ),
    (
        503,
        "NotPossibleNow",
        "A part of the server that the request needs is not available at present.",
    ),
];

/// Headers of requests, which `preconditions.rs` and `work.rs` read.
pub(super) fn parameters() -> Value {
    let header = |name: &str, description: &str, schema: Value| {
        json!({
            "name": name,
            "in": "header",
            "required": false,
            "description": description,
            "schema": schema,
        })
    };
    let text = || json!({"type": "string"});
    let key = json!({
        "type": "string",
        "minLength": 1,
        "maxLength": preconditions::KEY_MAX,
        "pattern": "^[\\x20-\\x7e]+$",
    });
    json!({
        IF_MATCH: header("If-Match", "The ETag of the resource as it was read: 412 if it has changed since.", text()),
        IF_NONE_MATCH: header("If-None-Match", "The ETag of an earlier answer: 304 if it is still the same.", text()),
        IDEMPOTENCY_KEY: header("Idempotency-Key", "A repeated request with the same key within 24 hours gets the first answer and changes nothing.", key),
        PREFER: header("Prefer", "`respond-async`: answers 202 at once with the started job; with `wait=SECONDS`, only if the job takes longer (RFC 7240).", text()),
    })
}

/// Headers of answers.
pub(super) fn headers() -> Value {
    json!({
        ETAG: {
            "description": "The ETag of this state, for If-None-Match and If-Match.",
            "schema": {"type": "string"},
        },
    })
}

/// Refusals, and the answer without a body.
pub(super) fn responses() -> Value {
    let etag = json!({"ETag": {"$ref": format!("#/components/headers/{ETAG}")}});
    let mut all = json!({
        "NotModified": {"description": "The state is that of If-None-Match.", "headers": etag},
    });
    for (_, name, description) in REFUSALS {
        all[name] = json!({
            "description": description,
            "content": {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}},
            },
        });
    }
    all["Refused"] = all["NotPossibleNow"].clone();
    all["Refused"]["description"] =
        json!("Refused: the status tells how, the body why and what to do.");
    all
}

/// Method and path of an operation.
pub(super) struct Operation<'a> {
    pub(super) path: &'a str,
    pub(super) method: &'a str,
    /// Whether the changed resource can be read at the same path, and so has an ETag.
    pub(super) has_etag: bool,
}

/// Completes one operation.
pub(super) fn complete(operation_at: &Operation<'_>, operation: &mut Value) {
    let &Operation {
        path,
        method,
        has_etag,
    } = operation_at;
    let words = path.split('/').map(|word| word.trim_matches(['{', '}']));
    let name: Vec<&str> = std::iter::once(method)
        .chain(words.filter(|word| !word.is_empty()))
        .collect();
    operation["operationId"] = json!(name.join("_"));
    let parameters = operation
        .get_mut("parameters")
        .and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten() {
        restrict(path, parameter);
    }
    let is_tagged = method == "get" && tag(&mut operation["responses"]["200"]);
    let is_conditional = has_etag && matches!(method, "put" | "patch" | "delete");
    let is_repeatable = method == "post" && path != SIGN_IN && preconditions::takes_key(path);
    let is_async = operation["responses"].get("202").is_some();
    let headers = [
        (is_tagged, IF_NONE_MATCH),
        (is_conditional, IF_MATCH),
        (is_repeatable, IDEMPOTENCY_KEY),
        (is_async && path != RESTORE, PREFER),
    ];
    for (_, header) in headers.into_iter().filter(|(has, _)| *has) {
        let header = json!({"$ref": format!("#/components/parameters/{header}")});
        match &mut operation["parameters"] {
            Value::Array(parameters) => parameters.push(header),
            none => *none = json!([header]),
        }
    }
    if is_tagged {
        operation["responses"]["304"] = json!({"$ref": "#/components/responses/NotModified"});
    }
    let mut parameters = operation["parameters"].as_array().into_iter().flatten();
    let has_query = parameters.any(|parameter| parameter["in"] == "query");
    for (status, name, _) in REFUSALS {
        let is_possible = match status {
            400 => method != "get" || has_query || path.contains('{'),
            422 => method != "get" || has_query,
            404 => path.contains('{') || has_query,
            // The name of a template can be ambiguous.
            409 => method != "get" || path == "/templates/{name}",
            412 => is_conditional,
            429 => path == SIGN_IN,
            _ => true,
        };
        if is_possible {
            let refusal = json!({"$ref": format!("#/components/responses/{name}")});
            operation["responses"][status.to_string()] = refusal;
        }
    }
    operation["responses"]["default"] = json!({"$ref": "#/components/responses/Refused"});
}

/// Sign-in is outside the API's router, and so has no ETags.
const SIGN_IN: &str = "/sign-in";
/// A restore answers 202 with or without `Prefer`.
const RESTORE: &str = "/backups/{name}/restore";

/// Adds an ETag to an answer. Returns false if the answer is not JSON, and so has none.
fn tag(answer: &mut Value) -> bool {
    let is_json = answer["content"].get("application/json").is_some();
    if is_json {
        answer["headers"]["ETag"] = json!({"$ref": format!("#/components/headers/{ETAG}")});
    }
    is_json
}

/// Completes a parameter in the path or the query.
fn restrict(path: &str, parameter: &mut Value) {
    let name = parameter["name"].as_str().unwrap_or_default().to_owned();
    let is_path = parameter["in"] == "path";
    let schema = &mut parameter["schema"];
    match &*name {
        "limit" => {
            schema["minimum"] = json!(1);
            schema["maximum"] = json!(paging::ROWS_MAX);
            schema["default"] = json!(paging::ROWS);
        }
        "id" | "viewer" | "appointment" if is_path && !path.starts_with("/keys") => {
            schema["pattern"] = json!(fields::NUMBER)
        }
        "page" if is_path => fields::restrict(schema, &SettingsGroup::ALL.map(SettingsGroup::name)),
        "meeting" | "client" if is_path => schema["maxLength"] = json!(limits::SOURCE_NAME_MAX),
        "process" if is_path => schema["maxLength"] = json!(programs::NAME_MAX),
        "from" if path.ends_with("/appointments") => schema["format"] = json!("date-time"),
        _ => {}
    }
}
