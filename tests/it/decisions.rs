//! Decisions of the server through its API: where calls go, how long a client's report counts, the entry of a Teams
//! call in the list of appointments, what keeps a template from deletion.

use end_to_end::{Demo, eventually};
use reqwest::Method;
use serde_json::{Value, json};

use crate::SOON;

const ANNA: &str = "Anna Becker";
const BERT: &str = "Bert Lindqvist";
const ANNA_TEAMS: &str = "anna@contoso.example";

#[tokio::test]
async fn who_is_called_from_where_decides_where_a_call_goes() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let path = format!("/api/v1/people/{}/profiles", server.person(ANNA).await);
    for (name, kind, target) in [
        ("All", "all", json!("+49301234")),
        ("Inside", "internal", json!("voicemail")),
        ("Outside", "external", json!("sip:desk@elsewhere.example")),
        ("Quiet", "do_not_disturb", Value::Null),
        ("Open", "off", Value::Null),
    ] {
        let mut forwarding = json!({ "kind": kind });
        if !target.is_null() {
            forwarding["target"] = target;
        }
        let body = json!({"name": name, "status": "Busy", "forwarding": forwarding});
        server.ok(Method::POST, &path, Some(body)).await;
    }
    let route = async |from: &str| {
        let path = format!("/api/v1/route?to=1001&from={from}");
        let mut route = server.ok(Method::GET, &path, None).await;
        (route["action"].take(), route["target"].take())
    };
    let rings = || (json!("none"), Value::Null);
    let to = |target: &str| (json!("forward"), json!(target));
    for (profile, from_colleague, from_outside) in [
        ("All", to("+49301234"), to("+49301234")),
        ("Inside", to("voicemail"), rings()),
        ("Outside", rings(), to("sip:desk@elsewhere.example")),
        (
            "Quiet",
            (json!("refuse"), Value::Null),
            (json!("refuse"), Value::Null),
        ),
        ("Open", rings(), rings()),
    ] {
        server.choose(ANNA, profile).await;
        assert_eq!(route("1002").await, from_colleague, "{profile}");
        assert_eq!(route("%2B4940999").await, from_outside, "{profile}");
    }
    let nobody = server.api(Method::GET, "/api/v1/route?to=9999", None).await;
    assert_eq!(nobody.0.as_u16(), 404);
    let bert = server.signed_in_as(BERT).await;
    let refused = bert.api(Method::GET, "/api/v1/route?to=1001", None).await;
    assert_eq!(refused.0.as_u16(), 403);
}

#[tokio::test]
async fn a_target_is_a_number_a_sip_address_or_voicemail_and_has_one_form() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let id = server.person(ANNA).await;
    let paths = [
        format!("/api/v1/people/{id}/profiles"),
        "/api/v1/templates".into(),
    ];
    let named = |name: &str, target: &str| json!({"name": name, "status": "Busy", "forwarding": {"kind": "all", "target": target}});
    let long = "1".repeat(60_000);
    for target in [
        "outbound,00900123456",
        "secret,900,1",
        "phones,1003,1",
        "1003&1001",
        "${SHELL(id)}",
        "1003;x=1",
        &"0".repeat(60),
        "sip:1003@pbx.test>, <sip:evil@evil.example",
        "sip:x?Route=%3Csip:evil@evil.example%3E",
        "sip:x@pbx.test;maddr=evil.example",
        "1003\r\nContact: <sip:evil@evil.example>",
        "1003\n",
        "sip:a%0d%0ab@pbx.test",
        "anna",
        "１００３",
        &long,
    ] {
        for path in &paths {
            let body = Some(named("Away", target));
            let (status, problem) = server.api(Method::POST, path, body).await;
            let field = &problem["field"];
            assert_eq!((status.as_u16(), field), (422, &json!("forwarding")));
            let detail = problem["detail"].as_str().unwrap();
            assert!(
                detail.contains("expected") || detail.contains("a number has"),
                "{detail}"
            );
        }
    }
    for (name, target, canonical) in [
        ("A", " +49 (30) 123-45 ", "+493012345"),
        (
            "B",
            "SIP:Desk@Elsewhere.Example;USER=phone",
            "sip:Desk@elsewhere.example;user=phone",
        ),
        ("C", "Voicemail", "voicemail"),
    ] {
        let body = Some(named(name, target));
        let made = server.ok(Method::POST, &paths[0], body).await;
        assert_eq!(made["forwarding"]["target"], canonical);
        server.choose(ANNA, name).await;
        let route = "/api/v1/route?to=1001";
        let route = server.ok(Method::GET, route, None).await;
        assert_eq!(route["target"], canonical);
    }
    // Extensions are accepted in the same fields.
    let person = format!("/api/v1/people/{id}");
    for extension in ["1001,1", "10 01", "a@b", "1001;x", "１", "", "<1001>"] {
        let body = Some(json!({"lines": [{"extension": extension}]}));
        let (status, problem) = server.api(Method::PATCH, &person, body).await;
        assert_eq!((status.as_u16(), &problem["field"]), (422, &json!("lines")));
    }
}

#[tokio::test]
async fn a_forwarding_loop_is_refused_when_the_profile_is_chosen_and_when_it_is_changed() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let away =
        |target: &str| json!({"status": "Absent", "forwarding": {"kind": "all", "target": target}});
    for (name, to) in [(ANNA, "1002"), (BERT, "1001")] {
        let path = format!("/api/v1/people/{}/profiles", server.person(name).await);
        let mut body = away(to);
        body["name"] = json!("Away");
        server.ok(Method::POST, &path, Some(body)).await;
    }
    server.choose(ANNA, "Away").await;
    let bert = server.person(BERT).await;
    let choice = format!("/api/v1/people/{bert}/profile");
    let body = Some(json!({"profile": "Away"}));
    let (status, problem) = server.api(Method::PUT, &choice, body.clone()).await;
    assert_eq!(status.as_u16(), 422, "{problem}");
    assert!(
        problem["detail"].as_str().unwrap().contains(ANNA),
        "{problem}"
    );
    // After a change to another target, the former target is refused.
    let profile = format!("/api/v1/people/{bert}/profiles/Away");
    server.ok(Method::PUT, &profile, Some(away("1003"))).await;
    server.ok(Method::PUT, &choice, body).await;
    let (status, problem) = server.api(Method::PUT, &profile, Some(away("1001"))).await;
    assert_eq!(
        (status.as_u16(), &problem["field"]),
        (422, &json!("profile"))
    );
}

#[tokio::test]
async fn calls_that_rules_would_send_round_ring_where_they_are() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    for (name, to) in [(ANNA, "1002"), (BERT, "1001")] {
        let path = format!("/api/v1/people/{}/profiles", server.person(name).await);
        let body = json!({"name": "Away", "status": "Absent", "forwarding": {"kind": "all", "target": to}});
        server.ok(Method::POST, &path, Some(body)).await;
    }
    let routes = async |extension: &str| {
        let path = format!("/api/v1/route?to={extension}");
        let route = server.ok(Method::GET, &path, None).await;
        (route["action"].clone(), route["target"].clone())
    };
    server.choose(ANNA, "Away").await;
    assert_eq!(routes("1001").await, (json!("forward"), json!("1002")));
    // Bert's Away follows from a rule, not from a choice that could be refused: calls ring instead of going round.
    let bert = format!("/api/v1/people/{}", server.person(BERT).await);
    let locked = json!({"locked": "Away", "client_end": null});
    server
        .ok(
            Method::PUT,
            &format!("{bert}/settings/automatic"),
            Some(locked),
        )
        .await;
    let client = format!("{bert}/clients/desk");
    server
        .ok(Method::PUT, &client, Some(json!({"state": "locked"})))
        .await;
    eventually("by its rule", SOON, "Absent".into(), || server.shown(BERT)).await;
    for extension in ["1001", "1002"] {
        assert_eq!(routes(extension).await, (json!("none"), Value::Null));
    }
}

#[tokio::test]
async fn meetings_and_clients_are_believed_for_a_minute() {
    let demo = Demo::start(&["--still", "--clock", "manual"]).await;
    let server = &demo.server;
    let anna = server.person(ANNA).await;
    let meeting = format!("/api/v1/people/{anna}/meetings/daily");
    let audio = Some(json!({"audio": true}));
    server.ok(Method::PUT, &meeting, audio.clone()).await;
    let shown = || server.shown(ANNA);
    demo.teamsbox.advance("PT59S").await;
    assert_eq!(shown().await, "Busy InMeeting meeting");
    server.ok(Method::PUT, &meeting, audio).await;
    demo.teamsbox.advance("PT59S").await;
    assert_eq!(shown().await, "Busy InMeeting meeting", "said again");
    demo.teamsbox.advance("PT2S").await;
    eventually("the meeting", SOON, "Available".into(), shown).await;
    // A locked screen counts for as long as its client reports it.
    let page = "/api/v1/scopes/organisation/settings/automatic";
    let locked = json!({"locked": "Be right back", "client_end": null});
    server.ok(Method::PUT, page, Some(locked)).await;
    let client = format!("/api/v1/people/{anna}/clients/desk");
    server
        .ok(Method::PUT, &client, Some(json!({"state": "locked"})))
        .await;
    demo.teamsbox.advance("PT59S").await;
    eventually("locked", SOON, "BeRightBack".into(), shown).await;
    demo.teamsbox.advance("PT2S").await;
    eventually("silent", SOON, "Available".into(), shown).await;
}

#[tokio::test]
async fn a_call_in_teams_is_in_the_list_of_appointments_with_its_text_and_colour() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let path = format!("/api/v1/people/{}/appointments", server.person(ANNA).await);
    let origins = async || {
        let mut list = server.ok(Method::GET, &path, None).await;
        let items = list["items"].as_array_mut().unwrap();
        let calls = items.iter().filter(|item| item["origin"] == "teams");
        calls.cloned().collect::<Vec<Value>>()
    };
    assert_eq!(origins().await, Vec::<Value>::new());
    demo.teamsbox
        .call(ANNA_TEAMS, "audio", "bert@contoso.example")
        .await;
    let busy = || server.shown(ANNA);
    eventually("the call", SOON, "Busy OnThePhone teams".into(), busy).await;
    let call = origins().await.remove(0);
    assert_eq!(call["text"], "On the phone (MS Teams)");
    assert!(call["colour"].as_str().unwrap().starts_with('#'), "{call}");
    assert_eq!(
        (&call["profile"], &call["end"]),
        (&json!("MS Teams"), &Value::Null)
    );
    demo.teamsbox.end_call(ANNA_TEAMS).await;
    eventually("over", SOON, 0, async || origins().await.len()).await;
}

#[tokio::test]
async fn a_template_is_kept_while_calendars_locations_or_people_use_it() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let put = async |path: &str, body: Value| server.ok(Method::PUT, path, Some(body)).await;
    let organisation = json!({"client_end": null, "locked": null, "inactivity": null});
    put(
        "/api/v1/scopes/organisation/settings/automatic",
        organisation,
    )
    .await;
    for name in ["Lunch", "Break"] {
        let template = json!({"name": name, "status": "BeRightBack", "offers": ["organisation"]});
        server
            .ok(Method::POST, "/api/v1/templates", Some(template))
            .await;
    }
    let lyon = json!({"individual": true, "locked": "Lunch"});
    put("/api/v1/scopes/lyon/settings/automatic", lyon).await;
    let own = format!(
        "/api/v1/people/{}/settings/automatic",
        server.person(ANNA).await
    );
    put(&own, json!({"inactivity": "Break"})).await;
    for (name, used_by) in [
        ("Appointment", "calendar.busy"),
        ("Lunch", "automatic.locked"),
        ("Break", "automatic.inactivity"),
    ] {
        let path = format!("/api/v1/templates/{name}");
        let inactive = Some(json!({"status": "Busy", "active": false}));
        for (method, body) in [(Method::DELETE, None), (Method::PUT, inactive)] {
            let (status, problem) = server.api(method, &path, body).await;
            assert_eq!(status.as_u16(), 409, "{name}: {problem}");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains(used_by), "{detail}");
        }
    }
    put(&own, json!({"inactivity": null})).await;
    server
        .ok(Method::DELETE, "/api/v1/templates/Break", None)
        .await;
}

#[tokio::test]
async fn names_of_profiles_never_change_and_the_api_speaks_english() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let path = format!("/api/v1/people/{}/profiles", server.person(ANNA).await);
    let focus = json!({"name": "Focus", "status": "Busy"});
    server.ok(Method::POST, &path, Some(focus)).await;
    let renamed = json!({"name": "Calm", "status": "Busy"});
    for path in [format!("{path}/Focus"), "/api/v1/templates/Absent".into()] {
        let (status, problem) = server.api(Method::PUT, &path, Some(renamed.clone())).await;
        assert_eq!(
            (status.as_u16(), &problem["field"]),
            (422, &json!("name")),
            "{path}"
        );
    }
    demo.teamsbox
        .call(ANNA_TEAMS, "audio", "bert@contoso.example")
        .await;
    let busy = || server.shown(ANNA);
    eventually("the call", SOON, "Busy OnThePhone teams".into(), busy).await;
    let path = format!("/api/v1/people/{}/presence", server.person(ANNA).await);
    let german = [("accept-language", "de"), ("cookie", "offhook-language=de")];
    let (_, _, calendar) = server.with_headers(Method::GET, &path, &german, None).await;
    assert!(calendar.contains("On the phone"), "{calendar}");
}

#[tokio::test]
async fn the_order_of_profiles_is_the_administrators_until_the_person_chooses_one() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let path = format!("/api/v1/people/{}/profiles", server.person(ANNA).await);
    let focus = json!({"name": "Focus", "status": "Busy"});
    server.ok(Method::POST, &path, Some(focus)).await;
    let names = async || {
        let list = server.ok(Method::GET, &path, None).await;
        let names = list["items"].as_array().unwrap().iter();
        names
            .map(|item| item["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let order = |names: [&str; 2]| Some(json!({ "names": names }));
    server
        .ok(Method::PUT, "/api/v1/templates", order(["Busy", "Absent"]))
        .await;
    let before = names().await;
    assert_eq!(before[..2], ["Busy", "Absent"], "{before:?}");
    assert_eq!(before.last().unwrap(), "Focus", "personal ones come last");
    server
        .ok(Method::PUT, &path, order(["Focus", "Absent"]))
        .await;
    assert_eq!(names().await[..2], ["Focus", "Absent"]);
}
