//! The caller's id of a request.

use std::fmt;

/// Id of a request, sent in the header `client-request-id`: Graph logs it and repeats it in its answer (Graph, "Best practices
/// for working with Microsoft Graph", section "Reliability and support").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(u128);

impl From<u128> for RequestId {
    fn from(bits: u128) -> Self {
        Self(bits)
    }
}

/// A GUID: the 32 digits in five groups.
impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = |shift: u32, digits: u32| self.0 >> shift & ((1 << (4 * digits)) - 1);
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            group(96, 8),
            group(80, 4),
            group(64, 4),
            group(48, 4),
            group(0, 12)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::RequestId;

    #[test]
    fn an_id_is_a_guid_with_the_digits_of_the_number() {
        let id = RequestId::from(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10);
        assert_eq!(id.to_string(), "01020304-0506-0708-090a-0b0c0d0e0f10");
    }
}
