//! The OpenAPI document: made from the handlers and completed with what the types do not say, which is taken from the
//! tables that the server itself goes by.

use ::presence::{
    ClientState, Forwarding, OwnerPolicy, Page, Relationship, Setting, Status, SyncMode,
    Value as SettingValue,
};
use serde_json::{Map, Value, json};
use store::{Role, ScopeKind};
use utoipa::{OpenApi, ToSchema};

use super::{session, settings};

/// What is not a route of the router: sign-in lies outside because it needs no sign-in.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Offhook",
        description = "What people are doing, whichever system they are doing it in. docs/api.md tells more."
    ),
    paths(session::begin),
    components(schemas(Problem))
)]
struct Outside;

/// A refused request (RFC 9457).
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its shape is used, by the document")]
struct Problem {
    /// The kind of trouble.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What is wrong, with which value, and what to do.
    detail: String,
    /// The field that is wrong, if one is.
    field: Option<String>,
}

/// The document as it is served.
#[derive(Clone, Debug)]
pub(crate) struct Document(Value);

impl Document {
    /// Completes what the handlers gave.
    pub(crate) fn new(mut document: utoipa::openapi::OpenApi) -> Self {
        document.merge(Outside::openapi());
        document.info = Outside::openapi().info;
        // A document of strings and lists always serialises.
        let mut document = serde_json::to_value(document).unwrap_or_default();
        document["servers"] = json!([{"url": "/api/v1"}]);
        document["security"] = json!([{"key": []}, {"session": []}]);
        document["components"]["securitySchemes"] = json!({
            "key": {"type": "http", "scheme": "bearer", "description": "An API key."},
            "session": {"type": "apiKey", "in": "cookie", "name": "offhook_session"},
        });
        document["components"]["parameters"] = parameters();
        for (path, operations) in entries(&mut document["paths"]) {
            for (method, operation) in entries(operations) {
                complete(path, method, operation);
            }
        }
        let schemas = &mut document["components"]["schemas"];
        for (schema, field, names) in enumerations() {
            restrict(&mut schemas[schema]["properties"][field], &names);
        }
        for (schema, field) in TIMES {
            schemas[schema]["properties"][field]["format"] = json!("date-time");
        }
        schemas["Settings"] = settings_schema();
        Self(document)
    }

    /// As JSON text.
    pub(crate) fn text(&self) -> String {
        self.0.to_string()
    }
}

fn entries(object: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    object.as_object_mut().into_iter().flatten()
}

/// The headers of edits; `edits.rs` tells more.
fn parameters() -> Value {
    let header = |name: &str, description: &str| {
        json!({
            "name": name,
            "in": "header",
            "required": false,
            "description": description,
            "schema": {"type": "string"},
        })
    };
    json!({
        IF_MATCH: header("If-Match", "The ETag of what was read: 412 if somebody has changed it since."),
        IF_NONE_MATCH: header("If-None-Match", "The ETag of what is there already: 304 if it is still so."),
        IDEMPOTENCY_KEY: header("Idempotency-Key", "A repeated request with the same key within 24 hours gets the first answer and does nothing again."),
    })
}

const IF_MATCH: &str = "IfMatch";
const IF_NONE_MATCH: &str = "IfNoneMatch";
const IDEMPOTENCY_KEY: &str = "IdempotencyKey";

/// What all operations have: a name of their own, refusals, and the headers of edits.
fn complete(path: &str, method: &str, operation: &mut Value) {
    let words = path.split('/').map(|word| word.trim_matches(['{', '}']));
    let name: Vec<&str> = std::iter::once(method)
        .chain(words.filter(|word| !word.is_empty()))
        .collect();
    operation["operationId"] = json!(name.join("_"));
    operation["responses"]["default"] = json!({
        "description": "Refused: the status tells how, the body why and what to do.",
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}},
        },
    });
    let header = match method {
        "get" => IF_NONE_MATCH,
        "post" => IDEMPOTENCY_KEY,
        _ => IF_MATCH,
    };
    let header = json!({"$ref": format!("#/components/parameters/{header}")});
    match &mut operation["parameters"] {
        Value::Array(parameters) => parameters.push(header),
        none => *none = json!([header]),
    }
}

/// Fields with one of a few words.
fn enumerations() -> Vec<(&'static str, &'static str, Vec<&'static str>)> {
    let statuses = || Status::ALL.map(Status::name).to_vec();
    let levels = || Relationship::ALL.map(Relationship::name).to_vec();
    let confidences = || vec!["certain", "likely", "masked", "stale"];
    vec![
        ("Presence", "status", statuses()),
        ("Presence", "confidence", confidences()),
        ("Reason", "confidence", confidences()),
        ("Activity", "kind", ACTIVITIES.to_vec()),
        (
            "Activity",
            "via",
            vec!["pbx", "teams", "meeting", "microphone"],
        ),
        ("Profile", "status", statuses()),
        ("NewProfile", "status", statuses()),
        ("Profile", "origin", vec!["personal", "central"]),
        ("Forwarding", "kind", Forwarding::KINDS.to_vec()),
        ("Relationship", "level", levels()),
        ("Relationship", "own", levels()),
        ("Level", "level", levels()),
        ("Workgroup", "level", levels()),
        ("NewWorkgroup", "level", levels()),
        ("Permissions", "level", levels()),
        (
            "Client",
            "state",
            ClientState::ALL.map(ClientState::name).to_vec(),
        ),
        ("Appointment", "origin", vec!["manual", "calendar", "teams"]),
        (
            "NewScope",
            "kind",
            ScopeKind::ALL.map(ScopeKind::name).to_vec(),
        ),
        ("Account", "role", Role::ALL.map(Role::name).to_vec()),
        ("NewAccount", "role", Role::ALL.map(Role::name).to_vec()),
    ]
}

/// The kinds of an activity, the weakest first.
const ACTIVITIES: [&str; 5] = [
    "Ringing",
    "UsingApp",
    "InMeeting",
    "Presenting",
    "OnThePhone",
];

/// Fields with a time (RFC 3339, UTC).
const TIMES: [(&str, &str); 15] = [
    ("Directory", "at"),
    ("Account", "created_at"),
    ("Appointment", "start"),
    ("Appointment", "end"),
    ("AuditRow", "at"),
    ("Choice", "until"),
    ("Chosen", "since"),
    ("Chosen", "until"),
    ("Client", "since"),
    ("Key", "created_at"),
    ("NewAppointment", "start"),
    ("NewAppointment", "end"),
    ("Past", "at"),
    ("Presence", "since"),
    ("Reason", "since"),
];

/// A field that may be null may be so beside the words.
fn restrict(field: &mut Value, names: &[&str]) {
    let nullable = field["type"].is_array();
    let null = nullable.then_some(Value::Null);
    let names = names.iter().map(|name| json!(name)).chain(null);
    field["enum"] = names.collect();
}

/// The settings of every page, from the table that holds them.
fn settings_schema() -> Value {
    let pages: Vec<Value> = Page::ALL
        .iter()
        .map(|page| {
            let settings = page
                .settings()
                .map(|setting| (setting.key.to_owned(), setting_schema(setting)));
            let may = json!({"type": "object", "additionalProperties": {"type": "boolean"}});
            let mut properties: Map<String, Value> = settings.collect();
            properties.insert(crate::values::USER_MAY_CHANGE.into(), may);
            properties.insert("own".into(), json!({"type": "object"}));
            properties.insert(settings::INDIVIDUAL.into(), json!({"type": "boolean"}));
            for key in [settings::COPY_FROM, "decided_by", "trouble", "trouble_code"] {
                properties.insert(key.to_owned(), json!({"type": ["string", "null"]}));
            }
            json!({
                "title": page.name(),
                "type": "object",
                "properties": properties,
                "additionalProperties": false,
            })
        })
        .collect();
    json!({
        "description": "The settings of one page. user_may_change, individual and copy_from are of scopes; own, decided_by, trouble (why a person's feed could not be read, with the remedy) and trouble_code (the same for programs) are told, not taken.",
        "anyOf": pages,
    })
}

fn setting_schema(setting: &Setting) -> Value {
    let (least, most) = setting.range;
    let levels = Relationship::ALL.map(Relationship::name);
    let mut schema = match setting.default {
        SettingValue::Flag(_) => json!({"type": ["boolean", "null"]}),
        SettingValue::Seconds(_) => {
            json!({"type": ["integer", "null"], "minimum": least, "maximum": most})
        }
        SettingValue::Mode(_) => one_of(&SyncMode::ALL.map(SyncMode::name)),
        SettingValue::Level(_) => one_of(&levels),
        SettingValue::Policy(_) => one_of(&OwnerPolicy::ALL.map(OwnerPolicy::name)),
        SettingValue::Profile(_) | SettingValue::Text(_) => json!({"type": ["string", "null"]}),
    };
    schema["description"] = json!(setting.meaning);
    schema["default"] = crate::values::json(&setting.default);
    schema
}

fn one_of(names: &[&str]) -> Value {
    let mut schema = json!({"type": ["string", "null"]});
    restrict(&mut schema, names);
    schema
}
