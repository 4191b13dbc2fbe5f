//! Client of the API for the pages: calls its routes in the process, as the caller of the page. A page shows and changes
//! what the API permits the caller; there is no second set of rules.

use std::{borrow::Cow, net::SocketAddr};

use api::{
    caller::Caller,
    problem::{Problem, ProblemCode},
};
use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::ConnectInfo,
    http::{HeaderName, HeaderValue, Method, Request, StatusCode, header},
    response::{IntoResponse, Response},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tower::ServiceExt;

/// Largest answer of the API in bytes.
const ANSWER_MAX: usize = 16 * 1024 * 1024;

/// Header for a preference of an early answer (RFC 7240).
const PREFER: HeaderName = HeaderName::from_static("prefer");
/// After one second the page shows the progress of a job.
const PREFERENCE: &str = "respond-async, wait=1";

/// Routes of the API behind authentication.
#[derive(Clone, Debug)]
pub struct Routes(pub Router);

/// The API with the permissions of a caller.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    routes: Router,
    caller: Caller,
    /// Address of the client, by which wrong passwords are counted.
    from: Option<ConnectInfo<SocketAddr>>,
}

/// A resource with its ETag.
#[derive(Clone, Debug)]
pub struct Read<T> {
    pub value: T,
    pub tag: String,
}

/// A page of a list.
#[derive(Deserialize)]
struct List<T> {
    items: Vec<T>,
    /// Cursor of the next page.
    next: Option<String>,
}

/// The body of a request.
enum RequestBody {
    Nothing,
    Json(String),
    Text(String),
}

impl RequestBody {
    fn json(body: impl Serialize) -> Result<Self, Refusal> {
        let json = serde_json::to_string(&body);
        Ok(Self::Json(
            json.map_err(|error| Problem::malformed(error.to_string()))?,
        ))
    }
}

/// Successful answer of the API.
#[derive(Clone, Debug)]
pub struct Answer {
    status: StatusCode,
    tag: String,
    body: Bytes,
}

impl Answer {
    /// Reads the body. Answers that the type does not describe are a fault of the program (500).
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        serde_json::from_slice(&self.body).map_err(|error| Refusal::unreadable(&error))
    }
}

/// Answer to a request that may start a long job.
#[derive(Clone, Debug)]
pub(crate) enum JobAnswer<T> {
    /// The result.
    Done(T),
    /// The id of the running job.
    UnderWay(String),
}

/// The part of a running job's body that identifies it.
#[derive(Deserialize)]
struct StartedJob {
    id: String,
}

/// The parts of a problem body (RFC 9457) that pages show.
#[derive(Default, Deserialize)]
struct ProblemBody {
    detail: Option<String>,
    field: Option<String>,
    #[serde(flatten)]
    code: Option<ProblemCode>,
}

/// A refusal of the API.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub status: StatusCode,
    /// Problem and remedy, in English like all texts of the API.
    pub detail: String,
    /// The invalid field, if one is.
    pub field: Option<String>,
    /// The kind of problem, of which the page has a text in the reader's language.
    pub code: Option<ProblemCode>,
}

impl Refusal {
    /// A value that the page cannot interpret (422), with a text in the reader's language.
    pub(crate) fn of_field(field: &str, detail: String) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            detail,
            field: Some(field.to_owned()),
            code: None,
        }
    }

    /// A value that the page cannot interpret (422).
    pub(crate) fn of_code(field: &str, code: ProblemCode) -> Self {
        let refusal = Self::of_field(field, code.code.clone().into_owned());
        Self {
            code: Some(code),
            ..refusal
        }
    }

    /// An answer of the API that its type does not describe: a fault of the program (500).
    pub(crate) fn unreadable(error: &serde_json::Error) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            detail: format!("the page cannot read the answer of the API: {error}"),
            field: None,
            code: None,
        }
    }

    /// No such page (404).
    pub(crate) fn no_page(path: &str) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            detail: format!("there is no page {path}; follow the links from the board"),
            field: None,
            code: Some(ProblemCode::new("no-page").with("value", path)),
        }
    }

    /// The caller may not open the page (403).
    pub fn forbidden(code: &'static str) -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            detail: code.to_owned(),
            field: None,
            code: Some(ProblemCode::new(code)),
        }
    }

    /// Whether another change came first (412).
    pub(crate) fn is_meanwhile(&self) -> bool {
        self.status == StatusCode::PRECONDITION_FAILED
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        Problem::with_status(self.status, self.detail)
            .with_code(self.code)
            .into_response()
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let code = problem.code();
        let (status, detail) = problem.into_status_and_detail();
        Self {
            status,
            detail,
            field: None,
            code,
        }
    }
}

/// A text as a segment of a path, percent-encoded.
pub fn part(text: &str) -> Cow<'_, str> {
    utf8_percent_encode(text, NON_ALPHANUMERIC).into()
}

impl Api {
    pub fn new(routes: Routes, caller: Caller, from: Option<ConnectInfo<SocketAddr>>) -> Self {
        Self {
            routes: routes.0,
            caller,
            from,
        }
    }

    /// GET with ETag. `path` begins after `/api/v1`.
    pub async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<Read<T>, Refusal> {
        let answer = self
            .send(Method::GET, path, RequestBody::Nothing, None)
            .await?;
        Ok(Read {
            value: answer.json()?,
            tag: answer.tag,
        })
    }

    /// GET without ETag.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Refusal> {
        Ok(self.read(path).await?.value)
    }

    /// The `items` of all pages of a list.
    pub async fn items<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, Refusal> {
        let mut all = Vec::new();
        let mut page = path.to_owned();
        loop {
            let list: List<T> = self.get(&page).await?;
            all.extend(list.items);
            let Some(next) = list.next else {
                return Ok(all);
            };
            let joint = if path.contains('?') { '&' } else { '?' };
            page = format!("{path}{joint}cursor={}", part(&next));
        }
    }

    /// POST of a text.
    pub(crate) async fn post_text(&self, path: &str, text: String) -> Result<Answer, Refusal> {
        self.send(Method::POST, path, RequestBody::Text(text), None)
            .await
    }

    /// POST.
    pub async fn post(&self, path: &str, body: impl Serialize) -> Result<Answer, Refusal> {
        self.send(Method::POST, path, RequestBody::json(body)?, None)
            .await
    }

    /// POST of a request that may start a long job.
    pub async fn begin<T: DeserializeOwned>(
        &self,
        path: &str,
        body: impl Serialize,
    ) -> Result<JobAnswer<T>, Refusal> {
        self.begun(path, RequestBody::json(body)?).await
    }

    /// [`Self::begin`] with a text.
    pub(crate) async fn begin_text<T: DeserializeOwned>(
        &self,
        path: &str,
        text: String,
    ) -> Result<JobAnswer<T>, Refusal> {
        self.begun(path, RequestBody::Text(text)).await
    }

    async fn begun<T: DeserializeOwned>(
        &self,
        path: &str,
        request_body: RequestBody,
    ) -> Result<JobAnswer<T>, Refusal> {
        let prefer = (PREFER, PREFERENCE);
        let answer = self
            .send(Method::POST, path, request_body, Some(prefer))
            .await?;
        Ok(match answer.status {
            StatusCode::ACCEPTED => JobAnswer::UnderWay(answer.json::<StartedJob>()?.id),
            _ => JobAnswer::Done(answer.json()?),
        })
    }

    /// PUT, if the resource still has this ETag; an empty `tag` means any.
    pub async fn put(
        &self,
        path: &str,
        body: impl Serialize,
        tag: &str,
    ) -> Result<Answer, Refusal> {
        self.change(Method::PUT, path, RequestBody::json(body)?, tag)
            .await
    }

    /// PATCH, if the resource still has this ETag.
    pub(crate) async fn patch(
        &self,
        path: &str,
        body: impl Serialize,
        tag: &str,
    ) -> Result<Answer, Refusal> {
        self.change(Method::PATCH, path, RequestBody::json(body)?, tag)
            .await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Result<(), Refusal> {
        self.change(Method::DELETE, path, RequestBody::Nothing, "")
            .await?;
        Ok(())
    }

    async fn change(
        &self,
        method: Method,
        path: &str,
        request_body: RequestBody,
        tag: &str,
    ) -> Result<Answer, Refusal> {
        let tag = Some((header::IF_MATCH, tag)).filter(|(_, tag)| !tag.is_empty());
        self.send(method, path, request_body, tag).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        request_body: RequestBody,
        condition: Option<(HeaderName, &str)>,
    ) -> Result<Answer, Refusal> {
        let mut request = Request::builder().method(method).uri(path);
        if let Some((name, value)) = condition
            && let Ok(value) = HeaderValue::from_str(value)
        {
            request = request.header(name, value);
        }
        let (kind, body) = match request_body {
            RequestBody::Nothing => (None, Body::empty()),
            RequestBody::Json(json) => (Some("application/json"), Body::from(json)),
            RequestBody::Text(text) => (Some("text/plain; charset=utf-8"), Body::from(text)),
        };
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        let mut request = request
            .body(body)
            .map_err(|error| Problem::malformed(error.to_string()))?;
        request.extensions_mut().insert(self.caller.clone());
        if let Some(from) = self.from {
            request.extensions_mut().insert(from);
        }
        let answered = self.routes.clone().oneshot(request).await;
        let response = answered.unwrap_or_else(|never| match never {});
        let status = response.status();
        let tag = response.headers().get(header::ETAG);
        let tag = tag.and_then(|tag| tag.to_str().ok()).unwrap_or_default();
        let tag = tag.to_owned();
        let body = to_bytes(response.into_body(), ANSWER_MAX).await;
        let body = body.map_err(|error| Problem::malformed(error.to_string()))?;
        if status.is_success() {
            return Ok(Answer { status, tag, body });
        }
        let problem: ProblemBody = serde_json::from_slice(&body).unwrap_or_default();
        Err(Refusal {
            status,
            detail: problem
                .detail
                .unwrap_or_else(|| String::from_utf8_lossy(&body).into_owned()),
            field: problem.field,
            code: problem.code,
        })
    }
}

#[cfg(test)]
mod tests {
    use api::problem::{Problem, ProblemCode};
    use axum::{body::to_bytes, response::IntoResponse};

    use super::{ANSWER_MAX, ProblemBody};

    async fn read(problem: Problem) -> Option<ProblemCode> {
        let body = to_bytes(problem.into_response().into_body(), ANSWER_MAX).await;
        let body: ProblemBody = serde_json::from_slice(&body.unwrap()).unwrap();
        body.code
    }

    #[tokio::test]
    async fn the_code_of_a_problem_arrives_with_its_values() {
        let code = ProblemCode::new("too-long").with("most", 64);
        let problem = Problem::invalid("name", "is long").with_code(code.clone());
        assert_eq!(read(problem).await, Some(code));
        assert_eq!(read(Problem::invalid("name", "is odd")).await, None);
        let without_values = Problem::wrong_password();
        assert_eq!(read(without_values.clone()).await, without_values.code());
    }
}
