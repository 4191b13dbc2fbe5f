//! What a server says of a request that it refuses (RFC 9457).

use serde::Deserialize;

#[derive(Default, Deserialize)]
struct Problem {
    field: Option<String>,
    detail: Option<String>,
}

/// What is wrong, and with which field if it says so; nothing if it is not told as servers of ours do.
pub async fn detail(response: reqwest::Response) -> Option<String> {
    let problem: Problem = response.json().await.unwrap_or_default();
    let detail = problem.detail?;
    Some(match problem.field {
        Some(field) => format!("the {field} {detail}"),
        None => detail,
    })
}
