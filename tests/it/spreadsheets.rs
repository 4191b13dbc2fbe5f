//! Tables of people through page, API and command line: the same file is read in the same way.

use end_to_end::{Demo, Installation, Server, Teamsbox, eventually};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{HEALS, web_forms::hidden};

const IMPORT: &str = "/api/v1/people/import";
/// Excel's "CSV" in Germany: Windows-1252, semicolons, CR LF, and columns that Offhook ignores.
const EXCEL: &[u8] = b"Name;E-Mail;UPN;Durchwahl;Abteilung\r\n\
    J\xfcrgen M\xfcller;j.mueller@contoso.example;;4711;Vertrieb\r\n;;;;\r\n";
/// A table with an error, in MS-DOS's code page 850.
const DOS: &[u8] = b"Name;E-Mail;UPN;Durchwahl\r\nJ\x81rgen;j.mueller@contoso.example;;4711\r\n";

/// Sends the page's form with a file, as a browser does.
async fn upload(server: &Server, file: &[u8], dry_run: &str) -> (StatusCode, String) {
    const HEADER: &str = "name,mail,UPN,extension,location\n";
    send(server, Some(("people.csv", file)), HEADER, dry_run).await
}

/// Sends a form with a named file and a text, as a browser without scripts does.
async fn send(
    server: &Server,
    file: Option<(&str, &[u8])>,
    csv: &str,
    dry_run: &str,
) -> (StatusCode, String) {
    let field = |name: &str, value: &str| {
        format!("--limit\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let mut body = field("form", "import").into_bytes();
    if let Some((name, contents)) = file {
        let head = format!(
            "--limit\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: text/csv\r\n\r\n"
        );
        body.extend(head.into_bytes());
        body.extend(contents);
        body.extend(b"\r\n");
    }
    body.extend(field("csv", &csv.replace('\n', "\r\n")).into_bytes());
    body.extend(field("dry_run", dry_run).into_bytes());
    body.extend(b"--limit--\r\n");
    let kind = "multipart/form-data; boundary=limit";
    server.bytes("/admin/people", kind, body).await
}

/// The text of a page around its alert, without the hidden table.
fn alert(page: &str) -> &str {
    let after = page.split("role=\"alert\"").nth(1).unwrap_or(page);
    after.get(..2_000).unwrap_or(after)
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
            "comments": 0,
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
    assert!(page.contains("One person added"), "{page}");
    assert!(names(&server).await.contains(&"Jürgen Müller".to_owned()));
    // The error appears beside the file input.
    let (status, page) = upload(&server, DOS, "no").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("id=\"import-file-error\""), "{page}");
    // A conflict hides the import button.
    let taken = b"name\tmail\tUPN\textension\nZoe\tzoe@contoso.example\t\t4711\n";
    let (status, page) = upload(&server, taken, "yes").await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        page.contains("One row conflicts with") && page.contains("belongs to Jürgen"),
        "{page}"
    );
    assert!(!page.contains("value=\"no\""), "{page}");
}

// A form with an ambiguous or empty file and text imports no one.
#[tokio::test]
async fn the_page_takes_either_a_file_or_a_pasted_table() {
    const HEADER: &str = "name,mail,UPN,extension,location\n";
    const PASTED: &str = "name,mail,UPN,extension\nZoe,zoe@contoso.example,,4711\n";
    let demo = Demo::start(&["--still"]).await;
    let server = demo.server.system_administrator().await;
    let before = names(&server).await;
    let none = ("", &b""[..]);
    for (file, csv, words) in [
        (Some(("people.csv", &b""[..])), HEADER, "the file is empty"),
        (Some(("people.csv", EXCEL)), PASTED, "Use one of them only"),
        (Some(("people.csv", b"")), PASTED, "Use one of them only"),
        (Some(none), HEADER, "Choose a file or paste a table."),
        (None, "", "Choose a file or paste a table."),
    ] {
        for dry_run in ["yes", "no"] {
            let (status, page) = send(&server, file, csv, dry_run).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{words}: {page}");
            assert!(page.contains(words), "{words}: {page}");
            assert!(page.contains("id=\"import-file-error\""), "{page}");
        }
    }
    let (_, page) = upload(&server, HEADER.as_bytes(), "no").await;
    assert!(page.contains("The table contains no people"), "{page}");
    assert_eq!(names(&server).await, before);
    // Without a file the text is imported. Line numbers include comments at the beginning and the end.
    let commented = format!("# July\n{PASTED}# the end\n");
    for dry_run in ["yes", "no"] {
        let (status, page) = send(&server, Some(none), &commented, dry_run).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        assert!(page.contains("2 lines that begin with # were"), "{page}");
    }
    assert!(names(&server).await.contains(&"Zoe".to_owned()));
}

// A file with a valid preview can be imported, although the form between both is larger.
#[tokio::test]
async fn a_file_just_below_the_limit_is_previewed_and_imported() {
    const LIMIT: usize = 8 * 1024 * 1024;
    let demo = Demo::start(&["--still"]).await;
    let server = demo.server.system_administrator().await;
    // Notes in an ignored column: the end of a line is one byte of the file, and two bytes in JSON and in a form.
    let mut file =
        b"Name;E-Mail;UPN;Durchwahl;Notiz\r\nZoe;zoe@contoso.example;;4711;\"5 \x80".to_vec();
    file.extend(b"\n".repeat(LIMIT - file.len() - 2));
    file.extend(b"\"\n");
    let (status, page) = upload(&server, &file, "yes").await;
    assert_eq!(status, StatusCode::OK, "{}", alert(&page));
    let csv = hidden(&page, "import", "csv");
    let (status, page) = send(&server, None, &csv, "no").await;
    assert_eq!(status, StatusCode::OK, "{}", alert(&page));
    assert!(page.contains("One person added"));
    let (status, page) = upload(&server, &vec![b'a'; LIMIT + 1], "yes").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("more than 8"), "{page}");
}

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

// An import that gives a person another account clears Offhook's writes in the former account, by API and command
// line.
#[tokio::test]
async fn an_imported_object_id_moves_what_was_written_to_the_new_account() {
    let teamsbox = Teamsbox::start(0).await;
    for name in ["anna", "bert", "carl"] {
        teamsbox.add_user(name).await;
    }
    let installation = Installation::new(&Installation::teams(teamsbox.url()));
    installation.import(&[("anna", "1001")]).await;
    let server = installation.serve().await;
    server.set_mode("telephony_and_presence").await;
    let anna = server.person("anna").await;
    let meeting = format!("/api/v1/people/{anna}/meetings/daily");
    let busy = async |name| {
        let audio = Some(json!({"audio": true}));
        server.ok(Method::PUT, &meeting, audio).await;
        (
            teamsbox.shown(name).await,
            teamsbox.app_sessions(name).await,
        )
    };
    let in_a_call = || ("Busy/InACall".to_owned(), 1);
    let nothing = ("Available/Available".to_owned(), 0);
    eventually("anna's account", HEALS, in_a_call(), || busy("anna")).await;
    let table = async |name| {
        let id = teamsbox.state(name).await["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let person = "anna,anna@contoso.example,anna@contoso.example,1001";
        format!("name,mail,UPN,extension,objectId\n{person},{id}\n")
    };

    let csv = json!({"csv": table("bert").await});
    server
        .ok(Method::POST, "/api/v1/people/import", Some(csv))
        .await;
    eventually("bert's account", HEALS, in_a_call(), || busy("bert")).await;
    eventually("anna's account", HEALS, nothing.clone(), || busy("anna")).await;

    let file = installation.file("people.csv");
    std::fs::write(&file, table("carl").await).unwrap();
    let (code, _, errors) = installation.run("import", &[file.to_str().unwrap()]).await;
    assert_eq!(code, 0, "{errors}");
    eventually("carl's account", HEALS, in_a_call(), || busy("carl")).await;
    eventually("bert's account", HEALS, nothing.clone(), || busy("bert")).await;
}
