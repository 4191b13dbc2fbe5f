//! Change notifications of Graph: what a POST to our address says, and whether to believe it.
//!
//! The shell answers at once, 202 whatever came (or [`validation_answer`] where Graph only tries the address), and gives
//! the body to a [`Receiver`] afterwards: nobody outside learns what was believed (reference 4.6).

mod decrypt;
mod key_set;
mod receiver;
mod replay;
mod token;
mod wire;

#[cfg(test)]
mod tests;

pub use key_set::{KeySet, SigningKeys};
pub use receiver::{Counters, Event, Lifecycle, LifecycleKind, Notice, ReceiveResult, Receiver};
pub use token::TrustedApplication;

/// Longer validation tokens are not Graph's; its own have about 130 characters.
const VALIDATION_TOKEN_MAX: usize = 1_024;

/// What to answer where Graph tries an address before it sends notifications there (reference 4.3): the query's
/// `validationToken`, decoded like a form. `None` if this is no such request.
///
/// Answer it with status 200 as `text/plain` and never as HTML, for anybody can send it.
pub fn validation_answer(query: &str) -> Option<String> {
    // A URL's own reader of queries decodes like a form; the address itself does not matter.
    let mut url = reqwest::Url::parse("https://offhook.invalid/").ok()?;
    url.set_query(Some(query));
    let (_, token) = url
        .query_pairs()
        .find(|(name, _)| name.eq_ignore_ascii_case("validationToken"))?;
    (!token.is_empty() && token.len() <= VALIDATION_TOKEN_MAX).then(|| token.into_owned())
}
