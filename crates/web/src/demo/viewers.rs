//! *View as*: sessions of an employee, a receptionist and an administrator.

use api::{caller::Caller, problem::Problem, sessions::Sessions};
use axum::{
    extract::{Form, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use presence::{PersonId, Relationship};
use runtime::context::Context;
use serde::Deserialize;
use store::{Account, Change, Concern, Role};

use super::back;

/// The person who is the employee.
const EMPLOYEE: &str = "Bert Lindqvist";
/// The person who is the receptionist: may act for all colleagues.
const RECEPTIONIST: &str = "Farid Haddad";

/// The role in which the board is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Viewer {
    Employee,
    Receptionist,
    Administrator,
}

impl Viewer {
    pub(super) const ALL: [Self; 3] = [Self::Employee, Self::Receptionist, Self::Administrator];

    /// The viewer of the caller's session. A session of another account counts as an employee's.
    pub(super) fn of(caller: &Caller) -> Self {
        match (caller.is_admin(), &*caller.name) {
            (true, _) => Self::Administrator,
            (false, RECEPTIONIST) => Self::Receptionist,
            (false, _) => Self::Employee,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Employee => "employee",
            Self::Receptionist => "receptionist",
            Self::Administrator => "administrator",
        }
    }

    /// Key of the name in the interface.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Employee => "demo-employee",
            Self::Receptionist => "demo-receptionist",
            Self::Administrator => "demo-administrator",
        }
    }
}

/// Form of the switch.
#[derive(Debug, Deserialize)]
pub struct Wish {
    viewer: Viewer,
    person: String,
}

/// `POST /demo/view-as`: ends the browser's session and begins one of the wished viewer.
pub async fn view_as(
    State(context): State<Context>,
    State(sessions): State<Sessions>,
    headers: HeaderMap,
    Form(wish): Form<Wish>,
) -> Result<Response, Problem> {
    let account = match wish.viewer {
        Viewer::Administrator => None,
        Viewer::Employee => Some(account(&context, EMPLOYEE).await?),
        Viewer::Receptionist => {
            let id = account(&context, RECEPTIONIST).await?;
            assist(&context).await?;
            Some(id)
        }
    };
    sessions.end(&headers).await?;
    let cookie = sessions.begin(account).await?;
    Ok(([(header::SET_COOKIE, cookie)], back(&wish.person)).into_response())
}

/// The account of the person called `name`, made when it is first needed.
async fn account(context: &Context, name: &str) -> Result<u64, Problem> {
    if let Some(known) = context.store.account_by_name(name).await? {
        return Ok(known.id);
    }
    let account = Account {
        id: 0,
        name: name.into(),
        password_hash: None,
        person: named(context, name),
        role: Role::Person,
        location: None,
        created_at: context.clock.now(),
    };
    let change = change(context, "account.add", name);
    Ok(context.store.add_account(&account, &change).await?)
}

/// Lets the receptionist act for all colleagues.
async fn assist(context: &Context) -> Result<(), Problem> {
    let Some(receptionist) = named(context, RECEPTIONIST) else {
        return Ok(());
    };
    let _one_at_a_time = context.settings_lock.lock().await;
    let level = Relationship::Assistant;
    for owner in context.people.people(|person| person.id != receptionist) {
        let before = context
            .organisation
            .read(|snapshot| snapshot.relationship(owner.id, receptionist));
        if before >= level {
            continue;
        }
        let change = change(context, "relationship.set", &owner.name);
        let store = &context.store;
        store
            .set_relationship(owner.id, receptionist, Some(level), &change)
            .await?;
        let organisation = &context.organisation;
        organisation.set_relationship(owner.id, receptionist, Some(level));
    }
    Ok(())
}

fn named(context: &Context, name: &str) -> Option<PersonId> {
    let found = context.people.people(|person| person.name == name);
    found.first().map(|person| person.id)
}

fn change<'a>(context: &Context, what: &'a str, target: &'a str) -> Change<'a> {
    Change {
        at: context.clock.now(),
        who: "demo",
        what,
        target,
        before: None,
        after: None,
        concern: Concern::Administration,
        attempt: None,
    }
}
