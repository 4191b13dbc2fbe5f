//! The order of a subscription's documents by their versions (RFC 4235 §4.3, RFC 4662 §5.2).
//!
//! Documents arrive in the order of their NOTIFYs' CSeq. A full one therefore always counts: a version that is not higher
//! than that of the one before means that numbering began again, as with FreeSWITCH after a restart, or that there is none.
//! A partial one counts only right after the document that it continues.

use crate::dialog_info::Completeness;

/// The numbering of the documents within a subscription.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// No document has counted yet.
    #[default]
    Begun,
    /// The version of the last document that counted.
    Counted(u64),
    /// The last full document had no version: any partial one continues it.
    Unnumbered,
    /// The notifier sent a partial document in answer to a request for a full one: documents count in the order of arrival.
    NeverFull,
}

impl Order {
    /// Whether a document counts; if so, it becomes the last one.
    pub fn admit(&mut self, version: Option<u64>, completeness: Completeness) -> bool {
        let next = match (completeness, version, *self) {
            (Completeness::Full, Some(version), _) => Self::Counted(version),
            (Completeness::Full, None, _) => Self::Unnumbered,
            (Completeness::Partial, _, Self::Begun) => return false,
            (Completeness::Partial, Some(version), Self::Counted(known)) => {
                match known.checked_add(1) == Some(version) {
                    true => Self::Counted(version),
                    false => return false,
                }
            }
            (Completeness::Partial, Some(version), Self::Unnumbered) => Self::Counted(version),
            (Completeness::Partial, None, Self::Counted(_) | Self::Unnumbered) => *self,
            (Completeness::Partial, _, Self::NeverFull) => *self,
        };
        *self = next;
        true
    }

    /// Handles a partial document in answer to a request for a full one: it counts if no document has counted yet. Returns
    /// whether it counts.
    pub fn begin_without_full(&mut self) -> bool {
        let is_begun = *self == Self::Begun;
        if is_begun {
            *self = Self::NeverFull;
        }
        is_begun
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // A3, A16
    #[test]
    fn full_documents_count_as_they_come_and_partial_ones_after_their_predecessor() {
        use Completeness::{Full, Partial};
        let mut order = Order::default();
        for (version, completeness, counts) in [
            (Some(0), Partial, false),
            (Some(5), Full, true),
            (Some(5), Full, true),
            (Some(0), Full, true),
            (Some(0), Partial, false),
            (Some(2), Partial, false),
            (Some(1), Partial, true),
            (None, Partial, true),
            (Some(2), Partial, true),
            (None, Full, true),
            (Some(7), Partial, true),
            (Some(u64::MAX), Full, true),
            (Some(0), Partial, false),
        ] {
            let admitted = order.admit(version, completeness);
            assert_eq!(admitted, counts, "{version:?} {completeness:?}");
        }
        let mut order = Order::NeverFull;
        for version in [0, 0, 9, 3] {
            assert!(order.admit(Some(version), Partial));
        }
        assert!(order.admit(Some(4), Full) && !order.admit(Some(4), Partial));
    }
}
