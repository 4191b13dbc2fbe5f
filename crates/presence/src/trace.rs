//! The id that follows a fact from its source to the effects that it causes.

use std::{fmt, num::NonZeroU64};

/// Trace id of a fact: 128 bits, as in W3C Trace Context, section "trace-id". The caller makes it; the core only passes it on.
///
/// Both halves are nonzero, so that the second can be the id of the trace's first span, and so that an optional id takes
/// 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceId {
    high: NonZeroU64,
    low: NonZeroU64,
}

impl TraceId {
    /// The id with these halves.
    pub const fn new(high: NonZeroU64, low: NonZeroU64) -> Self {
        Self { high, low }
    }

    /// The id as a number.
    pub const fn bits(self) -> u128 {
        (self.high.get() as u128) << 64 | self.low.get() as u128
    }
}

/// 32 hexadecimal digits, as in the header `traceparent`.
impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.bits())
    }
}
