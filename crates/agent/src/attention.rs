//! Whether somebody is at the computer: who touches neither keyboard nor mouse is idle, and a locked screen says more. The
//! server decides by it which profile becomes active by itself.

#[cfg(target_os = "linux")]
mod logind;
#[cfg(not(target_os = "linux"))]
mod polled;

#[cfg(target_os = "linux")]
pub use self::logind::watch;
#[cfg(not(target_os = "linux"))]
pub use self::polled::watch;

use agent_protocol::Attention;

use crate::usage::Milliseconds;

/// What a system tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// What it is like.
    pub attention: Attention,
    /// For how long already, as far as the system tells; otherwise 0.
    pub lasting: Milliseconds,
}

impl Told {
    fn now(attention: Attention) -> Self {
        Self {
            attention,
            lasting: 0,
        }
    }
}
