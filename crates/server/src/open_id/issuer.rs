//! The issuer: the one that the discovery document names, or at Entra a template for several tenants.

use reqwest::Url;
use serde_json::{Map, Value};

use super::shown;

/// Stands for the id of the tenant in the issuer of Entra's addresses for several tenants.
const TENANT: &str = "{tenantid}";
/// Entra's issuers of version 1 have another host than the addresses at which their documents are.
const ENTRA_VERSION_1: [(&str, &str); 3] = [
    ("login.microsoftonline.com", "sts.windows.net"),
    ("login.microsoftonline.us", "sts.windows.net"),
    ("login.partner.microsoftonline.cn", "sts.chinacloudapi.cn"),
];
/// Tokens of Google may name it without the scheme
/// (<https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken>).
const GOOGLE: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];

/// The issuer of tokens that are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Issuer {
    /// At Entra's addresses for several tenants with `{tenantid}` where the id stands; then `tenants` is not empty.
    named: String,
    /// Ids of the tenants that are let in (`tid`), in lower case; empty: not limited beyond the issuer.
    tenants: Vec<String>,
}

/// Whether two issuers are one: a slash at the end, the case of the host and the default port do not count.
fn is_same(one: &str, other: &str) -> bool {
    let normal = |issuer: &str| {
        let url = Url::parse(issuer).map_or_else(|_| issuer.to_owned(), String::from);
        url.strip_suffix('/').unwrap_or(&url).to_owned()
    };
    normal(one) == normal(other) || (GOOGLE.contains(&one) && GOOGLE.contains(&other))
}

/// Whether a document of Entra at the configured address may name an issuer of version 1.
fn is_version_1(configured: &str, named: &str) -> bool {
    let (Ok(configured), Ok(named)) = (Url::parse(configured), Url::parse(named)) else {
        return false;
    };
    let hosts = (configured.host_str(), named.host_str());
    let known = |(login, issuer): &(&str, &str)| hosts == (Some(*login), Some(*issuer));
    ENTRA_VERSION_1.iter().any(known)
}

impl Issuer {
    /// The issuer that the document at the configured address names (OpenID Connect Discovery 1.0, 4.3).
    pub(super) fn read(named: &str, configured: &str, tenants: &[String]) -> Result<Self, String> {
        let fits = ["common", "organizations"]
            .map(|tenant| named.replace(TENANT, tenant))
            .iter()
            .any(|named| is_same(named, configured) || is_version_1(configured, named));
        if !fits {
            return Err(other_issuer(named));
        }
        if named.contains(TENANT) && tenants.is_empty() {
            return Err(format!(
                "{configured} signs in people of all tenants of Microsoft; write the tenant's id instead of \"common\" or \"organizations\" into open_id_connect.issuer, or list the ids of the tenants in open_id_connect.tenants"
            ));
        }
        Ok(Self {
            named: named.to_owned(),
            tenants: tenants.iter().map(|id| id.to_ascii_lowercase()).collect(),
        })
    }

    /// Checks that claims are of this issuer, signed with a key that signs for it.
    pub(super) fn check(
        &self,
        claims: &Map<String, Value>,
        key_issuer: Option<&str>,
    ) -> Result<(), String> {
        let tenant = claims
            .get("tid")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if !self.tenants.is_empty() && !self.tenants.contains(&tenant.to_ascii_lowercase()) {
            return Err(format!(
                "it is of the tenant {} (tid); only those of open_id_connect.tenants are let in",
                shown::text(tenant)
            ));
        }
        let expected = self.named.replace(TENANT, tenant);
        let named = claims.get("iss").unwrap_or(&Value::Null);
        if !named
            .as_str()
            .is_some_and(|named| is_same(named, &expected))
        {
            let named = named
                .as_str()
                .map_or_else(|| shown::value(named), shown::address);
            return Err(format!(
                "it is another issuer's: iss is {named}, expected {}; compare open_id_connect.issuer with the provider's own address there",
                shown::address(&expected)
            ));
        }
        let Some(key_issuer) = key_issuer else {
            return Ok(());
        };
        let key_issuer = key_issuer.replace(TENANT, tenant);
        // Entra's keys name the issuer of version 2 for tokens of both versions.
        let is_of_entra = !tenant.is_empty()
            && key_issuer.contains(&format!("/{tenant}/"))
            && is_version_1(&key_issuer, &expected);
        match is_same(&key_issuer, &expected) || is_of_entra {
            true => Ok(()),
            false => Err(format!(
                "its key signs for another issuer: {}, not {}; see which keys the provider publishes (jwks_uri)",
                shown::address(&key_issuer),
                shown::address(&expected)
            )),
        }
    }
}

fn other_issuer(named: &str) -> String {
    let shown = shown::address(named);
    match named.starts_with("https://") && !named.contains('{') {
        true => format!(
            "it speaks for the issuer {shown}; write that into open_id_connect.issuer, or have the provider name the address that stands there now"
        ),
        // Offhook could not ask there.
        false => format!(
            "it speaks for the issuer {shown}; set the provider's public https address there (behind a proxy: forward X-Forwarded-Proto and -Host, and let the provider trust them)"
        ),
    }
}
