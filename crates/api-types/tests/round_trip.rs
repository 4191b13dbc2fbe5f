//! Each body reads what the API answers and writes it again unchanged; requests keep the difference between null and an
//! absent field.

use std::fmt::Debug;

use api_types::{
    appointments::{AppointmentBody, Appointments, NewAppointment},
    choice::{ChoiceBody, CurrentChoice},
    devices::{CodeBody, Devices, PauseBody},
    favourites::FavouritesBody,
    people::{NewPerson, PeoplePage, PersonRemoved},
    presence::{ActivityBody, Explanation, HistoryBody, PresenceBody, PresenceChange},
    profile::{NewProfile, OrderBody, ProfileBody, Profiles},
    relationships::{LevelBody, NewWorkgroup, Permissions, Relationships, Workgroups},
    sources::{ClientBody, MeetingBody},
};
use presence::{Activity, Relationship, Status};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

#[track_caller]
fn round_trip<T: Serialize + DeserializeOwned>(json: Value) -> T {
    let read: T = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), json);
    read
}

#[track_caller]
fn refused<T: Debug + DeserializeOwned>(json: Value) -> String {
    serde_json::from_value::<T>(json).unwrap_err().to_string()
}

fn presence_of(status: &str) -> Value {
    json!({"status": status, "activity": {"kind": "OnThePhone", "label": "On the phone", "via": "pbx"},
        "profile": "Busy", "text": "On the phone", "since": "2026-11-23T09:00:00Z", "until": null,
        "confidence": "likely"})
}

#[test]
fn people() {
    let page: PeoplePage = round_trip(
        json!({"next": "7", "items": [{"id": "7", "name": "Anna Becker",
        "mail": "anna@x.example", "userPrincipalName": "", "lines": [{"extension": "1001"}]}]}),
    );
    assert_eq!(page.items[0].lines[0].extension, "1001");
    round_trip::<PersonRemoved>(json!({"person": "7"}));
    round_trip::<FavouritesBody>(json!({"people": ["7", "8"]}));
}

#[test]
fn a_change_of_a_person_has_the_named_fields_only() {
    round_trip::<NewPerson>(json!({}));
    let change: NewPerson = round_trip(json!({"userPrincipalName": "a@x.example", "lines": []}));
    assert_eq!((change.name, change.lines), (None, Some(Vec::new())));
    // Null leaves a field as it is.
    let null: NewPerson = serde_json::from_value(json!({"name": null})).unwrap();
    assert_eq!(null, NewPerson::default());
    assert!(refused::<NewPerson>(json!({"nmae": "Anna"})).contains("nmae"));
}

#[test]
fn presences() {
    for status in Status::ALL {
        let presence: PresenceBody = round_trip(presence_of(status.name()));
        assert_eq!(presence.status, status);
    }
    round_trip::<PresenceBody>(
        json!({"status": "Offline", "activity": null, "profile": null,
        "text": "Offline", "since": null, "until": null, "confidence": "certain"}),
    );
    let change = json!({"person": "7", "presence": presence_of("Busy")});
    round_trip::<PresenceChange>(change);
    let past = json!({"at": "2026-11-23T09:00:00Z", "presence": presence_of("Busy")});
    round_trip::<HistoryBody>(json!({"items": [past], "next": null}));
}

#[test]
fn every_activity_has_its_names_of_the_core() {
    for activity in [
        Activity::Ringing,
        Activity::OnThePhone,
        Activity::OnThePhoneTeams,
        Activity::InMeeting,
        Activity::Presenting,
        Activity::UsingApp("Webex".into()),
    ] {
        let body: ActivityBody = round_trip(json!(ActivityBody::from(&activity)));
        let names = (body.kind.name(), body.via.name(), &*body.label);
        assert_eq!(names, (activity.kind(), activity.via(), activity.label()));
    }
}

#[test]
fn explanations() {
    let reason = json!({"rule": "activity: call on the telephone system", "source": "line 1001",
        "says": "in a call", "code": "in-a-call", "value": null, "since": "2026-11-23T09:00:00Z",
        "lease_end": "2026-11-23T10:00:00Z", "counted": true, "confidence": "stale", "note": "suspended",
        "note_code": "suspended", "note_value": null, "about": "Review", "party": "+4930"});
    let mut hidden = reason.clone();
    let fields = hidden.as_object_mut().unwrap();
    fields.remove("about");
    fields.remove("party");
    let explanation: Explanation = round_trip(json!({"person": "7", "name": "Anna",
        "presence": presence_of("Busy"), "reasons": [reason, hidden]}));
    assert_eq!(explanation.reasons[0].about.as_deref(), Some("Review"));
    assert_eq!(explanation.reasons[1].party, None);
}

#[test]
fn profiles_and_choices() {
    let profile = json!({"name": "Lunch", "status": "Absent", "text": null, "origin": "personal",
        "forwarding": {"kind": "all", "target": "1002"}, "active": true});
    round_trip::<Profiles>(json!({"items": [profile], "names": ["Lunch"]}));
    round_trip::<OrderBody>(json!({"names": ["Lunch", "Busy"]}));
    let new: NewProfile =
        round_trip(json!({"status": "Busy", "forwarding": {"kind": "off"}, "text": null}));
    assert_eq!((new.name, new.active), (None, None));
    round_trip::<CurrentChoice>(json!({"profile": null, "since": null, "until": null}));
    round_trip::<ChoiceBody>(json!({"profile": null, "until": null}));
    let absent = refused::<ChoiceBody>(json!({"until": null}));
    assert!(absent.contains("missing field `profile`"), "{absent}");
}

#[test]
fn appointments() {
    for origin in ["manual", "calendar", "teams"] {
        round_trip::<AppointmentBody>(
            json!({"id": "3", "start": "2026-11-23T09:00:00Z", "end": null,
            "text": "Review", "colour": "#0b5cad", "profile": "Busy", "private": true, "origin": origin}),
        );
    }
    let hidden = json!({"id": "3", "start": "2026-11-23T09:00:00Z", "end": "2026-11-23T10:00:00Z"});
    round_trip::<Appointments>(json!({"items": [hidden], "next": null}));
    let new = json!({"start": "2026-11-23T09:00:00Z", "end": "2026-11-23T10:00:00Z", "text": ""});
    let new: NewAppointment = serde_json::from_value(new).unwrap();
    assert!(!new.private && new.profile.is_none());
}

#[test]
fn relationships() {
    for level in Relationship::ALL.map(Relationship::name) {
        let own = json!({"viewer": "8", "own": level, "level": level});
        let inherited = json!({"viewer": "8", "own": null, "level": level});
        round_trip::<Relationships>(json!({"items": [own, inherited], "next": null}));
        round_trip::<Workgroups>(json!({"next": null,
            "items": [{"id": "1", "name": "Sales", "level": level, "members": ["7"]}]}));
    }
    round_trip::<LevelBody>(json!({"level": "Assistant"}));
    round_trip::<NewWorkgroup>(json!({"name": "Sales", "level": "Assistant", "members": []}));
    round_trip::<Permissions>(
        json!({"level": null, "pick_up": true, "change_profile": false,
        "change_forwarding": false, "change_appointments": false}),
    );
}

#[test]
fn devices_and_sources() {
    round_trip::<Devices>(
        json!({"items": [{"id": "d1", "name": "laptop", "system": "linux",
        "created": "2026-11-23T09:00:00Z", "connected_since": null, "version": null, "reporting": ["Webex"],
        "paused_until": null}]}),
    );
    round_trip::<CodeBody>(json!({"code": "ABCD", "until": "2026-11-23T09:00:00Z",
        "command": "offhook-agent pair https://x.example ABCD"}));
    round_trip::<PauseBody>(json!({"paused_until": null}));
    round_trip::<MeetingBody>(json!({"audio": true, "screen": false}));
    round_trip::<ClientBody>(json!({"state": "Active", "since": null}));
}

/// A newer server may have more words: a client that does not know one says which, instead of reading something else.
#[test]
fn an_unknown_word_is_named() {
    let error = refused::<PresenceBody>(presence_of("Sleeping"));
    assert!(
        error.contains(r#""Sleeping" is no status; there are Available, "#),
        "{error}"
    );
    let mut activity = presence_of("Busy");
    activity["activity"]["kind"] = json!("Dancing");
    assert!(refused::<PresenceBody>(activity).contains("`Dancing`"));
    let profile = json!({"name": "Lunch", "status": "Absent", "text": null, "origin": "shared",
        "forwarding": {"kind": "off"}, "active": true});
    assert!(refused::<ProfileBody>(profile).contains(r#""shared" is no origin of a profile"#));
    let level = json!({"viewer": "8", "own": "Friend", "level": "Assistant"});
    let page = json!({"items": [level], "next": null});
    assert!(refused::<Relationships>(page).contains(r#""Friend" is no relationship"#));
}

/// A newer server may answer more fields.
#[test]
fn unknown_fields_of_answers_are_skipped() {
    let mut more = presence_of("Busy");
    more["mood"] = json!("good");
    let read: PresenceBody = serde_json::from_value(more).unwrap();
    assert_eq!(read.status, Status::Busy);
}
