//! Decides from kind of request, status and body whether Graph's answer is success, a final refusal or a temporary failure,
//! and who can help.
//!
//! One table covers single requests, items of a batch, batches as a whole, the directory and subscriptions. Only Graph
//! itself refuses a request for good: with a JSON `error` envelope and status 400 or 404. All other requests are retried,
//! because a status without the envelope may come from a proxy, a gateway or a captive portal. Answers of the sign-in
//! service have a table of their own (`sign_in/codes.rs`).

use RequestKind::{
    Batch, ChangeSubscription, Clear, CreateSubscription, DeleteSubscription, DirectoryLink, Read,
    Set,
};
use Side::{Intermediary, Microsoft};
use Source::{Decision, Page, Seen};
use Verdict::{Administrator, Done, Exists, Final, NothingThere, Passing, StartOver, Token};

use crate::wire::{ErrorBody, bounded, without_mark};

/// Kind of a request, as far as the meaning of an answer depends on it. An item of a batch has the kind that the same
/// request has alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestKind {
    /// `setPresence`, `setUserPreferredPresence`.
    Set,
    /// `clearPresence`, `clearUserPreferredPresence`.
    Clear,
    /// The `$batch` request itself, not its items.
    Batch,
    /// Reads a presence, a user, the first page of a list, or the list of subscriptions.
    Read,
    /// Reads a page of the directory by a `nextLink` or `deltaLink` of an earlier answer.
    DirectoryLink,
    /// Creates a subscription.
    CreateSubscription,
    /// Renews or reauthorizes a subscription.
    ChangeSubscription,
    /// Deletes a subscription.
    DeleteSubscription,
}

impl RequestKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Set,
        Self::Clear,
        Self::Batch,
        Self::Read,
        Self::DirectoryLink,
        Self::CreateSubscription,
        Self::ChangeSubscription,
        Self::DeleteSubscription,
    ];
}

/// Body of an answer, as far as the meaning of the answer depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// White space only, or no byte.
    Empty,
    /// Graph's `error` envelope with a code (Graph, "Microsoft Graph error responses and resource types").
    Error {
        /// Error code; empty where Graph sends an empty one.
        code: String,
        /// Human-readable message.
        message: String,
    },
    /// JSON without an `error` object.
    Json,
    /// Neither empty nor JSON: the page of a proxy, a gateway or a captive portal.
    Foreign,
}

/// Maximum lengths of Graph's code and message in our error texts, in characters. A message may be longer than a code,
/// because Graph names the missing item at its end.
const CODE_MAX: usize = 60;
const MESSAGE_MAX: usize = 200;

impl Body {
    /// Classifies the bytes of a body.
    pub fn of(bytes: &[u8]) -> Self {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Self::Empty;
        }
        match serde_json::from_slice(without_mark(bytes)) {
            Ok(value) => Self::of_json(&value),
            Err(_) => Self::Foreign,
        }
    }

    /// Classifies the body of a batch item. Graph sends a body that is not JSON as a JSON string there.
    pub(crate) fn of_json(value: &serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Empty,
            serde_json::Value::String(text) if text.trim().is_empty() => Self::Empty,
            serde_json::Value::String(_) => Self::Foreign,
            value if value.get("error").is_none() => Self::Json,
            value => match serde_json::from_value::<ErrorBody>(value.clone()) {
                Ok(ErrorBody { error }) => Self::Error {
                    code: bounded(error.code.trim(), CODE_MAX),
                    message: bounded(&error.message, MESSAGE_MAX),
                },
                Err(_) => Self::Foreign,
            },
        }
    }
}

/// Meaning of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Success.
    Done,
    /// Graph answered 404: there was no session or subscription to clear or delete.
    NothingThere,
    /// Graph answered 409: the account has a presence subscription already.
    Exists,
    /// The link has expired: read the directory from its beginning.
    StartOver,
    /// Graph refuses the token: retry at once with a new token, then with backoff.
    Token,
    /// The request needs an action of an administrator: retry slowly.
    Administrator,
    /// Graph refuses this request for good: do not retry.
    Final,
    /// Temporary failure: retry with backoff, or after `Retry-After`.
    Passing(Side),
}

/// Origin of a temporary failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Microsoft, or unknown.
    Microsoft,
    /// A proxy, a firewall or a captive portal between Offhook and Microsoft; an administrator can help if the failure
    /// persists.
    Intermediary,
}

/// Reason for a line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A page of Microsoft Graph's documentation.
    Page(&'static str),
    /// Behaviour of Graph that public reports describe.
    Seen(&'static str),
    /// Offhook's own decision, with the reason.
    Decision(&'static str),
}

/// Condition of a line on the body of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BodyIs {
    Any,
    EmptyOrJson,
    Json,
    Error,
    ErrorCode(&'static [&'static str]),
    Foreign,
}

impl BodyIs {
    fn matches(self, body: &Body) -> bool {
        match (self, body) {
            (Self::Any, _)
            | (Self::EmptyOrJson, Body::Empty | Body::Json)
            | (Self::Json, Body::Json)
            | (Self::Error, Body::Error { .. })
            | (Self::Foreign, Body::Foreign) => true,
            (Self::ErrorCode(codes), Body::Error { code, .. }) => {
                codes.iter().any(|known| known.eq_ignore_ascii_case(code))
            }
            (
                Self::EmptyOrJson | Self::Json | Self::Error | Self::ErrorCode(_) | Self::Foreign,
                _,
            ) => false,
        }
    }
}

/// A line of the table. The first matching line decides.
#[derive(Clone, Copy, Debug)]
struct Line {
    kinds: &'static [RequestKind],
    statuses: (u16, u16),
    body: BodyIs,
    verdict: Verdict,
    source: Source,
}

const fn line(
    kinds: &'static [RequestKind],
    statuses: (u16, u16),
    body: BodyIs,
    verdict: Verdict,
    source: Source,
) -> Line {
    Line {
        kinds,
        statuses,
        body,
        verdict,
        source,
    }
}

const ALL: &[RequestKind] = &RequestKind::ALL;
/// All kinds except the batch itself: its refusal is not a refusal of its items.
const ONE: &[RequestKind] = &[
    Set,
    Clear,
    Read,
    DirectoryLink,
    CreateSubscription,
    ChangeSubscription,
    DeleteSubscription,
];
const WRITES: &[RequestKind] = &[Set, Clear];

/// Error codes for a delta link or page link that has expired.
const ENDED_LINKS: &[&str] = &[
    "syncStateNotFound",
    "syncStateInvalid",
    "resyncRequired",
    "Directory_ExpiredPageToken",
];
/// Code of an envelope without a code.
const NO_CODE: &[&str] = &[""];
/// Codes of temporary failures. Together with 403, Graph uses `UnknownError` for a missing permission too, which is not
/// temporary.
const NO_VERDICT: &[&str] = &[
    "UnknownError",
    "generalException",
    "serviceNotAvailable",
    "ServiceUnavailable",
    "activityLimitReached",
    "TooManyRequests",
    "RequestTimeout",
    "InternalServerError",
];

#[rustfmt::skip]
const TABLE: &[Line] = &[
    // Success: only the answers that the page of each call documents.
    line(WRITES, (200, 200), BodyIs::EmptyOrJson, Done, Page("presence-setpresence: 200 OK without a body")),
    line(WRITES, (204, 204), BodyIs::EmptyOrJson, Done, Decision("no content cannot mean anything else")),
    line(&[Batch], (200, 200), BodyIs::Json, Done, Page("json-batching: 200 with JSON, whatever the items did")),
    line(&[Read, DirectoryLink], (200, 200), BodyIs::Json, Done, Page("presence-get, user-list, user-delta: 200")),
    line(&[CreateSubscription], (201, 201), BodyIs::Json, Done, Page("subscription-post-subscriptions: 201")),
    line(&[CreateSubscription], (200, 200), BodyIs::Json, Done, Decision("the body holds the subscription all the same")),
    line(&[ChangeSubscription], (200, 200), BodyIs::EmptyOrJson, Done, Page("subscription-update: 200")),
    line(&[ChangeSubscription], (204, 204), BodyIs::EmptyOrJson, Done, Page("subscription-reauthorize: 204")),
    line(&[DeleteSubscription], (204, 204), BodyIs::EmptyOrJson, Done, Page("subscription-delete: 204")),
    line(&[DeleteSubscription], (200, 200), BodyIs::EmptyOrJson, Done, Decision("as 204")),
    line(ALL, (200, 299), BodyIs::Foreign, Passing(Intermediary), Seen("portals answer every request with 200 and a page")),
    line(ALL, (200, 299), BodyIs::Any, Passing(Microsoft), Decision("202 and 206 promise, and prove nothing")),

    // Temporary failures that Graph reports with a status of a final refusal; these lines precede the final ones.
    line(ONE, (400, 400), BodyIs::ErrorCode(NO_VERDICT), Passing(Microsoft), Decision("the code names a temporary failure")),
    line(ONE, (404, 404), BodyIs::ErrorCode(NO_VERDICT), Passing(Microsoft), Decision("the code names a temporary failure")),
    line(ONE, (409, 410), BodyIs::ErrorCode(NO_VERDICT), Passing(Microsoft), Decision("the code names a temporary failure")),
    line(ONE, (400, 400), BodyIs::ErrorCode(NO_CODE), Passing(Microsoft), Decision("an empty code gives no reason")),
    line(ONE, (404, 404), BodyIs::ErrorCode(NO_CODE), Passing(Microsoft), Decision("an empty code gives no reason")),
    line(ONE, (409, 410), BodyIs::ErrorCode(NO_CODE), Passing(Microsoft), Decision("an empty code gives no reason")),

    // Graph's own statements about missing or existing sessions, subscriptions and links.
    line(&[Clear], (404, 404), BodyIs::Error, NothingThere, Page("presence-clearpresence: 404 without a session")),
    line(&[DeleteSubscription], (404, 404), BodyIs::Error, NothingThere, Decision("it is gone: that was the aim")),
    line(&[CreateSubscription], (409, 409), BodyIs::Error, Exists, Seen("microsoft-graph-docs#16728: one subscription for presence")),
    line(&[DirectoryLink], (410, 410), BodyIs::Error, StartOver, Page("delta-query-overview: 410 Gone")),
    line(&[DirectoryLink], (410, 410), BodyIs::EmptyOrJson, StartOver, Page("delta-query-overview: 410 Gone with Location")),
    line(&[DirectoryLink], (400, 400), BodyIs::ErrorCode(ENDED_LINKS), StartOver, Seen("msgraph-sdk-dotnet#2254")),
    line(&[DirectoryLink], (404, 404), BodyIs::Error, StartOver, Seen("syncStateNotFound with 404")),

    // Refused tokens and missing permissions.
    line(ALL, (401, 401), BodyIs::Any, Token, Seen("microsoft-graph-docs#8457: also for valid tokens, now and then")),
    line(ONE, (402, 403), BodyIs::Error, Administrator, Page("errors: 402 licence or payment, 403 permission")),

    // Final.
    line(ONE, (400, 400), BodyIs::Error, Final, Page("errors: 400 malformed or incorrect")),
    line(ONE, (404, 404), BodyIs::Error, Final, Page("errors: 404 the resource does not exist")),

    // Temporary failures.
    line(ALL, (300, 399), BodyIs::Any, Passing(Intermediary), Decision("Graph does not redirect what is asked here")),
    line(ALL, (407, 407), BodyIs::Any, Passing(Intermediary), Page("RFC 9110, 15.5.8: a proxy wants credentials")),
    line(ALL, (511, 511), BodyIs::Any, Passing(Intermediary), Page("RFC 6585, 6: a captive portal")),
    line(ALL, (429, 429), BodyIs::Any, Passing(Microsoft), Page("throttling: 429, Retry-After")),
    line(ALL, (500, 599), BodyIs::Any, Passing(Microsoft), Page("errors: 500 to 509, Retry-After")),
    line(ALL, (400, 499), BodyIs::Foreign, Passing(Intermediary), Decision("Graph explains itself in JSON")),
    line(ALL, (400, 499), BodyIs::Any, Passing(Microsoft), Seen("twentyhq/twenty#18726, notapkgtool#97: empty 400, 408, 409, 423 pass")),
    line(ALL, (0, u16::MAX), BodyIs::Any, Passing(Microsoft), Decision("an unknown status confirms nothing")),
];

/// Judges an answer. Pure; every status and body has a verdict.
pub fn judge(kind: RequestKind, status: u16, body: &Body) -> Verdict {
    let (verdict, _) = judge_with_source(kind, status, body);
    verdict
}

/// Like [`judge`], and returns the reason of the line that decided.
pub fn judge_with_source(kind: RequestKind, status: u16, body: &Body) -> (Verdict, Source) {
    let fits = |line: &&Line| {
        let (least, most) = line.statuses;
        line.kinds.contains(&kind) && (least..=most).contains(&status) && line.body.matches(body)
    };
    let line = TABLE.iter().find(fits);
    line.map_or(
        (
            Passing(Microsoft),
            Decision("an answer in no line is tried again"),
        ),
        |line| (line.verdict, line.source),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(code: &str) -> Body {
        Body::of(format!(r#"{{"error":{{"code":"{code}","message":"x"}}}}"#).as_bytes())
    }

    fn bodies() -> [Body; 7] {
        [
            envelope(""),
            Body::Empty,
            Body::Json,
            Body::Foreign,
            envelope("InvalidArgument"),
            envelope("UnknownError"),
            envelope("Directory_ExpiredPageToken"),
        ]
    }

    // Final only with Graph's envelope.
    #[test]
    fn only_400_and_404_with_graphs_envelope_are_final() {
        for kind in RequestKind::ALL {
            for status in 0..=1_000 {
                for body in bodies() {
                    let verdict = judge(kind, status, &body);
                    let from_graph = matches!(body, Body::Error { .. });
                    if verdict == Final {
                        assert!([400, 404].contains(&status) && from_graph);
                        assert_ne!(kind, Batch);
                    }
                    if verdict == NothingThere {
                        assert!(status == 404 && from_graph, "{kind:?} {status} {body:?}");
                    }
                    if verdict == Administrator {
                        assert!([402, 403].contains(&status) && from_graph);
                    }
                    if verdict == Done {
                        assert!([200, 201, 204].contains(&status), "{kind:?} {status}");
                        assert!(!from_graph && body != Body::Foreign);
                    }
                }
            }
        }
    }

    #[test]
    fn every_line_of_the_table_is_reached() {
        let mut reached = std::collections::HashSet::new();
        for kind in RequestKind::ALL {
            for status in 0..=1_000 {
                for body in bodies() {
                    let (_, source) = judge_with_source(kind, status, &body);
                    reached.insert(format!("{source:?}"));
                }
            }
        }
        for line in TABLE {
            assert!(reached.contains(&format!("{:?}", line.source)), "{line:?}");
        }
    }

    #[test]
    fn a_body_is_graphs_own_only_with_an_error_object_and_a_code() {
        let foreign = [
            "<html>400</html>",
            r#"{"error":"invalid_request","error_description":"x"}"#,
            r#"{"error":{}}"#,
            r#"{"error":{"message":"x"}}"#,
            r#"{"error":{"code":7}}"#,
            r#"{"error":null}"#,
            r#"{"error":[{"code":"x"}]}"#,
            r#""a text""#,
            "{",
        ];
        for body in foreign {
            assert_eq!(Body::of(body.as_bytes()), Body::Foreign, "{body}");
        }
        for body in ["", " \r\n", "null", r#""""#] {
            assert_eq!(Body::of(body.as_bytes()), Body::Empty, "{body}");
        }
        assert_eq!(Body::of(b"{}"), Body::Json);
        let nested = br#"{"error":{"code":"A\nB","message":"x","innerError":{"code":"C"}}}"#;
        let expected = Body::Error {
            code: "AB".into(),
            message: "x".into(),
        };
        assert_eq!(Body::of(nested), expected);
        let marked = [b"\xEF\xBB\xBF", nested.as_slice()].concat();
        assert_eq!(Body::of(&marked), expected);
        let no_code = |message: &str| Body::Error {
            code: String::new(),
            message: message.into(),
        };
        let body = br#"{"error":{"code":" ","message":"x"}}"#;
        assert_eq!(Body::of(body), no_code("x"));
        assert_eq!(Body::of(br#"{"error":{"code":""}}"#), no_code(""));
    }

    // An error code without a cause proves nothing, even with the status of a missing session, subscription or
    // link.
    #[test]
    fn a_code_of_a_temporary_failure_confirms_and_refuses_nothing() {
        for kind in RequestKind::ALL {
            for status in [400, 404, 409, 410] {
                for code in NO_VERDICT.iter().chain(NO_CODE) {
                    for code in [(*code).to_owned(), code.to_lowercase()] {
                        let verdict = judge(kind, status, &envelope(&code));
                        assert_eq!(verdict, Passing(Microsoft), "{kind:?} {status} {code}");
                    }
                }
            }
        }
    }

    #[test]
    fn texts_of_graph_are_repeated_up_to_a_length() {
        let text = "x".repeat(10_000);
        let body = format!(r#"{{"error":{{"code":"{text}","message":"{text}"}}}}"#);
        let Body::Error { code, message } = Body::of(body.as_bytes()) else {
            panic!("no envelope");
        };
        assert_eq!((code.len(), message.len()), (CODE_MAX, MESSAGE_MAX));
    }
}
