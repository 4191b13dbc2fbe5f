//! Credentials of the application: a client secret, or preferably a certificate (Microsoft identity platform, "OAuth 2.0
//! client credentials flow" and "Application authentication certificate credentials").

use jsonwebtoken::{Algorithm, Header, encode};
use secrecy::SecretString;
use serde::Serialize;

use crate::{GraphError, KeyedCertificate};

/// Lifetime of an assertion. Offhook sends it at once; Microsoft recommends five to ten minutes.
const LIFETIME_SECONDS: i64 = 600;

/// Credential with which the application signs in. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A client secret.
    Secret(SecretString),
    /// A certificate with its private key. Entra receives signatures only.
    Certificate(KeyedCertificate),
    /// No credential: a public client, with which only people sign in. The application itself gets no token.
    Public,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize))]
struct Claims {
    aud: String,
    iss: String,
    sub: String,
    jti: String,
    nbf: i64,
    iat: i64,
    exp: i64,
}

impl Credential {
    /// A client secret.
    pub fn secret(text: impl Into<SecretString>) -> Self {
        Self::Secret(text.into())
    }

    /// Form fields for a request to `token_url` that prove the identity of the application. `now` is milliseconds since
    /// 1970, `id` a new GUID.
    ///
    /// # Errors
    /// [`GraphError::Signing`] if the key does not sign.
    pub(crate) fn fields(
        &self,
        client_id: &str,
        token_url: &str,
        now: i64,
        id: &str,
    ) -> Result<Vec<(&'static str, SecretString)>, GraphError> {
        match self {
            Self::Public => Ok(Vec::new()),
            Self::Secret(secret) => Ok(vec![("client_secret", secret.clone())]),
            Self::Certificate(certificate) => {
                let assertion = client_assertion(certificate, client_id, token_url, now, id)?;
                let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
                Ok(vec![
                    ("client_assertion_type", SecretString::from(kind)),
                    ("client_assertion", assertion),
                ])
            }
        }
    }
}

/// Signs a client assertion (JWT with PS256) for `token_url`, valid for ten minutes from `now` (milliseconds since 1970);
/// `id` is a new GUID.
///
/// # Errors
/// [`GraphError::Signing`] if the key does not sign.
pub fn client_assertion(
    certificate: &KeyedCertificate,
    client_id: &str,
    token_url: &str,
    now: i64,
    id: &str,
) -> Result<SecretString, GraphError> {
    let header = header(&certificate.certificate().x5t_s256());
    let claims = claims(client_id, token_url, now, id);
    let signed = encode(&header, &claims, certificate.signing());
    signed
        .map(SecretString::from)
        .map_err(|_| GraphError::Signing {
            thumbprint: certificate.thumbprint().into(),
        })
}

fn header(x5t_s256: &str) -> Header {
    let mut header = Header::new(Algorithm::PS256);
    header.x5t_s256 = Some(x5t_s256.into());
    header
}

fn claims(client_id: &str, token_url: &str, now: i64, id: &str) -> Claims {
    let now = now.div_euclid(1_000);
    Claims {
        aud: token_url.into(),
        iss: client_id.into(),
        sub: client_id.into(),
        jti: id.into(),
        nbf: now,
        iat: now,
        exp: now.saturating_add(LIFETIME_SECONDS),
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rsa::KeySize;
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
    use jsonwebtoken::{DecodingKey, Validation, decode};
    use secrecy::ExposeSecret;

    use super::*;
    use crate::vectors;

    const APP: &str = "22553876-f5ab-4529-bffb-cfe50aa89f87";
    const URL: &str =
        "https://login.microsoftonline.com/84bd8158-6d4d-4958-8b9f-9d6445542f95/oauth2/v2.0/token";
    const ID: &str = "00aa00aa-bb11-cc22-dd33-44ee44ee44ee";
    const NOW: i64 = 1_767_225_600_000;

    fn read(token: &str, key: &DecodingKey) -> (Header, Claims) {
        let mut validation = Validation::new(Algorithm::PS256);
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        let token = decode(token, key, &validation).unwrap();
        (token.header, token.claims)
    }

    #[test]
    fn row_96_an_assertion_matches_the_test_vector() {
        let vectors = vectors::all();
        let key = &vectors["jwks"]["keys"][0];
        let (n, e) = (key["n"].as_str().unwrap(), key["e"].as_str().unwrap());
        let key = DecodingKey::from_rsa_components(n, e).unwrap();
        let token = vectors["clientAssertionPS256"].as_str().unwrap();
        let x5t = vectors::certificate().x5t_s256();
        assert_eq!(x5t, "ptb6_zrNj93yaQaCVeYn43jjf1qiE-NJpkBwwA2jsKU");
        let (head, body) = read(token, &key);
        assert_eq!(
            (head.alg, head.x5t_s256, head.typ),
            (Algorithm::PS256, Some(x5t), Some("JWT".into()))
        );
        assert_eq!(body, claims(APP, URL, NOW, ID));
    }

    #[test]
    fn an_assertion_is_signed_by_the_certificates_key_and_shows_nothing() {
        for size in [KeySize::Rsa2048, KeySize::Rsa3072] {
            let (certificate, key) = vectors::pair_pem(size);
            let pair = KeyedCertificate::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
            let credential = Credential::Certificate(pair.clone());
            let fields = credential.fields(APP, URL, NOW, ID).unwrap();
            assert_eq!(
                fields[0].1.expose_secret(),
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            );
            let assertion = fields[1].1.expose_secret();
            let (n, e) = vectors::public_components(&key);
            let encode = |bytes| BASE64_URL_SAFE_NO_PAD.encode(bytes);
            let key = DecodingKey::from_rsa_components(&encode(n), &encode(e)).unwrap();
            let (head, body) = read(assertion, &key);
            assert_eq!(head, header(&pair.certificate().x5t_s256()));
            assert_eq!(body, claims(APP, URL, NOW, ID));
            let text = format!("{credential:?} {fields:?}");
            assert!(!text.contains(assertion), "{text}");
        }
        let secret = Credential::Secret(SecretString::from("canary"));
        assert_eq!(
            secret.fields(APP, URL, NOW, ID).unwrap()[0].0,
            "client_secret"
        );
        assert!(!format!("{secret:?}").contains("canary"));
    }
}
