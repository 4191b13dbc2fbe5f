//! The address at which people open the pages.

use std::{fmt, sync::Arc};

/// Beginning of an encrypted address.
const HTTPS: &str = "https://";

/// The address at which people open the pages, without a slash at the end.
#[derive(Clone, Debug)]
pub struct PublicUrl(Arc<str>);

impl PublicUrl {
    /// The address as configured.
    pub fn new(url: String) -> Self {
        Self(url.into())
    }

    /// Whether browsers reach the server by HTTPS.
    pub fn is_https(&self) -> bool {
        let scheme = self.0.get(..HTTPS.len());
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(HTTPS))
    }

    /// The last attribute of every cookie: `Secure` if browsers reach the server by HTTPS.
    pub fn cookie_end(&self) -> &'static str {
        if self.is_https() { "; Secure" } else { "" }
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
