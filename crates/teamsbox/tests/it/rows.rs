//! The conformance rows: one test each, named by its number, written as steps.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{ANNA, BEN, POWERLESS, Tenant, X, Y, pair, session};

/// One step of a row. Minutes count from the first step.
enum Step {
    /// The application writes its session of Anna and gets this status.
    Sets(&'static str, &'static str, Option<&'static str>, u16),
    /// The application removes its session of Anna and gets this status.
    Clears(&'static str, u16),
    /// X writes Anna's preferred slot and gets this status.
    Prefers(&'static str, Option<&'static str>, u16),
    /// X empties Anna's preferred slot.
    Unprefers,
    /// Time moves to this minute.
    At(f64),
    /// Graph shows this of Anna.
    Reads(&'static str),
    /// Graph shows Anna's out-of-office state.
    OutOfOffice(bool),
    /// Anna acts in Teams: control method, path below Anna, body.
    Teams(Method, &'static str, &'static str),
}

use Step::{At, Clears, OutOfOffice, Prefers, Reads, Sets, Teams, Unprefers};

const HOUR: Option<&str> = Some("PT1H");

async fn run(steps: Vec<Step>) {
    let tenant = Tenant::start().await;
    let mut minute = 0.0;
    for (number, step) in steps.into_iter().enumerate() {
        match step {
            Sets(app, pair, duration, status) => {
                let response = tenant
                    .presence(app, ANNA, "setPresence", session(app, pair, duration))
                    .await;
                finish(number, response, status).await;
            }
            Clears(app, status) => {
                let response = tenant
                    .presence(app, ANNA, "clearPresence", json!({ "sessionId": app }))
                    .await;
                finish(number, response, status).await;
            }
            Prefers(pair, duration, status) => {
                let mut body = session(X, pair, duration);
                body.as_object_mut().unwrap().remove("sessionId");
                let response = tenant
                    .presence(X, ANNA, "setUserPreferredPresence", body)
                    .await;
                finish(number, response, status).await;
            }
            Unprefers => {
                let response = tenant
                    .presence(X, ANNA, "clearUserPreferredPresence", json!({}))
                    .await;
                finish(number, response, 200).await;
            }
            At(to) => {
                tenant.advance_minutes(to - minute).await;
                minute = to;
            }
            Reads(expected) => assert_eq!(tenant.reads(ANNA).await, expected, "step {number}"),
            OutOfOffice(expected) => {
                let path = format!("users/{ANNA}/presence");
                let body: Value = tenant
                    .graph(X, Method::GET, &path, None)
                    .await
                    .json()
                    .await
                    .unwrap();
                assert_eq!(
                    body["outOfOfficeSettings"]["isOutOfOffice"], expected,
                    "step {number}"
                );
            }
            Teams(method, path, body) => {
                let body = (!body.is_empty()).then(|| serde_json::from_str(body).unwrap());
                tenant
                    .ok(method, &format!("users/{ANNA}/{path}"), body)
                    .await;
            }
        }
    }
}

/// Checks that a success has no body and an error Graph's envelope.
async fn finish(number: usize, response: reqwest::Response, status: u16) {
    assert_eq!(response.status().as_u16(), status, "step {number}");
    let text = response.text().await.unwrap();
    if status == 200 {
        assert_eq!(text, "", "step {number}");
        return;
    }
    let error = &serde_json::from_str::<Value>(&text).unwrap()["error"];
    let code = if status == 404 {
        "NotFound"
    } else {
        "InvalidArgument"
    };
    assert_eq!(error["code"], code, "step {number}");
    assert!(
        error["innerError"]["request-id"].is_string() && error["innerError"]["date"].is_string()
    );
}

macro_rules! rows {
    ($($name:ident: [$($step:expr),+ $(,)?];)+) => {
        $(#[tokio::test]
        async fn $name() {
            run(vec![$($step),+]).await;
        })+
    };
}

const AVAILABLE: &str = "Available/Available";
const CALL: &str = "Busy/InACall";
const CONFERENCE: &str = "Busy/InAConferenceCall";
const PRESENTING: &str = "DoNotDisturb/Presenting";
const DND: &str = "DoNotDisturb/DoNotDisturb";
const AWAY: &str = "Away/Away";
const OFFLINE: &str = "Offline/Offline";
const BRB: &str = "BeRightBack/BeRightBack";

fn signs_in() -> Step {
    Teams(Method::POST, "clients", "")
}

rows! {
    row_001_nobody_signed_in_is_offline: [Reads(OFFLINE)];
    row_002_a_session_shows_at_once: [Sets(X, AVAILABLE, HOUR, 200), Reads(AVAILABLE)];
    row_003_available_fades_to_idle: [Sets(X, AVAILABLE, HOUR, 200), At(5.0), Reads("AvailableIdle/Inactive")];
    row_004_available_fades_to_away: [Sets(X, AVAILABLE, HOUR, 200), At(10.0), Reads(AWAY)];
    row_005_a_session_expires: [Sets(X, AVAILABLE, HOUR, 200), At(59.99), Reads(AWAY), At(60.0), Reads(OFFLINE)];
    row_006_sending_again_restarts_the_fade: [
        Sets(X, AVAILABLE, HOUR, 200), At(4.0), Sets(X, AVAILABLE, HOUR, 200), At(8.0), Reads(AVAILABLE),
        At(9.0), Reads("AvailableIdle/Inactive"),
    ];
    row_007_without_duration_it_is_five_minutes: [
        Sets(X, AVAILABLE, None, 200), At(4.99), Reads(AVAILABLE), At(5.1), Reads(OFFLINE),
    ];
    row_008_busy_does_not_fade: [Sets(X, CALL, Some("PT4H"), 200), At(239.0), Reads(CALL)];
    row_009_four_hours_end: [Sets(X, CALL, Some("PT4H"), 200), At(240.1), Reads(OFFLINE)];
    row_010_conference_call_is_permitted: [Sets(X, CONFERENCE, None, 200), Reads(CONFERENCE)];
    row_011_presenting_is_permitted: [Sets(X, PRESENTING, None, 200), Reads(PRESENTING)];
    row_012_plain_busy_is_refused: [Sets(X, "Busy/Busy", None, 400), Reads(OFFLINE)];
    row_013_plain_do_not_disturb_is_refused: [Sets(X, DND, None, 400), Reads(OFFLINE)];
    row_014_meeting_is_refused: [Sets(X, "Busy/InAMeeting", None, 400), Reads(OFFLINE)];
    row_015_mixed_pair_is_refused: [Sets(X, "Available/InACall", None, 400), Reads(OFFLINE)];
    row_017_durations_in_range: [
        Sets(X, CALL, Some("PT5M"), 200), Sets(X, CALL, Some("PT300S"), 200),
        Sets(X, CALL, Some("PT240M"), 200), Sets(X, CALL, Some("PT4H"), 200),
    ];
    row_018_duration_a_second_too_long: [Sets(X, CALL, Some("PT4H1S"), 400)];
    row_019_durations_that_are_none: [
        Sets(X, CALL, Some("1h"), 400), Sets(X, CALL, Some("banana"), 400), Sets(X, CALL, Some("PT0S"), 400),
        Sets(X, CALL, Some("-PT5M"), 400), Sets(X, CALL, Some("PT4M59S"), 400), Sets(X, CALL, Some(""), 400),
    ];
    row_021_clearing_the_only_session: [Sets(X, CALL, None, 200), Clears(X, 200), Reads(OFFLINE)];
    row_022_clearing_twice: [Sets(X, CALL, None, 200), Clears(X, 200), Clears(X, 404)];
    row_023_clearing_what_has_expired: [Sets(X, CALL, None, 200), At(5.0), Clears(X, 404)];
    row_024_away_does_not_hide_a_client: [signs_in(), Sets(X, AWAY, None, 200), Reads(AVAILABLE)];
    row_025_away_shows_without_a_client: [Sets(X, AWAY, None, 200), Reads(AWAY)];
    row_026_a_call_hides_available: [
        signs_in(), Sets(X, CALL, None, 200), Reads(CALL), Clears(X, 200), Reads(AVAILABLE),
    ];
    row_027_a_call_hides_an_idle_client: [
        Teams(Method::PUT, "clients/desktop", r#"{"attention":"idle"}"#), Reads("AvailableIdle/Inactive"),
        Sets(X, CALL, HOUR, 200), Reads(CALL), At(6.0), Clears(X, 200), Reads(AWAY),
    ];
    row_028_presenting_hides_a_call: [
        Teams(Method::PUT, "sharing", ""), Sets(X, CALL, None, 200), Reads(PRESENTING),
    ];
    row_029_a_teams_call_outlives_the_app: [
        Teams(Method::PUT, "call", r#"{"kind":"audio"}"#), Sets(X, CALL, None, 200), Reads(CALL), Clears(X, 200),
        Reads(CALL),
    ];
    row_030_another_app_remains: [
        Sets(X, CALL, None, 200), Sets(Y, AVAILABLE, HOUR, 200), Reads(CALL), Clears(X, 200), Reads(AVAILABLE),
    ];
    row_031_preferred_waits_for_a_session: [Prefers(DND, None, 200), Reads(OFFLINE)];
    row_032_preferred_shows_with_a_session: [
        Prefers(DND, None, 200), Reads(OFFLINE), Sets(X, AVAILABLE, HOUR, 200), Reads(DND),
    ];
    row_033_preferred_goes_with_the_session: [
        Prefers(DND, None, 200), Sets(X, AVAILABLE, HOUR, 200), Reads(DND), Clears(X, 200), Reads(OFFLINE),
    ];
    row_034_preferred_hides_a_call: [signs_in(), Prefers(BRB, None, 200), Sets(X, CALL, None, 200), Reads(BRB)];
    row_035_preferred_available_hides_a_call: [
        signs_in(), Prefers(AVAILABLE, None, 200), Sets(X, CALL, None, 200), Reads(AVAILABLE),
    ];
    row_036_preferred_dnd_lasts_a_day: [
        signs_in(), Prefers(DND, None, 200), At(1439.0), Reads(DND), At(1441.0), Reads(AVAILABLE),
    ];
    row_037_preferred_away_lasts_a_week: [
        signs_in(), Prefers(AWAY, None, 200), At(10_079.0), Reads(AWAY), At(10_081.0), Reads(AVAILABLE),
    ];
    row_038_preferred_with_a_duration: [
        signs_in(), Prefers(DND, Some("PT8H"), 200), At(479.0), Reads(DND), At(481.0), Reads(AVAILABLE),
    ];
    row_039_appearing_offline: [signs_in(), Prefers("Offline/OffWork", None, 200), Reads("Offline/OffWork")];
    row_040_offline_cannot_be_preferred: [Prefers(OFFLINE, None, 400)];
    row_041_a_call_cannot_be_preferred: [Prefers(CALL, None, 400)];
    row_042_clearing_preferred_shows_the_sessions: [
        signs_in(), Prefers(BRB, None, 200), Sets(X, CALL, None, 200), Reads(BRB), Unprefers, Reads(CALL), Unprefers,
    ];
    row_043_out_of_office_decorates_available: [
        signs_in(), Teams(Method::POST, "calendar", r#"{"kind":"outOfOffice"}"#), Reads("Available/OutOfOffice"), OutOfOffice(true),
    ];
    row_044_a_call_while_out_of_office: [
        Teams(Method::POST, "calendar", r#"{"kind":"outOfOffice"}"#), OutOfOffice(false), Sets(X, CALL, None, 200), Reads(CALL), OutOfOffice(true),
    ];
    rule_26_clients_act_and_leave: [
        signs_in(), Reads(AVAILABLE), Teams(Method::PUT, "call", r#"{"kind":"audio"}"#), Reads(CALL),
        Teams(Method::PUT, "sharing", ""), Reads(PRESENTING), Teams(Method::DELETE, "sharing", ""), Reads(CALL),
        Teams(Method::DELETE, "call", ""), Reads(AVAILABLE), Teams(Method::PUT, "call", r#"{"kind":"meeting"}"#), Reads(CALL),
        Teams(Method::DELETE, "call", ""), Teams(Method::PUT, "clients/desktop", r#"{"attention":"locked"}"#), Reads(AWAY),
        Teams(Method::POST, "clients/mobile", ""), Reads(AVAILABLE),
        Teams(Method::PUT, "clients/mobile", r#"{"attention":"background"}"#), Reads(AWAY),
        Teams(Method::PUT, "clients/desktop", r#"{"attention":"idle"}"#), Reads("AvailableIdle/Inactive"), At(5.0), Reads(AWAY),
        Teams(Method::DELETE, "clients", ""), Reads(AWAY), At(7.9), Reads(AWAY), At(8.0), Reads(OFFLINE),
    ];
    rule_27_calendars_show_with_a_session_only: [
        Teams(Method::POST, "calendar", r#"{"kind":"busy","lasts":"PT30M"}"#), Reads(OFFLINE), signs_in(), Reads("Busy/Busy"),
        Teams(Method::POST, "calendar", r#"{"kind":"meeting","lasts":"PT10M"}"#), Reads("Busy/InAMeeting"), At(10.0), Reads("Busy/Busy"),
        Sets(X, CALL, None, 200), Reads(CALL), Sets(X, PRESENTING, None, 200), Reads(PRESENTING), At(30.0), Reads(AVAILABLE),
    ];
    rule_30_the_last_writer_of_the_slot_wins: [
        signs_in(), Prefers(DND, None, 200), Reads(DND), Teams(Method::PUT, "manual", r#"{"availability":"Away"}"#), Reads(AWAY),
        Prefers(BRB, None, 200), Reads(BRB), Teams(Method::DELETE, "manual", ""), Reads(AVAILABLE),
    ];
    rule_23_tie_the_latest_change_wins: [
        Sets(X, CALL, HOUR, 200), At(1.0), Sets(Y, CONFERENCE, HOUR, 200), Reads(CONFERENCE),
        At(2.0), Sets(X, CALL, HOUR, 200), Reads(CONFERENCE), Sets(X, AWAY, HOUR, 200), Sets(X, CALL, HOUR, 200), Reads(CALL),
    ];
    rule_15_sending_again_replaces_the_session_and_restarts_its_expiry: [
        Sets(X, CALL, Some("PT10M"), 200), At(8.0), Sets(X, CALL, Some("PT10M"), 200), At(17.9), Reads(CALL), At(18.0), Reads(OFFLINE),
        Sets(X, CALL, Some("PT4H"), 200), Sets(X, AWAY, Some("PT5M"), 200), Reads(AWAY), At(23.0), Reads(OFFLINE),
    ];
    rule_20_a_call_and_away_never_fade: [
        Sets(X, CALL, Some("PT4H"), 200), At(11.0), Reads(CALL), Sets(X, CONFERENCE, Some("PT4H"), 200), At(22.0), Reads(CONFERENCE),
        Sets(X, PRESENTING, Some("PT4H"), 200), At(33.0), Reads(PRESENTING), Sets(X, AWAY, Some("PT4H"), 200), At(272.9), Reads(AWAY),
    ];
    rule_23_calendars_come_last_among_equals: [
        Sets(X, CONFERENCE, HOUR, 200), At(1.0), Teams(Method::POST, "calendar", r#"{"kind":"meeting","lasts":"PT30M"}"#), Reads(CONFERENCE),
        Sets(X, AWAY, HOUR, 200), Reads("Busy/InAMeeting"), Sets(X, CONFERENCE, HOUR, 200), Reads(CONFERENCE),
    ];
    rule_25_each_application_has_a_session_with_its_own_end: [
        Sets(X, CALL, Some("PT10M"), 200), Sets(Y, PRESENTING, Some("PT5M"), 200), Reads(PRESENTING), At(5.0), Reads(CALL),
        Sets(Y, PRESENTING, HOUR, 200), Clears(Y, 200), Reads(CALL), Clears(Y, 404), Reads(CALL), At(10.0), Reads(OFFLINE),
    ];
    rule_21_expiry_comes_even_in_the_middle_of_the_fade: [
        Sets(X, AVAILABLE, Some("PT7M"), 200), At(6.0), Reads("AvailableIdle/Inactive"), At(7.0), Reads(OFFLINE),
    ];
}

#[tokio::test]
async fn row_016_duration_out_of_range_says_so() {
    let tenant = Tenant::start().await;
    let response = tenant
        .presence(X, ANNA, "setPresence", session(X, CALL, Some("PT4M")))
        .await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["error"]["code"], "InvalidArgument");
    assert_eq!(
        body["error"]["message"],
        "The provided [ExpirationDuration] is out of range."
    );
}

#[tokio::test]
async fn row_020_a_missing_session_id_is_noticed_before_permissions() {
    let tenant = Tenant::start().await;
    for action in ["clearPresence", "setPresence"] {
        for body in [
            json!({}),
            json!({ "sessionId": null }),
            json!({ "sessionId": " " }),
        ] {
            let response = tenant.presence(POWERLESS, ANNA, action, body).await;
            assert_eq!(response.status(), StatusCode::BAD_REQUEST);
            let body: Value = response.json().await.unwrap();
            assert_eq!(body["error"]["code"], "InvalidArgument");
            assert_eq!(
                body["error"]["message"],
                "[SessionId]: The SessionId field is required."
            );
        }
        let response = tenant
            .presence(POWERLESS, ANNA, action, session(X, CALL, None))
            .await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn row_047_me_needs_a_person() {
    let tenant = Tenant::start().await;
    let response = tenant.graph(X, Method::GET, "me/presence", None).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn row_048_presence_takes_no_principal_names() {
    let tenant = Tenant::start().await;
    let response = tenant
        .graph(X, Method::GET, "users/anna@contoso.example/presence", None)
        .await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(
        response.json::<Value>().await.unwrap()["error"]["code"],
        "NotFound"
    );
}

#[tokio::test]
async fn rule_9_the_directory_takes_principal_names() {
    let tenant = Tenant::start().await;
    for name in ["anna@contoso.example", "ANNA%40contoso.example"] {
        let found = tenant
            .graph(Y, Method::GET, &format!("users/{name}"), None)
            .await;
        assert_eq!(found.status(), StatusCode::OK, "{name}");
        let user = found.json::<Value>().await.unwrap();
        assert_eq!(user["userPrincipalName"], "anna@contoso.example");
        let by_id = format!("users/{}", user["id"].as_str().unwrap());
        assert_eq!(
            tenant.graph(Y, Method::GET, &by_id, None).await.status(),
            StatusCode::OK
        );
    }
    let nobody = tenant
        .graph(Y, Method::GET, "users/nobody@contoso.example", None)
        .await;
    assert_eq!(nobody.status(), StatusCode::NOT_FOUND);
    let refused = tenant
        .graph(X, Method::GET, "users/anna@contoso.example", None)
        .await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn row_049_a_bulk_read_takes_650_ids() {
    let tenant = Tenant::start().await;
    tenant
        .presence(X, BEN, "setPresence", session(X, CALL, None))
        .await;
    let mut ids: Vec<String> = (0..648)
        .map(|number| format!("00000000-0000-4000-8000-{number:012}"))
        .collect();
    ids.extend([ANNA.to_owned(), BEN.to_uppercase()]);
    let bulk = "communications/getPresencesByUserId";
    let response = tenant
        .graph(X, Method::POST, bulk, Some(json!({ "ids": ids })))
        .await;
    assert_eq!(response.status(), StatusCode::OK);
    let body: Value = response.json().await.unwrap();
    let value = body["value"].as_array().unwrap();
    assert_eq!(
        value
            .iter()
            .map(|one| one["id"].as_str().unwrap())
            .collect::<Vec<_>>(),
        [ANNA, BEN]
    );
    assert_eq!(value.iter().map(pair).collect::<Vec<_>>(), [OFFLINE, CALL]);
    assert_eq!(
        value[0]["outOfOfficeSettings"],
        json!({ "message": null, "isOutOfOffice": false })
    );
    ids.push(BEN.to_owned());
    for ids in [json!(ids), json!([])] {
        let response = tenant
            .graph(X, Method::POST, bulk, Some(json!({ "ids": ids })))
            .await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn row_050_the_stamp_grows_with_each_visible_change_only() {
    let tenant = Tenant::start().await;
    let mut stamps = Vec::new();
    for pair in [CALL, CALL, PRESENTING, CALL, AWAY] {
        tenant
            .presence(X, ANNA, "setPresence", session(X, pair, None))
            .await;
        let response = tenant
            .graph(
                X,
                Method::GET,
                &format!("communications/presences/{ANNA}"),
                None,
            )
            .await;
        let body: Value = response.json().await.unwrap();
        stamps.push(body["sequenceNumber"].as_str().unwrap().to_owned());
    }
    assert_eq!(stamps[0], stamps[1], "writing the same again is no change");
    stamps.remove(0);
    assert!(
        stamps.is_sorted_by(|one, next| one.as_bytes() < next.as_bytes()),
        "{stamps:?}"
    );
}

#[tokio::test]
async fn rules_16_and_29_exactly_eleven_pairs_can_be_written() {
    let tenant = Tenant::start().await;
    tenant.knobs(json!({ "presenceLimit": 0 })).await;
    let (mut sessions, mut preferred) = (Vec::new(), Vec::new());
    for availability in [
        "Available",
        "AvailableIdle",
        "Away",
        "BeRightBack",
        "Busy",
        "DoNotDisturb",
        "Offline",
    ] {
        for activity in [
            "Available",
            "Away",
            "BeRightBack",
            "Busy",
            "DoNotDisturb",
            "InACall",
            "InAConferenceCall",
            "InAMeeting",
            "Inactive",
            "OffWork",
            "Offline",
            "OutOfOffice",
            "Presenting",
            "UrgentInterruptionsOnly",
        ] {
            let pair = format!("{availability}/{activity}");
            for (action, taken) in [
                ("setPresence", &mut sessions),
                ("setUserPreferredPresence", &mut preferred),
            ] {
                let response = tenant
                    .presence(X, ANNA, action, session(X, &pair, None))
                    .await;
                match response.status().as_u16() {
                    200 => taken.push(pair.clone()),
                    status => assert_eq!(status, 400, "{action} {pair}"),
                }
            }
        }
    }
    assert_eq!(sessions, [AVAILABLE, AWAY, CALL, CONFERENCE, PRESENTING]);
    assert_eq!(
        preferred,
        [AVAILABLE, AWAY, BRB, "Busy/Busy", DND, "Offline/OffWork"]
    );
}
