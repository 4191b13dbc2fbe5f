//! The server's OpenAPI document, and the comparison of requests and responses with it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex},
};

use jsonschema::Validator;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// One method of one path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operation {
    /// The HTTP method, in lower case.
    pub method: String,
    /// The path below `/api/v1`, with parameters in braces.
    pub path: String,
}

/// The request body and, by status, the response bodies of an operation.
struct Bodies {
    request: Option<Value>,
    /// Parameters of the path and the query.
    parameters: Vec<Parameter>,
    responses: BTreeMap<String, Option<Value>>,
}

/// A parameter of the path or the query.
struct Parameter {
    name: String,
    is_in_path: bool,
    is_number: bool,
    is_boolean: bool,
    schema: Value,
}

/// The document with the validators for checking calls.
pub struct Contract {
    /// The document as the server sends it.
    pub document: Value,
    operations: BTreeMap<Operation, Bodies>,
    /// Compiled lazily, by schema: most operations share their error responses, and a test uses few of all schemas.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Contract {
    /// Reads a document.
    ///
    /// # Panics
    /// The value is no OpenAPI document.
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
            validators: Mutex::default(),
        }
    }

    /// All operations of the document.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.operations.keys()
    }

    /// The operation that a request path matches.
    pub fn operation(&self, method: &Method, path: &str) -> Option<&Operation> {
        self.find(method, path).map(|(operation, _)| operation)
    }

    /// The fields of an operation's request body, without read-only ones.
    pub fn fields(&self, operation: &Operation) -> BTreeSet<String> {
        let described = &self.document["paths"][&operation.path][&operation.method];
        let mut fields = BTreeSet::new();
        let content = described["requestBody"]["content"].as_object();
        for body in content.into_iter().flat_map(|content| content.values()) {
            gather(&self.document, &body["schema"], &mut fields);
        }
        fields
    }

    /// Checks a call against the document.
    ///
    /// # Errors
    /// The difference from the document.
    pub fn check(
        &self,
        method: &Method,
        path: &str,
        request: Option<&Value>,
        status: StatusCode,
        answer: &Value,
    ) -> Result<(), String> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let Some((operation, bodies)) = self.find(method, path) else {
            let refused = [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED];
            return if refused.contains(&status) {
                Ok(())
            } else {
                Err(format!("{status}, but the document does not have it"))
            };
        };
        if status.is_success() {
            self.fits(operation, &bodies.parameters, path, query)?;
        }
        let documented = bodies.responses.get(status.as_str());
        let documented = match documented {
            None if status.is_success() => {
                return Err(format!("{operation:?}: {status} is not documented"));
            }
            None if REFUSALS.contains(&status) => {
                return Err(format!(
                    "{operation:?}: the refusal {status} is not documented"
                ));
            }
            None => &bodies.responses["default"],
            Some(documented) => documented,
        };
        match documented {
            Some(schema) => self.valid(schema, answer, "the answer")?,
            None if *answer == json!("") => {}
            None => return Err(format!("{answer} where no body is documented")),
        }
        match (&bodies.request, request) {
            (Some(schema), Some(request)) if status.is_success() => {
                self.valid(schema, request, "what was accepted")
            }
            (None, Some(_)) => Err("the document knows of no body to send".into()),
            _ => Ok(()),
        }
    }

    /// Checks the values in an accepted path and query against their schemas.
    fn fits(
        &self,
        operation: &Operation,
        parameters: &[Parameter],
        path: &str,
        query: &str,
    ) -> Result<(), String> {
        let url = reqwest::Url::parse(&format!("http://server/?{query}")).unwrap();
        let plain = |text: &str| {
            let url =
                reqwest::Url::parse(&format!("http://server/?x={}", text.replace('+', "%2B")));
            url.unwrap().query_pairs().next().unwrap().1.into_owned()
        };
        let places = operation.path.split('/').zip(path.split('/'));
        let in_path: Vec<(&str, String)> = places
            .filter(|(template, _)| template.starts_with('{'))
            .map(|(template, value)| (template.trim_matches(['{', '}']), plain(value)))
            .collect();
        for parameter in parameters {
            let in_query = url.query_pairs();
            let found: Vec<String> = if parameter.is_in_path {
                let same = in_path.iter().filter(|(name, _)| *name == parameter.name);
                same.map(|(_, value)| value.clone()).collect()
            } else {
                let same = in_query.filter(|(name, _)| *name == parameter.name);
                same.map(|(_, value)| value.into_owned()).collect()
            };
            for value in found {
                let value = match (value.parse::<i64>(), value.parse::<bool>()) {
                    (Ok(number), _) if parameter.is_number => json!(number),
                    (_, Ok(truth)) if parameter.is_boolean => json!(truth),
                    _ => json!(value),
                };
                self.valid(&parameter.schema, &value, &parameter.name)?;
            }
        }
        Ok(())
    }

    fn valid(&self, schema: &Value, body: &Value, what: &str) -> Result<(), String> {
        let validator = {
            let mut known = self.validators.lock().unwrap();
            let new = || Arc::new(validator(&self.document, schema));
            known.entry(schema.to_string()).or_insert_with(new).clone()
        };
        let errors: Vec<String> = validator
            .iter_errors(body)
            .map(|error| format!("{error} at {:?}", error.instance_path().to_string()))
            .collect();
        if errors.is_empty() {
            return Ok(());
        }
        Err(format!("{what} {body}: {}", errors.join("; ")))
    }

    fn find(&self, method: &Method, path: &str) -> Option<(&Operation, &Bodies)> {
        let method = method.as_str().to_lowercase();
        let matching = self
            .operations
            .iter()
            .filter(|(operation, _)| operation.method == method && matches(&operation.path, path));
        // `/templates/teams` goes before `/templates/{name}`.
        matching.min_by_key(|(operation, _)| operation.path.matches('{').count())
    }
}

/// Adds the names of a schema's properties, without read-only ones, to `fields`.
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
    let properties = schema["properties"].as_object().into_iter().flatten();
    let changeable = properties.filter(|(_, property)| property["readOnly"] != json!(true));
    fields.extend(changeable.map(|(name, _)| name.clone()));
}

/// Error responses that the document must list where they are possible.
const REFUSALS: [StatusCode; 7] = [
    StatusCode::BAD_REQUEST,
    StatusCode::UNAUTHORIZED,
    StatusCode::FORBIDDEN,
    StatusCode::NOT_FOUND,
    StatusCode::CONFLICT,
    StatusCode::PRECONDITION_FAILED,
    StatusCode::UNPROCESSABLE_ENTITY,
];

fn matches(template: &str, path: &str) -> bool {
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
    let responses = responses.iter().map(|(status, response)| {
        let response = resolved(document, response);
        (status.clone(), schema(&response["content"]))
    });
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let parameters = parameters.map(|parameter| resolved(document, parameter));
    let parameters = parameters.filter(|parameter| parameter["in"] != "header");
    let parameters = parameters.map(|parameter| Parameter {
        name: parameter["name"].as_str().unwrap().to_owned(),
        is_in_path: parameter["in"] == "path",
        is_number: parameter["schema"]["type"] == "integer",
        is_boolean: parameter["schema"]["type"] == "boolean",
        schema: parameter["schema"].clone(),
    });
    Bodies {
        parameters: parameters.collect(),
        request: schema(&operation["requestBody"]["content"]),
        responses: responses.collect(),
    }
}

/// Resolves a `$ref`.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

fn schema(content: &Value) -> Option<Value> {
    let (_, body) = content.as_object()?.iter().next()?;
    Some(body["schema"].clone())
}

fn validator(document: &Value, schema: &Value) -> Validator {
    let mut schema = schema.clone();
    schema["components"] = document["components"].clone();
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap()
}
