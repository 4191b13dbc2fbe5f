//! Random values for secrets.

use aws_lc_rs::rand;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::SecretString;

use crate::GraphError;

/// Returns 256 random bits as 43 characters (base64url) for `clientState`, `state` and PKCE verifiers.
///
/// # Errors
/// [`GraphError::NoRandomness`].
pub fn random_secret() -> Result<SecretString, GraphError> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| GraphError::NoRandomness)?;
    Ok(SecretString::from(BASE64_URL_SAFE_NO_PAD.encode(bytes)))
}

/// Returns a random GUID (RFC 9562, version 4).
pub(crate) fn random_guid() -> Result<String, GraphError> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).map_err(|_| GraphError::NoRandomness)?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    Ok(parts.join("-"))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn random_text_has_the_form_that_is_wanted_and_differs() {
        let secret = random_secret().unwrap();
        assert_eq!(secret.expose_secret().len(), 43);
        assert_ne!(
            secret.expose_secret(),
            random_secret().unwrap().expose_secret()
        );
        let guid = random_guid().unwrap();
        assert_eq!((guid.len(), guid.as_bytes()[14]), (36, b'4'));
        assert_ne!(guid, random_guid().unwrap());
    }
}
