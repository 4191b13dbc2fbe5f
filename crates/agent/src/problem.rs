//! Problem details of a refused request (RFC 9457).

use serde::Deserialize;

#[derive(Default, Deserialize)]
struct Problem {
    field: Option<String>,
    detail: Option<String>,
}

/// Detail of a problem, with the name of the field if given; `None` if the body is not a problem of Offhook.
pub async fn detail(response: reqwest::Response) -> Option<String> {
    let problem: Problem = response.json().await.unwrap_or_default();
    let detail = problem.detail?;
    Some(match problem.field {
        Some(field) => format!("the {field} {detail}"),
        None => detail,
    })
}
