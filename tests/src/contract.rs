//! The server's own OpenAPI document, and whether what the server does is what it says.

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::Validator;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// One method of one path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operation {
    /// In lower case.
    pub method: String,
    /// Below `/api/v1`, with names in braces.
    pub path: String,
}

/// What is sent, and what comes back with which status.
struct Bodies {
    request: Option<Validator>,
    responses: BTreeMap<String, Option<Validator>>,
}

/// The document, ready to be held against calls.
pub struct Contract {
    /// As the server tells it.
    pub document: Value,
    operations: BTreeMap<Operation, Bodies>,
}

impl Contract {
    /// Reads a document.
    ///
    /// # Panics
    /// One of its schemas is none.
    pub fn new(document: Value) -> Self {
        let mut operations = BTreeMap::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let key = Operation {
                    method: method.clone(),
                    path: path.clone(),
                };
                operations.insert(key, bodies(&document, operation));
            }
        }
        Self {
            document,
            operations,
        }
    }

    /// Everything that it describes.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.operations.keys()
    }

    /// The operation of a path.
    pub fn operation(&self, method: &Method, path: &str) -> Option<&Operation> {
        self.find(method, path).map(|(operation, _)| operation)
    }

    /// The fields that the body of an operation may have.
    pub fn fields(&self, operation: &Operation) -> BTreeSet<String> {
        let described = &self.document["paths"][&operation.path][&operation.method];
        let mut fields = BTreeSet::new();
        let content = described["requestBody"]["content"].as_object();
        for body in content.into_iter().flat_map(|content| content.values()) {
            gather(&self.document, &body["schema"], &mut fields);
        }
        fields
    }

    /// Whether a call went as the document says.
    ///
    /// # Errors
    /// What did not.
    pub fn check(
        &self,
        method: &Method,
        path: &str,
        request: Option<&Value>,
        status: StatusCode,
        answer: &Value,
    ) -> Result<(), String> {
        let path = path.split('?').next().unwrap();
        let Some((operation, bodies)) = self.find(method, path) else {
            let refused = [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED];
            return if refused.contains(&status) {
                Ok(())
            } else {
                Err(format!("{status}, but the document does not have it"))
            };
        };
        let documented = bodies.responses.get(status.as_str());
        let documented = match documented {
            None if status.is_success() => {
                return Err(format!("{operation:?}: {status} is not documented"));
            }
            None => &bodies.responses["default"],
            Some(documented) => documented,
        };
        match documented {
            Some(schema) => valid(schema, answer, "the answer")?,
            None if *answer == json!("") => {}
            None => return Err(format!("{answer} where no body is documented")),
        }
        match (&bodies.request, request) {
            (Some(schema), Some(request)) if status.is_success() => {
                valid(schema, request, "what was accepted")
            }
            (None, Some(_)) => Err("the document knows of no body to send".into()),
            _ => Ok(()),
        }
    }

    fn find(&self, method: &Method, path: &str) -> Option<(&Operation, &Bodies)> {
        let method = method.as_str().to_lowercase();
        let matching = self
            .operations
            .iter()
            .filter(|(operation, _)| operation.method == method && fits(&operation.path, path));
        // `/templates/teams` is meant before `/templates/{name}`.
        matching.min_by_key(|(operation, _)| operation.path.matches('{').count())
    }
}

/// Adds the names of a schema's properties.
fn gather(document: &Value, schema: &Value, fields: &mut BTreeSet<String>) {
    if let Some(pointer) = schema["$ref"].as_str() {
        let pointer = pointer.trim_start_matches('#');
        gather(document, document.pointer(pointer).unwrap(), fields);
    }
    for several in ["allOf", "anyOf", "oneOf"] {
        for part in schema[several].as_array().into_iter().flatten() {
            gather(document, part, fields);
        }
    }
    let properties = schema["properties"].as_object();
    fields.extend(
        properties
            .into_iter()
            .flat_map(|known| known.keys().cloned()),
    );
}

fn fits(template: &str, path: &str) -> bool {
    let (mut template, mut path) = (template.split('/'), path.split('/'));
    loop {
        match (template.next(), path.next()) {
            (None, None) => return true,
            (Some(part), Some(found)) if part.starts_with('{') || part == found => {}
            _ => return false,
        }
    }
}

fn bodies(document: &Value, operation: &Value) -> Bodies {
    let responses = operation["responses"].as_object().unwrap();
    let responses = responses
        .iter()
        .map(|(status, response)| (status.clone(), schema(document, &response["content"])));
    Bodies {
        request: schema(document, &operation["requestBody"]["content"]),
        responses: responses.collect(),
    }
}

fn schema(document: &Value, content: &Value) -> Option<Validator> {
    let (_, body) = content.as_object()?.iter().next()?;
    let mut schema = body["schema"].clone();
    schema["components"] = document["components"].clone();
    Some(
        jsonschema::draft202012::options()
            .should_validate_formats(true)
            .build(&schema)
            .unwrap(),
    )
}

fn valid(schema: &Validator, body: &Value, what: &str) -> Result<(), String> {
    let errors: Vec<String> = schema
        .iter_errors(body)
        .map(|error| format!("{error} at {:?}", error.instance_path().to_string()))
        .collect();
    if errors.is_empty() {
        return Ok(());
    }
    Err(format!("{what} {body}: {}", errors.join("; ")))
}
