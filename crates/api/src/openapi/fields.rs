//! Enumerations, lengths, ranges, patterns and times of fields in the OpenAPI document, from the tables and limits by which
//! the server checks.

use api_types::{
    accounts::Role,
    appointments::AppointmentOrigin,
    core_name::names,
    directory::DirectoryActionKind,
    doctor::Verdict,
    import::ImportEffect,
    presence::{ActivityKind, ActivitySystem},
    scopes::ScopeKind,
    templates::TeamsState,
    work::{WorkKind, WorkState},
};
use presence::{ClientState, Confidence, Forwarding, Origin, REASON_CODES, Relationship, Status};
use runtime::{limits, programs};
use serde_json::{Value, json};
use store::API_KEY_SCOPES;

use crate::{agents, appointments, password, people, teams_account};

/// Completes the schemas.
pub(super) fn complete(schemas: &mut Value) {
    for (schema, name, names) in enumerations() {
        if let Some(field) = field(schemas, schema, name) {
            restrict(field, &names);
        }
    }
    for (schema, name) in TIMES {
        if let Some(field) = field(schemas, schema, name) {
            field["format"] = json!("date-time");
        }
    }
    for (schema, name, keyword, value) in bounds() {
        if let Some(field) = field(schemas, schema, name) {
            field[keyword] = value;
        }
    }
    for (schema, name) in NUMBERS {
        if let Some(field) = field(schemas, schema, name) {
            pattern(field, NUMBER);
        }
    }
}

/// A field of a schema or of its parts. A test checks that all fields named here exist.
fn field<'a>(schemas: &'a mut Value, schema: &str, name: &str) -> Option<&'a mut Value> {
    let schema = schemas.get_mut(schema)?;
    if schema.get("allOf").is_none() {
        return schema.get_mut("properties")?.get_mut(name);
    }
    let parts = schema.get_mut("allOf")?.as_array_mut()?;
    parts
        .iter_mut()
        .find_map(|part| part.get_mut("properties")?.get_mut(name))
}

/// Ids that the store assigns.
pub(super) const NUMBER: &str = "^[0-9]{1,20}$";

/// Restricts a field, or the items of a list, to a pattern.
fn pattern(field: &mut Value, pattern: &str) {
    let is_list = field.get("items").is_some();
    let field = if is_list { &mut field["items"] } else { field };
    field["pattern"] = json!(pattern);
}

/// Restricts a field, or the items of a list, to these names. A nullable field stays nullable.
pub(super) fn restrict(field: &mut Value, names: &[&str]) {
    let is_list = field.get("items").is_some();
    let field = if is_list { &mut field["items"] } else { field };
    let nullable = field["type"].is_array();
    let null = nullable.then_some(Value::Null);
    let names = names.iter().map(|name| json!(name)).chain(null);
    field["enum"] = names.collect();
}

/// Fields with few values: schema, field and values.
fn enumerations() -> Vec<(&'static str, &'static str, Vec<&'static str>)> {
    let statuses = names::<Status>;
    let levels = names::<Relationship>;
    let confidences = names::<Confidence>;
    let roles = names::<Role>;
    // The organisation always exists: a new scope is a location or a group.
    let new_kinds = [ScopeKind::Location, ScopeKind::Group].map(ScopeKind::name);
    vec![
        ("Presence", "status", statuses()),
        ("Presence", "confidence", confidences()),
        ("Reason", "confidence", confidences()),
        ("Reason", "code", REASON_CODES.to_vec()),
        ("Activity", "kind", names::<ActivityKind>()),
        ("Activity", "via", names::<ActivitySystem>()),
        ("Profile", "status", statuses()),
        ("NewProfile", "status", statuses()),
        ("NewTemplate", "status", statuses()),
        ("TemplateChange", "status", statuses()),
        ("TeamsUse", "use", names::<TeamsState>()),
        ("Profile", "origin", names::<Origin>()),
        ("Forwarding", "kind", Forwarding::KINDS.to_vec()),
        ("Route", "action", ACTIONS.to_vec()),
        ("Relationship", "level", levels()),
        ("Relationship", "own", levels()),
        ("Level", "level", levels()),
        ("Workgroup", "level", levels()),
        ("NewWorkgroup", "level", levels()),
        ("Permissions", "level", levels()),
        ("Client", "state", names::<ClientState>()),
        ("Appointment", "origin", names::<AppointmentOrigin>()),
        ("Scope", "kind", names::<ScopeKind>()),
        ("NewScope", "kind", new_kinds.to_vec()),
        ("Account", "role", roles()),
        ("AccountChange", "role", roles()),
        ("NewAccount", "role", roles()),
        ("Key", "scopes", API_KEY_SCOPES.to_vec()),
        ("NewKey", "scopes", API_KEY_SCOPES.to_vec()),
        ("Work", "what", names::<WorkKind>()),
        ("Work", "state", names::<WorkState>()),
        ("Device", "system", agents::SYSTEMS.to_vec()),
        ("DirectoryDeed", "what", names::<DirectoryActionKind>()),
        ("ImportDeed", "what", names::<ImportEffect>()),
        ("Finding", "verdict", names::<Verdict>()),
    ]
}

/// Values that only answers have: a test checks every answer of all tests against them.
const ACTIONS: [&str; 3] = ["none", "forward", "refuse"];

/// Lengths and ranges: schema, field, keyword of JSON Schema and value. Where the server counts bytes, the value is the
/// largest number of characters.
fn bounds() -> Vec<(&'static str, &'static str, &'static str, Value)> {
    let mut bounds = Vec::new();
    let mut add = |schema, field, keyword, value: usize| {
        bounds.push((schema, field, keyword, json!(value)));
    };
    for field in ["name", "mail", "userPrincipalName"] {
        add("NewPerson", field, "maxLength", limits::PERSON_TEXT_MAX);
    }
    add("NewPerson", "lines", "maxItems", people::LINES_MAX);
    add("NewLine", "extension", "maxLength", limits::PERSON_TEXT_MAX);
    add("Favourites", "people", "maxItems", limits::FAVOURITES_MAX);
    for schema in ["NewProfile", "NewTemplate"] {
        add(schema, "name", "minLength", 1);
        add(schema, "name", "maxLength", limits::NAME_MAX);
        add(schema, "text", "maxLength", limits::NAME_MAX);
    }
    add("TemplateChange", "text", "maxLength", limits::NAME_MAX);
    for schema in ["NewTemplate", "TemplateChange", "Template"] {
        // A template belongs to one scope.
        add(schema, "offers", "maxItems", 1);
    }
    add(
        "NewAppointment",
        "text",
        "maxLength",
        limits::APPOINTMENT_TEXT_MAX,
    );
    add("TeamsAccountLink", "account", "minLength", 1);
    add(
        "TeamsAccountLink",
        "account",
        "maxLength",
        teams_account::ACCOUNT_MAX,
    );
    for (schema, field) in [("NewAccount", "password"), ("NewPassword", "password")] {
        add(schema, field, "minLength", password::LENGTH_MIN);
        add(schema, field, "maxLength", password::LENGTH_MAX);
    }
    add("NewKey", "scopes", "minItems", 1);
    for schema in ["NewProgram", "Program"] {
        add(schema, "also", "maxItems", programs::ALSO_MAX);
        add(schema, "ignore_after_hours", "minimum", 1);
        add(
            schema,
            "ignore_after_hours",
            "maximum",
            programs::HOURS_MAX as usize,
        );
    }
    add("Program", "process", "minLength", 1);
    for field in ["process", "alias"] {
        add("Program", field, "maxLength", programs::NAME_MAX);
    }
    add("Programs", "items", "maxItems", programs::PROGRAMS_MAX);
    let colour = json!(appointments::COLOUR_PATTERN);
    bounds.push(("NewAppointment", "colour", "pattern", colour.clone()));
    bounds.push(("Appointment", "colour", "pattern", colour));
    bounds
}

/// Fields with an id that the store assigns, or with a list of such ids.
const NUMBERS: [(&str, &str); 18] = [
    ("Account", "id"),
    ("Account", "person"),
    ("AuditRow", "id"),
    ("Explanation", "person"),
    ("Favourites", "people"),
    ("FoundAccount", "person"),
    ("NewAccount", "person"),
    ("NewTemplate", "people"),
    ("NewWorkgroup", "members"),
    ("Person", "id"),
    ("Relationship", "viewer"),
    ("Route", "person"),
    ("Template", "people"),
    ("TemplateChange", "people"),
    ("Who", "person"),
    ("Work", "id"),
    ("Workgroup", "id"),
    ("Workgroup", "members"),
];

/// Fields with a time (RFC 3339, UTC).
const TIMES: [(&str, &str); 25] = [
    ("Directory", "at"),
    ("Account", "created_at"),
    ("Appointment", "start"),
    ("Appointment", "end"),
    ("AuditRow", "at"),
    ("Backup", "at"),
    ("Choice", "until"),
    ("Chosen", "since"),
    ("Chosen", "until"),
    ("Client", "since"),
    ("Device", "created"),
    ("Device", "connected_since"),
    ("Device", "paused_until"),
    ("DevicePause", "paused_until"),
    ("Key", "created_at"),
    ("NewAppointment", "start"),
    ("NewAppointment", "end"),
    ("PairingCode", "until"),
    ("Past", "at"),
    ("Presence", "since"),
    ("Reason", "since"),
    ("Reason", "lease_end"),
    ("TeamsAccountCode", "until"),
    ("TeamsAccountQuestion", "until"),
    ("Work", "begun"),
];

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{NUMBERS, TIMES, bounds, enumerations, field};

    /// A renamed field must not lose its bounds silently.
    #[test]
    fn every_field_of_the_tables_exists() {
        let (_, document) = crate::routes();
        let mut document: Value = serde_json::from_str(&document.text()).unwrap();
        let schemas = &mut document["components"]["schemas"];
        let enumerations = enumerations();
        let bounds = bounds();
        let named = enumerations
            .iter()
            .map(|(schema, name, _)| (*schema, *name));
        let named = named.chain(bounds.iter().map(|(schema, name, ..)| (*schema, *name)));
        for (schema, name) in named.chain(TIMES).chain(NUMBERS) {
            assert!(field(schemas, schema, name).is_some(), "{schema}.{name}");
        }
    }
}
