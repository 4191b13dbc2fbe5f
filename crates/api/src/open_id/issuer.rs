//! The issuer: the one that the discovery document names, or at Entra a template for several tenants.

use reqwest::Url;
use serde_json::{Map, Value};
use store::is_guid;

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
    /// The configured address.
    configured: String,
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
            configured: configured.to_owned(),
            tenants: tenants.iter().map(|id| id.to_ascii_lowercase()).collect(),
        })
    }

    /// Checks that claims are of this issuer, signed with a key that signs for it.
    pub(super) fn check(
        &self,
        claims: &Map<String, Value>,
        key_issuer: Option<&str>,
    ) -> Result<(), String> {
        let issuer = claims.get("iss").unwrap_or(&Value::Null);
        let tenant = issuer.as_str().and_then(tenant_of);
        let of_tenant = |template: &str| match &tenant {
            Some(tenant) => template.replace(TENANT, tenant),
            None => template.to_owned(),
        };
        let expected = of_tenant(&self.named);
        if !issuer
            .as_str()
            .is_some_and(|issuer| is_same(issuer, &expected))
        {
            let issuer = issuer
                .as_str()
                .map_or_else(|| shown::value(issuer), shown::address);
            return Err(format!(
                "it is another issuer's: iss is {issuer}, expected {}; compare open_id_connect.issuer with the provider's own address there",
                shown::address(&expected)
            ));
        }
        let claimed = claims.get("tid").unwrap_or(&Value::Null);
        self.check_tenant(tenant.as_deref(), claimed)?;
        let Some(key_issuer) = key_issuer else {
            return Ok(());
        };
        let key_issuer = of_tenant(key_issuer);
        // Entra's keys name the issuer of version 2 for tokens of both versions.
        let mut fitting = self.version_2(&expected, tenant.as_deref()).into_iter();
        let is_of_entra = fitting.any(|issuer| is_same(&key_issuer, &issuer));
        match is_same(&key_issuer, &expected) || is_of_entra {
            true => Ok(()),
            false => Err(format!(
                "its key signs for another issuer: {}, not {}; see which keys the provider publishes (jwks_uri)",
                shown::address(&key_issuer),
                shown::address(&expected)
            )),
        }
    }

    /// Checks that the tenant that a token claims (`tid`) is the one of its issuer, and that it is let in.
    fn check_tenant(&self, of_issuer: Option<&str>, claimed: &Value) -> Result<(), String> {
        let named = claimed.as_str();
        if let Some(tenant) = of_issuer
            && !claimed.is_null()
            && !named.is_some_and(|named| named.eq_ignore_ascii_case(tenant))
        {
            return Err(format!(
                "it is another issuer's: iss is of the tenant {}, but tid is {}; have the provider name one tenant in both",
                shown::text(tenant),
                shown::value(claimed)
            ));
        }
        let tenant = of_issuer.or(named).unwrap_or_default();
        match self.tenants.is_empty() || self.tenants.contains(&tenant.to_ascii_lowercase()) {
            true => Ok(()),
            false => Err(format!(
                "it is of the tenant {} (tid); only those of open_id_connect.tenants are let in",
                shown::text(tenant)
            )),
        }
    }

    /// Entra's issuers of version 2 for the tenant of an issuer of version 1, at the configured host.
    fn version_2(&self, version_1: &str, tenant: Option<&str>) -> Vec<String> {
        let host = |address: &str| Url::parse(address).ok()?.host_str().map(str::to_owned);
        let (Some(tenant), Some(named), Some(configured)) =
            (tenant, host(version_1), host(&self.configured))
        else {
            return Vec::new();
        };
        let hosts = ENTRA_VERSION_1.iter().filter(|(login, issuer)| {
            *issuer == named && (*login == configured || *issuer == configured)
        });
        hosts
            .map(|(login, _)| format!("https://{login}/{tenant}/v2.0"))
            .collect()
    }
}

/// The tenant's id in an issuer of Entra: the first segment of its path.
fn tenant_of(issuer: &str) -> Option<String> {
    let url = Url::parse(issuer).ok()?;
    let first = url.path_segments()?.next()?;
    is_guid(first).then(|| first.to_owned())
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
