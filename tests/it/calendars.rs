//! Calendars that lie on the web, at a real TLS server: read by their secret address, and not by any detour without TLS.

use std::fs;

use end_to_end::{Installation, TlsServer, eventually};
use reqwest::Method;
use serde_json::{Value, json};

use crate::SOON;

#[tokio::test]
async fn a_calendar_on_the_web_is_read_over_tls_and_only_over_tls() {
    let installation = Installation::new("");
    installation.import(&[("anna", "1001")]).await;
    let folder = tempfile::tempdir().unwrap();
    let web = TlsServer::start(folder.path()).await;
    let fair = "HTTP/1.0 200 OK\r\nContent-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nVERSION:2.0\r\n\
                PRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n\
                DTSTART;VALUE=DATE:20260101\r\nRRULE:FREQ=DAILY\r\nSUMMARY:Fair\r\nTRANSP:OPAQUE\r\n\
                END:VEVENT\r\nEND:VCALENDAR\r\n";
    fs::write(folder.path().join("secret-4711.ics"), fair).unwrap();
    let away = "HTTP/1.0 302 Found\r\nLocation: http://127.0.0.1:9/metadata\r\n\r\n";
    fs::write(folder.path().join("away.ics"), away).unwrap();
    let certificate = folder.path().join("certificate.pem");
    let trusted = [("SSL_CERT_FILE", certificate.to_str().unwrap())];
    let server = installation.serve_with(&trusted).await;

    let path = format!(
        "/api/v1/people/{}/settings/calendar",
        server.person("anna").await
    );
    let subscribe = async |url: String| {
        let feed = Some(json!({"feed": url}));
        server.ok(Method::PUT, &path, feed).await;
    };
    let text = async || server.presence("anna").await["text"].clone();
    let trouble = async || server.ok(Method::GET, &path, None).await["trouble"].take();
    subscribe(web.url("secret-4711.ics")).await;
    eventually("the fair", SOON, json!("Fair"), text).await;
    assert_eq!(trouble().await, Value::Null);

    let told = async |what: &str| {
        let trouble = trouble().await.to_string();
        assert!(!trouble.contains("4711"), "the address is a secret");
        trouble.contains(what)
    };
    subscribe(web.url("away.ics")).await;
    eventually("the detour", SOON, true, || told("redirect")).await;
    subscribe(format!("https://127.0.0.1:{}/secret-4711.ics", web.port)).await;
    eventually("another name", SOON, true, || told("certificate")).await;
    assert_eq!(text().await, "Fair", "what was read stays");
}
