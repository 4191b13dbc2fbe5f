//! Fields that GET answers and the change at the same path does not accept are read-only. A comparison of the two
//! schemas finds them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// Marks the read-only fields of all resources that can be read and changed, lets changes contain them, and returns them by
/// route.
pub(super) fn complete(document: &mut Value) -> Vec<(String, Vec<String>)> {
    let mut by_route = Vec::new();
    for resource in resources(document) {
        let schemas = &document["components"]["schemas"];
        let (answer, change) = (
            properties(schemas, &resource.answer),
            properties(schemas, &resource.change),
        );
        let is_read_only = |(name, _): &(&String, &Value)| {
            let taken = change.get(*name);
            taken.is_none_or(|taken| taken["readOnly"] == json!(true))
        };
        let read_only: Map<String, Value> = answer
            .iter()
            .filter(is_read_only)
            .map(|(name, schema)| (name.clone(), marked(schema)))
            .collect();
        by_route.push((resource.path.clone(), read_only.keys().cloned().collect()));
        mark(
            &mut document["components"]["schemas"],
            &resource.answer,
            &read_only,
        );
        let missing: Map<String, Value> = read_only
            .into_iter()
            .filter(|(name, _)| !change.contains_key(name))
            .collect();
        if !missing.is_empty() {
            accept(document, &resource, missing);
        }
    }
    by_route
}

/// A path that can be read and changed.
struct Resource {
    path: String,
    /// `put` or `patch`.
    method: &'static str,
    /// Name of the schema of the answer to GET.
    answer: String,
    /// Name of the schema of the change's body.
    change: String,
    /// Whether POST accepts the same schema, without read-only fields.
    is_shared: bool,
}

fn resources(document: &Value) -> Vec<Resource> {
    let paths = document["paths"].as_object();
    let posted: Vec<String> = paths
        .into_iter()
        .flat_map(Map::values)
        .filter_map(|methods| body_schema_of(&methods["post"]))
        .collect();
    let resource = |(path, methods): (&String, &Value)| {
        let method = ["put", "patch"]
            .into_iter()
            .find(|method| methods.get(*method).is_some())?;
        let change = body_schema_of(&methods[method])?;
        let answer = &methods["get"]["responses"]["200"];
        Some(Resource {
            path: path.clone(),
            method,
            answer: schema_name(&answer["content"]["application/json"]["schema"])?,
            is_shared: posted.contains(&change),
            change,
        })
    };
    paths.into_iter().flatten().filter_map(resource).collect()
}

/// Name of the schema of an operation's body.
fn body_schema_of(operation: &Value) -> Option<String> {
    schema_name(&operation["requestBody"]["content"]["application/json"]["schema"])
}

fn schema_name(schema: &Value) -> Option<String> {
    let name = schema["$ref"].as_str()?.rsplit('/').next()?;
    Some(name.to_owned())
}

/// The properties of a schema and of its parts.
fn properties(schemas: &Value, name: &str) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    gather(schemas, &schemas[name], &mut found);
    found
}

fn gather(schemas: &Value, schema: &Value, found: &mut BTreeMap<String, Value>) {
    if let Some(name) = schema_name(schema) {
        gather(schemas, &schemas[&name], found);
    }
    for parts in [&schema["allOf"], &schema["anyOf"]] {
        for part in parts.as_array().into_iter().flatten() {
            gather(schemas, part, found);
        }
    }
    let own = schema["properties"].as_object().into_iter().flatten();
    found.extend(own.map(|(name, schema)| (name.clone(), schema.clone())));
}

fn marked(schema: &Value) -> Value {
    let mut schema = schema.clone();
    schema["readOnly"] = json!(true);
    schema
}

/// Marks fields of a schema and of its parts as read-only.
fn mark(schemas: &mut Value, name: &str, read_only: &Map<String, Value>) {
    let Some(schema) = schemas.get_mut(name) else {
        return;
    };
    let mut parts: Vec<&mut Value> = Vec::new();
    match schema.get("allOf").is_some() {
        true => parts.extend(schema["allOf"].as_array_mut().into_iter().flatten()),
        false => parts.push(schema),
    }
    let mut referred = Vec::new();
    for part in parts {
        referred.extend(schema_name(part));
        let own = part.get_mut("properties").and_then(Value::as_object_mut);
        for (name, property) in own.into_iter().flatten() {
            if read_only.contains_key(name) {
                property["readOnly"] = json!(true);
            }
        }
    }
    for name in referred {
        mark(schemas, &name, read_only);
    }
}

/// Adds the read-only fields to the schema of the change. Copies a schema that POST shares, because POST accepts none of
/// them.
fn accept(document: &mut Value, resource: &Resource, read_only: Map<String, Value>) {
    let mut name = resource.change.clone();
    if resource.is_shared {
        name = format!("Changed{}", name.trim_start_matches("New"));
        let schemas = &mut document["components"]["schemas"];
        schemas[&name] = schemas[&resource.change].clone();
        let operation = &mut document["paths"][&resource.path][resource.method];
        operation["requestBody"]["content"]["application/json"]["schema"] =
            json!({"$ref": format!("#/components/schemas/{name}")});
    }
    let schema = &mut document["components"]["schemas"][&name];
    match schema.get_mut("allOf").and_then(Value::as_array_mut) {
        Some(parts) => parts.push(json!({"type": "object", "properties": read_only})),
        None => {
            for (name, property) in read_only {
                schema["properties"][&name] = property;
            }
        }
    }
}
