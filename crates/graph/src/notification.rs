//! Change notifications of Graph: parsing a POST to our URL, and verifying that it is genuine.
//!
//! The HTTP server answers every POST with 202 at once (or with [`validation_answer`] when Graph validates the URL) and
//! passes the body to a [`Receiver`] afterwards, so that a forger cannot learn which notifications are accepted.

mod decrypt;
mod key_set;
mod receiver;
mod replay;
mod token;
mod wire;

#[cfg(test)]
mod tests;

pub use key_set::{KeySet, SigningKeys};
pub use receiver::{
    Counters, DropReason, Event, Lifecycle, LifecycleKind, Notice, ReceiveResult, Receiver,
};
pub use token::TrustedApplication;

/// Maximum length of Graph's validation token; usual ones have about 130 characters.
const VALIDATION_TOKEN_MAX: usize = 1_024;

/// Answer to Graph's validation of a notification URL (Graph, "Receive change notifications through webhooks"): the decoded
/// `validationToken` of the query. `None` for other requests.
///
/// Answer with status 200 as `text/plain` and never as HTML, because anybody can send such a request.
pub fn validation_answer(query: &str) -> Option<String> {
    // A URL parser decodes the query like a form; the host is a placeholder.
    let mut url = reqwest::Url::parse("https://offhook.invalid/").ok()?;
    url.set_query(Some(query));
    let (_, token) = url
        .query_pairs()
        .find(|(name, _)| name.eq_ignore_ascii_case("validationToken"))?;
    (!token.is_empty() && token.len() <= VALIDATION_TOKEN_MAX).then(|| token.into_owned())
}
