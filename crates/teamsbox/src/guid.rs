//! Object ids: GUIDs as numbers for lookups, and as text in messages.

use std::{fmt, str::FromStr};

/// A GUID. Comparing and hashing a number is cheap, which matters for 650 ids in a request.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Guid(u128);

/// The error of a text that is not 8-4-4-4-12 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotAGuid;

impl Guid {
    /// Positions of the hyphens in the 36 characters.
    const HYPHENS: [usize; 4] = [8, 13, 18, 23];

    /// A fresh GUID of version 4.
    ///
    /// # Errors
    /// The operating system returned no random bytes.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0_u8; 16];
        getrandom::fill(&mut bytes)?;
        let mut value = u128::from_be_bytes(bytes);
        value &= !(0xf000_u128 << 64 | 0xc000_u128 << 48);
        value |= 0x4000_u128 << 64 | 0x8000_u128 << 48;
        Ok(Self(value))
    }
}

impl FromStr for Guid {
    type Err = NotAGuid;

    fn from_str(text: &str) -> Result<Self, NotAGuid> {
        let bytes = text.as_bytes();
        if bytes.len() != 36 {
            return Err(NotAGuid);
        }
        let mut value = 0_u128;
        for (position, byte) in bytes.iter().enumerate() {
            if Self::HYPHENS.contains(&position) {
                if *byte != b'-' {
                    return Err(NotAGuid);
                }
                continue;
            }
            let digit = match byte {
                b'0'..=b'9' => byte - b'0',
                b'a'..=b'f' => byte - b'a' + 10,
                b'A'..=b'F' => byte - b'A' + 10,
                _ => return Err(NotAGuid),
            };
            value = value << 4 | u128::from(digit);
        }
        Ok(Self(value))
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.0;
        write!(
            formatter,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            value >> 96,
            value >> 80 & 0xffff,
            value >> 64 & 0xffff,
            value >> 48 & 0xffff,
            value & 0xffff_ffff_ffff,
        )
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_survives_a_round_trip_in_lower_case() {
        let text = "22553876-F5AB-4529-bffb-cfe50aa89f87";
        let guid: Guid = text.parse().unwrap();
        assert_eq!(guid.to_string(), text.to_ascii_lowercase());
    }

    #[test]
    fn random_guids_are_version_four() {
        let text = Guid::random().unwrap().to_string();
        assert_eq!(&text[14..15], "4");
        assert!("89ab".contains(&text[19..20]));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "anna@contoso.example",
            "22553876f5ab4529bffbcfe50aa89f87",
            "22553876-f5ab-4529-bffb-cfe50aa89f8g",
        ] {
            assert_eq!(text.parse::<Guid>(), Err(NotAGuid), "{text}");
        }
    }
}
