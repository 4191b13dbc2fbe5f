//! The sign-in pages: plain forms that work without scripts.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};

use crate::shell::Shell;

/// The most people in the list of a page. Others enter their sign-in name.
const CHOICE_MAX: usize = 500;

/// Allows no scripts. Forms may lead to any address: the sign-in ends at the application's own address.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action *; base-uri 'none'; frame-ancestors 'none'";

/// Escapes text for markup and quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(letter),
        }
    }
    safe
}

/// A complete page.
pub(super) fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let title = escape(title);
    let text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} – Teamsbox</title>\n<link rel=\"stylesheet\" href=\"/page.css\">\n</head>\n\
         <body>\n<main class=\"sign-in\">\n<h1>{title}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    );
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A labelled list of the people of a tenant.
pub(super) fn people(shell: &Shell, chosen: Option<&str>) -> String {
    let options: String = shell.with(|world, _| {
        let option = |user: &crate::user::User| {
            let name = &*user.user_principal_name;
            let selected = chosen.is_some_and(|chosen| chosen.eq_ignore_ascii_case(name));
            format!(
                "<option value=\"{}\"{}>{}</option>\n",
                escape(name),
                if selected { " selected" } else { "" },
                escape(&user.display_name)
            )
        };
        world.tenant.people().take(CHOICE_MAX).map(option).collect()
    });
    format!(
        "<label for=\"user\">Sign in as</label>\n<select id=\"user\" name=\"user\" autofocus>\n{options}</select>\n"
    )
}

/// A hidden field.
pub(super) fn hidden(name: &str, value: &str) -> String {
    format!(
        "<input type=\"hidden\" name=\"{}\" value=\"{}\">\n",
        escape(name),
        escape(value)
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn escaped_text_holds_no_markup(text in ".{0,80}") {
            let safe = escape(&text);
            prop_assert!(!safe.contains(['<', '>', '"', '\'']));
        }
    }
}
