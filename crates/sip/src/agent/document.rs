//! Documents for watchers, written once for all watchers of a class.

use std::{hash::Hasher as _, ops::Range};

/// A document, written once for all watchers of a class.
#[derive(Debug)]
pub struct Document {
    bytes: Vec<u8>,
    /// Position of the document's number within its subscription, if the package has one: a fixed width, filled up with
    /// blanks outside the quotes.
    version: Option<Range<usize>>,
    /// Distinguishes the document from others of the same resource; never zero.
    pub(super) fingerprint: u64,
}

/// Digits of the greatest version, and a quote.
const VERSION_WIDTH: usize = 11;

impl Document {
    /// A document that is the same for every watcher.
    pub fn new(bytes: Vec<u8>) -> Self {
        let fingerprint = fingerprint(&bytes);
        Self {
            bytes,
            version: None,
            fingerprint,
        }
    }

    /// A document with a version: its first attribute `version="0"` becomes the number within each subscription (RFC 4235
    /// §4.1).
    pub fn versioned(bytes: Vec<u8>) -> Self {
        const ATTRIBUTE: &[u8] = b"version=\"0\"";
        let mut document = Self::new(bytes);
        let bytes = &mut document.bytes;
        let at = bytes.windows(ATTRIBUTE.len()).position(|w| w == ATTRIBUTE);
        document.version = at.map(|at| {
            let start = at + ATTRIBUTE.len() - 2;
            let blanks = std::iter::repeat_n(b' ', VERSION_WIDTH - 2);
            let end = start + 2;
            bytes.splice(end..end, blanks);
            start..start + VERSION_WIDTH
        });
        document
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether the document has no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Appends the document with this version.
    pub(super) fn write(&self, version: u32, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.bytes);
        if let Some(range) = &self.version
            && let Some(place) = out.get_mut(start + range.start..start + range.end)
        {
            let text = format!("{version}\"");
            let (digits, blanks) = place.split_at_mut(text.len().min(VERSION_WIDTH));
            digits.copy_from_slice(text.as_bytes().get(..digits.len()).unwrap_or_default());
            blanks.fill(b' ');
        }
    }
}

fn fingerprint(bytes: &[u8]) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish() | 1
}
