//! Validation tokens, which prove that a POST comes from Graph and is meant for our application (Graph, "Set up change
//! notifications that include resource data").

use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde::Deserialize;

use super::key_set::KeySet;

/// Id of the application "Microsoft Graph Change Tracking", which sends all notifications.
const PUBLISHER: &str = "0bf30f3b-4a52-48df-9a82-234910c4a086";
/// Tolerated difference between Entra's clock and ours, as in Microsoft's own libraries.
const SKEW_SECONDS: i64 = 300;
/// Maximum length of a token; Entra's have about 1,500 characters.
const TOKEN_MAX: usize = 16 * 1024;

/// Application that notifications are accepted for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedApplication {
    /// Tenant id; tokens contain the id and not the domain.
    pub tenant_id: String,
    /// Id of the application in that tenant.
    pub client_id: String,
}

/// Reason why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Signed with an unknown key.
    UnknownKey,
    /// Not a token, not signed, expired, or from or for another application.
    Forged,
}

/// A valid token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct VerifiedToken {
    pub(super) tenant_id: String,
    /// Time in seconds since 1970 until which the token is valid.
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

impl VerifiedToken {
    pub(super) fn holds(&self, now: i64) -> bool {
        now.div_euclid(1_000) < self.until
    }
}

/// Verifies a token. `login` is the sign-in address of the tenant's cloud; `now` is milliseconds since 1970.
pub(super) fn verify(
    token: &str,
    keys: &KeySet,
    trusted: &[TrustedApplication],
    login: &str,
    now: i64,
) -> Result<VerifiedToken, Refusal> {
    if token.len() > TOKEN_MAX {
        return Err(Refusal::Forged);
    }
    let header = decode_header(token).map_err(|_| Refusal::Forged)?;
    let kid = header.kid.ok_or(Refusal::Forged)?;
    if header.alg != Algorithm::RS256 {
        return Err(Refusal::Forged);
    }
    let key = keys.find(&kid).ok_or(Refusal::UnknownKey)?;
    // The library would use the system clock; the claims are checked below.
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
        Ok(VerifiedToken {
            tenant_id: claims.tid,
            until,
        })
    } else {
        Err(Refusal::Forged)
    }
}

/// Application that requested the token: `appid` in version 1, `azp` in version 2. The issuer decides on the version, and
/// must be the tenant's.
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
