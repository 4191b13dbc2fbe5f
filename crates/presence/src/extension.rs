//! Extensions: the texts by which a PBX, people's lines and calls name a phone.

use std::{borrow::Borrow, fmt, ops::Deref, sync::Arc};

/// Longest extension, and longest user part of an address.
const LENGTH_MAX: usize = 64;

/// The extension of a line. Extensions are compared with case, like the user parts of SIP addresses (RFC 3261 §19.1.4).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Extension(Arc<str>);

impl Extension {
    /// Reads an extension: 1 to 64 letters, digits and `+ * # - _ .`, all of which are safe in dialplans and, except `#`, in
    /// the user part of a SIP address (RFC 3261 §25.1).
    ///
    /// # Errors
    /// The text is longer or empty, or has other characters.
    pub fn parse(text: &str) -> Result<Self, ExtensionError> {
        match is_extension(text) {
            true => Ok(Self(text.into())),
            false => Err(ExtensionError),
        }
    }

    /// An extension of the store or of a running PBX, unchecked: earlier versions stored texts that [`Self::parse`] refuses,
    /// and their lines stay watched.
    pub fn stored(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }
}

/// A text is no extension. The message states the expected form and does not repeat the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtensionError;

impl std::error::Error for ExtensionError {}

impl fmt::Display for ExtensionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .write_str("an extension has 1 to 64 letters, digits and + * # - _ . and nothing else")
    }
}

impl Deref for Extension {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Extension {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<Extension> for Arc<str> {
    fn from(extension: Extension) -> Self {
        extension.0
    }
}

impl fmt::Display for Extension {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Debug for Extension {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, formatter)
    }
}

pub(crate) fn is_extension(text: &str) -> bool {
    (1..=LENGTH_MAX).contains(&text.len())
        && text.bytes().all(|byte| is_user_byte(byte) || byte == b'#')
}

fn is_user_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+*-_.".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::{Extension, ExtensionError};

    #[test]
    fn an_extension_is_one_word_that_dialplans_and_addresses_can_have() {
        let longest = "1".repeat(64);
        for text in ["1001", "+4930123", "*12#", "anna.b-2_x", &longest] {
            assert_eq!(Extension::parse(text).as_deref(), Ok(text));
        }
        let too_long = "1".repeat(65);
        for text in [
            "", " ", "10 01", " 1001", "1001\n", "jürgen", "1@2", &too_long,
        ] {
            assert_eq!(Extension::parse(text), Err(ExtensionError), "{text:?}");
        }
    }
}
