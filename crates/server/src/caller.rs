//! Who makes a request, and what they may do: people by their relationships, location administrators in their location,
//! system administrators and API keys everything that their scopes say.

use axum::{extract::FromRequestParts, http::request::Parts};
use presence::{Permission, PersonId, Relationship};
use store::{ApiKey, Role, Session};

use crate::{
    app::SharedState, directory::Person, events::VisibilityBefore, organisation::ORGANISATION,
    problem::Problem,
};

/// Who makes a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// For the audit log.
    pub(crate) name: String,
    /// Tells this caller from all others; names of keys and accounts may be alike.
    pub(crate) identity: String,
    /// The person behind the account, if there is one. A key has none.
    pub(crate) person: Option<PersonId>,
    /// The account, if the caller signed in to one.
    pub(crate) account: Option<u64>,
    power: Power,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Power {
    /// Only what relationships give.
    Person,
    /// Settings and people of one location.
    Location(String),
    /// Everything.
    System,
    /// An API key: sees everything (`read`), changes what people may change (`write`), or does everything (`admin`).
    Key {
        read: bool,
        write: bool,
        admin: bool,
    },
}

impl Caller {
    /// The key of the configuration file.
    pub(crate) fn configured_key() -> Self {
        Self {
            name: "API key of the configuration".into(),
            identity: "configuration".into(),
            person: None,
            account: None,
            power: Power::System,
        }
    }

    /// A key from the store.
    pub(crate) fn key(key: &ApiKey) -> Self {
        let has = |scope: &str| key.scopes.iter().any(|given| given == scope);
        Self {
            name: format!("API key {}", key.name),
            identity: format!("key {}", key.id),
            person: None,
            account: None,
            power: Power::Key {
                read: has("read") || has("admin"),
                write: has("write") || has("admin"),
                admin: has("admin"),
            },
        }
    }

    /// A session.
    pub(crate) fn session(session: Session) -> Self {
        match session.account {
            None => Self {
                name: "administrator of the installation".into(),
                identity: "installation".into(),
                person: None,
                account: None,
                power: Power::System,
            },
            Some(account) => Self {
                name: account.name,
                identity: format!("account {}", account.id),
                person: account.person,
                account: Some(account.id),
                power: match (account.role, account.location) {
                    (Role::SystemAdmin, _) => Power::System,
                    (Role::LocationAdmin, Some(location)) => Power::Location(location),
                    _ => Power::Person,
                },
            },
        }
    }

    /// The person at a desktop agent of theirs.
    pub(crate) fn agent(person: &Person) -> Self {
        Self {
            name: format!("{}, at the desktop agent", person.name),
            identity: format!("agent of {}", person.id),
            person: Some(person.id),
            account: None,
            power: Power::Person,
        }
    }

    /// Whether the caller is a system administrator.
    pub(crate) fn is_admin(&self) -> bool {
        matches!(self.power, Power::System | Power::Key { admin: true, .. })
    }

    /// Whether the caller administers the organisation or a location.
    pub(crate) fn administers(&self) -> bool {
        self.is_admin() || self.location().is_some()
    }

    /// The one location that the caller administers.
    pub(crate) fn location(&self) -> Option<&str> {
        match &self.power {
            Power::Location(location) => Some(location),
            _ => None,
        }
    }

    /// Whether the caller may read at all: a key for a meeting server or an agent need not.
    pub(crate) fn may_read(&self) -> bool {
        !matches!(self.power, Power::Key { read: false, .. })
    }

    /// How much of the owner the caller may see.
    pub(crate) fn level(&self, shared: &SharedState, owner: PersonId) -> Relationship {
        let sees_all = matches!(self.power, Power::System | Power::Key { read: true, .. });
        if sees_all || self.person == Some(owner) {
            return Relationship::AssistantPlus;
        }
        self.person.map_or(Relationship::Unknown, |viewer| {
            shared
                .organisation
                .read(|tables| tables.relationship(owner, viewer))
        })
    }

    /// How much of the owner the caller could see before a change of visibility; `None`: the change does not concern the
    /// caller.
    pub(crate) fn level_before(
        &self,
        shared: &SharedState,
        owner: PersonId,
        before: &VisibilityBefore,
    ) -> Option<Relationship> {
        let sees_all = matches!(self.power, Power::System | Power::Key { read: true, .. });
        let viewer = self.person.filter(|viewer| !sees_all && *viewer != owner)?;
        match before {
            VisibilityBefore::Relationship(concerned, level) => {
                (*concerned == viewer).then_some(*level)
            }
            VisibilityBefore::Place(place) => Some(
                shared
                    .organisation
                    .read(|tables| tables.relationship_at(place, owner, viewer)),
            ),
        }
    }

    /// Refuses who may not act for the owner.
    pub(crate) fn require(
        &self,
        shared: &SharedState,
        owner: PersonId,
        permission: Permission,
    ) -> Result<(), Problem> {
        let allowed = match &self.power {
            Power::System | Power::Key { write: true, .. } => true,
            Power::Key { .. } => false,
            Power::Location(_) | Power::Person => self.level(shared, owner).may(permission),
        };
        if allowed {
            return Ok(());
        }
        Err(Problem::forbidden(format!(
            "{} may not do that for this person; it needs the relationship {} or, for a key, the scope `write`",
            self.name,
            permission.least()
        )))
    }

    /// Refuses who is not the person and administers neither the person nor everything.
    pub(crate) fn require_self(
        &self,
        shared: &SharedState,
        owner: PersonId,
    ) -> Result<(), Problem> {
        let is_owner = self.person == Some(owner);
        if is_owner || matches!(self.power, Power::Key { write: true, .. }) {
            return Ok(());
        }
        self.require_admin_of(shared, owner)
    }

    /// Refuses who does not administer the person.
    pub(crate) fn require_admin_of(
        &self,
        shared: &SharedState,
        owner: PersonId,
    ) -> Result<(), Problem> {
        let location = shared
            .organisation
            .read(|tables| tables.place(owner).location);
        self.require_admin_at(shared, location.as_deref())
    }

    /// Refuses who does not administer the location or, without one, the organisation.
    pub(crate) fn require_admin_at(
        &self,
        shared: &SharedState,
        location: Option<&str>,
    ) -> Result<(), Problem> {
        self.require_admin(shared, location.unwrap_or(ORGANISATION))
    }

    /// Refuses who does not administer the scope.
    pub(crate) fn require_admin(&self, shared: &SharedState, scope: &str) -> Result<(), Problem> {
        let allowed = match &self.power {
            Power::System | Power::Key { admin: true, .. } => true,
            Power::Location(location) => shared.organisation.read(|tables| {
                tables
                    .place_of_scope(scope)
                    .is_some_and(|place| place.location.as_ref() == Some(location))
            }),
            Power::Key { .. } | Power::Person => false,
        };
        if allowed {
            return Ok(());
        }
        Err(Problem::forbidden(format!(
            "{} does not administer {scope}; ask a system administrator, or use a key with the scope `admin`",
            self.name
        )))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // Put there by `access::require`, which every protected route passes.
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(Problem::unauthorized)
    }
}
