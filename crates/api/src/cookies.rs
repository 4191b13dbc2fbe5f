//! Reads cookies from the headers of a request (RFC 6265, section 4.2).

use axum::http::{HeaderMap, header};

/// The value of the cookie `name`, or `None` if the request has no such cookie.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, header};

    use super::cookie;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=1; offhook_session_x=no".parse().unwrap());
        headers.append(header::COOKIE, "b=2; offhook_session=yes".parse().unwrap());
        assert_eq!(cookie(&headers, "offhook_session"), Some("yes"));
        assert_eq!(cookie(&headers, "session"), None);
    }
}
