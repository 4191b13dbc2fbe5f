//! Templates of scopes through the API and the pages: precedence, rights, previews.

use end_to_end::{Demo, Server};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::web_forms::{get, hidden};

const ANNA: &str = "Anna Becker";
/// A person in Lyon.
const DAVID: &str = "David Okafor";

/// A person's profile by name: its forwarding, and the number of profiles with that name.
async fn forwarding(server: &Server, person: &str, name: &str) -> (String, usize) {
    let path = format!("/api/v1/people/{}/profiles", server.person(person).await);
    let profiles = server.ok(Method::GET, &path, None).await;
    let items = profiles["items"].as_array().unwrap();
    let named: Vec<&Value> = items
        .iter()
        .filter(|profile| {
            let known = profile["name"].as_str().unwrap();
            known.trim().eq_ignore_ascii_case(name)
        })
        .collect();
    let kind = named.first().map_or("", |profile| {
        profile["forwarding"]["kind"].as_str().unwrap()
    });
    (kind.to_owned(), named.len())
}

async fn status(server: &Server, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
    let (status, answer) = server.api(method, &format!("/api/v1{path}"), body).await;
    (status.as_u16(), answer)
}

#[tokio::test]
async fn two_scopes_have_templates_of_one_name_and_the_nearest_active_one_counts() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let voicemail = json!({"kind": "all", "target": "voicemail"});
    let lyons =
        json!({"name": " ms TEAMS", "status": "Busy", "forwarding": voicemail, "offers": ["lyon"]});
    let post =
        async |body: &Value| status(server, Method::POST, "/templates", Some(body.clone())).await;
    let (made, template) = post(&lyons).await;
    assert_eq!(made, 201, "{template}");
    assert_eq!(
        (&template["scope"], &template["offers"]),
        (&json!("lyon"), &json!(["lyon"]))
    );
    let (refused, problem) = post(&lyons).await;
    assert_eq!((refused, &problem["field"]), (409, &json!("name")));
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("ms TEAMS in lyon"), "{detail}");
    let of = async |person: &str| forwarding(server, person, "ms teams").await;
    assert_eq!(of(DAVID).await, ("all".into(), 1), "the location's");
    assert_eq!(of(ANNA).await, ("off".into(), 1), "the organisation's");
    // A person can be assigned one in addition.
    let of_lyon = "/scopes/lyon/templates/MS%20Teams";
    let change = async |path: &str, body: Value| {
        let (changed, answer) = status(server, Method::PATCH, path, Some(body)).await;
        assert_eq!(changed, 200, "{answer}");
        answer
    };
    let anna = server.person(ANNA).await;
    change(of_lyon, json!({ "people": [anna] })).await;
    assert_eq!(
        of(ANNA).await,
        ("all".into(), 1),
        "assigned before the organisation's"
    );
    change(of_lyon, json!({"active": false})).await;
    assert_eq!(
        of(DAVID).await,
        ("off".into(), 1),
        "of active ones the nearest"
    );
    assert_eq!(of(ANNA).await, ("off".into(), 1));
    let whole = change(of_lyon, json!({"active": true, "text": "In Teams"})).await;
    assert_eq!(whole["forwarding"]["kind"], "all", "what is left out stays");
    assert_eq!(whole["people"], json!([anna]));
    // A template can be written back as it was read; addresses of older versions mean the organisation's template, or
    // the only one of that name.
    for method in [Method::PUT, Method::PATCH] {
        let (written, back) = status(server, method, of_lyon, Some(whole.clone())).await;
        assert_eq!((written, &back), (200, &whole));
    }
    let (_, named) = status(server, Method::GET, "/templates/MS%20Teams", None).await;
    assert_eq!(named["scope"], "organisation");
    let (deleted, _) = status(server, Method::DELETE, "/templates/MS%20Teams", None).await;
    assert_eq!(deleted, 204);
    let (_, named) = status(server, Method::GET, "/templates/ms%20teams", None).await;
    assert_eq!(named["scope"], "lyon");
    let berlins = json!({"name": "MS Teams", "status": "Busy", "scope": "berlin"});
    assert_eq!(post(&berlins).await.0, 201);
    for method in [Method::GET, Method::DELETE] {
        let (refused, problem) = status(server, method, "/templates/MS%20Teams", None).await;
        let detail = problem["detail"].as_str().unwrap();
        assert_eq!(refused, 409);
        assert!(detail.contains("berlin, lyon"), "{detail}");
    }
    let several = json!({"name": "X", "status": "Busy", "offers": ["berlin", "lyon"]});
    let (refused, problem) = post(&several).await;
    assert_eq!((refused, &problem["field"]), (422, &json!("offers")));
    let both = json!({"name": "X", "status": "Busy", "offers": ["berlin"], "scope": "lyon"});
    assert_eq!(post(&both).await.0, 422);
}

#[tokio::test]
async fn a_template_is_kept_while_a_use_would_have_none_of_its_name() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let lyons = json!({"name": "Absent", "status": "Absent", "scope": "lyon"});
    let lunch = json!({"name": "Lunch", "status": "BeRightBack", "scope": "lyon"});
    for template in [lyons, lunch] {
        assert_eq!(
            status(server, Method::POST, "/templates", Some(template))
                .await
                .0,
            201
        );
    }
    let locked = json!({"individual": true, "locked": "Lunch"});
    server
        .ok(
            Method::PUT,
            "/api/v1/scopes/lyon/settings/automatic",
            Some(locked),
        )
        .await;
    let delete = async |path: &str| status(server, Method::DELETE, path, None).await;
    let uses = async |path: &str| {
        let (_, template) = status(server, Method::GET, path, None).await;
        template["uses"].to_string()
    };
    // Lyon's template precedes the organisation's, which remains after Lyon's is deleted.
    let of_lyon = uses("/scopes/lyon/templates/Absent").await;
    assert!(
        of_lyon.contains("automatic.client_end of lyon"),
        "{of_lyon}"
    );
    assert_eq!(delete("/scopes/organisation/templates/Absent").await.0, 409);
    assert_eq!(delete("/scopes/lyon/templates/Absent").await.0, 204);
    let lunch = "/scopes/lyon/templates/Lunch";
    let inactive = || Some(json!({"active": false}));
    let elsewhere = || Some(json!({"scope": "berlin"}));
    for (method, body) in [
        (Method::DELETE, None),
        (Method::PATCH, inactive()),
        (Method::PATCH, elsewhere()),
    ] {
        let (refused, problem) = status(server, method, lunch, body).await;
        let detail = problem["detail"].as_str().unwrap();
        assert_eq!(refused, 409);
        assert!(detail.contains("automatic.locked of lyon"), "{detail}");
    }
    let moved = Some(json!({"scope": "organisation"}));
    assert_eq!(
        status(server, Method::PATCH, lunch, moved).await.0,
        200,
        "it resolves from there too"
    );
    assert_eq!(delete("/scopes/organisation/templates/Lunch").await.0, 409);
}

#[tokio::test]
async fn location_administrators_have_the_templates_of_their_location_and_its_groups() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let group = json!({"kind": "group", "parent": "lyon", "name": "Night"});
    server.ok(Method::POST, "/api/v1/scopes", Some(group)).await;
    let lea = server.administrator_of("lyon").await;
    let post = async |scope: &str, people: Value| {
        let body =
            json!({"name": "Lunch", "status": "BeRightBack", "scope": scope, "people": people});
        status(&lea, Method::POST, "/templates", Some(body)).await
    };
    let (anna, david) = (server.person(ANNA).await, server.person(DAVID).await);
    let (refused, problem) = post("lyon", json!([anna])).await;
    assert_eq!(
        (refused, &problem["field"]),
        (403, &json!("people")),
        "of Berlin"
    );
    for (scope, expected) in [
        ("lyon", 201),
        ("night", 201),
        ("berlin", 403),
        ("organisation", 403),
        ("none", 403),
    ] {
        assert_eq!(post(scope, json!([david])).await.0, expected, "{scope}");
    }
    let to_organisation = Some(json!({"scope": "organisation"}));
    let (refused, _) = status(
        &lea,
        Method::PATCH,
        "/scopes/night/templates/Lunch",
        to_organisation,
    )
    .await;
    assert_eq!(refused, 403);
    for (path, expected) in [
        ("/scopes/lyon/templates/teams", 201),
        ("/scopes/lyon/templates/teams", 200),
        ("/scopes/night/templates/teams", 201),
        ("/scopes/organisation/templates/teams", 403),
        ("/templates/teams", 403),
    ] {
        let (seen, template) = status(&lea, Method::POST, path, None).await;
        assert_eq!(seen, expected, "{path}: {template}");
    }
    let (_, read) = status(&lea, Method::GET, "/scopes/lyon/templates/MS%20Teams", None).await;
    assert_eq!(
        read["teams_uses"],
        json!([{"use": "call", "scopes": ["lyon"], "people": 0}])
    );
    let (_, read) = status(&lea, Method::GET, "/templates/Busy", None).await;
    assert!(read["uses"].is_null() && read["people"].is_null());
    for path in [
        "/admin/templates",
        "/admin/templates/lyon/Lunch",
        "/admin/templates/night/Lunch",
    ] {
        assert_eq!(get(&lea, path).await.0, 200, "{path}");
    }
    for path in [
        "/admin/templates/organisation/Busy",
        "/admin/templates/Busy",
    ] {
        assert_eq!(get(&lea, path).await.0, 403, "{path}");
    }
    let typed = [
        ("form", "add"),
        ("name", "Own"),
        ("status", "Busy"),
        ("forwarding", "off"),
        ("scope", "organisation"),
    ];
    assert_eq!(
        lea.form("/admin/templates", &typed).await.0,
        StatusCode::FORBIDDEN
    );
    let (deleted, _) = status(&lea, Method::DELETE, "/scopes/night/templates/Lunch", None).await;
    assert_eq!(deleted, 204);
}

#[tokio::test]
async fn pages_say_what_teams_takes_and_offer_to_make_it() {
    let demo = Demo::start(&["--still"]).await;
    let server = demo.server.system_administrator().await;
    let page = async |path: &str| get(&server, path).await.1;
    let teams = page("/admin/templates/MS%20Teams").await;
    assert!(
        teams.contains("Used by Teams calls in Organisation"),
        "{teams}"
    );
    assert!(!teams.contains("Not used:"), "{teams}");
    let busy = page("/admin/templates/organisation/Busy").await;
    assert!(busy.contains("Not used:"), "{busy}");
    let silent = page("/admin/templates/Do%20not%20disturb").await;
    assert!(
        silent.contains("Used by Do not disturb and presenting in Teams in Organisation"),
        "{silent}"
    );
    let here = "/admin/scopes/lyon/teams";
    let lyon = page(here).await;
    assert!(
        lyon.contains("use the profile “MS Teams” of Organisation"),
        "{lyon}"
    );
    let (made, _) = server.form(here, &[("form", "teams-template")]).await;
    assert!(made.is_redirection() || made.is_success(), "{made}");
    let lyon = page(here).await;
    assert!(
        lyon.contains("use the profile “MS Teams” of Lyon"),
        "{lyon}"
    );
    assert!(!lyon.contains("Create “MS Teams” here"), "{lyon}");
    server
        .ok(
            Method::DELETE,
            "/api/v1/scopes/lyon/templates/MS%20Teams",
            None,
        )
        .await;
    server
        .ok(Method::DELETE, "/api/v1/templates/MS%20Teams", None)
        .await;
    let lyon = page(here).await;
    assert!(
        lyon.contains("use the profile “Appointment” of Organisation"),
        "{lyon}"
    );
    let appointment = page("/admin/templates/Appointment").await;
    assert!(
        appointment.contains("Used by Teams calls in Organisation"),
        "{appointment}"
    );
}

#[tokio::test]
async fn a_preview_of_a_template_tells_who_is_affected_and_changes_nothing() {
    let demo = Demo::start(&["--still"]).await;
    let server = demo.server.system_administrator().await;
    let preview = async |scope: &str, name: &str, body: Value| {
        let path = format!("/scopes/{scope}/templates/{name}/preview");
        status(&server, Method::POST, &path, Some(body)).await
    };
    let path = "/scopes/organisation/templates/MS%20Teams";
    let (_, before) = status(&server, Method::GET, path, None).await;
    let (_, effect) = preview(
        "organisation",
        "MS%20Teams",
        json!({"change": {"text": "x"}}),
    )
    .await;
    assert_eq!(effect["people"], 25);
    assert!(effect["names"].to_string().contains(ANNA), "{effect}");
    // A new template of Lyon precedes the organisation's, for people in Lyon.
    let new = json!({"change": {"status": "Busy", "text": "x"}});
    let (_, effect) = preview("lyon", "MS%20Teams", new).await;
    let names = effect["names"].to_string();
    assert!(names.contains(DAVID) && !names.contains(ANNA), "{effect}");
    let of_one = json!({"status": "Busy", "offers": [], "people": [server.person(DAVID).await]});
    let (_, effect) = preview("lyon", "Own", json!({ "change": of_one })).await;
    assert_eq!(effect["names"], json!([DAVID]), "{effect}");
    let (_, effect) = preview("organisation", "Absent", json!({"delete": true})).await;
    assert!(
        effect["lost_uses"]
            .to_string()
            .contains("automatic.client_end"),
        "{effect}"
    );
    for wrong in [json!({}), json!({"delete": true, "change": {}})] {
        assert_eq!(preview("lyon", "x", wrong).await.0, 422);
    }
    let here = "/admin/templates/organisation/MS%20Teams";
    let (_, page) = get(&server, here).await;
    let tag = hidden(&page, "save", "tag");
    let fields = [
        ("form", "save"),
        ("tag", &*tag),
        ("status", "Busy"),
        ("forwarding", "all"),
        ("target", "voicemail"),
        ("active", "on"),
        ("everyone", "on"),
        ("scope", "organisation"),
        ("preview", "yes"),
    ];
    let (_, page) = server.form(here, &fields).await;
    assert!(
        page.contains("25 people are affected") && page.contains(ANNA),
        "{page}"
    );
    let (_, page) = server.form(here, &[("form", "preview-delete")]).await;
    assert!(page.contains("25 people are affected"), "{page}");
    let (_, after) = status(&server, Method::GET, path, None).await;
    assert_eq!(after, before);
}

#[tokio::test]
async fn a_template_can_be_written_back_after_one_of_its_people_was_deleted() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let path = "/scopes/lyon/templates/Lunch";
    let (anna, david) = (server.person(ANNA).await, server.person(DAVID).await);
    let people = json!([anna, david]);
    let lunch = json!({"name": "Lunch", "status": "BeRightBack", "scope": "lyon", "offers": [], "people": people});
    assert_eq!(
        status(server, Method::POST, "/templates", Some(lunch))
            .await
            .0,
        201
    );
    assert_eq!(forwarding(server, ANNA, "lunch").await.1, 1, "assigned");
    let david = format!("/people/{david}");
    assert_eq!(status(server, Method::DELETE, &david, None).await.0, 204);
    let (_, read) = status(server, Method::GET, path, None).await;
    assert_eq!(read["people"], json!([anna]));
    let (written, back) = status(server, Method::PUT, path, Some(read.clone())).await;
    assert_eq!((written, &back), (200, &read));
}

#[tokio::test]
async fn do_not_disturb_refuses_calls_on_a_fresh_installation() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    server.choose(ANNA, "Do not disturb").await;
    let person = format!("/api/v1/people/{}", server.person(ANNA).await);
    let person = server.ok(Method::GET, &person, None).await;
    let extension = person["lines"][0]["extension"].as_str().unwrap();
    let route = format!("/api/v1/route?to={extension}");
    let route = server.ok(Method::GET, &route, None).await;
    assert_eq!(route["action"], "refuse");
}

#[tokio::test]
async fn a_profile_of_ones_own_can_be_switched_off_and_on() {
    let demo = Demo::start(&["--still"]).await;
    let server = demo.server.signed_in_as(ANNA).await;
    let anna = server.person(ANNA).await;
    let path = format!("/people/{anna}/profiles");
    let own = format!("{path}/Busy");
    let body = |active: Option<bool>| {
        let mut body = json!({"status": "Absent", "forwarding": {"kind": "do_not_disturb"}});
        if let Some(active) = active {
            body["active"] = json!(active);
        }
        Some(body)
    };
    let made =
        json!({"name": "Busy", "status": "Absent", "forwarding": {"kind": "do_not_disturb"}});
    let (_, made) = status(&server, Method::POST, &path, Some(made)).await;
    assert_eq!(made["active"], true);
    let chosen = async |name: &str| {
        let path = format!("/people/{anna}/profile");
        status(
            &server,
            Method::PUT,
            &path,
            Some(json!({ "profile": name })),
        )
        .await
    };
    assert_eq!(
        chosen("busy").await.1["status"],
        "Absent",
        "the own one first"
    );
    let (_, off) = status(&server, Method::PUT, &own, body(Some(false))).await;
    assert_eq!(off["active"], false);
    let (_, still) = status(&server, Method::PUT, &own, body(None)).await;
    assert_eq!(still["active"], false, "what is left out stays");
    assert_eq!(
        chosen("busy").await.1["status"],
        "Busy",
        "the template counts"
    );
    let lunch = json!({"name": "Lunch", "status": "BeRightBack", "active": false});
    assert_eq!(
        status(&server, Method::POST, &path, Some(lunch)).await.0,
        201
    );
    let (refused, problem) = chosen("Lunch").await;
    assert_eq!((refused, &problem["field"]), (422, &json!("profile")));
    // On the page: each button sets a fixed state.
    let here = "/me/profiles?edit=Lunch";
    let (_, page) = get(&server, here).await;
    let tag = hidden(&page, "save", "tag");
    let fields = [
        ("form", "save"),
        ("key", "Lunch"),
        ("tag", &*tag),
        ("status", "BeRightBack"),
        ("forwarding", "off"),
        ("active", "on"),
    ];
    server.form(here, &fields).await;
    assert_eq!(chosen("Lunch").await.0, 200);
    // A profile that automatic activation uses cannot be switched off.
    let settings = format!("/people/{anna}/settings/automatic");
    let uses = Some(json!({"inactivity": "Lunch"}));
    assert_eq!(status(&server, Method::PUT, &settings, uses).await.0, 200);
    let off = Some(json!({"status": "BeRightBack", "active": false}));
    let (refused, problem) = status(&server, Method::PUT, &format!("{path}/Lunch"), off).await;
    assert_eq!(refused, 409, "{problem}");
}
