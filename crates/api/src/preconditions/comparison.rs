//! Clients can send the answer to a GET back by PUT or PATCH. Compares the body of a change with the present state:
//! drops read-only fields that are unchanged, refuses those that differ.

use std::{convert::Infallible, sync::Arc};

use axum::{
    body::{Body, Bytes},
    extract::{FromRequestParts, Request},
    http::{Method, header, request::Parts},
    middleware::Next,
};
use serde_json::{Map, Value};

use super::{ANSWER_MAX, posts::is_of, read, read_current};
use crate::problem::Problem;

/// Fields that only the server sets, by route: GET answers them, PUT and PATCH do not accept them.
#[derive(Clone, Debug, Default)]
pub struct ReadOnlyFields(pub Arc<Vec<(String, Vec<String>)>>);

impl ReadOnlyFields {
    /// Read-only fields at a path; `None` if the path has no resource that can be read and changed.
    fn at(&self, path: &str) -> Option<&[String]> {
        let found = self.0.iter().find(|(route, _)| is_of(route, path));
        found.map(|(_, fields)| fields.as_slice())
    }
}

/// Relation of a change's body to the present state.
#[derive(Clone, Debug, Default)]
pub enum Comparison {
    /// The body equals the present state: nothing to change.
    Same,
    /// The body has read-only fields: it is a changed copy of this state.
    ChangedCopy(Arc<Map<String, Value>>),
    /// The body has values to set, and is no copy of the state.
    #[default]
    Values,
}

impl Comparison {
    /// Whether there is nothing to change.
    pub(crate) fn is_same(&self) -> bool {
        matches!(self, Self::Same)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Comparison {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

/// The request without unchanged read-only fields, and with the [`Comparison`] as an extension.
pub(super) async fn compared(
    request: Request,
    body: &Bytes,
    next: &Next,
) -> Result<Request, Problem> {
    let method = request.method().clone();
    if method != Method::PUT && method != Method::PATCH {
        return Ok(request);
    }
    let routes = request.extensions().get::<ReadOnlyFields>().cloned();
    let routes = routes.unwrap_or_default();
    let Some(read_only) = routes.at(request.uri().path()) else {
        return Ok(request);
    };
    let Ok(sent) = serde_json::from_slice::<Map<String, Value>>(body) else {
        return Ok(request);
    };
    let answer = read_current(request.extensions(), request.uri().path(), next).await?;
    if !answer.status().is_success() {
        // The handler refuses callers without permission to read, with the reason.
        return Ok(request);
    }
    let answer = read(answer.into_body(), ANSWER_MAX).await?;
    let Ok(present) = serde_json::from_slice::<Map<String, Value>>(&answer) else {
        return Ok(request);
    };
    let (values, comparison) = compare(&method, sent, present, read_only)?;
    let (mut parts, _) = request.into_parts();
    parts.extensions.insert(comparison);
    parts.headers.remove(header::CONTENT_LENGTH);
    let values = Value::Object(values).to_string();
    Ok(Request::from_parts(parts, Body::from(values)))
}

/// The values to set, and the comparison of the body with the present state.
fn compare(
    method: &Method,
    sent: Map<String, Value>,
    present: Map<String, Value>,
    read_only: &[String],
) -> Result<(Map<String, Value>, Comparison), Problem> {
    let mut values = sent.clone();
    for field in read_only {
        let Some(value) = values.remove(field) else {
            continue;
        };
        if present.get(field) != Some(&value) {
            let detail = format!(
                "{field} is read-only and differs from its present value; leave it out, or read again and send it as it is"
            );
            return Err(Problem::refused(field.clone(), detail));
        }
    }
    let is_copy = values.len() < sent.len();
    let is_unchanged = |(field, value): (&String, &Value)| present.get(field) == Some(value);
    let is_same = match *method {
        // An unchanged field of a PATCH is no different from an absent one.
        Method::PATCH => !sent.is_empty() && sent.iter().all(is_unchanged),
        _ => sent == present,
    };
    if is_same {
        return Ok((values, Comparison::Same));
    }
    // Named fields of a PATCH are set even if they equal the present value, unless the body is a copy.
    if *method == Method::PATCH && is_copy {
        values.retain(|field, value| !is_unchanged((field, value)));
    }
    let comparison = match is_copy {
        true => Comparison::ChangedCopy(Arc::new(present)),
        false => Comparison::Values,
    };
    Ok((values, comparison))
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn compared(method: &Method, sent: Value) -> Result<(Value, Comparison), Problem> {
        let present = map(json!({"id": "7", "name": "Anna", "text": null}));
        let read_only = ["id".to_owned()];
        let compared = compare(method, map(sent), present, &read_only)?;
        Ok((Value::Object(compared.0), compared.1))
    }

    #[test]
    fn what_was_read_is_no_change() {
        for method in [Method::PUT, Method::PATCH] {
            let sent = json!({"text": null, "name": "Anna", "id": "7"});
            let (_, comparison) = compared(&method, sent).unwrap();
            assert!(comparison.is_same(), "{method}");
        }
        let (_, part) = compared(&Method::PATCH, json!({"name": "Anna"})).unwrap();
        assert!(part.is_same(), "the rest stays as it is");
        let (_, part) = compared(&Method::PUT, json!({"name": "Anna"})).unwrap();
        assert!(
            !part.is_same(),
            "what is left out may fall back to a default"
        );
    }

    #[test]
    fn a_changed_copy_loses_its_read_only_fields() {
        let sent = json!({"id": "7", "name": "Anne", "text": null});
        let (values, comparison) = compared(&Method::PUT, sent.clone()).unwrap();
        assert_eq!(values, json!({"name": "Anne", "text": null}));
        assert!(matches!(comparison, Comparison::ChangedCopy(_)));
        let (values, _) = compared(&Method::PATCH, sent).unwrap();
        assert_eq!(values, json!({"name": "Anne"}));
    }

    #[test]
    fn a_change_of_named_fields_keeps_those_with_their_present_value() {
        let sent = json!({"name": "Anne", "text": null});
        let (values, comparison) = compared(&Method::PATCH, sent.clone()).unwrap();
        assert_eq!(
            values, sent,
            "another change may set the text before this one"
        );
        assert!(matches!(comparison, Comparison::Values));
    }

    #[test]
    fn a_changed_read_only_field_is_refused_and_an_unknown_one_left_to_the_handler() {
        let refused = compared(&Method::PUT, json!({"id": "8", "name": "Anna"})).unwrap_err();
        let status = refused.into_response().status();
        assert_eq!(status.as_u16(), 422);
        let sent = json!({"nmae": "Anna"});
        let (values, comparison) = compared(&Method::PUT, sent.clone()).unwrap();
        assert_eq!(values, sent);
        assert!(matches!(comparison, Comparison::Values));
    }
}
