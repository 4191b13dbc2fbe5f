//! Bodies of a JSON batch and its answers (Graph, "Combine multiple HTTP requests using JSON batching").

use std::{collections::HashMap, time::Duration};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Body, GraphError, Operation, RequestId, Verdict, WriteSuccess, error::RequestContext, judge,
    parse_retry_after,
};

/// Maximum number of requests in one `$batch`.
pub const BATCH_MAX: usize = 20;

const PERMISSION: &str = "application permission Presence.ReadWrite.All";

#[derive(Deserialize)]
pub(crate) struct Responses {
    /// Parsed one by one, so that a malformed answer does not affect the others.
    responses: Vec<Value>,
}

#[derive(Deserialize)]
struct ItemResponse {
    /// A string according to the documentation; a number is accepted too.
    id: Value,
    status: u16,
    #[serde(default)]
    headers: Option<HashMap<String, Value>>,
    #[serde(default)]
    body: Option<Value>,
}

/// Body of the batch. Items are numbered from 0 and run in parallel.
pub(crate) fn body(writes: &[(&str, Operation, Option<RequestId>)], client_id: &str) -> Value {
    let requests: Vec<Value> = writes
        .iter()
        .enumerate()
        .map(|(number, (user, operation, id))| {
            let mut headers = json!({ "Content-Type": "application/json" });
            if let Some(id) = id {
                headers["client-request-id"] = id.to_string().into();
            }
            json!({
                "id": number.to_string(),
                "method": "POST",
                "url": format!("/users/{}/presence/{}", segment(user), operation.call()),
                "headers": headers,
                "body": operation.body(client_id),
            })
        })
        .collect();
    json!({ "requests": requests })
}

/// Percent-encodes a user id as a path segment; object ids need no encoding.
fn segment(user: &str) -> String {
    let mut url = String::with_capacity(user.len());
    for byte in user.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.@".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    url
}

/// Result of each write, in the order of `writes`. A write without exactly one answer fails with [`GraphError::Malformed`].
/// `now` is milliseconds since 1970, for a `Retry-After` that is a date.
pub(crate) fn split(
    writes: &[(&str, Operation, Option<RequestId>)],
    answers: Responses,
    now: i64,
) -> Vec<Result<WriteSuccess, GraphError>> {
    let mut by_number: HashMap<String, Vec<ItemResponse>> = HashMap::new();
    for answer in answers.responses {
        if let Ok(answer) = serde_json::from_value::<ItemResponse>(answer) {
            let number = match &answer.id {
                Value::String(id) => id.clone(),
                id => id.to_string(),
            };
            by_number.entry(number).or_default().push(answer);
        }
    }
    writes
        .iter()
        .enumerate()
        .map(|(number, (user, operation, _))| {
            let mut answers = by_number.remove(&number.to_string()).unwrap_or_default();
            match (answers.pop(), answers.len()) {
                (Some(answer), 0) => outcome(user, *operation, answer, now),
                (_, more) => Err(GraphError::Malformed {
                    call: operation.call(),
                    cause: match more {
                        0 => format!("$batch has no answer for item {number}"),
                        _ => format!("$batch has {} answers for item {number}", more + 1),
                    },
                }),
            }
        })
        .collect()
}

fn outcome(
    user: &str,
    operation: Operation,
    answer: ItemResponse,
    now: i64,
) -> Result<WriteSuccess, GraphError> {
    let retry_after = answer.retry_after(now);
    let body = answer.body.as_ref().map_or(Body::Empty, Body::of_json);
    let kind = operation.kind();
    let asked = RequestContext {
        call: operation.call(),
        permission: PERMISSION,
        what: user,
    };
    match GraphError::of_answer(kind, asked, (answer.status, retry_after), &body) {
        Some(error) => Err(error),
        None if judge(kind, answer.status, &body) == Verdict::NothingThere => {
            Ok(WriteSuccess::NothingToClear)
        }
        None => Ok(WriteSuccess::Done),
    }
}

impl ItemResponse {
    fn retry_after(&self, now: i64) -> Option<Duration> {
        let headers = self.headers.as_ref()?;
        let (_, value) = headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("Retry-After"))?;
        match value {
            Value::String(text) => parse_retry_after(text, now),
            value => parse_retry_after(&value.to_string(), now),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Blame;

    fn writes(count: usize) -> Vec<(&'static str, Operation, Option<RequestId>)> {
        (0..count)
            .map(|_| ("anna", Operation::SetSession, None))
            .collect()
    }

    fn responses(json: Value) -> Responses {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn row_92_one_throttled_item_of_twenty_is_recognised_in_any_order() {
        let answers: Vec<Value> = (0..20)
            .rev()
            .map(|number| match number {
                7 => json!({ "id": "7", "status": 429, "headers": { "retry-after": "2.128" },
                    "body": { "error": { "code": "TooManyRequests", "message": "x" } } }),
                _ => json!({ "id": number.to_string(), "status": 200, "body": null }),
            })
            .collect();
        let results = split(&writes(20), responses(json!({ "responses": answers })), 0);
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 19);
        let error = results[7].as_ref().unwrap_err();
        assert_eq!(
            (error.retry_after(), error.blame()),
            (Some(Duration::from_secs(3)), Blame::Service)
        );
    }

    #[test]
    fn row_93_the_ids_of_a_batch_are_distinct() {
        let body = body(&writes(20), "app");
        let requests = body["requests"].as_array().unwrap();
        let ids: std::collections::HashSet<_> = requests
            .iter()
            .map(|request| request["id"].as_str().unwrap().to_lowercase())
            .collect();
        assert_eq!(ids.len(), 20);
        assert_eq!(requests[3]["url"], "/users/anna/presence/setPresence");
        assert_eq!(requests[3]["headers"]["Content-Type"], "application/json");
        assert_eq!(segment("a/../b?c'#"), "a%2F..%2Fb%3Fc%27%23");
    }

    #[test]
    fn row_94_each_item_has_its_own_fate() {
        let writes = [
            ("anna", Operation::ClearSession, None),
            ("ben", Operation::SetSession, None),
            ("cleo", Operation::SetSession, None),
            ("dora", Operation::SetSession, None),
            ("emil", Operation::SetSession, None),
            ("fred", Operation::SetSession, None),
        ];
        let unknown = json!({ "error": { "code": "NotFound", "message": "x" } });
        let answers = json!({ "responses": [
            { "id": "0", "status": 404, "body": unknown },
            { "id": "1", "status": 404, "body": unknown },
            { "id": 2, "status": 424, "headers": null },
            { "id": "3", "status": 503, "headers": { "Retry-After": 7 } },
            { "id": "4", "status": 403, "body": { "error": { "code": "Forbidden" } } },
        ] });
        let results = split(&writes, responses(answers), 0);
        let blames: Vec<_> = results
            .iter()
            .map(|result| result.as_ref().err().map(GraphError::blame))
            .collect();
        assert_eq!(
            blames,
            [
                None,
                Some(Blame::Request),
                // Another item failed, not this one.
                Some(Blame::Service),
                Some(Blame::Service),
                Some(Blame::Administrator),
                Some(Blame::Service),
            ]
        );
        let wait = results[3].as_ref().unwrap_err().retry_after();
        assert_eq!(wait, Some(Duration::from_secs(7)));
        assert!(results[1].as_ref().unwrap_err().to_string().contains("ben"));
    }

    // A malformed answer in a batch confirms nothing, and the other items keep their answers.
    #[test]
    fn an_odd_answer_in_a_batch_confirms_nothing_and_spoils_nothing() {
        let odd = [
            json!([]),
            json!([null]),
            json!([{ "id": "1" }]),
            json!([{ "id": "1", "status": "200 OK" }]),
            json!([{ "id": null, "status": 200 }]),
            json!([{ "id": "7", "status": 200 }]),
            json!([{ "id": "1", "status": 200 }, { "id": "1", "status": 200 }]),
            json!([{ "id": "1", "status": 200 }, { "id": 1, "status": 503 }]),
            json!([{ "id": "1", "status": 202 }]),
            json!([{ "id": "1", "status": 200, "body": "PGh0bWw+" }]),
            json!([{ "id": "1", "status": 404 }]),
        ];
        for mut answers in odd {
            let list = answers.as_array_mut().unwrap();
            list.push(json!({ "id": "0", "status": 200, "body": null }));
            let writes = [
                ("anna", Operation::SetSession, None),
                ("ben", Operation::ClearSession, None),
            ];
            let results = split(&writes, responses(json!({ "responses": answers })), 0);
            assert!(results[0].is_ok(), "{answers}");
            let error = results[1].as_ref().unwrap_err();
            assert_eq!(error.blame(), Blame::Service, "{answers}");
        }
    }

    proptest! {
        #[test]
        fn every_write_has_one_result(
            count in 0usize..=20,
            answers in prop::collection::vec((0u8..30, any::<u16>(), ".{0,6}"), 0..30),
        ) {
            let answers: Vec<Value> = answers
                .into_iter()
                .map(|(id, status, wait)| json!({ "id": id.to_string(), "status": status,
                    "headers": { "Retry-After": wait }, "body": wait }))
                .collect();
            let results = split(&writes(count), responses(json!({ "responses": answers })), 0);
            prop_assert_eq!(results.len(), count);
        }
    }
}
