//! Settings of the sample organisation: locations, a locked setting, templates, profiles, appointments.

use std::time::Duration;

use presence::{
    APPOINTMENT_COLOUR, Appointment, AppointmentId, AppointmentOrigin, Forwarding, Origin,
    PersonId, Profile, Relationship, Status, TEAMS_PROFILE, Target, Timestamp,
};
use runtime::audit;
use store::{Audience, Change, Concern, ORGANISATION, ScopeKind, Store, StoreError, Template};

use super::people::NAMED;

/// Entry in the audit log for the sample data.
pub const fn change(at: Timestamp) -> Change<'static> {
    Change {
        at,
        who: "demo",
        what: audit::DEMO_ARRANGED,
        target: "sample organisation",
        before: None,
        after: None,
        concern: Concern::Administration,
        attempt: None,
    }
}

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

/// Creates the sample data; appointments only with the scripted day.
pub async fn arrange(
    store: &Store,
    now: Timestamp,
    with_appointments: bool,
) -> Result<(), StoreError> {
    let change = change(now);
    let people: Vec<PersonId> = store
        .people(now)
        .await?
        .iter()
        .map(|person| person.id)
        .collect();
    let teams = r#"{"mode":"telephony_and_presence"}"#;
    store
        .set_settings(ORGANISATION, "teams", Some(teams), &change)
        .await?;
    let (berlin, lyon) = ("Berlin", "Lyon");
    let berlin = store
        .add_scope(ScopeKind::Location, ORGANISATION, berlin, &change)
        .await?;
    let lyon = store
        .add_scope(ScopeKind::Location, ORGANISATION, lyon, &change)
        .await?;
    let reception = store
        .add_scope(ScopeKind::Group, &berlin, "Reception", &change)
        .await?;
    // In Lyon, people may not change the status of a locked screen.
    let locked = r#"{"locked":"Absent","user_may_change":{"locked":false}}"#;
    store
        .set_settings(&lyon, "automatic", Some(locked), &change)
        .await?;
    for (index, person) in people.iter().take(NAMED).enumerate() {
        let (location, group) = match index % 5 {
            0 => (&berlin, Some(&reception)),
            1 | 2 => (&berlin, None),
            _ => (&lyon, None),
        };
        store
            .set_membership(*person, Some(location), group, &change)
            .await?;
    }
    store
        .add_template(
            &Template {
                profile: Profile::central(TEAMS_PROFILE, Status::Busy),
                scope: ORGANISATION.clone(),
                audience: Audience::Everyone,
                people: Vec::new(),
            },
            &change,
        )
        .await?;
    if let Some(members) = people.get(..5) {
        store
            .upsert_workgroup(None, "Sales", Relationship::TeamColleague, members, &change)
            .await?;
    }
    for (index, profile) in profiles().iter().enumerate() {
        if let Some(person) = people.get(20 + index) {
            store.upsert_profile(*person, profile, &change).await?;
        }
    }
    let appointments = appointments(now);
    let shown = appointments.iter().filter(|_| with_appointments);
    for (index, appointment) in shown.enumerate() {
        if let Some(person) = people.get(17 + index) {
            store.add_appointment(*person, appointment, &change).await?;
        }
    }
    Ok(())
}

fn profiles() -> [Profile; 2] {
    let personal = |name: &str, status, forwarding| Profile {
        name: name.into(),
        status,
        forwarding,
        text: None,
        origin: Origin::Personal,
        active: true,
    };
    let reception = Target::parse("1001").map_or(Forwarding::Off, Forwarding::All);
    [
        personal("Lunch", Status::BeRightBack, reception),
        personal("Writing", Status::DoNotDisturb, Forwarding::DoNotDisturb),
    ]
}

/// One current appointment, one private one, and one that starts soon.
fn appointments(now: Timestamp) -> [Appointment; 3] {
    let appointment = |text: &str, start, lasts, private| Appointment {
        id: AppointmentId(0),
        start,
        end: start + lasts,
        text: text.into(),
        colour: APPOINTMENT_COLOUR.into(),
        profile: "Appointment".into(),
        fallback: Status::Busy,
        private,
        origin: AppointmentOrigin::Manual,
    };
    [
        appointment("Quarterly review", now - minutes(20), minutes(90), false),
        appointment("Dentist", now - minutes(5), minutes(60), true),
        appointment(
            "Stand-up",
            now + Duration::from_secs(90),
            minutes(15),
            false,
        ),
    ]
}
