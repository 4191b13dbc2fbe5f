//! The OpenAPI document: made from the handlers, and completed from the tables by which the server checks.

mod fields;
mod operations;
mod read_only;

use std::sync::Arc;

use ::calendar::Fault;
use ::presence::{
    OwnerPolicy, Relationship, Setting, SettingsGroup, SyncMode, Value as SettingValue,
};
use fields::restrict;
use serde_json::{Map, Value, json};
use utoipa::{OpenApi, ToSchema};

use super::{session, settings};
use crate::preconditions::ReadOnlyFields;

/// Routes outside the router: sign-in needs no credential.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Offhook",
        description = "Presence of people across Microsoft Teams and PBXs. See docs/api.md."
    ),
    paths(session::begin),
    components(schemas(Problem))
)]
struct Outside;

/// A refused request (RFC 9457).
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its shape is used, by the document")]
struct Problem {
    /// The kind of problem.
    title: String,
    /// The HTTP status.
    status: u16,
    /// The problem, the value, and the remedy.
    detail: String,
    /// The invalid field, if one is.
    field: Option<String>,
    /// Stable name of the problem, for programs that show it in another language, if it has one.
    code: Option<String>,
    /// Named values of the problem, for such programs.
    values: Option<std::collections::BTreeMap<String, String>>,
}

/// The served document.
#[derive(Clone, Debug)]
pub struct Document {
    value: Value,
    read_only: ReadOnlyFields,
}

impl Document {
    /// Completes the document of the handlers.
    pub fn new(mut document: utoipa::openapi::OpenApi) -> Self {
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
        document["components"]["parameters"] = operations::parameters();
        document["components"]["headers"] = operations::headers();
        document["components"]["responses"] = operations::responses();
        for (path, methods) in entries(&mut document["paths"]) {
            let has_etag = methods.get("get").is_some();
            for (method, operation) in entries(methods) {
                let operation_at = operations::Operation {
                    path,
                    method,
                    has_etag,
                };
                operations::complete(&operation_at, operation);
            }
        }
        let schemas = &mut document["components"]["schemas"];
        fields::complete(schemas);
        schemas["Settings"] = settings_schema();
        let read_only = ReadOnlyFields(Arc::new(read_only::complete(&mut document)));
        Self {
            value: document,
            read_only,
        }
    }

    /// The document as JSON.
    pub fn text(&self) -> String {
        self.value.to_string()
    }

    /// Fields that only the server sets, by route.
    pub fn read_only(&self) -> ReadOnlyFields {
        self.read_only.clone()
    }
}

fn entries(object: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    object.as_object_mut().into_iter().flatten()
}

/// Schema of the settings of all groups, from their table.
fn settings_schema() -> Value {
    let pages: Vec<Value> = SettingsGroup::ALL
        .iter()
        .map(|page| {
            let settings = page
                .settings()
                .map(|setting| (setting.key.to_owned(), setting_schema(setting)));
            let may = json!({"type": "object", "additionalProperties": {"type": "boolean"}});
            let mut properties: Map<String, Value> = settings.collect();
            properties.insert(runtime::values::USER_MAY_CHANGE.into(), may);
            let own = json!({"type": "object", "readOnly": true});
            properties.insert(settings::OWN.into(), own);
            properties.insert(settings::INDIVIDUAL.into(), json!({"type": "boolean"}));
            let text = json!({"type": ["string", "null"]});
            properties.insert(settings::COPY_FROM.into(), text);
            let told = json!({"type": ["string", "null"], "readOnly": true});
            for key in ["decided_by", "trouble", "trouble_code"] {
                properties.insert(key.to_owned(), told.clone());
            }
            let problem = json!({"type": "object", "properties": {
                "code": {"enum": Fault::CODES},
                "event": {"type": ["integer", "null"]},
                "line": {"type": ["integer", "null"]},
                "property": {"type": ["string", "null"]},
                "detail": {"type": "string"},
            }});
            let unread = json!({"type": "array", "items": problem, "readOnly": true});
            properties.insert("unread".to_owned(), unread);
            json!({
                "title": page.name(),
                "type": "object",
                "properties": properties,
                "additionalProperties": false,
            })
        })
        .collect();
    json!({
        "description": "The settings of one page. user_may_change, individual and copy_from are of scopes; own, decided_by, trouble (why a person's feed could not be read, with the remedy) and trouble_code (the same for programs), unread (the parts of the feed that could not be read, at most 20, with their lines) are read-only.",
        "anyOf": pages,
    })
}

fn setting_schema(setting: &Setting) -> Value {
    let (least, most) = setting.range;
    let levels = Relationship::ALL.map(Relationship::name);
    let mut schema = match setting.default {
        SettingValue::Flag(_) => json!({"type": ["boolean", "null"]}),
        SettingValue::Duration(_) => {
            json!({"type": ["integer", "null"], "minimum": least, "maximum": most})
        }
        SettingValue::Mode(_) => one_of(&SyncMode::ALL.map(SyncMode::name)),
        SettingValue::Level(_) => one_of(&levels),
        SettingValue::Policy(_) => one_of(&OwnerPolicy::ALL.map(OwnerPolicy::name)),
        SettingValue::ProfileName(_) | SettingValue::TimeZone(_) | SettingValue::FeedAddress(_) => {
            json!({"type": ["string", "null"], "maxLength": runtime::limits::ADDRESS_MAX})
        }
    };
    schema["description"] = json!(setting.meaning);
    schema["default"] = runtime::values::json(&setting.default);
    schema
}

fn one_of(names: &[&str]) -> Value {
    let mut schema = json!({"type": ["string", "null"]});
    restrict(&mut schema, names);
    schema
}
