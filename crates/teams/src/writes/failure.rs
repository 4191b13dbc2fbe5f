//! Consequences of a write that failed: whether Teams may have accepted it, and when it is sent again.

use std::time::Duration;

use graph::{Blame, GraphError, Operation, Outcome, RequestKind, WriteSuccess};

/// Pause before the retry of a write that needs an administrator's help.
const ADMINISTRATOR_PAUSE: Duration = Duration::from_secs(15);
/// Pause before the retry of a write to an account that Graph does not know.
const UNKNOWN_PAUSE: Duration = Duration::from_secs(15);
/// Pause before the retry of a clear that Graph refuses: the presence that Offhook wrote is still in Teams.
const REFUSED_PAUSE: Duration = Duration::from_secs(60);

/// Whether a batch failed as a whole, leaves out items, or refuses the token of one: single writes are sent instead, each of
/// which can get a fresh token.
pub(super) fn is_batch_unanswered(
    results: &Result<Vec<Result<WriteSuccess, GraphError>>, GraphError>,
) -> bool {
    results.as_ref().map_or(true, |results| {
        let unanswered = |result: &Result<_, _>| {
            matches!(
                result,
                Err(GraphError::Malformed { .. } | GraphError::Service { status: 401, .. })
            )
        };
        results.iter().any(unanswered)
    })
}

/// Whether Teams certainly did not accept the write. Without an answer it may have.
pub(super) fn is_refusal(error: &GraphError) -> bool {
    match error {
        GraphError::Forbidden { .. }
        | GraphError::NotFound { .. }
        | GraphError::LinkEnded { .. }
        | GraphError::Refused { .. }
        // Without a token nothing was sent.
        | GraphError::UserSignIn { .. }
        | GraphError::SignIn { .. }
        | GraphError::Signing { .. }
        | GraphError::NoRandomness => true,
        GraphError::Unreachable { .. }
        | GraphError::Unauthorized { .. }
        | GraphError::Throttled { .. }
        | GraphError::Service { .. }
        | GraphError::Unconfirmed { .. }
        | GraphError::Intercepted { .. }
        | GraphError::TooLarge { .. }
        | GraphError::Malformed { .. } => false,
    }
}

/// The next attempt of a write after this failure.
pub(super) fn retry(error: &GraphError, operation: Operation) -> Outcome {
    match error.blame() {
        Blame::Service => Outcome::Retry(error.retry_after()),
        Blame::Administrator => Outcome::Retry(Some(ADMINISTRATOR_PAUSE)),
        // An account that was just made is not known everywhere at once.
        Blame::Request if matches!(error, GraphError::NotFound { .. }) => {
            Outcome::Retry(Some(UNKNOWN_PAUSE))
        }
        // A clear without acknowledgement is never given up: the person would keep the presence that Offhook wrote.
        Blame::Request if operation.kind() == RequestKind::Clear => {
            Outcome::Retry(Some(REFUSED_PAUSE))
        }
        // The engine repeats a set as long as it is needed.
        Blame::Request => Outcome::GiveUp,
    }
}
