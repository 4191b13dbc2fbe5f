//! Tables of people by page, API and command line: the same file is read in the same way (D5).

use end_to_end::{Demo, Installation, Server};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::web_forms::hidden;

const IMPORT: &str = "/api/v1/people/import";
/// What Excel saves as "CSV" in Germany: Windows-1252, semicolons, CR LF, and columns that mean nothing here.
const EXCEL: &[u8] = b"Name;E-Mail;UPN;Durchwahl;Abteilung\r\n\
    J\xfcrgen M\xfcller;j.mueller@contoso.example;;4711;Vertrieb\r\n;;;;\r\n";
/// The same with an error, in MS-DOS's code page 850.
const DOS: &[u8] = b"Name;E-Mail;UPN;Durchwahl\r\nJ\x81rgen;j.mueller@contoso.example;;4711\r\n";

/// A form with a file, as a browser without scripts sends it.
async fn upload(server: &Server, file: &[u8], dry_run: &str) -> (StatusCode, String) {
    let field = |name: &str, value: &str| {
        format!("--limit\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let mut body = field("form", "import").into_bytes();
    body.extend(
        b"--limit\r\nContent-Disposition: form-data; name=\"file\"; filename=\"people.csv\"\r\n\
        Content-Type: text/csv\r\n\r\n",
    );
    body.extend(file);
    body.extend(b"\r\n");
    body.extend(field("csv", "name,mail,UPN,extension,location\r\n").into_bytes());
    body.extend(field("dry_run", dry_run).into_bytes());
    body.extend(b"--limit--\r\n");
    let kind = "multipart/form-data; boundary=limit";
    server.bytes("/admin/people", kind, body).await
}

async fn names(server: &Server) -> Vec<String> {
    let people = server
        .ok(Method::GET, "/api/v1/people?limit=500", None)
        .await;
    let people = people["items"].as_array().unwrap().iter();
    people
        .map(|person| person["name"].as_str().unwrap().to_owned())
        .collect()
}

// D5
#[tokio::test]
async fn the_api_takes_the_file_itself() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let before = names(server).await;
    for kind in [
        "text/csv",
        "text/csv; charset=utf-8",
        "application/x-www-form-urlencoded",
    ] {
        let path = format!("{IMPORT}?dry_run=true");
        let (status, text) = server.bytes(&path, kind, EXCEL.into()).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        let preview: Value = serde_json::from_str(&text).unwrap();
        let expected = json!({
            "encoding": "windows-1252",
            "separator": ";",
            "columns": [
                {"title": "Name", "used_for": "name"},
                {"title": "E-Mail", "used_for": "mail"},
                {"title": "UPN", "used_for": "UPN"},
                {"title": "Durchwahl", "used_for": "extension"},
                {"title": "Abteilung", "used_for": null},
            ],
            "missing": ["objectId", "location"],
        });
        assert_eq!(preview["table"], expected);
        assert_eq!(preview["items"][0]["line"], 2, "{preview}");
        assert_eq!(preview["items"][0]["what"], "added");
        assert_eq!(
            (&preview["added"], &preview["conflicts"]),
            (&json!(1), &json!(0))
        );
    }
    assert_eq!(names(server).await, before, "a dry run");
    let (status, text) = server.bytes(IMPORT, "text/csv", DOS.into()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{text}");
    assert!(
        text.contains("line 2: ") && text.contains("CSV UTF-8"),
        "{text}"
    );
    let (status, text) = server.bytes(IMPORT, "text/csv", EXCEL.into()).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    assert!(names(server).await.contains(&"Jürgen Müller".to_owned()));
    // The same table again changes nothing. An extension of a person outside the table is a conflict.
    let (_, text) = server.bytes(IMPORT, "text/csv", EXCEL.into()).await;
    let again: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&again["unchanged"], &again["items"]),
        (&json!(1), &json!([]))
    );
    let taken = "name,mail,UPN,extension\nZoe,zoe@contoso.example,,4711\n";
    let preview = json!({"csv": taken, "dry_run": true});
    let preview = server.ok(Method::POST, IMPORT, Some(preview)).await;
    assert_eq!(
        (&preview["conflicts"], &preview["items"][0]["line"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(preview["items"][0]["what"], "conflict");
    let (status, text) = server.bytes(IMPORT, "text/csv", taken.into()).await;
    assert_eq!(status, StatusCode::CONFLICT, "{text}");
    assert!(
        text.contains("line 2: extension 4711 belongs to Jürgen Müller"),
        "{text}"
    );
}

// D5
#[tokio::test]
async fn the_page_takes_a_file_without_scripts() {
    let demo = Demo::start(&["--still"]).await;
    let server = demo.server.system_administrator().await;
    let (status, page) = upload(&server, EXCEL, "yes").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    for words in [
        "The file was read as windows-1252. Semicolons separate the columns.",
        "Jürgen Müller",
        "Line 2",
        "ignored",
        "objectId, location",
        "1 new",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let csv = hidden(&page, "import", "csv");
    assert!(csv.contains("Jürgen"), "{csv}");
    let fields = [("form", "import"), ("csv", &*csv), ("dry_run", "no")];
    let (status, page) = server.form("/admin/people", &fields).await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("The people are imported"), "{page}");
    assert!(names(&server).await.contains(&"Jürgen Müller".to_owned()));
    // A refusal stands beside the file.
    let (status, page) = upload(&server, DOS, "no").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("id=\"import-file-error\""), "{page}");
    // A conflict takes the button away.
    let taken = b"name\tmail\tUPN\textension\nZoe\tzoe@contoso.example\t\t4711\n";
    let (status, page) = upload(&server, taken, "yes").await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        page.contains("One row is in conflict") && page.contains("belongs to Jürgen"),
        "{page}"
    );
    assert!(!page.contains("value=\"no\""), "{page}");
}

// D5
#[tokio::test]
async fn the_command_line_previews_and_imports_the_same_file() {
    let installation = Installation::new("");
    let file = installation.file("people.csv");
    std::fs::write(&file, EXCEL).unwrap();
    let file = file.to_str().unwrap();
    let (code, out, errors) = installation.run("import", &["--dry-run", file]).await;
    assert_eq!(code, 0, "{errors}");
    for words in [
        "Read as windows-1252, separated by semicolons.",
        "column \"Durchwahl\": extension",
        "column \"Abteilung\": ignored",
        "line 2: new: Jürgen Müller: lines: 4711",
        "1 people would be new, 0 changed, 0 unchanged; 0 conflicts.",
    ] {
        assert!(out.contains(words), "{words}: {out}");
    }
    for added in [
        "1 people added, 0 brought up to date",
        "0 people added, 1 brought up to date",
    ] {
        let (code, out, errors) = installation.run("import", &[file]).await;
        assert_eq!(code, 0, "{errors}");
        assert!(out.contains(added), "{out}");
    }
    let taken = installation.file("taken.csv");
    std::fs::write(
        &taken,
        "name,mail,UPN,extension\nZoe,zoe@contoso.example,,4711\n",
    )
    .unwrap();
    let (code, out, errors) = installation
        .run("import", &["--dry-run", taken.to_str().unwrap()])
        .await;
    assert_ne!(code, 0);
    assert!(
        out.contains("line 2: conflict: Zoe: extension 4711"),
        "{out}{errors}"
    );
}
