//! Calendars on the web, from a real TLS server, and in files: which addresses and files are read, and the reported
//! causes for the others.

use std::{fs, path::Path};

use end_to_end::{Installation, Server, TlsServer, eventually};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::SOON;

/// An all-day event that recurs daily.
const FAIR: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:1\r\n\
                    DTSTAMP:20260101T000000Z\r\nDTSTART;VALUE=DATE:20260101\r\nRRULE:FREQ=DAILY\r\nSUMMARY:Fair\r\n\
                    TRANSP:OPAQUE\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
/// Content of files that are no calendars. Neither pages nor log may repeat it.
const SECRET: &str = "s3cr3t-of-another-service";

/// Anna's calendar settings, as text.
async fn settings(server: &Server) -> String {
    let id = server.person("anna").await;
    format!("/api/v1/people/{id}/settings/calendar")
}

#[tokio::test]
async fn a_calendar_on_the_web_is_read_over_tls_and_only_over_tls() {
    let installation = Installation::new("[outside]\nallow = [\"127.0.0.0/8\", \"::1\"]\n");
    installation.import(&[("anna", "1001")]).await;
    let folder = tempfile::tempdir().unwrap();
    let web = TlsServer::start(folder.path()).await;
    let answer = |file: &str, status: &str, rest: &str| {
        let text = format!("HTTP/1.0 {status}\r\n{rest}");
        fs::write(folder.path().join(file), text).unwrap();
    };
    answer("secret-4711.ics", "200 OK", &format!("\r\n{FAIR}"));
    answer("no.ics", "200 OK", &format!("\r\n{SECRET}"));
    answer("gone.ics", &format!("404 {SECRET}"), "\r\n");
    answer("broken.ics", "503 Later", &format!("\r\n{SECRET}"));
    answer(
        "away.ics",
        "302 Found",
        "Location: http://127.0.0.1:9/metadata\r\n\r\n",
    );
    answer(
        "inside.ics",
        "302 Found",
        "Location: https://169.254.169.254/latest\r\n\r\n",
    );
    let round = format!("Location: {}\r\n\r\n", web.url("round.ics"));
    answer("round.ics", "302 Found", &round);
    let certificate = folder.path().join("certificate.pem");
    let trusted = [("SSL_CERT_FILE", certificate.to_str().unwrap())];
    let server = installation.serve_with(&trusted).await;

    let path = settings(&server).await;
    let subscribe = async |url: String| {
        let feed = Some(json!({"feed": url}));
        server.ok(Method::PUT, &path, feed).await;
    };
    let text = async || server.presence("anna").await["text"].clone();
    let code = async || {
        let read = server.ok(Method::GET, &path, None).await;
        let trouble = read["trouble"].to_string();
        let secret = ["4711", SECRET, "169.254", "localhost"];
        assert!(
            !secret.iter().any(|word| trouble.contains(word)),
            "{trouble}"
        );
        read["trouble_code"].clone()
    };
    subscribe(web.url("secret-4711.ics")).await;
    eventually("the fair", SOON, json!("Fair"), text).await;
    assert_eq!(code().await, Value::Null);

    let closed = "https://127.0.0.1:1024/secret-4711.ics".to_owned();
    for (url, cause) in [
        (web.url("away.ics"), "redirect"),
        (web.url("round.ics"), "redirect"),
        (web.url("inside.ics"), "address"),
        (web.url("no.ics"), "no_calendar"),
        (web.url("gone.ics"), "refused"),
        (web.url("broken.ics"), "server_error"),
        // A certificate for another name, and a closed port.
        (
            format!("https://127.0.0.1:{}/secret-4711.ics", web.port),
            "no_answer",
        ),
        (closed, "no_answer"),
    ] {
        subscribe(web.url("secret-4711.ics")).await;
        eventually(&url, SOON, Value::Null, code).await;
        subscribe(url.clone()).await;
        eventually(&url, SOON, json!(cause), code).await;
    }
    assert_eq!(text().await, "Fair", "what was read stays");
}

#[tokio::test]
async fn addresses_that_are_not_public_are_refused_unless_allowed() {
    let installation = Installation::new("");
    installation.import(&[("anna", "1001")]).await;
    let server = installation.serve_with(&[]).await;
    let path = settings(&server).await;
    for feed in [
        "https://127.0.0.1:24060/redir",
        "https://2130706433/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest",
        "https://anna:secret@calendar.example/",
        "https://calendar.example:25/",
        " https://10.0.0.1/ ",
        "webcal://127.0.0.1/a.ics",
        "file:/etc/passwd",
        "http://calendar.example/",
    ] {
        let body = Some(json!({"feed": feed}));
        let (status, problem) = server.api(Method::PUT, &path, body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{feed}");
        assert_eq!(problem["field"], "feed", "{feed}");
    }
    // Names are resolved when the calendar is read, not when its address is saved.
    let body = Some(json!({"feed": "https://localhost:8443/a.ics"}));
    server.ok(Method::PUT, &path, body).await;
    let code = async || server.ok(Method::GET, &path, None).await["trouble_code"].take();
    eventually("the name", SOON, json!("address"), code).await;
}

#[tokio::test]
async fn a_calendar_in_a_file_is_read_below_the_folder_and_nowhere_else() {
    let calendars = tempfile::tempdir().unwrap();
    let at = |name: &str| calendars.path().join(name);
    let configured = format!("[calendar]\nfolder = {:?}\n", calendars.path());
    let installation = Installation::new(&configured);
    installation.import(&[("anna", "1001")]).await;
    let server = installation.serve_with(&[]).await;
    let account = json!({"name": "anna", "role": "person", "password": "correct horse battery",
        "person": server.person("anna").await});
    server
        .ok(Method::POST, "/api/v1/accounts", Some(account))
        .await;
    fs::write(at("anna.ics"), FAIR).unwrap();
    fs::write(at("none.ics"), SECRET).unwrap();
    for (link, file) in [("key.ics", "secrets.key"), ("database.ics", "offhook.db")] {
        std::os::unix::fs::symlink(installation.data(file), at(link)).unwrap();
    }
    let path = settings(&server).await;
    let text = async || server.presence("anna").await["text"].clone();
    let subscribe = async |file: &str| {
        let feed = Some(json!({"feed": format!("file:{file}")}));
        server.ok(Method::PUT, &path, feed).await;
    };
    let code = async || {
        let read = server.ok(Method::GET, &path, None).await;
        assert!(!read["trouble"].to_string().contains(SECRET));
        read["trouble_code"].clone()
    };
    let good = at("anna.ics").display().to_string();
    subscribe(&good).await;
    eventually("the fair", SOON, json!("Fair"), text).await;
    for (file, cause) in [
        (at("none.ics"), "no_calendar"),
        (at("missing.ics"), "file"),
        (at("key.ics"), "file"),
        (at("database.ics"), "file"),
        (installation.data("secrets.key"), "file"),
        ("/proc/self/environ".into(), "file"),
        ("/etc/passwd".into(), "file"),
    ] {
        subscribe(&good).await;
        eventually("a good one", SOON, Value::Null, code).await;
        subscribe(file.to_str().unwrap()).await;
        eventually(file.to_str().unwrap(), SOON, json!(cause), code).await;
    }
    assert_eq!(text().await, "Fair", "what was read stays");
    let none = json!({"feed": null});
    server.ok(Method::PUT, &path, Some(none)).await;
    let kept = async || text().await == "Fair";
    eventually("no calendar", SOON, false, kept).await;
}

/// Writes responses in another character set, compressed, with faults, and one with Retry-After.
fn write_answers(folder: &Path) {
    let answer = |file: &str, headers: &str, body: &[u8]| {
        let mut bytes = format!("HTTP/1.0 {headers}\r\n\r\n").into_bytes();
        bytes.extend_from_slice(body);
        fs::write(folder.join(file), bytes).unwrap();
    };
    let named = |summary: &str| FAIR.replace("SUMMARY:Fair", &format!("SUMMARY:{summary}"));
    let latin: Vec<u8> = named("Gr?n")
        .bytes()
        .map(|byte| if byte == b'?' { 0xfc } else { byte })
        .collect();
    answer(
        "latin.ics",
        "200 OK\r\nContent-Type: text/calendar; charset=ISO-8859-1",
        &latin,
    );
    let plain = folder.join("packed");
    fs::write(&plain, named("Packed")).unwrap();
    let packed = std::process::Command::new("gzip")
        .arg("-c")
        .arg(&plain)
        .output()
        .unwrap();
    answer(
        "packed.ics",
        "200 OK\r\nContent-Encoding: gzip",
        &packed.stdout,
    );
    let odd = "BEGIN:VEVENT\r\nUID:2\r\nDTSTART;TZID=Mars/s3cr3t:20260101T090000\r\nRRULE:FREQ=DAILY\r\nEND:VEVENT\r\n\
               BEGIN:VEVENT\r\nUID:3\r\nDTSTART:s3cr3t\r\nEND:VEVENT\r\nEND:VCALENDAR";
    answer(
        "odd.ics",
        "200 OK",
        named("Odd").replace("END:VCALENDAR", odd).as_bytes(),
    );
    answer("later.ics", "503 Later\r\nRetry-After: 3600", b"");
}

#[tokio::test]
async fn what_the_web_sends_is_unpacked_decoded_and_its_faults_are_listed() {
    let installation = Installation::new("[outside]\nallow = [\"127.0.0.0/8\", \"::1\"]\n");
    installation.import(&[("anna", "1001")]).await;
    let folder = tempfile::tempdir().unwrap();
    let web = TlsServer::start(folder.path()).await;
    write_answers(folder.path());
    let certificate = folder.path().join("certificate.pem");
    let server = installation
        .serve_with(&[("SSL_CERT_FILE", certificate.to_str().unwrap())])
        .await;
    let path = settings(&server).await;
    let subscribe = async |url: String| {
        let feed = Some(json!({"feed": url}));
        server.ok(Method::PUT, &path, feed).await;
    };
    let text = async || server.presence("anna").await["text"].clone();
    let read = async || server.ok(Method::GET, &path, None).await;
    let code = async || read().await["trouble_code"].take();
    subscribe(web.url("latin.ics").replace("https://", " webcal://")).await;
    eventually("decoded", SOON, json!("Grün"), text).await;
    subscribe(web.url("later.ics")).await;
    eventually("asked to wait", SOON, json!("server_error"), code).await;
    // Retry-After does not delay a calendar at another address.
    subscribe(web.url("packed.ics").replace("https", "HTTPS")).await;
    eventually("unpacked", SOON, json!("Packed"), text).await;
    subscribe(web.url("odd.ics")).await;
    eventually("listed", SOON, json!("incomplete"), code).await;
    let answer = read().await;
    let unread = answer["unread"].as_array().unwrap();
    let places: Vec<_> = unread
        .iter()
        .map(|one| (one["code"].clone(), one["line"].clone()))
        .collect();
    assert_eq!(
        places,
        [
            (json!("unknown_zone"), json!(14)),
            (json!("not_a_date"), json!(19))
        ]
    );
    let trouble = answer["trouble"].as_str().unwrap();
    assert!(
        trouble.contains("event 2 (line 14): its time zone"),
        "{trouble}"
    );
    assert!(
        !answer["unread"].to_string().contains("s3cr3t") && !trouble.contains("s3cr3t"),
        "{answer}"
    );
    let id = server.person("anna").await;
    let account = json!({"name": "anna", "role": "person", "password": "correct horse battery", "person": id});
    server
        .ok(Method::POST, "/api/v1/accounts", Some(account))
        .await;
    let anna = server.sign_in("anna", "correct horse battery").await;
    let page = anna.page("/me/settings").await;
    assert!(
        page.contains("Line 14") && page.contains("DTSTART is not a date or time"),
        "{page}"
    );
    // Once the calendar is corrected, no faults are listed.
    subscribe(web.url("packed.ics")).await;
    eventually("all read", SOON, Value::Null, code).await;
    assert_eq!(read().await["unread"], json!([]));
}

#[tokio::test]
async fn the_organisations_zone_is_asked_for_and_calendars_without_one_are_read_in_it() {
    let installation = Installation::new("");
    installation.import(&[("anna", "1001")]).await;
    let server = installation.serve_with(&[("TZ", "Asia/Tokyo")]).await;
    let path = settings(&server).await;
    let zone = async || server.ok(Method::GET, &path, None).await["time_zone"].take();
    assert_eq!(
        zone().await,
        "Asia/Tokyo",
        "the server's, until one is chosen"
    );
    let ada = server.system_administrator().await;
    let page = ada.page("/admin").await;
    assert!(
        page.contains("value=\"Asia/Tokyo\"") && page.contains("time zone"),
        "{page}"
    );
    let chosen = |zone| [("form", "zone"), ("time_zone", zone)];
    let (status, page) = ada.form("/admin", &chosen("Mars/Olympus")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("This is not a time zone"), "{page}");
    ada.form("/admin", &chosen("Europe/Berlin")).await;
    assert_eq!(zone().await, "Europe/Berlin");
    assert!(
        !ada.page("/admin").await.contains("name=\"time_zone\""),
        "asked once"
    );
}
