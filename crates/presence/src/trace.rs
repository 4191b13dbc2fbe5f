//! The id that follows a fact from its source to the effects that it causes.

use std::{fmt, num::NonZeroU64};

/// Trace id of a fact: 128 bits, as in W3C Trace Context, section "trace-id". The caller makes it; the core only passes it on.
///
/// The id is that of the trace's first span, twice: each signal of a person keeps one, and an optional id takes 8 bytes so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceId(NonZeroU64);

impl TraceId {
    /// The trace id whose first span has this id.
    pub const fn new(first_span: NonZeroU64) -> Self {
        Self(first_span)
    }

    /// The id as a number.
    pub const fn bits(self) -> u128 {
        (self.0.get() as u128) << 64 | self.0.get() as u128
    }
}

/// 32 hexadecimal digits, as in the header `traceparent`.
impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.bits())
    }
}
