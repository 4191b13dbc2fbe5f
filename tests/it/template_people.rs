//! Templates assigned to people of other locations, and template names that need escaping in addresses.

use end_to_end::{Demo, Server};
use reqwest::Method;
use serde_json::{Value, json};

use crate::web_forms::{get, hidden};

/// A person in Berlin.
const ANNA: &str = "Anna Becker";
/// A person in Lyon.
const DAVID: &str = "David Okafor";

async fn status(server: &Server, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
    let (status, answer) = server.api(method, &format!("/api/v1{path}"), body).await;
    (status.as_u16(), answer)
}

// A location's administrators do not see people of other locations, who keep the template.
#[tokio::test]
async fn location_administrators_see_their_own_people_and_keep_the_others() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let (anna, david) = (server.person(ANNA).await, server.person(DAVID).await);
    let lunch = json!({"name": "Lunch", "status": "BeRightBack", "scope": "lyon", "offers": [], "people": [anna, david]});
    let (made, _) = status(server, Method::POST, "/templates", Some(lunch)).await;
    assert_eq!(made, 201);
    let automatic = format!("/people/{anna}/settings/automatic");
    let lunch = Some(json!({"inactivity": "Lunch"}));
    let (set, answer) = status(server, Method::PUT, &automatic, lunch).await;
    assert_eq!(set, 200, "{answer}");

    let lea = server.administrator_of("lyon").await;
    let path = "/scopes/lyon/templates/Lunch";
    let (_, read) = status(&lea, Method::GET, path, None).await;
    assert_eq!(read["people"], json!([david]));
    let elsewhere = json!(["automatic.inactivity of a person of another location"]);
    assert_eq!(read["uses"], elsewhere);
    let (_, list) = status(&lea, Method::GET, "/templates", None).await;
    let mut items = list["items"].as_array().unwrap().iter();
    let item = items.find(|item| item["name"] == "Lunch").unwrap();
    assert_eq!(item, &read);
    // The change would forward Anna's calls, and Anna is in another location.
    let change = json!({"forwarding": {"kind": "all", "target": "+4930"}});
    let (refused, answer) = status(&lea, Method::PATCH, path, Some(change)).await;
    assert_eq!(refused, 403, "{answer}");
    let mut body = read.clone();
    body["people"] = json!([]);
    let (put, answer) = status(&lea, Method::PUT, path, Some(body)).await;
    assert_eq!(put, 200, "{answer}");
    let rows = server.ok(Method::GET, "/api/v1/audit?limit=1", None).await;
    let row = &rows["items"][0];
    assert_eq!(row["before"]["people"], json!([anna, david]), "{row}");
    assert_eq!(row["after"]["people"], json!([anna]), "{row}");
    for computed in ["uses", "teams_uses"] {
        assert!(row["after"][computed].is_null(), "{row}");
    }
    let (named, _) = status(&lea, Method::PATCH, path, Some(json!({"people": [anna]}))).await;
    assert_eq!(named, 403, "the answer must not say who has it");
    let (_, whole) = status(server, Method::GET, path, None).await;
    assert_eq!(whole["people"], json!([anna]), "the others keep it");
    assert_eq!(
        whole["uses"],
        json!([format!("automatic.inactivity of person {anna}")])
    );

    let delete = Some(json!({"delete": true}));
    let preview = format!("{path}/preview");
    let (_, effect) = status(&lea, Method::POST, &preview, delete).await;
    assert_eq!(
        (&effect["people"], &effect["names"]),
        (&json!(1), &json!([]))
    );
    assert_eq!(effect["lost_uses"], elsewhere);
    let (refused, problem) = status(&lea, Method::DELETE, path, None).await;
    assert_eq!(refused, 403, "{problem}");
    let page = "/admin/templates/lyon/Lunch";
    let (_, html) = get(&lea, page).await;
    assert!(html.contains("a person of another location"), "{html}");
    let (_, shown) = lea.form(page, &[("form", "preview-delete")]).await;
    for html in [html, shown] {
        assert!(!html.contains(ANNA), "{html}");
    }
}

#[tokio::test]
async fn names_of_templates_may_need_escapes() {
    let demo = Demo::start(&["--still"]).await;
    let server = demo.server.system_administrator().await;
    for (name, part) in [
        ("Pause / Flur", "Pause%20%2F%20Flur"),
        ("50% da", "50%25%20da"),
        ("Mittagspäuschen", "Mittagsp%C3%A4uschen"),
        ("a%2Fb?c#d&e+f", "a%252Fb%3Fc%23d%26e%2Bf"),
        ("\"<b>\" \\ ;", "%22%3Cb%3E%22%20%5C%20%3B"),
    ] {
        let body = json!({"name": name, "scope": "lyon"});
        let (made, answer) = status(&server, Method::POST, "/templates", Some(body)).await;
        assert_eq!((made, &answer["name"]), (201, &json!(name)));
        let path = format!("/scopes/lyon/templates/{part}");
        for path in [&path, &format!("/templates/{part}")] {
            let (_, read) = status(&server, Method::GET, path, None).await;
            assert_eq!(read["name"], name, "{path}: {read}");
            let (put, back) = status(&server, Method::PUT, path, Some(read.clone())).await;
            assert_eq!((put, &back), (200, &read), "{path}");
        }
        let change = Some(json!({"change": {"text": "x"}}));
        let preview = format!("{path}/preview");
        let (_, effect) = status(&server, Method::POST, &preview, change).await;
        assert!(
            effect["names"].to_string().contains(DAVID),
            "{name}: {effect}"
        );
        let page = format!("/admin/templates/lyon/{part}");
        let (shown, html) = get(&server, &page).await;
        assert_eq!(shown, 200, "{page}");
        let (_, list) = get(&server, "/admin/templates").await;
        let link = list.contains(&format!("\"{page}\""));
        assert!(link, "{page}: {list}");
        let tag = hidden(&html, "save", "tag");
        let fields = [
            ("form", "save"),
            ("tag", &*tag),
            ("status", "Busy"),
            ("forwarding", "off"),
            ("text", "by the page"),
            ("active", "on"),
            ("everyone", "on"),
            ("scope", "lyon"),
        ];
        server.form(&page, &fields).await;
        let (_, read) = status(&server, Method::GET, &path, None).await;
        assert_eq!(read["text"], "by the page", "{name}: {read}");
        let (deleted, _) = status(&server, Method::DELETE, &path, None).await;
        assert_eq!(deleted, 204, "{name}");
    }
}
