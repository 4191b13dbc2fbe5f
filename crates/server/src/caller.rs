//! Who makes a request, and what they may do: people by their relationships, location administrators in their location,
//! system administrators and API keys everything that their scopes say.

use std::sync::Arc;

use axum::{extract::FromRequestParts, http::request::Parts};
use presence::{Permission, PersonId, Relationship};
use store::{ApiKey, Attempt, Role, Session};

use crate::{
    audit::Author,
    events::VisibilityBefore,
    organisation::{ORGANISATION, Organisation, Snapshot},
    people_index::Person,
    problem::Problem,
};

/// Who makes a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// For the audit log.
    pub name: String,
    /// Tells this caller from all others; names of keys and accounts may be alike.
    pub identity: String,
    /// The person behind the account, if there is one. A key has none.
    pub person: Option<PersonId>,
    /// The account, if the caller signed in to one.
    pub account: Option<u64>,
    power: Power,
    /// The request that is made, where it carries an idempotency key.
    attempt: Option<Arc<Attempt>>,
    /// Tells the session or key from all others, without giving it away.
    session: Arc<str>,
}

/// Identity of the key of the configuration file.
const CONFIGURED: &str = "configuration";

/// What the caller wants of something that is a person's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To read it: a key needs the scope `read`.
    Read,
    /// To change it: a key needs the scope `write`.
    Change,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Power {
    /// Only what relationships give.
    Person,
    /// Settings of one location and, of its people, names, groups and settings.
    Location(String),
    /// Everything.
    System,
    /// An API key: asks where calls go (`route`), sees everything (`read`), changes what people may change (`write`), or
    /// does everything (`admin`).
    Key {
        route: bool,
        read: bool,
        write: bool,
        admin: bool,
    },
}

impl Caller {
    /// The key of the configuration file.
    pub fn configured_key() -> Self {
        Self {
            name: "API key of the configuration".into(),
            identity: CONFIGURED.into(),
            person: None,
            account: None,
            power: Power::System,
            attempt: None,
            session: Arc::default(),
        }
    }

    /// A key from the store.
    pub fn key(key: &ApiKey) -> Self {
        let has = |scope: &str| key.scopes.iter().any(|given| given == scope);
        Self {
            name: format!("API key {}", key.name),
            identity: format!("key {}", key.id),
            person: None,
            account: None,
            power: Power::Key {
                route: has("route") || has("read") || has("admin"),
                read: has("read") || has("admin"),
                write: has("write") || has("admin"),
                admin: has("admin"),
            },
            attempt: None,
            session: Arc::default(),
        }
    }

    /// A session.
    pub fn session(session: Session) -> Self {
        match session.account {
            None => Self {
                name: "administrator of the installation".into(),
                identity: "installation".into(),
                person: None,
                account: None,
                power: Power::System,
                attempt: None,
                session: Arc::default(),
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
                attempt: None,
                session: Arc::default(),
            },
        }
    }

    /// The person at a desktop agent of theirs.
    pub fn agent(person: &Person) -> Self {
        Self {
            name: format!("{}, at the desktop agent", person.name),
            identity: format!("agent of {}", person.id),
            person: Some(person.id),
            account: None,
            power: Power::Person,
            attempt: None,
            session: Arc::default(),
        }
    }

    /// Whether the caller is a program with an API key.
    pub fn is_key(&self) -> bool {
        matches!(self.power, Power::Key { .. }) || self.identity == CONFIGURED
    }

    /// The same caller, in the session that the mark tells from all others.
    pub fn in_session(self, mark: &str) -> Self {
        Self {
            session: mark.into(),
            ..self
        }
    }

    /// The mark of the session or key.
    pub fn session_mark(&self) -> &str {
        &self.session
    }

    /// The same caller, making a request with an idempotency key.
    pub fn attempting(self, attempt: Arc<Attempt>) -> Self {
        Self {
            attempt: Some(attempt),
            ..self
        }
    }

    /// The author of changes, for the audit log.
    pub fn author(&self) -> Author {
        Author {
            name: self.name.clone(),
            attempt: self.attempt.clone(),
        }
    }

    /// Whether the caller is a system administrator.
    pub fn is_admin(&self) -> bool {
        matches!(self.power, Power::System | Power::Key { admin: true, .. })
    }

    /// Whether the caller administers the organisation or a location.
    pub fn administers(&self) -> bool {
        self.is_admin() || self.location().is_some()
    }

    /// The one location that the caller administers.
    pub fn location(&self) -> Option<&str> {
        match &self.power {
            Power::Location(location) => Some(location),
            _ => None,
        }
    }

    /// Whether the caller may read at all: a key for a meeting server or an agent need not.
    pub fn may_read(&self) -> bool {
        !matches!(self.power, Power::Key { read: false, .. })
    }

    /// Whether the caller may ask where the calls of everybody go.
    pub fn may_route(&self) -> bool {
        matches!(self.power, Power::System | Power::Key { route: true, .. })
    }

    /// Whether the caller may do nothing else.
    pub fn only_routes(&self) -> bool {
        self.may_route()
            && !self.may_read()
            && !matches!(self.power, Power::Key { write: true, .. })
    }

    /// How much of the owner the caller may see.
    pub fn level(&self, organisation: &Organisation, owner: PersonId) -> Relationship {
        self.level_by(organisation, owner, Tables::relationship)
    }

    /// What the caller is shown to be to the owner: without the owner's word that blocks the caller, who must not notice it.
    /// For display only.
    pub fn shown_level(&self, organisation: &Organisation, owner: PersonId) -> Relationship {
        self.level_by(organisation, owner, Tables::shown_relationship)
    }

    fn level_by(
        &self,
        organisation: &Organisation,
        owner: PersonId,
        level: impl Fn(&Snapshot, PersonId, PersonId) -> Relationship,
    ) -> Relationship {
        let sees_all = matches!(self.power, Power::System | Power::Key { read: true, .. });
        if sees_all || self.person == Some(owner) {
            return Relationship::AssistantPlus;
        }
        self.person.map_or(Relationship::Unknown, |viewer| {
            organisation.read(|tables| level(tables, owner, viewer))
        })
    }

    /// How much of the owner the caller could see before a change of visibility; `None`: the change does not concern the
    /// caller.
    pub fn level_before(
        &self,
        organisation: &Organisation,
        owner: PersonId,
        before: &VisibilityBefore,
    ) -> Option<Relationship> {
        let sees_all = matches!(self.power, Power::System | Power::Key { read: true, .. });
        let viewer = self.person.filter(|viewer| !sees_all && *viewer != owner)?;
        match before {
            VisibilityBefore::Relationship(concerned, level) => {
                (*concerned == viewer).then_some(*level)
            }
            VisibilityBefore::Membership(place) => {
                Some(organisation.read(|tables| tables.relationship_at(place, owner, viewer)))
            }
        }
    }

    /// Refuses callers who may not act for the owner.
    pub fn require(
        &self,
        organisation: &Organisation,
        owner: PersonId,
        permission: Permission,
    ) -> Result<(), Problem> {
        let allowed = match &self.power {
            Power::System | Power::Key { write: true, .. } => true,
            Power::Key { .. } => false,
            Power::Location(_) | Power::Person => self.level(organisation, owner).may(permission),
        };
        self.allowed_by(allowed, permission)
    }

    /// Refuses callers who may not read what those read who act for the owner.
    pub fn require_to_read(
        &self,
        organisation: &Organisation,
        owner: PersonId,
        permission: Permission,
    ) -> Result<(), Problem> {
        self.allowed_by(self.level(organisation, owner).may(permission), permission)
    }

    fn allowed_by(&self, allowed: bool, permission: Permission) -> Result<(), Problem> {
        if allowed {
            return Ok(());
        }
        Err(Problem::forbidden(format!(
            "{} may not do that for this person; it needs the relationship {} or, for a key, the scope `write` (to read: `read`)",
            self.name,
            permission.least()
        )))
    }

    /// Whether the caller is the person, or a system administrator or key that stands for everybody.
    fn is_self(&self, owner: PersonId, access: Access) -> bool {
        let stands_for_everybody = match (&self.power, access) {
            (Power::System, _) => true,
            (Power::Key { read, .. }, Access::Read) => *read,
            (Power::Key { write, .. }, Access::Change) => *write,
            (Power::Location(_) | Power::Person, _) => false,
        };
        stands_for_everybody || self.person == Some(owner)
    }

    /// Refuses callers other than the person for what only the person says: relationships, favourites, meetings, clients,
    /// devices. Location administrators have no part in it.
    pub fn require_self(&self, owner: PersonId, access: Access) -> Result<(), Problem> {
        if self.is_self(owner, access) {
            return Ok(());
        }
        Err(Problem::forbidden(format!(
            "{} is not this person; only the person, system administrators and keys with the scope `write` (to read: `read`) have that",
            self.name
        )))
    }

    /// Refuses callers who are not the person and do not administer the person's location, for settings of the person.
    pub fn require_self_or_admin(
        &self,
        organisation: &Organisation,
        owner: PersonId,
        access: Access,
    ) -> Result<(), Problem> {
        match self.is_self(owner, access) {
            true => Ok(()),
            false => self.require_admin_of(organisation, owner),
        }
    }

    /// Whether the caller may read what is secret of a person: an address that opens their calendar.
    pub fn may_read_secrets(&self, owner: PersonId) -> bool {
        self.is_admin() || self.person == Some(owner)
    }

    /// Refuses callers who do not administer the person's location.
    pub fn require_admin_of(
        &self,
        organisation: &Organisation,
        owner: PersonId,
    ) -> Result<(), Problem> {
        let location = organisation.read(|tables| tables.membership(owner).location);
        self.require_admin_at(organisation, location.as_deref())
    }

    /// Refuses callers who do not administer the location or, without one, the organisation.
    pub fn require_admin_at(
        &self,
        organisation: &Organisation,
        location: Option<&str>,
    ) -> Result<(), Problem> {
        self.require_admin(organisation, location.unwrap_or(ORGANISATION))
    }

    /// Refuses callers who may not read what administrators of the scope read.
    pub fn require_admin_to_read(
        &self,
        organisation: &Organisation,
        scope: &str,
    ) -> Result<(), Problem> {
        match self.power {
            Power::Key { read: true, .. } => Ok(()),
            _ => self.require_admin(organisation, scope),
        }
    }

    /// Whether the caller may read what administrators of the person read.
    pub fn may_read_as_admin_of(&self, organisation: &Organisation, person: PersonId) -> bool {
        let location = || {
            let place = organisation.read(|tables| tables.membership(person));
            place.location
        };
        match &self.power {
            Power::System | Power::Key { read: true, .. } | Power::Key { admin: true, .. } => true,
            Power::Location(own) => location().as_ref() == Some(own),
            Power::Key { .. } | Power::Person => false,
        }
    }

    /// Refuses callers who do not administer the scope.
    pub fn require_admin(&self, organisation: &Organisation, scope: &str) -> Result<(), Problem> {
        let allowed = match &self.power {
            Power::System | Power::Key { admin: true, .. } => true,
            Power::Location(location) => organisation.read(|tables| {
                tables
                    .membership_of_scope(scope)
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
