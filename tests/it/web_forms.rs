//! Actions of people and administrators on the pages, and the pages' answers to mistakes.

use end_to_end::{Demo, Server, Walker, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use thirtyfour::error::WebDriverResult;

use crate::{HEALS, SOON};

pub(crate) async fn get(server: &Server, path: &str) -> (u16, String) {
    let (status, _, text) = server.with_headers(Method::GET, path, &[], None).await;
    (status.as_u16(), text)
}

/// The value of a hidden field in the form with this id.
pub(crate) fn hidden(page: &str, form: &str, name: &str) -> String {
    let form = page.split(&format!("<form id=\"{form}\"")).nth(1).unwrap();
    let form = form.split("</form>").next().unwrap();
    let value = form
        .split(&format!("name=\"{name}\" value=\""))
        .nth(1)
        .unwrap();
    let value = value.split('"').next().unwrap();
    value.replace("&#34;", "\"").replace("&quot;", "\"")
}

/// A first-time administrator, who follows the instructions of the pages.
#[tokio::test]
async fn an_administrator_arranges_a_group_and_a_program() -> WebDriverResult<()> {
    let demo = Demo::start(&["--still"]).await;
    let server = demo.server.system_administrator().await;
    let walker = Walker::open(&server, "en").await?;

    walker.go("/admin").await?;
    walker.click(".sections a[href='/admin/scopes']").await;
    walker.write("#add-name", "Call centre").await;
    walker.write("#add-parent", "lyon").await;
    walker.click("#add button").await;
    let done = walker.text("#done").await;
    assert_eq!(done, "Added. Give it settings or people next.");
    assert!(walker.text("main h1").await.ends_with("/ Call centre"));
    walker.write("#put-person", "farid").await;
    walker.click("#put button").await;
    // The person is in another location: the page asks first, and one button undoes the move.
    let question = walker.text("main").await;
    assert!(question.contains("Move Farid Haddad?"), "{question}");
    walker.click("#put button").await;
    assert!(walker.text("#members").await.contains("Farid Haddad"));
    walker.click("#functions [data-key=teams] a").await;
    assert!(
        walker
            .text("main")
            .await
            .contains("inherited from Organisation")
    );
    walker.click("#individual button").await;
    // The form begins with the effective values.
    let mode = "return document.querySelector('#save-mode').value";
    let before = server
        .ok(Method::GET, "/api/v1/scopes/lyon/settings/teams", None)
        .await;
    assert_eq!(walker.script(mode).await, before["mode"]);
    walker.write("#save-mode", "telephony_only").await;
    walker
        .script("document.querySelector('[name=\"may.mode\"]').checked = false")
        .await;
    walker.click("#save [name=preview]").await;
    let main = walker.text("main").await;
    assert!(main.contains("calls, and Do not disturb in both directions → calls only"));
    assert!(main.contains("Users can no longer change"), "{main}");
    walker.click("#save button").await;
    assert_eq!(
        walker.text("#done").await,
        "Saved. The change is in effect."
    );
    let path = "/api/v1/scopes/call-centre/settings/teams";
    let set = server.ok(Method::GET, path, None).await;
    assert_eq!(set["mode"], "telephony_only");
    assert_eq!(set["user_may_change"]["mode"], false);
    assert_eq!(set["base_from_teams"], before["base_from_teams"]);

    walker.click(".sections a[href='/admin/microphone']").await;
    walker.write("#add-alias", "Acme Meet").await;
    walker.write("#add-process", "AcmeMeet.exe").await;
    walker.click("#add button").await;
    assert!(
        walker
            .text("#done")
            .await
            .contains("Activate it to show it")
    );
    walker.click("[data-key=AcmeMeet] .buttons button").await;
    let program = "/api/v1/scopes/organisation/programs/acmemeet";
    let program = server.ok(Method::GET, program, None).await;
    assert_eq!(
        (&program["alias"], &program["active"]),
        (&json!("Acme Meet"), &json!(true))
    );

    // Removed from the group: the location stays.
    walker.go("/admin/scopes/call-centre").await?;
    walker
        .script("document.querySelector('#members details').open = true")
        .await;
    let sure = walker.text("#members").await;
    assert!(sure.contains("The settings of Lyon then apply"), "{sure}");
    walker.click("#members details button").await;
    assert!(walker.text("#members").await.contains("No people yet"));
    let farid = format!(
        "/api/v1/people/{}/place",
        server.person("Farid Haddad").await
    );
    let place = server.ok(Method::GET, &farid, None).await;
    assert_eq!(
        (&place["location"], &place["group"]),
        (&json!("lyon"), &Value::Null)
    );
    walker.browser.close().await
}

#[tokio::test]
async fn a_preview_tells_who_is_affected_and_changes_nothing() {
    let demo = Demo::start(&["--still"]).await;
    let server = demo.server.system_administrator().await;
    let here = "/admin/scopes/organisation/teams";
    let (_, page) = get(&server, here).await;
    let tag = hidden(&page, "save", "tag");
    let fields = [
        ("form", "save"),
        ("tag", &*tag),
        ("mode", "none"),
        ("base_from_teams", "on"),
        ("preview", "yes"),
    ];
    let (status, page) = server.form(here, &fields).await;
    assert_eq!(status.as_u16(), 200);
    assert!(page.contains("25 people are affected"), "{page}");
    assert!(page.contains("Anna Becker"));
    assert!(page.contains("calls, and Do not disturb in both directions → off"));
    let now = server
        .ok(
            Method::GET,
            &format!(
                "/api/v1{}",
                here.replace("/admin", "")
                    .replace("/teams", "/settings/teams")
            ),
            None,
        )
        .await;
    assert_eq!(now["mode"], "telephony_and_presence");
}

#[tokio::test]
async fn a_mistake_stands_beside_its_field_with_what_was_typed() {
    let demo = Demo::start(&["--still"]).await;
    let server = demo.server.system_administrator().await;
    let wrong = [
        ("form", "add"),
        ("name", "Zoe <b>"),
        ("mail", "anna@contoso.example"),
        ("lines", "4711, 4712"),
    ];
    let (status, page) = server.form("/admin/people", &wrong).await;
    assert_eq!(status.as_u16(), 409);
    assert!(
        page.contains("value=\"Zoe &#60;b&#62;\"") || page.contains("value=\"Zoe &lt;b&gt;\""),
        "{page}"
    );
    assert!(page.contains("value=\"4711, 4712\"") && page.contains("role=\"alert\""));
    // The form is unfolded, to show the error.
    assert!(page.contains("<details class=\"folded\" open>"));

    let empty = [
        ("form", "add"),
        ("name", ""),
        ("alias", "x"),
        ("process", "a/b"),
    ];
    let (status, page) = server.form("/admin/microphone", &empty).await;
    assert_eq!(status.as_u16(), 422);
    assert!(page.contains("id=\"add-process-error\""), "{page}");
    assert!(page.contains("aria-invalid=\"true\"") && page.contains("is a path"));

    let twice = [("form", "add"), ("process", "ZOOM.exe")];
    let (_, page) = server.form("/admin/microphone", &twice).await;
    assert!(page.contains("is there already, shown as"), "{page}");

    let (status, page) = server
        .form(
            "/admin/people",
            &[
                ("form", "import"),
                ("csv", "name,mail\nx,y\n"),
                ("dry_run", "yes"),
            ],
        )
        .await;
    assert_eq!(status.as_u16(), 422);
    assert!(
        page.contains("the column") && page.contains("id=\"import-csv-error\""),
        "{page}"
    );

    let unknown = [
        ("form", "set"),
        ("viewer", "Nobody"),
        ("level", "Assistant"),
    ];
    let anna = demo.server.signed_in_as("Anna Becker").await;
    let (_, page) = anna.form("/me/sharing", &unknown).await;
    assert!(
        page.contains("No person matches") && page.contains("id=\"set-viewer-error\""),
        "{page}"
    );
}

#[tokio::test]
async fn what_another_administrator_changed_is_shown_and_not_overwritten() {
    let demo = Demo::start(&["--still"]).await;
    let server = demo.server.system_administrator().await;
    let anna = server.person("Anna Becker").await;
    let here = format!("/admin/people/{anna}");
    let (_, page) = get(&server, &here).await;
    let tag = hidden(&page, "save", "tag");
    let other = json!({"mail": "anna.b@contoso.example"});
    let path = format!("/api/v1/people/{anna}");
    server.ok(Method::PATCH, &path, Some(other)).await;
    let fields = [
        ("form", "save"),
        ("tag", &*tag),
        ("name", "Anna B."),
        ("mail", "anna@contoso.example"),
        ("userPrincipalName", "anna@contoso.example"),
        ("lines", "1001"),
    ];
    let (status, page) = server.form(&here, &fields).await;
    assert_eq!(status.as_u16(), 412);
    assert!(page.contains("Another user has changed this"), "{page}");
    assert!(page.contains("Current value: anna.b@contoso.example"));
    assert!(page.contains("value=\"Anna B.\""));
    assert_eq!(
        server.ok(Method::GET, &path, None).await["mail"],
        "anna.b@contoso.example"
    );
    // Saved again after the newer state was shown, the change is accepted.
    let tag = hidden(&page, "save", "tag");
    let fields = fields.map(|(name, value)| {
        if name == "tag" {
            (name, &*tag)
        } else {
            (name, value)
        }
    });
    let (status, page) = server.form(&here, &fields).await;
    assert_eq!(status.as_u16(), 200, "{page}");
    assert_eq!(server.ok(Method::GET, &path, None).await["name"], "Anna B.");
}

#[tokio::test]
async fn a_table_of_people_is_tried_before_it_is_imported() {
    let demo = Demo::start(&["--still"]).await;
    let server = demo.server.system_administrator().await;
    // Larger than the limit of other forms.
    let mut csv = String::from("name,mail,UPN,extension,location\n");
    for number in 0..3_000 {
        csv += &format!("Person {number},p{number}@contoso.example,,7{number:04},Oslo\n");
    }
    let here = "/admin/people";
    let (status, page) = server
        .form(
            here,
            &[("form", "import"), ("csv", &csv), ("dry_run", "yes")],
        )
        .await;
    assert_eq!(status.as_u16(), 200);
    assert!(
        page.contains("Nothing has been changed yet") && page.contains("location: "),
        "no dry run"
    );
    assert_eq!(
        server
            .ok(Method::GET, "/api/v1/people?limit=1000", None)
            .await["items"]
            .as_array()
            .unwrap()
            .len(),
        25
    );
    let (status, page) = server
        .form(
            here,
            &[("form", "import"), ("csv", &csv), ("dry_run", "no")],
        )
        .await;
    assert_eq!(status.as_u16(), 200);
    // A long import is shown on a page of its own.
    assert!(
        page.contains("People imported") || page.contains("Import of people"),
        "{page}"
    );
    let imported = async || get(&server, here).await.1.contains("3025 people");
    eventually("imported", HEALS, true, imported).await;
}

#[tokio::test]
async fn each_sees_the_pages_that_are_theirs() {
    let demo = Demo::start(&["--still"]).await;
    let anna = demo.server.signed_in_as("Anna Becker").await;
    let lea = demo.server.administrator_of("lyon").await;
    let mine = [
        "/me",
        "/me/profiles",
        "/me/appointments",
        "/me/sharing",
        "/me/devices",
        "/me/settings",
    ];
    let locations = [
        "/admin",
        "/admin/health",
        "/admin/people",
        "/admin/scopes",
        "/admin/microphone",
        "/admin/templates",
        "/admin/scopes/lyon/teams",
    ];
    let systems = [
        "/admin/templates/organisation/Busy",
        "/admin/workgroups",
        "/admin/tenants",
        "/admin/tenants/connect",
        "/admin/telephony",
        "/admin/accounts",
        "/admin/keys",
        "/admin/audit",
        "/admin/audit.csv",
        "/admin/backup",
        "/admin/work",
        "/admin/scopes/berlin/teams",
        "/admin/scopes/organisation/teams",
        "/admin/microphone?scope=berlin",
    ];
    for path in mine {
        assert_eq!(get(&anna, path).await.0, 200, "{path}");
        assert_eq!(get(&lea, path).await.0, 403, "{path}");
    }
    for path in locations {
        assert_eq!(get(&anna, path).await.0, 403, "{path}");
        assert_eq!(get(&lea, path).await.0, 200, "{path}");
    }
    for path in systems {
        assert_eq!(get(&anna, path).await.0, 403, "{path}");
        let (status, page) = get(&lea, path).await;
        assert_eq!(status, 403, "{path}");
        assert!(
            page.starts_with("<!doctype html>"),
            "{path}: a refusal is a page"
        );
    }
    let (_, page) = get(&lea, "/admin").await;
    assert!(!page.contains("/admin/audit") && page.contains("/admin/microphone"));
    // Nor can a form of another page be sent.
    for (path, fields) in [
        ("/admin/people", vec![("form", "add"), ("name", "Zoe")]),
        (
            "/admin/keys",
            vec![("form", "add"), ("name", "x"), ("scopes", "admin")],
        ),
        ("/admin/backup", vec![("form", "make")]),
    ] {
        assert_eq!(anna.form(path, &fields).await.0.as_u16(), 403, "{path}");
        assert_eq!(lea.form(path, &fields).await.0.as_u16(), 403, "{path}");
    }
    // Without a session the page redirects to sign-in, and then back.
    let nobody = demo.server.with_key("");
    let (status, page) = get(&nobody, "/admin/people").await;
    assert_eq!(status, 401);
    assert!(
        page.contains("name=\"to\" value=\"/admin/people\""),
        "{page}"
    );
    let (status, page) = get(&anna, "/admin/nothing").await;
    assert_eq!(status, 404);
    assert!(page.contains("Page not found"), "{page}");
}

#[tokio::test]
async fn a_key_is_shown_once_and_the_audit_log_goes_out_as_a_table() {
    let demo = Demo::start(&["--still"]).await;
    let server = demo.server.system_administrator().await;
    let fields = [("form", "add"), ("name", "=cmd()"), ("scopes", "read")];
    let (_, page) = server.form("/admin/keys", &fields).await;
    let key = page
        .split("<code>")
        .nth(1)
        .unwrap()
        .split("</code>")
        .next()
        .unwrap();
    assert!(key.starts_with("ohk_"));
    let with_key = server.with_key(key);
    assert!(
        with_key
            .api(Method::GET, "/api/v1/people", None)
            .await
            .0
            .is_success()
    );
    assert!(!get(&server, "/admin/keys").await.1.contains(key));
    let (_, csv) = get(&server, "/admin/audit.csv?what=api_key.add").await;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "at,who,what,target,before,after");
    assert!(
        lines
            .iter()
            .any(|line| line.contains(",ada,api_key.add,'=cmd(),")),
        "{csv}"
    );
    let (_, page) = get(&server, "/admin/audit?what=api_key.add").await;
    assert!(
        page.contains("=cmd()") && !page.contains("account.add</td>"),
        "{page}"
    );
}

#[tokio::test]
async fn a_person_chooses_orders_and_arranges() -> WebDriverResult<()> {
    let demo = Demo::start(&["--still"]).await;
    let server = demo.server.signed_in_as("Anna Becker").await;
    let anna = server.person("Anna Becker").await;
    let of_anna = |rest: &str| format!("/api/v1/people/{anna}/{rest}");
    let walker = Walker::open(&server, "en").await?;
    walker.go("/me").await?;
    walker.write("#choose-for", "60").await;
    walker.click("#choose [value='Do not disturb']").await;
    assert!(walker.text("main dl").await.contains("Do not disturb"));
    let choice = server.ok(Method::GET, &of_anna("profile"), None).await;
    assert_eq!(choice["profile"], "Do not disturb");
    assert_ne!(choice["until"], Value::Null);
    walker.click("#automatic button").await;
    assert_eq!(
        server.ok(Method::GET, &of_anna("profile"), None).await["profile"],
        Value::Null
    );

    let names = async || -> Vec<String> {
        let profiles = server.ok(Method::GET, &of_anna("profiles"), None).await;
        let items = profiles["items"].as_array().unwrap();
        items
            .iter()
            .map(|item| item["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let before = names().await;
    walker.click(".sections a[href='/me/profiles']").await;
    // By keyboard: the arrow is a button.
    walker
        .click("#profiles tbody tr:nth-child(2) [aria-label$=' up']")
        .await;
    let after = names().await;
    assert_eq!((&after[0], &after[1]), (&before[1], &before[0]));
    // By dragging the first row behind the last.
    let drag = "
        const body = document.querySelector('#profiles tbody');
        const [first, last] = [body.rows[0], body.rows[body.rows.length - 1]];
        const dataTransfer = new DataTransfer();
        const { bottom } = last.getBoundingClientRect();
        const say = (row, type) => row.dispatchEvent(
            new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer, clientY: bottom - 1 }));
        say(first, 'dragstart'); say(last, 'dragover'); say(last, 'drop'); say(first, 'dragend');";
    walker.script(drag).await;
    let dragged = async || names().await.last().cloned();
    eventually("the order", SOON, Some(before[1].clone()), dragged).await;
    walker.go("/me/appointments").await?;
    walker.write("#add-text", "Review").await;
    let today = walker
        .script("return document.querySelector('#calendar, svg.timetable') !== null")
        .await;
    assert_eq!(today, true, "the week is drawn");
    // In a week other than the current one, at any time of day; afterwards the page shows that week.
    let day = walker
        .script("return new Date(Date.now() + 8 * 86_400e3).toISOString().slice(0, 10)")
        .await;
    let day = day.as_str().unwrap().to_owned();
    walker.write("#add-start", &format!("{day}T23:50")).await;
    walker.write("#add-end", &format!("{day}T23:40")).await;
    walker.click("#add button").await;
    let wrong = walker.text("#add .wrong").await;
    assert!(wrong.contains("must be after the start"), "{wrong}");
    walker.write("#add-end", &format!("{day}T23:59")).await;
    walker.click("#add button").await;
    assert_eq!(walker.text("#done").await, "Added.");
    assert!(walker.text("#appointments").await.contains("Review"));
    assert!(walker.text("svg.timetable").await.contains("Review"));
    walker.browser.close().await
}
