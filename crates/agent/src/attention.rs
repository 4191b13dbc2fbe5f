//! Presence of a person at the computer: idle without use of keyboard and mouse, or locked. The server activates profiles
//! by it.

#[cfg(target_os = "linux")]
mod logind;
#[cfg(not(target_os = "linux"))]
mod polled;

use agent_protocol::Attention;

#[cfg(target_os = "linux")]
pub use self::logind::watch;
#[cfg(not(target_os = "linux"))]
pub use self::polled::watch;
use crate::usage::Milliseconds;

/// Attention with its duration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AttentionState {
    /// Current attention.
    pub attention: Attention,
    /// Duration of this attention in milliseconds so far, if the system reports it; otherwise 0.
    pub lasting: Milliseconds,
}

impl AttentionState {
    fn now(attention: Attention) -> Self {
        Self {
            attention,
            lasting: 0,
        }
    }
}
