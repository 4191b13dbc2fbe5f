//! Fields of changes that may be null: absent keeps the value, null clears it.

use serde::{Deserialize, Deserializer};

/// Reads a field that is present, so that null differs from an absent field.
pub(crate) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
