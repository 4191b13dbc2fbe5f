//! The page: its files, its content security policy, and escaping of names.

use crate::support::Tenant;

#[tokio::test]
async fn the_page_is_served_under_a_strict_policy() {
    let tenant = Tenant::start().await;
    for (path, kind) in [
        ("", "text/html"),
        ("page.css", "text/css"),
        ("page.js", "text/javascript"),
    ] {
        let response = tenant
            .http
            .get(format!("{}/{path}", tenant.url))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        let headers = response.headers();
        assert!(headers["content-type"].to_str().unwrap().starts_with(kind));
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(
            headers["content-security-policy"],
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
    }
}

#[tokio::test]
async fn the_page_has_the_handles_tests_rely_on() {
    let tenant = Tenant::start().await;
    let html = tenant
        .http
        .get(&tenant.url)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    for id in [
        "filter",
        "call-audio",
        "call-video",
        "call-end",
        "share-start",
        "share-stop",
        "sign-in",
        "sign-out",
        "call-with",
        "manual",
        "manual-set",
        "manual-reset",
        "aggregate",
        "sessions",
        "call-meeting",
        "attend-active",
        "attend-idle",
        "attend-locked",
        "calendar-add",
        "view-desktop",
        "view-web",
        "view-phone",
        "fault",
        "fault-on",
        "fault-off",
    ] {
        assert_eq!(html.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
    }
    for forbidden in ["style=", "onclick=", "<style", "http://", "https://"] {
        let html = html.replace("http://www.w3.org/2000/svg", "");
        assert!(!html.contains(forbidden), "{forbidden}");
    }
    let script = tenant
        .http
        .get(format!("{}/page.js", tenant.url))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    for forbidden in [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
    ] {
        assert!(!script.contains(forbidden), "{forbidden}");
    }
}
