//! Answers of the provider to Offhook's requests: bounded, decoded, and with an error that names what to do.

use encoding_rs::{Encoding, UTF_8};
use gateway::external_fetch::words;
use reqwest::{RequestBuilder, Response, StatusCode, header};
use serde_json::{Map, Value};

use super::{RETURN, shown};

/// Most bytes of an answer.
const ANSWER_MAX: usize = 256 * 1024;

/// Why an answer cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the provider does not answer as it should at {url}: {problem}")]
pub struct AnswerError {
    pub(super) url: String,
    pub(super) problem: Problem,
}

/// Kinds of unusable answers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// No connection, no TLS, or no answer in time.
    #[error("{0}; check open_id_connect.issuer, the network and the certificates of this machine")]
    NoAnswer(String),
    #[error("the answer is larger than {} KiB", ANSWER_MAX / 1024)]
    TooLarge,
    #[error(
        "it leads on to {0}; write the address at which the provider is into open_id_connect.issuer"
    )]
    Redirect(String),
    /// An error of OAuth (RFC 6749, 5.2; RFC 6750, 3).
    #[error("{status} {code} {description}; {remedy}", remedy = remedy(code))]
    Refused {
        status: StatusCode,
        code: String,
        description: String,
    },
    /// An error of another kind, of a server or proxy before the provider.
    #[error("{status} with {kind} instead of a JSON object; {remedy}", remedy = remedy_of_status(*status))]
    Status { status: StatusCode, kind: String },
    #[error(
        "{0} instead of a JSON object; check that open_id_connect.issuer is the address of an OpenID Connect provider"
    )]
    NotJson(String),
    #[error("it is not {0} in {1}; have it answer with UTF-8")]
    Encoding(&'static str, &'static str),
    /// The content is not usable.
    #[error("{0}")]
    Content(String),
}

/// What to do about an error code of OAuth 2.0 or OpenID Connect.
pub(super) fn remedy(code: &str) -> String {
    match code {
        "invalid_client" | "unauthorized_client" => "compare open_id_connect.client_id and client_secret with the client there, which must be confidential and allow the authorization code flow".into(),
        "invalid_grant" => "begin the sign-in anew; if it happens again, compare the redirect URL and the clock there".into(),
        "invalid_request" | "redirect_uri_mismatch" | "invalid_redirect_uri" => {
            format!("register http.public_url followed by {RETURN} as redirect URL there, exactly so")
        }
        "invalid_scope" => "allow the scopes of open_id_connect.scopes (openid, email and profile unless configured) for this client there".into(),
        "unsupported_response_type" | "unsupported_grant_type" => "allow the authorization code flow for this client there".into(),
        "access_denied" | "consent_required" | "interaction_required" => "allow this application for the person there, or try again and consent".into(),
        "invalid_token" | "insufficient_scope" => "allow the scope openid for this client there".into(),
        "temporarily_unavailable" | "server_error" | "slow_down" => "try again; if it stays, see the log of the provider".into(),
        _ => "see the log of the provider".into(),
    }
}

fn remedy_of_status(status: StatusCode) -> &'static str {
    match status.as_u16() {
        404 | 410 => {
            "open_id_connect.issuer must be the provider's address without /.well-known/openid-configuration"
        }
        401 | 403 => "let Offhook's machine reach it without a sign-in or a firewall's page",
        429 | 500..=599 => {
            "try again; if it stays, see the log of the provider or of the proxy before it"
        }
        _ => "see the log of the provider or of the proxy before it",
    }
}

/// An answer of any status.
#[derive(Debug)]
pub(super) struct Answer {
    url: String,
    status: StatusCode,
    content_type: String,
    /// Of `WWW-Authenticate`, where errors of UserInfo are (RFC 6750, 3).
    challenge: String,
    body: Vec<u8>,
}

/// Sends a request. Its URL is repeated in errors and holds no secret.
pub(super) async fn answer(request: RequestBuilder, url: &str) -> Result<Answer, AnswerError> {
    let failed = |problem| AnswerError {
        url: url.to_owned(),
        problem,
    };
    let no_answer = |error: reqwest::Error| failed(Problem::NoAnswer(cause(error)));
    let mut response = request.send().await.map_err(no_answer)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(no_answer)? {
        if body.len() + chunk.len() > ANSWER_MAX {
            return Err(failed(Problem::TooLarge));
        }
        body.extend_from_slice(&chunk);
    }
    let text = |name| text_header(&response, name);
    let status = response.status();
    if status.is_redirection() {
        let location = shown::address(&text(header::LOCATION));
        return Err(failed(Problem::Redirect(location)));
    }
    Ok(Answer {
        url: url.to_owned(),
        status,
        content_type: text(header::CONTENT_TYPE).to_ascii_lowercase(),
        challenge: text(header::WWW_AUTHENTICATE),
        body,
    })
}

fn text_header(response: &Response, name: header::HeaderName) -> String {
    let value = response.headers().get(name);
    value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned()
}

/// The innermost cause ("connection refused", not "error sending request").
fn cause(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".into();
    }
    let error = error.without_url();
    let first: &(dyn std::error::Error + 'static) = &error;
    let causes = std::iter::successors(Some(first), |error| error.source());
    words(&causes.last().unwrap_or(first).to_string())
}

impl Answer {
    fn failed(&self, problem: Problem) -> AnswerError {
        AnswerError {
            url: self.url.clone(),
            problem,
        }
    }

    /// The error for unusable content.
    pub(super) fn unusable(&self, what: String) -> AnswerError {
        self.failed(Problem::Content(what))
    }

    /// The text, in the encoding of its byte order mark, else of its `charset`, else UTF-8 (RFC 8259, 8.1).
    fn text(&self) -> Result<String, AnswerError> {
        let charset = self.content_type.split(';').skip(1).find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            (name.trim() == "charset").then(|| value.trim().trim_matches('"'))
        });
        let labelled = charset.and_then(|label| Encoding::for_label(label.as_bytes()));
        let (text, encoding, has_errors) = labelled.unwrap_or(UTF_8).decode(&self.body);
        match has_errors {
            true => Err(self.failed(Problem::Encoding("text", encoding.name()))),
            false => Ok(text.into_owned()),
        }
    }

    /// A description of a body that is no JSON object.
    fn kind(&self) -> String {
        let begin = self.body.trim_ascii_start();
        if self.content_type.contains("html") || begin.starts_with(b"<") {
            "a page (HTML)".into()
        } else if begin.is_empty() {
            "an empty answer".into()
        } else if serde_json::from_slice::<Value>(begin).is_ok() {
            "JSON of another kind".into()
        } else if self.content_type.is_empty() || self.content_type.contains("json") {
            "broken JSON".into()
        } else {
            shown::text(&self.content_type)
        }
    }

    /// The error of an unsuccessful answer. Only its OAuth fields are repeated.
    fn error(&self) -> AnswerError {
        let text = self.text().unwrap_or_default();
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        if let Some(error) = body.as_object().and_then(|body| self.oauth_error(body)) {
            return error;
        }
        let parameter = |name: &str| {
            let (_, value) = self.challenge.split_once(&format!("{name}=\""))?;
            value.split('"').next()
        };
        self.failed(match parameter("error") {
            Some(code) => Problem::Refused {
                status: self.status,
                code: shown::plain(code),
                description: parameter("error_description").map_or_else(String::new, words),
            },
            None if body.is_object() => Problem::Refused {
                status: self.status,
                code: "without an error code".into(),
                description: String::new(),
            },
            None => Problem::Status {
                status: self.status,
                kind: self.kind(),
            },
        })
    }

    fn oauth_error(&self, body: &Map<String, Value>) -> Option<AnswerError> {
        let say = |key: &str| body.get(key).and_then(Value::as_str);
        let code = shown::plain(say("error")?);
        Some(self.failed(Problem::Refused {
            status: self.status,
            code,
            description: say("error_description").map_or_else(String::new, words),
        }))
    }

    /// The successful answer as text, if it is signed JSON (`application/jwt`).
    pub(super) fn signed(&self) -> Result<Option<String>, AnswerError> {
        if !self.status.is_success() {
            return Err(self.error());
        }
        let text = self.text()?;
        let text = text.trim();
        let is_signed = self.content_type.starts_with("application/jwt")
            || (!text.starts_with('{') && text.starts_with("eyJ"));
        Ok(is_signed.then(|| text.to_owned()))
    }

    /// The JSON object of a successful answer. Some providers send errors as successful answers.
    pub(super) fn object(&self) -> Result<Map<String, Value>, AnswerError> {
        if !self.status.is_success() {
            return Err(self.error());
        }
        let text = self.text()?;
        // An error of serde_json repeats values.
        let object: Map<String, Value> =
            serde_json::from_str(&text).map_err(|_| self.failed(Problem::NotJson(self.kind())))?;
        match self.oauth_error(&object) {
            Some(error) => Err(error),
            None => Ok(object),
        }
    }
}
