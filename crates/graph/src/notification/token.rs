//! Validation tokens: that a POST comes from Graph and is meant for us (reference 4.6).

use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde::Deserialize;

use super::key_set::KeySet;

/// The application "Microsoft Graph Change Tracking", which publishes all notifications.
const PUBLISHER: &str = "0bf30f3b-4a52-48df-9a82-234910c4a086";
/// How far Entra's clock and ours may differ, as in Microsoft's own libraries.
const SKEW_SECONDS: i64 = 300;
/// Entra's tokens have about 1,500 characters.
const TOKEN_MAX: usize = 16 * 1024;

/// For whom notifications are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedApplication {
    /// The tenant's id, never its domain: tokens name the id.
    pub tenant_id: String,
    /// Our application's id there.
    pub client_id: String,
}

/// What is wrong with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Signed with a key that is not known (yet).
    UnknownKey,
    /// Not ours, not Graph's, too old, not signed, or no token at all.
    Forged,
}

/// A token that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verified {
    pub(super) tenant_id: String,
    /// Seconds since 1970 until which it may be believed.
    until: i64,
}

#[derive(Deserialize)]
struct Claims {
    aud: String,
    iss: String,
    tid: String,
    exp: i64,
    #[serde(default)]
    nbf: Option<i64>,
    #[serde(default)]
    azp: Option<String>,
    #[serde(default)]
    appid: Option<String>,
}

impl Verified {
    pub(super) fn holds(&self, now: i64) -> bool {
        now.div_euclid(1_000) < self.until
    }
}

/// Verifies one token. `login` is the sign-in address of the tenant's cloud; `now` is milliseconds since 1970.
pub(super) fn verify(
    token: &str,
    keys: &KeySet,
    trusted: &[TrustedApplication],
    login: &str,
    now: i64,
) -> Result<Verified, Refusal> {
    if token.len() > TOKEN_MAX {
        return Err(Refusal::Forged);
    }
    let header = decode_header(token).map_err(|_| Refusal::Forged)?;
    let kid = header.kid.ok_or(Refusal::Forged)?;
    if header.alg != Algorithm::RS256 {
        return Err(Refusal::Forged);
    }
    let key = keys.find(&kid).ok_or(Refusal::UnknownKey)?;
    // The library would read the machine's clock; the rest is checked here as well, all in one place.
    let mut signature_only = Validation::new(Algorithm::RS256);
    signature_only.required_spec_claims.clear();
    signature_only.validate_exp = false;
    signature_only.validate_nbf = false;
    signature_only.validate_aud = false;
    let claims: Claims = decode(token, key, &signature_only)
        .map_err(|_| Refusal::Forged)?
        .claims;

    let now = now.div_euclid(1_000);
    let until = claims.exp.saturating_add(SKEW_SECONDS);
    let begun = claims
        .nbf
        .is_none_or(|nbf| now >= nbf.saturating_sub(SKEW_SECONDS));
    let ours = trusted.iter().any(|trust| {
        trust.tenant_id.eq_ignore_ascii_case(&claims.tid)
            && trust.client_id.eq_ignore_ascii_case(&claims.aud)
    });
    let publisher = publisher(&claims, login);
    let published = publisher.is_some_and(|id| id.eq_ignore_ascii_case(PUBLISHER));
    if now < until && begun && ours && published {
        Ok(Verified {
            tenant_id: claims.tid,
            until,
        })
    } else {
        Err(Refusal::Forged)
    }
}

/// Who asked for the token: v1 says it in `appid`, v2 in `azp`; the issuer says which of the two it is, and must be the
/// tenant's.
fn publisher<'a>(claims: &'a Claims, login: &str) -> Option<&'a str> {
    let (issuer, tenant) = (claims.iss.as_str(), claims.tid.as_str());
    let login = login.trim_end_matches('/');
    let v1 = ["https://sts.windows.net", "https://sts.chinacloudapi.cn"];
    if v1.iter().any(|sts| issuer == format!("{sts}/{tenant}/")) {
        return claims.appid.as_deref();
    }
    let v2 = ["https://login.microsoftonline.com", login];
    if v2
        .iter()
        .any(|login| issuer == format!("{login}/{tenant}/v2.0"))
    {
        return claims.azp.as_deref();
    }
    None
}
