//! The table of answers: success, final refusals and passing failures of Graph, and the side that can help.
//!
//! One table judges single requests, items of a batch, batches as a whole, the directory and subscriptions. A request is
//! refused for good only by Graph itself: by a JSON `error` envelope with 400 or 404. All other requests are tried again. A
//! status without the envelope may come from a proxy, a gateway or a captive portal. The answers of the sign-in service have a table of their own.

use crate::wire::{ErrorBody, bounded, without_mark};
use RequestKind::{
    Batch, ChangeSubscription, Clear, CreateSubscription, DeleteSubscription, DirectoryLink, Read,
    Set,
};
use Side::{Intermediary, Microsoft};
use Source::{Decision, Page, Seen};
use Verdict::{Administrator, Done, Exists, Final, NothingThere, Passing, StartOver, Token};

/// The kind of a request, as far as the meaning of an answer depends on it. An item of a batch has the kind that it would
/// have alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestKind {
    /// `setPresence`, `setUserPreferredPresence`.
    Set,
    /// `clearPresence`, `clearUserPreferredPresence`.
    Clear,
    /// A `$batch` as a whole.
    Batch,
    /// A read: presence, a user, the first page of a list, the list of subscriptions.
    Read,
    /// A read of the directory by a `nextLink` or `deltaLink` of an earlier answer.
    DirectoryLink,
    /// The creation of a subscription.
    CreateSubscription,
    /// The renewal or reauthorization of a subscription.
    ChangeSubscription,
    /// The deletion of a subscription.
    DeleteSubscription,
}

impl RequestKind {
    /// Every kind.
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

/// The body of an answer, as far as its meaning depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// No byte but white space.
    Empty,
    /// Graph's `error` envelope with a code (Graph, "Microsoft Graph error responses").
    Error {
        /// The code; empty where Graph gives an empty one.
        code: String,
        /// The text for people.
        message: String,
    },
    /// Other JSON.
    Json,
    /// Anything else: the page of a proxy, a gateway or a portal.
    Foreign,
}

/// Length in characters up to which a code and a text of Graph are repeated. A text may be longer than a value, because Graph
/// names what is missing at its end.
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

    /// Classifies the body of a batch item. Graph gives a body there that is no JSON as text.
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

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Success.
    Done,
    /// 404 of Graph itself: there was nothing to take back or delete.
    NothingThere,
    /// 409 of Graph itself: the account has a subscription for presence already.
    Exists,
    /// The link is too old: the directory is to be read from its beginning.
    StartOver,
    /// Graph refuses the token: try again with a fresh one, then later.
    Token,
    /// An administrator must do something: try again slowly.
    Administrator,
    /// Graph refuses this request for good.
    Final,
    /// Temporary: try again with backoff, or after `Retry-After`.
    Passing(Side),
}

/// The origin of a passing failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Microsoft, as far as can be seen.
    Microsoft,
    /// A proxy, a firewall or a captive portal in front of Microsoft: where it lasts, an administrator can help.
    Intermediary,
}

/// The source of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A page of Microsoft Graph's documentation.
    Page(&'static str),
    /// Seen at Graph, in public reports.
    Seen(&'static str),
    /// Offhook's own decision, with its reason.
    Decision(&'static str),
}

/// The body that a line asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wants {
    Any,
    EmptyOrJson,
    Json,
    Error,
    ErrorCode(&'static [&'static str]),
    Foreign,
}

impl Wants {
    fn admits(self, body: &Body) -> bool {
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

/// A line of the table. The first that fits counts.
#[derive(Clone, Copy, Debug)]
struct Line {
    kinds: &'static [RequestKind],
    statuses: (u16, u16),
    body: Wants,
    verdict: Verdict,
    source: Source,
}

const fn line(
    kinds: &'static [RequestKind],
    statuses: (u16, u16),
    body: Wants,
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
/// All kinds except a batch as a whole: its refusal is none of its items.
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

/// Codes for a delta or page link that has ended.
const ENDED_LINKS: &[&str] = &[
    "syncStateNotFound",
    "syncStateInvalid",
    "resyncRequired",
    "Directory_ExpiredPageToken",
];
/// The code of an envelope that names none.
const NO_CODE: &[&str] = &[""];
/// Codes of temporary failures. With 403 Graph uses `UnknownError` for a missing permission too, which is not temporary.
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
    // Success: what the page of each call documents, and nothing else.
    line(WRITES, (200, 200), Wants::EmptyOrJson, Done, Page("presence-setpresence: 200 OK without a body")),
    line(WRITES, (204, 204), Wants::EmptyOrJson, Done, Decision("no content cannot mean anything else")),
    line(&[Batch], (200, 200), Wants::Json, Done, Page("json-batching: 200 with JSON, whatever the items did")),
    line(&[Read, DirectoryLink], (200, 200), Wants::Json, Done, Page("presence-get, user-list, user-delta: 200")),
    line(&[CreateSubscription], (201, 201), Wants::Json, Done, Page("subscription-post-subscriptions: 201")),
    line(&[CreateSubscription], (200, 200), Wants::Json, Done, Decision("the body holds the subscription all the same")),
    line(&[ChangeSubscription], (200, 200), Wants::EmptyOrJson, Done, Page("subscription-update: 200")),
    line(&[ChangeSubscription], (204, 204), Wants::EmptyOrJson, Done, Page("subscription-reauthorize: 204")),
    line(&[DeleteSubscription], (204, 204), Wants::EmptyOrJson, Done, Page("subscription-delete: 204")),
    line(&[DeleteSubscription], (200, 200), Wants::EmptyOrJson, Done, Decision("as 204")),
    line(ALL, (200, 299), Wants::Foreign, Passing(Intermediary), Seen("portals answer every request with 200 and a page")),
    line(ALL, (200, 299), Wants::Any, Passing(Microsoft), Decision("202 and 206 promise, and prove nothing")),

    // Before every line that takes Graph's words for a statement.
    line(ONE, (400, 400), Wants::ErrorCode(NO_VERDICT), Passing(Microsoft), Decision("the code names a temporary failure")),
    line(ONE, (404, 404), Wants::ErrorCode(NO_VERDICT), Passing(Microsoft), Decision("the code names a temporary failure")),
    line(ONE, (409, 410), Wants::ErrorCode(NO_VERDICT), Passing(Microsoft), Decision("the code names a temporary failure")),
    line(ONE, (400, 400), Wants::ErrorCode(NO_CODE), Passing(Microsoft), Decision("an empty code gives no reason")),
    line(ONE, (404, 404), Wants::ErrorCode(NO_CODE), Passing(Microsoft), Decision("an empty code gives no reason")),
    line(ONE, (409, 410), Wants::ErrorCode(NO_CODE), Passing(Microsoft), Decision("an empty code gives no reason")),

    // Graph's own statements about missing or existing sessions, subscriptions and links.
    line(&[Clear], (404, 404), Wants::Error, NothingThere, Page("presence-clearpresence: 404 without a session")),
    line(&[DeleteSubscription], (404, 404), Wants::Error, NothingThere, Decision("it is gone: that was the aim")),
    line(&[CreateSubscription], (409, 409), Wants::Error, Exists, Seen("microsoft-graph-docs#16728: one subscription for presence")),
    line(&[DirectoryLink], (410, 410), Wants::Error, StartOver, Page("delta-query-overview: 410 Gone")),
    line(&[DirectoryLink], (410, 410), Wants::EmptyOrJson, StartOver, Page("delta-query-overview: 410 Gone with Location")),
    line(&[DirectoryLink], (400, 400), Wants::ErrorCode(ENDED_LINKS), StartOver, Seen("msgraph-sdk-dotnet#2254")),
    line(&[DirectoryLink], (404, 404), Wants::Error, StartOver, Seen("syncStateNotFound with 404")),

    // The administrator's.
    line(ALL, (401, 401), Wants::Any, Token, Seen("microsoft-graph-docs#8457: also for valid tokens, now and then")),
    line(ONE, (402, 403), Wants::Error, Administrator, Page("errors: 402 licence or payment, 403 permission")),

    // Final.
    line(ONE, (400, 400), Wants::Error, Final, Page("errors: 400 malformed or incorrect")),
    line(ONE, (404, 404), Wants::Error, Final, Page("errors: 404 the resource does not exist")),

    // Temporary failures.
    line(ALL, (300, 399), Wants::Any, Passing(Intermediary), Decision("Graph does not redirect what is asked here")),
    line(ALL, (407, 407), Wants::Any, Passing(Intermediary), Page("RFC 9110, 15.5.8: a proxy wants credentials")),
    line(ALL, (511, 511), Wants::Any, Passing(Intermediary), Page("RFC 6585, 6: a captive portal")),
    line(ALL, (429, 429), Wants::Any, Passing(Microsoft), Page("throttling: 429, Retry-After")),
    line(ALL, (500, 599), Wants::Any, Passing(Microsoft), Page("errors: 500 to 509, Retry-After")),
    line(ALL, (400, 499), Wants::Foreign, Passing(Intermediary), Decision("Graph explains itself in JSON")),
    line(ALL, (400, 499), Wants::Any, Passing(Microsoft), Seen("twentyhq/twenty#18726, notapkgtool#97: empty 400, 408, 409, 423 pass")),
    line(ALL, (0, u16::MAX), Wants::Any, Passing(Microsoft), Decision("an unknown status confirms nothing")),
];

/// Judges an answer. Pure; every status and body has a verdict.
pub fn judge(kind: RequestKind, status: u16, body: &Body) -> Verdict {
    let (verdict, _) = judge_with_source(kind, status, body);
    verdict
}

/// Judges an answer, and names the source of the line that decided.
pub fn judge_with_source(kind: RequestKind, status: u16, body: &Body) -> (Verdict, Source) {
    let fits = |line: &&Line| {
        let (least, most) = line.statuses;
        line.kinds.contains(&kind) && (least..=most).contains(&status) && line.body.admits(body)
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

    // D1: final only with Graph's envelope.
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

    // D1: a code that names no cause proves nothing, whatever the status says about a session, subscription or link.
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
