//! The administration's home page and its audit log: what is next in a new installation, and entries as sentences.

use end_to_end::{Demo, Installation, Server};
use reqwest::{Method, StatusCode};
use serde_json::json;

/// The page in a language.
async fn read(server: &Server, path: &str, language: &str) -> String {
    let headers = [("accept-language", language)];
    let (status, _, page) = server.with_headers(Method::GET, path, &headers, None).await;
    assert_eq!(status, StatusCode::OK, "{path}: {page}");
    page
}

#[tokio::test]
async fn a_new_installation_says_what_is_next_and_an_import_is_one_entry() {
    let installation = Installation::new("");
    let server = installation.serve().await;
    let ada = server.system_administrator().await;
    let page = read(&ada, "/admin", "en").await;
    for part in [
        "Not set up yet",
        "Next: Connect Microsoft Teams",
        "0 of 6 done",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("Everything works"), "{page}");
    let page = read(&ada, "/admin", "de").await;
    assert!(page.contains("Noch nicht eingerichtet"), "{page}");

    let table = "name,mail,UPN,extension\nAnna,anna@corp.example,,1001\nBert,bert@corp.example,,1002\nCarl,carl@corp.example,,1003\n";
    let fields = [("form", "import"), ("dry_run", "no"), ("csv", table)];
    let (status, page) = ada.form("/admin/people", &fields).await;
    assert!(status.is_success(), "{page}");
    assert!(page.contains("3 people added"), "{page}");
    let page = read(&ada, "/admin/audit", "en").await;
    assert!(page.contains("ada imported 3 people</summary>"), "{page}");
    assert!(
        page.contains("ada added Anna</li>"),
        "the people are parts: {page}"
    );
    assert!(!page.contains("data-kind=\"person.add\""), "{page}");
    let page = read(&ada, "/admin/audit?what=people.import", "de").await;
    assert!(page.contains("ada hat 3 Personen importiert"), "{page}");
    let page = read(&ada, "/admin/audit?to=2020-01-01", "en").await;
    assert!(
        page.contains("No matching entries") && page.contains("value=\"2020-01-01\""),
        "{page}"
    );
    let page = read(&ada, "/admin", "en").await;
    assert!(
        page.contains("ada imported 3 people") && page.contains("1 of 6 done"),
        "{page}"
    );

    let (status, _, _) = ada
        .with_headers(Method::GET, "/admin/audit?from=soon", &[], None)
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let of_api = "/api/v1/audit?what=people.import&from=2020-01-01T00:00:00Z";
    let log = ada.ok(Method::GET, of_api, None).await;
    assert_eq!(log["items"].as_array().unwrap().len(), 1, "{log}");
}

#[tokio::test]
async fn a_moved_person_and_a_backup_are_told_in_words() {
    let demo = Demo::start(&["--still"]).await;
    let ada = demo.server.system_administrator().await;
    let anna = ada.person("Anna Becker").await;
    let path = format!("/api/v1/people/{anna}/place");
    let place = json!({"location": "lyon"});
    ada.ok(Method::PUT, &path, Some(place)).await;
    let page = read(&ada, "/admin", "en").await;
    assert!(page.contains("moved Anna Becker to Lyon"), "{page}");
    assert!(page.contains("Everything works"), "{page}");
    let (_, page) = ada.form("/admin/backup", &[("form", "make")]).await;
    assert!(page.contains("Backup made: "), "{page}");
    // An address puts no words into a page.
    let page = read(&ada, "/admin/backup?done=backup&count=%3Cb%3E", "en").await;
    assert!(
        page.contains("Backup made.") && !page.contains("<b>"),
        "{page}"
    );
}
