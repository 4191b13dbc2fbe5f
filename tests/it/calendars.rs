//! Calendars that lie on the web, at a real TLS server: read by their secret address, and not by any detour without TLS.

use std::{fs, path::Path, process::Stdio};

use end_to_end::{Installation, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::SOON;

/// A web server with a certificate of its own: it sends the files of a folder as they are, headers and all.
struct WebServer {
    _child: Child,
    port: u16,
}

impl WebServer {
    async fn start(folder: &Path) -> Self {
        let made = Command::new("openssl")
            .args([
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            ])
            .args([
                "-subj",
                "/CN=localhost",
                "-addext",
                "subjectAltName=DNS:localhost",
            ])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-keyout", "key.pem", "-out", "certificate.pem"])
            .current_dir(folder)
            .output()
            .await
            .expect("openssl is missing: apt-get install openssl");
        assert!(made.status.success(), "{made:?}");
        let mut child = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-HTTP"])
            .args(["-key", "key.pem", "-cert", "certificate.pem"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines.next_line().await.unwrap().expect("it ended");
            if let Some(address) = line.strip_prefix("ACCEPT ") {
                break address.rsplit(':').next().unwrap().parse().unwrap();
            }
        };
        // What it prints later must find somebody who reads.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self {
            _child: child,
            port,
        }
    }

    fn url(&self, file: &str) -> String {
        format!("https://localhost:{}/{file}", self.port)
    }
}

#[tokio::test]
async fn a_calendar_on_the_web_is_read_over_tls_and_only_over_tls() {
    let installation = Installation::new("");
    installation.import(&[("anna", "1001")]).await;
    let folder = tempfile::tempdir().unwrap();
    let web = WebServer::start(folder.path()).await;
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
