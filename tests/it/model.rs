//! Profiles, appointments, scopes, relationships and meetings, through the API as administrators and people use it.

use end_to_end::{Demo, Installation, eventually, stays, time};
use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::SOON;

const ANNA: &str = "Anna Becker";
const BERT: &str = "Bert Lindqvist";
/// A person in Lyon, where a setting is locked.
const DAVID: &str = "David Okafor";

#[tokio::test]
async fn a_locked_setting_is_kept_and_not_used() {
    let demo = Demo::start(&["--still"]).await;
    let david = demo.server.signed_in_as(DAVID).await;
    let id = demo.server.person(DAVID).await;
    let path = format!("/api/v1/people/{id}/settings/automatic");
    let setting = Some(json!({"locked": "Busy"}));
    let (status, problem) = david.api(Method::PUT, &path, setting.clone()).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(problem["field"], "locked");
    // An administrator may store a value for the time after the lock.
    demo.server.ok(Method::PUT, &path, setting).await;
    let settings = david.ok(Method::GET, &path, None).await;
    assert_eq!(settings["locked"], "Absent", "the location's");
    assert_eq!(settings["own"]["locked"], "Busy", "kept");
    let unlock = json!({"user_may_change": {"locked": true}});
    let scope = "/api/v1/scopes/lyon/settings/automatic";
    demo.server.ok(Method::PUT, scope, Some(unlock)).await;
    let settings = david.ok(Method::GET, &path, None).await;
    assert_eq!(settings["locked"], "Busy", "used again");
    let client = format!("/api/v1/people/{id}/clients/desk");
    let locked = json!({"state": "locked"});
    david.ok(Method::PUT, &client, Some(locked)).await;
    assert_eq!(demo.server.shown(DAVID).await, "Busy");
    david.ok(Method::DELETE, &client, None).await;
    assert_eq!(demo.server.shown(DAVID).await, "Available");
}

#[tokio::test]
async fn a_scope_is_default_or_individual_and_copies_from_its_location() {
    let demo = Demo::start(&["--still"]).await;
    let put = async |scope: &str, body: Value| {
        let path = format!("/api/v1/scopes/{scope}/settings/automatic");
        demo.server.ok(Method::PUT, &path, Some(body)).await
    };
    put("berlin", json!({"inactivity_after": 120})).await;
    let path = "/api/v1/scopes/reception/settings/automatic";
    let group = demo.server.ok(Method::GET, path, None).await;
    assert_eq!(group["individual"], false);
    assert_eq!(group["inactivity_after"], 120, "the location's");
    let group = put("reception", json!({"individual": true})).await;
    assert_eq!(group["inactivity_after"], 600, "the product's default");
    let group = put("reception", json!({"copy_from": "berlin"})).await;
    assert_eq!(group["inactivity_after"], 120, "copied");
    let group = put("reception", json!({"individual": false})).await;
    assert_eq!(group["decided_by"], "berlin");
}

#[tokio::test]
async fn a_template_in_use_is_not_deleted_and_the_refusal_lists_the_uses() {
    let demo = Demo::start(&["--still"]).await;
    let delete = async |name: &str| {
        let path = format!("/api/v1/templates/{name}");
        demo.server.api(Method::DELETE, &path, None).await
    };
    let (status, problem) = delete("Absent").await;
    assert_eq!(status, StatusCode::CONFLICT);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("automatic.client_end"), "{detail}");
    let inactive = json!({"status": "Absent", "active": false});
    let (status, _) = demo
        .server
        .api(Method::PUT, "/api/v1/templates/Absent", Some(inactive))
        .await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(delete("MS%20Teams").await.0, StatusCode::NO_CONTENT);
    let path = "/api/v1/templates/teams";
    for expected in [StatusCode::CREATED, StatusCode::OK] {
        let (status, template) = demo.server.api(Method::POST, path, None).await;
        assert_eq!(status, expected, "made once");
        assert_eq!(template["status"], "Busy");
        assert_eq!(template["forwarding"]["kind"], "off");
    }
}

#[tokio::test]
async fn an_appointment_in_do_not_disturb_goes_to_teams_and_back() {
    let demo = Demo::start(&["--still"]).await;
    let id = demo.server.person(ANNA).await;
    // A duration instead of a made-up date: not every year has 29 February.
    let start = time(&demo.server.presence(ANNA).await["since"]);
    let end = start + SignedDuration::from_hours(1);
    let path = format!("/api/v1/people/{id}/appointments");
    let body = json!({"start": start.to_string(), "end": end.to_string(), "text": "Board meeting", "private": true,
        "profile": "Do not disturb"});
    let made = demo.server.ok(Method::POST, &path, Some(body)).await;
    assert_eq!(demo.server.presence(ANNA).await["text"], "Board meeting");
    let teams = async || demo.teamsbox.shown("anna").await;
    let dnd = "DoNotDisturb/DoNotDisturb".to_owned();
    eventually("Teams", SOON, dnd, teams).await;
    let bert = demo.server.signed_in_as(BERT).await;
    let text = bert.presence(ANNA).await["text"].clone();
    assert_eq!(
        text, "Private",
        "a colleague of the team reads no private text"
    );
    let listed = bert.ok(Method::GET, &path, None).await;
    assert!(!listed.to_string().contains("Board"), "{listed}");
    let appointment = format!("{path}/{}", made["id"].as_str().unwrap());
    demo.server.ok(Method::DELETE, &appointment, None).await;
    let available = "Available/Available".to_owned();
    eventually("Teams", SOON, available, teams).await;
    assert_eq!(demo.server.shown(ANNA).await, "Available");
}

#[tokio::test]
async fn a_meeting_with_audio_is_a_call_in_teams_and_a_shared_screen_is_nothing() {
    let demo = Demo::start(&["--still"]).await;
    let id = demo.server.person(ANNA).await;
    let path = format!("/api/v1/people/{id}/meetings/daily");
    let put = async |body: Value| demo.server.ok(Method::PUT, &path, Some(body)).await;
    put(json!({"audio": false, "screen": true})).await;
    assert_eq!(demo.server.shown(ANNA).await, "Available");
    put(json!({"audio": true, "screen": true})).await;
    assert_eq!(demo.server.shown(ANNA).await, "Busy InMeeting meeting");
    let teams = async || demo.teamsbox.shown("anna").await;
    eventually("Teams", SOON, "Busy/InACall".to_owned(), teams).await;
    demo.server.ok(Method::DELETE, &path, None).await;
    eventually("Teams", SOON, "Available/Available".to_owned(), teams).await;
    assert_eq!(demo.server.shown(ANNA).await, "Available");
}

#[tokio::test]
async fn a_blocked_viewer_sees_nobody_on_any_interface() {
    let demo = Demo::start(&["--still"]).await;
    let (anna, bert) = (
        demo.server.person(ANNA).await,
        demo.server.person(BERT).await,
    );
    let viewer = demo.server.signed_in_as(BERT).await;
    let path = format!("/api/v1/people/{anna}/relationships/{bert}");
    let level = json!({"level": "Blocked"});
    demo.server.ok(Method::PUT, &path, Some(level)).await;
    let mut events = viewer.events().await;
    demo.server.choose(ANNA, "Busy").await;
    assert_eq!(demo.server.shown(ANNA).await, "Busy");
    // A visible change of another person ends the wait for the event that must not arrive.
    demo.server.choose("Carla Moreno", "Busy").await;
    let mut received = String::new();
    while !received.contains("Busy") {
        let chunk = events.chunk().await.unwrap().expect("the stream goes on");
        received += &String::from_utf8_lossy(&chunk);
    }
    assert!(
        !received.contains(&format!("\"person\":\"{anna}\"")),
        "{received}"
    );
    let offline = json!({"status": "Offline", "activity": null, "profile": null,
        "text": "Offline", "since": null, "until": null, "confidence": "certain"});
    assert_eq!(viewer.presence(ANNA).await, offline);
    let get = async |what: &str| {
        let path = format!("/api/v1/people/{anna}/{what}");
        viewer.ok(Method::GET, &path, None).await
    };
    assert_eq!(get("explanation").await["reasons"], json!([]));
    for list in ["history", "appointments", "profiles"] {
        assert_eq!(get(list).await["items"], json!([]), "{list}");
    }
    let board = viewer.ok(Method::GET, "/", None).await;
    let board = board.as_str().unwrap();
    let row = format!("data-person=\"{anna}\" data-status=\"Offline\"");
    assert!(board.contains(&row), "the board's page");
    // A real Offline status looks the same to a viewer who may see it.
    let carla = json!({"name": "Gone", "status": "Offline"});
    let id = demo.server.person("Carla Moreno").await;
    let profiles = format!("/api/v1/people/{id}/profiles");
    demo.server.ok(Method::POST, &profiles, Some(carla)).await;
    demo.server.choose("Carla Moreno", "Gone").await;
    assert_eq!(viewer.presence("Carla Moreno").await, offline);
}

#[tokio::test]
async fn the_open_page_of_a_signed_in_person_is_a_client() {
    let installation = Installation::new("");
    installation.import(&[("anna", "")]).await;
    let server = installation.serve().await;
    let body = json!({"client_end_after": 0});
    let path = "/api/v1/scopes/organisation/settings/automatic";
    server.ok(Method::PUT, path, Some(body)).await;
    let shown = async || server.shown("anna").await;
    eventually("without a client", SOON, "Absent".to_owned(), shown).await;
    // The stream of an API key is no client of the person.
    let of_key = server.events().await;
    let half = std::time::Duration::from_millis(300);
    stays("with a key's stream", half, "Absent".to_owned(), shown).await;
    let page = server.signed_in_as("anna").await.events().await;
    eventually("with a page", SOON, "Available".to_owned(), shown).await;
    drop((page, of_key));
    eventually("without again", SOON, "Absent".to_owned(), shown).await;
}

#[tokio::test]
async fn every_change_is_in_the_audit_log_with_before_and_after() {
    let demo = Demo::start(&["--still"]).await;
    let path = "/api/v1/scopes/organisation/settings/teams";
    let body = json!({"renew_dnd": true});
    demo.server.ok(Method::PUT, path, Some(body)).await;
    let log = "/api/v1/audit?limit=1";
    let row = demo.server.ok(Method::GET, log, None).await["items"][0].clone();
    assert_eq!(row["who"], "API key demo");
    assert_eq!(row["what"], "settings.set");
    assert_eq!(row["target"], "organisation/teams");
    assert_eq!(row["before"], json!({"mode": "telephony_and_presence"}));
    assert_eq!(
        row["after"],
        json!({"mode": "telephony_and_presence", "renew_dnd": true})
    );
    let reader = json!({"name": "reader", "scopes": ["read"]});
    let key = demo
        .server
        .ok(Method::POST, "/api/v1/keys", Some(reader))
        .await;
    assert!(key["key"].as_str().unwrap().starts_with("ohk_"));
    let log = demo.server.ok(Method::GET, log, None).await.to_string();
    assert!(!log.contains("ohk_"), "no secret in the log");
}

#[tokio::test]
async fn a_change_that_somebody_else_made_is_not_overwritten() {
    let demo = Demo::start(&["--still"]).await;
    let path = "/api/v1/scopes/organisation/settings/teams";
    let call = async |method, headers: &[(&str, &str)], body| {
        demo.server.with_headers(method, path, headers, body).await
    };
    let (_, tag, _) = call(Method::GET, &[], None).await;
    let tag = tag.unwrap();
    let (status, _, body) = call(Method::GET, &[("if-none-match", &tag)], None).await;
    assert_eq!((status, body.as_str()), (StatusCode::NOT_MODIFIED, ""));
    let change = |renew: bool| Some(json!({ "renew_dnd": renew }));
    let matching = [("if-match", tag.as_str())];
    assert_eq!(
        call(Method::PUT, &matching, change(true)).await.0,
        StatusCode::OK
    );
    let (status, _, problem) = call(Method::PUT, &matching, change(false)).await;
    assert_eq!(status, StatusCode::PRECONDITION_FAILED);
    assert!(problem.contains("read it again"), "{problem}");
    let settings = demo.server.ok(Method::GET, path, None).await;
    assert_eq!(settings["renew_dnd"], true, "not overwritten");
}

#[tokio::test]
async fn a_post_that_is_repeated_with_its_key_is_done_once() {
    let demo = Demo::start(&["--still"]).await;
    let path = "/api/v1/workgroups";
    let post = async |name: &str| {
        let body = json!({"name": name, "level": "TeamColleague", "members": []});
        let headers = [("idempotency-key", "k1")];
        let answer = demo
            .server
            .with_headers(Method::POST, path, &headers, Some(body));
        answer.await
    };
    let first = post("Support").await;
    assert_eq!(first.0, StatusCode::CREATED);
    assert_eq!(post("Support").await, first, "the same answer");
    let groups = demo.server.ok(Method::GET, path, None).await.to_string();
    assert_eq!(groups.matches("Support").count(), 1, "{groups}");
    assert_eq!(post("Other").await.0, StatusCode::UNPROCESSABLE_ENTITY);
}

// A duplicate name is a conflict that names the field.
#[tokio::test]
async fn a_second_thing_of_the_same_name_is_a_conflict_that_names_the_field() {
    let demo = Demo::start(&["--still"]).await;
    let anna = demo.server.person(ANNA).await;
    let own = format!("/people/{anna}/profiles");
    for (path, body) in [
        ("/scopes", json!({"kind": "location", "name": "Twice"})),
        (
            "/workgroups",
            json!({"name": "Twice", "level": "TeamColleague", "members": []}),
        ),
        ("/templates", json!({"name": "Twice", "status": "Busy"})),
        (
            "/accounts",
            json!({"name": "Twice", "role": "person", "person": anna}),
        ),
        (&own, json!({"name": "Twice", "status": "Busy"})),
        (
            "/people",
            json!({"name": "Twice", "userPrincipalName": "twice@contoso.example"}),
        ),
    ] {
        let path = format!("/api/v1{path}");
        let post = async || {
            demo.server
                .api(Method::POST, &path, Some(body.clone()))
                .await
        };
        assert_eq!(post().await.0, StatusCode::CREATED, "{path}");
        let (status, problem) = post().await;
        assert_eq!(status, StatusCode::CONFLICT, "{path}: {problem}");
        let field = if path.ends_with("/people") {
            "userPrincipalName"
        } else {
            "name"
        };
        assert_eq!(problem["field"], field, "{path}: {problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.to_lowercase().contains("twice"), "{path}: {problem}");
    }
}

#[tokio::test]
async fn a_forwarding_loop_is_refused_and_named() {
    let demo = Demo::start(&["--still"]).await;
    let away = async |who: &str, to: &str| {
        let id = demo.server.person(who).await;
        let path = format!("/api/v1/people/{id}/profiles");
        let body = json!({"name": "Away", "status": "Absent",
            "forwarding": {"kind": "all", "target": to}});
        demo.server.api(Method::POST, &path, Some(body)).await
    };
    assert_eq!(away(ANNA, "1002").await.0, StatusCode::CREATED);
    demo.server.choose(ANNA, "Away").await;
    let (status, problem) = away(BERT, "1001").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains(&format!("{BERT} → {ANNA} → {BERT}")),
        "{detail}"
    );
}

#[tokio::test]
async fn people_are_added_changed_and_deleted_and_every_change_is_noted() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let zoe = json!({"name": "Zoe Adler", "mail": "zoe@contoso.example",
        "userPrincipalName": "zoe@contoso.example", "lines": [{"extension": "4711"}]});
    let made = server
        .ok(Method::POST, "/api/v1/people", Some(zoe.clone()))
        .await;
    let path = format!("/api/v1/people/{}", made["id"].as_str().unwrap());
    assert_eq!(server.ok(Method::GET, &path, None).await, made);
    // In effect at once, on the board too.
    let shown = server
        .ok(Method::GET, &format!("{path}/presence"), None)
        .await;
    assert!(shown["status"].is_string(), "{shown}");
    for (body, status, word) in [
        (zoe, 409, "zoe@contoso.example"),
        (
            json!({"name": "Other", "lines": [{"extension": "1001"}]}),
            409,
            "1001",
        ),
        (json!({"name": " "}), 422, "name"),
        (json!({"nickname": "Z"}), 400, "nickname"),
    ] {
        let (answered, problem) = server.api(Method::POST, "/api/v1/people", Some(body)).await;
        assert_eq!(answered.as_u16(), status, "{problem}");
        assert!(problem.to_string().contains(word), "{problem}");
    }
    let lines = json!({"lines": [{"extension": "4712"}, {"extension": "4713"}]});
    let changed = server.ok(Method::PATCH, &path, Some(lines.clone())).await;
    assert_eq!(
        (&changed["lines"], &changed["name"]),
        (&lines["lines"], &json!("Zoe Adler"))
    );
    let anna = server.signed_in_as("Anna Becker").await;
    let (refused, _) = anna.api(Method::DELETE, &path, None).await;
    assert_eq!(refused.as_u16(), 403);
    server.ok(Method::DELETE, &path, None).await;
    assert_eq!(server.api(Method::GET, &path, None).await.0.as_u16(), 404);
    let audit = server.ok(Method::GET, "/api/v1/audit?limit=10", None).await;
    let noted: Vec<&str> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|entry| entry["what"].as_str())
        .filter(|what| what.starts_with("person."))
        .collect();
    assert_eq!(noted, ["person.delete", "person.change", "person.add"]);
}

#[tokio::test]
async fn what_another_location_has_set_is_not_copied_by_who_does_not_administer_it() {
    let demo = Demo::start(&["--still"]).await;
    let lea = demo.server.administrator_of("lyon").await;
    let copy = async |from: &str| {
        let body = Some(json!({"individual": true, "copy_from": from}));
        lea.api(Method::PUT, "/api/v1/scopes/lyon/settings/automatic", body)
            .await
            .0
            .as_u16()
    };
    assert_eq!(copy("berlin").await, 403);
    assert_eq!(copy("organisation").await, 200);
    // A calendar is a person's own, with a valid time zone.
    let feed = Some(json!({"individual": true, "feed": "https://example.com/a.ics"}));
    let path = "/api/v1/scopes/lyon/settings/calendar";
    let (status, problem) = demo.server.api(Method::PUT, path, feed).await;
    assert_eq!((status.as_u16(), &problem["field"]), (422, &json!("feed")));
    let zone = Some(json!({"individual": true, "time_zone": "Mars/Olympus"}));
    let (status, problem) = demo.server.api(Method::PUT, path, zone).await;
    assert_eq!(
        (status.as_u16(), &problem["field"]),
        (422, &json!("time_zone"))
    );
}
